//! Loops among parents.

/// The lowest node of each loop among `nodes`, ascending. `up` gives a node's parent.
pub(super) fn loops(
    nodes: impl Iterator<Item = u32>,
    count: usize,
    up: impl Fn(u32) -> Option<u32>,
) -> Vec<u32> {
    // On which walk a node was met first; 0: on none.
    let mut met = vec![0_u32; count];
    let mut found = Vec::new();
    for (walk, start) in (1..).zip(nodes) {
        let mut node = start;
        while met[node as usize] == 0 {
            met[node as usize] = walk;
            match up(node) {
                Some(parent) => node = parent,
                None => break,
            }
        }
        let closes = met[node as usize] == walk && up(node).is_some();
        if closes {
            let ring = std::iter::successors(up(node), |at| up(*at).filter(|_| *at != node));
            found.extend(ring.take(count).min());
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    type Ups<'a> = &'a [Option<u32>];

    fn of(up: Ups<'_>) -> Vec<u32> {
        loops(0..up.len() as u32, up.len(), |node| up[node as usize])
    }

    #[test]
    fn loops_are_found_whatever_hangs_below_them() {
        let rows: [(&str, Ups<'_>, &[u32]); 6] = [
            ("nobody", &[], &[]),
            ("a tree", &[None, Some(0), Some(0), Some(1)], &[]),
            ("its own parent", &[None, Some(1)], &[1]),
            ("two", &[None, Some(2), Some(1)], &[1]),
            ("a tail", &[Some(1), Some(2), Some(3), Some(4), Some(2)], &[2]),
            ("two loops", &[Some(1), Some(0), None, Some(5), Some(3), Some(4)], &[0, 3]),
        ];
        for (name, up, expected) in rows {
            assert_eq!(of(up), expected, "{name}");
        }
    }
}
