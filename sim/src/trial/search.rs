//! The smallest value with which something holds.

/// The smallest value between `from` and `to`, to `step`, with which `holds`; `None` if it does not
/// even with `to`. What holds with a value must hold with all larger ones: that is not checked.
///
/// # Errors
/// The first that `holds` meets.
pub fn smallest<E>(
    from: f64,
    to: f64,
    step: f64,
    mut holds: impl FnMut(f64) -> Result<bool, E>,
) -> Result<Option<f64>, E> {
    if !holds(to)? {
        return Ok(None);
    }
    if from >= to || holds(from)? {
        return Ok(Some(from.min(to)));
    }
    let (mut low, mut high) = (from, to);
    // A step of a hair would never end.
    let step = step.max((to - from) / 1_000.0);
    while high - low > step * 1.000_001 {
        let middle = f64::midpoint(low, high);
        if holds(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(from: f64, to: f64, enough: f64) -> (Option<f64>, u32) {
        let mut trials = 0;
        let found = smallest(from, to, 0.1, |value| {
            trials += 1;
            Ok::<bool, ()>(value >= enough)
        });
        (found.expect("no errors"), trials)
    }

    #[test]
    fn the_edge_is_found_to_a_step_in_few_trials() {
        let (value, trials) = found(1.0, 3.0, 1.77);
        assert!(value.is_some_and(|value| (1.77..1.87).contains(&value)), "{value:?}");
        assert!(trials <= 7, "{trials}");
        assert_eq!(found(1.0, 3.0, 3.1), (None, 1));
        assert_eq!(found(1.0, 3.0, 0.5), (Some(1.0), 2));
        assert_eq!(smallest(1.0, 2.0, 0.1, |_| Err::<bool, _>("broken")), Err("broken"));
    }
}
