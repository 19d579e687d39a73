//! Measured round-trip times between cities, from a CSV file.

use super::Places;
use anyhow::Context as _;
use std::path::Path;

/// A round trip longer than this is a typing error: light needs 0.2 s round the earth in glass.
const RTT_MAX_MS: f64 = 2_000.0;

/// What is wrong with a matrix, and in which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong and what is expected.
    pub problem: String,
}

impl std::fmt::Display for MatrixError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for MatrixError {}

impl Places {
    /// Replaces ways by those of the CSV file at `path`; see [`with_matrix`](Self::with_matrix).
    ///
    /// # Errors
    /// If the file cannot be read, or a line of it is wrong.
    pub fn read_matrix(self, path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading the round-trip times in {}", path.display()))?;
        self.with_matrix(&text).with_context(|| path.display().to_string())
    }

    /// Replaces ways by the round-trip times in `csv`, in milliseconds between cities, without the
    /// access networks of nodes: half of a round trip is one way.
    ///
    /// Either rows of pairs under the header `from,to,rtt_ms`, or a square matrix whose header
    /// holds city names after an empty or any first field, and whose rows each begin with one. A
    /// pair that is given once counts both ways; one that is missing or empty keeps the way that
    /// geography makes. Empty lines and lines that begin with `#` are passed over.
    ///
    /// # Errors
    /// The first line that is wrong: a city that the world lacks, a missing field, not a time.
    pub fn with_matrix(mut self, csv: &str) -> Result<Self, MatrixError> {
        let mut lines = csv
            .lines()
            .enumerate()
            .map(|(i, line)| (i + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let (line, header) = lines.next().ok_or_else(|| MatrixError {
            line: 1,
            problem: "nothing in it: begin with the header from,to,rtt_ms".to_owned(),
        })?;
        let names: Vec<&str> = fields(header).collect();
        let square = names != ["from", "to", "rtt_ms"];
        let columns = if square {
            let known = names.iter().skip(1).map(|name| self.known(line, name));
            known.collect::<Result<Vec<_>, _>>()?
        } else {
            Vec::new()
        };
        let mut given = vec![None; self.one_way.len()];
        for (line, row) in lines {
            let row: Vec<&str> = fields(row).collect();
            if row.len() != names.len() {
                let problem = format!("{} fields, but the header has {}", row.len(), names.len());
                return Err(MatrixError { line, problem });
            }
            let from = self.known(line, row[0])?;
            if square {
                for (&to, text) in columns.iter().zip(&row[1..]) {
                    given[self.index(from, to)] = one_way_us(line, text)?;
                }
            } else {
                let to = self.known(line, row[1])?;
                given[self.index(from, to)] = one_way_us(line, row[2])?;
            }
        }
        let cities = self.cities.len() as u16;
        for (from, to) in (0..cities).flat_map(|from| (0..cities).map(move |to| (from, to))) {
            let (there, back) = (self.index(from, to), self.index(to, from));
            if let Some(one_way) = given[there].or(given[back]) {
                self.one_way[there] = one_way;
            }
        }
        Ok(self)
    }

    fn index(&self, from: u16, to: u16) -> usize {
        usize::from(from) * self.cities.len() + usize::from(to)
    }

    fn known(&self, line: usize, name: &str) -> Result<u16, MatrixError> {
        self.find(name).ok_or_else(|| {
            let known: Vec<_> = self.cities.iter().map(|city| city.name).collect();
            let problem = format!("no city {name:?} in this world, which has {}", known.join(", "));
            MatrixError { line, problem }
        })
    }
}

fn fields(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(|field| field.trim().trim_matches('"'))
}

/// Half of the round trip that `text` says in ms, in µs; nothing if it is empty.
fn one_way_us(line: usize, text: &str) -> Result<Option<u32>, MatrixError> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(ms) if (0.0..=RTT_MAX_MS).contains(&ms) => Ok(Some((ms * 500.0) as u32)),
        _ => {
            let problem = format!("{text:?} is not a time: write 0 to {RTT_MAX_MS} (ms), or none");
            Err(MatrixError { line, problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Continent;

    #[test]
    fn measured_pairs_replace_geography_both_ways_and_others_stay() {
        let geography = Places::new(Continent::Europe);
        let city = |name| geography.find(name).expect(name);
        let (milan, paris, rome) = (city("Milan"), city("Paris"), city("Rome"));
        let pairs = "# hourly means\nfrom,to,rtt_ms\n\nMilan, Paris, 21.4\n\"paris\",Rome,\n";
        let square = ",Milan,Paris,Rome\nMilan,,21.4,\nParis,,,\n";
        for csv in [pairs, square] {
            let places = geography.clone().with_matrix(csv).expect(csv);
            assert_eq!(places.between_us(milan, paris), 10_700);
            assert_eq!(places.between_us(paris, milan), 10_700);
            assert_eq!(places.between_us(paris, rome), geography.between_us(paris, rome));
        }
        let both = "from,to,rtt_ms\nMilan,Paris,20\nParis,Milan,30\n";
        let places = geography.clone().with_matrix(both).expect(both);
        let ways = (places.between_us(milan, paris), places.between_us(paris, milan));
        assert_eq!(ways, (10_000, 15_000), "each way its own where both are given");
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (csv, line, part) in [
            ("", 1, "from,to,rtt_ms"),
            ("from,to,rtt_ms\nMilan,Paris\n", 2, "2 fields"),
            ("from,to,rtt_ms\n\nMilan,Atlantis,3\n", 3, "Atlantis"),
            ("from,to,rtt_ms\nMilan,Paris,fast\n", 2, "\"fast\""),
            ("from,to,rtt_ms\nMilan,Paris,-1\n", 2, "\"-1\""),
            ("from,to,rtt_ms\nMilan,Paris,NaN\n", 2, "\"NaN\""),
            ("from,to,ms\nMilan,Paris,3\n", 1, "\"to\""),
            ("x,Milan,Paris\nMilan,1,2\nParis,1,2,3\n", 3, "4 fields"),
        ] {
            let error = Places::new(Continent::Europe).with_matrix(csv).expect_err(csv);
            assert_eq!(error.line, line, "{csv:?}: {error}");
            assert!(error.to_string().contains(part), "{csv:?}: {error}");
        }
    }
}
