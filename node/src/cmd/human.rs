//! Numbers as people read them.

/// Bit/s with three digits: `3.25 Mbit/s`.
pub(super) fn rate(bps: u64) -> String {
    scaled(bps, &["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"])
}

/// Bytes with three digits: `1.50 GB`.
pub(super) fn bytes(bytes: u64) -> String {
    scaled(bytes, &["B", "kB", "MB", "GB", "TB", "PB"])
}

fn scaled(value: u64, units: &[&str]) -> String {
    let mut scaled = value as f64;
    let mut at = 0;
    while scaled >= 999.5 && at + 1 < units.len() {
        scaled /= 1000.0;
        at += 1;
    }
    let digits = match scaled {
        _ if at == 0 => 0,
        s if s < 9.995 => 2,
        s if s < 99.95 => 1,
        _ => 0,
    };
    format!("{scaled:.digits$} {}", units[at])
}

/// A count in groups of three: `1,234,567`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count and its noun: `1 viewer`, `2 viewers`.
pub(super) fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

/// A time in its two largest units: `3 h 12 min`.
pub(super) fn span(seconds: u64) -> String {
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let first = units.iter().position(|(_, size)| seconds >= *size).unwrap_or(units.len() - 1);
    let (name, size) = units[first];
    let mut out = format!("{} {name}", seconds / size);
    if let Some((name, smaller)) = units.get(first + 1)
        && seconds % size / smaller > 0
    {
        out.push_str(&format!(" {} {name}", seconds % size / smaller));
    }
    out
}

/// The beginning of an id: enough to tell nodes apart.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (bps, text) in [
            (0, "0 bit/s"),
            (999, "999 bit/s"),
            (1_000, "1.00 kbit/s"),
            (999_600, "1.00 Mbit/s"),
            (3_250_000, "3.25 Mbit/s"),
            (42_420_000, "42.4 Mbit/s"),
            (u64::MAX, "18446744 Tbit/s"),
        ] {
            assert_eq!(rate(bps), text);
        }
        assert_eq!(bytes(1_500_000_000), "1.50 GB");
        assert_eq!([count(0), count(999), count(1_234_567)], ["0", "999", "1,234,567"]);
        assert_eq!([counted(1, "viewer"), counted(0, "viewer")], ["1 viewer", "0 viewers"]);
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (11_530, "3 h 12 min"), (86_459, "1 d")]
        {
            assert_eq!(span(seconds), text);
        }
        assert_eq!([short("0123456789"), short("01")], ["01234567", "01"]);
    }
}
