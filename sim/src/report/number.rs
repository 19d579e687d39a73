//! Numbers as text and as JSON: no superfluous digits, and nothing that is not finite breaks.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Significant digits of a printed figure. Guess: finer differences are noise between two seeds.
const DIGITS: i32 = 5;
/// Significant digits where a person reads and no program.
const DIGITS_READ: i32 = 4;

/// `value` with few significant digits, whole numbers in full, no trailing zeros.
pub(super) fn text(value: f64) -> String {
    with_digits(value, DIGITS)
}

/// More digits are spent where fewer would round to a whole number: 99.998 % is not all.
fn with_digits(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    if value == 0.0 {
        return "0".into();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let at = |digits: i32| {
        let decimals = (digits - 1 - magnitude).clamp(0, 12) as usize;
        trimmed(format!("{value:.decimals$}"))
    };
    let whole = |text: &String| !text.contains('.') && value.fract() != 0.0 && magnitude < 3;
    let more = (digits..digits + 4).map(at).find(|text| !whole(text));
    more.unwrap_or_else(|| at(digits))
}

/// `value` for a reader, not a program: fewer digits, thousands set apart, or `not measured`.
pub(super) fn spaced(value: f64) -> String {
    if !value.is_finite() {
        return "not measured".into();
    }
    let text = with_digits(value, DIGITS_READ);
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits = whole.trim_start_matches('-');
    if digits.len() < 5 {
        return text;
    }
    let mut out = String::from(if value < 0.0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}'); // a narrow space that does not break
        }
        out.push(digit);
    }
    out + rest
}

/// A coordinate of a drawing: a tenth of a pixel is enough. Anything not finite becomes 0.
pub(super) fn coordinate(value: f64) -> String {
    if value.is_finite() { trimmed(format!("{value:.1}")) } else { "0".into() }
}

/// As [`coordinate`], fine enough to be turned back into a value.
pub(super) fn fine(value: f64) -> String {
    if value.is_finite() { trimmed(format!("{value:.2}")) } else { "0".into() }
}

/// Without trailing zeros after the point, nor a minus before nothing.
pub(super) fn trimmed(text: String) -> String {
    let short = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    if short == "-0" { "0".into() } else { short.into() }
}

/// `value` with `digits` significant digits: as JSON, short and read back to the same bits.
fn rounded(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.saturating_sub(1)).parse().unwrap_or(value)
}

/// Significant digits of a figure in JSON. Derived: up to 15 a decimal number is read back exactly.
const FIGURE_DIGITS: usize = 15;
/// Significant digits of a point in JSON. Derived: a plot shows three, a reader may want more.
const POINT_DIGITS: usize = 6;

/// JSON has no NaN: such a number is written as `null` and read back as NaN.
pub(super) mod nullable {
    use super::{Deserialize, Deserializer, FIGURE_DIGITS, Serialize, Serializer, rounded};

    pub(in super::super) fn serialize<S: Serializer>(
        value: &f64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let finite = value.is_finite().then(|| rounded(*value, FIGURE_DIGITS));
        finite.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<f64, D::Error> {
        Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}

/// As [`nullable`], with no more digits than a drawing needs.
pub(super) mod drawn {
    pub(in super::super) use super::nullable::deserialize;
    use super::{POINT_DIGITS, Serialize, Serializer, rounded};

    pub(in super::super) fn serialize<S: Serializer>(
        value: &f64,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.is_finite().then(|| rounded(*value, POINT_DIGITS)).serialize(serializer)
    }
}

/// Points are written without those that are not finite: they cannot be drawn either.
pub(super) mod finite_points {
    use super::{POINT_DIGITS, Serializer, rounded};

    pub(in super::super) fn serialize<S: Serializer>(
        points: &[(f64, f64)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let finite = points.iter().filter(|(x, y)| x.is_finite() && y.is_finite());
        let short = |value: &f64| rounded(*value, POINT_DIGITS);
        serializer.collect_seq(finite.map(|(x, y)| (short(x), short(y))))
    }
}

/// Marks are written without those that are not finite.
pub(super) mod finite_marks {
    use super::Serializer;

    pub(in super::super) fn serialize<S: Serializer>(
        marks: &[(f64, String)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(marks.iter().filter(|(x, _)| x.is_finite()))
    }
}
