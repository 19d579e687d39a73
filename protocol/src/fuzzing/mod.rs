//! Fuzz targets: everything in this crate that takes bytes from outside.
//!
//! Each [`Target`] has a body that must survive any bytes, and asserts what must hold of bytes that
//! are accepted. The bodies are always compiled. [`replay`] runs them in every test run over valid
//! inputs, kept findings and seeded mutations of both; `scripts/fuzz` lets libFuzzer look further.

mod control;
mod core;
mod corpus;
mod ingest;
mod media;
mod mutate;
mod script;
mod session;
mod statement;

pub use corpus::{read_corpus, write_seeds};
pub use mutate::Mutator;
pub use script::Script;

/// Something that takes bytes from outside.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name: also of its binary in `tests/fuzz/` and its directory in `tests/fuzz/corpus-min/`.
    pub name: &'static str,
    /// Mutations tried in a test run: as many as take about a second.
    pub rounds: u64,
    /// Feeds it some bytes. Panics when an invariant breaks.
    pub run: fn(&[u8]),
    /// Valid inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// The targets of this crate.
pub const TARGETS: &[Target] = &[
    control::CONTROL,
    core::CORE,
    ingest::INGEST,
    ingest::KEYFRAME,
    media::BLOCK,
    media::REBUILD,
    media::SHARD,
    session::DELEGATION,
    session::DESCRIPTOR,
    session::INVITE,
    session::INVITE_CONTENT,
    session::TICKET,
    statement::ADVERT,
    statement::BEACON,
    statement::ROOT_GRANT,
];

/// Runs `target` on its seeds, on `found`, and on mutations of them: the same every time.
///
/// # Panics
/// When an invariant breaks; the input is printed before.
pub fn replay(target: &Target, found: Vec<Vec<u8>>) {
    let mut inputs = (target.seeds)();
    inputs.extend(found);
    inputs.push(Vec::new());
    let run = |input: &[u8], what: &str| {
        let outcome = std::panic::catch_unwind(|| (target.run)(input));
        let hex = || input.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert!(outcome.is_ok(), "target={} {what} input={}", target.name, hex());
    };
    for (number, input) in inputs.iter().enumerate() {
        run(input, &format!("input {number}"));
    }
    let mut mutator = Mutator::new(target.name);
    for round in 0..target.rounds {
        run(&mutator.next(&inputs), &format!("round {round}"));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_target_survives_its_corpus_and_mutations_of_it() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus-min");
        for target in TARGETS {
            replay(target, read_corpus(&corpus.join(target.name)));
        }
    }

    #[test]
    fn a_broken_invariant_is_noticed() {
        let run = |bytes: &[u8]| assert!(bytes.len() < 4, "long");
        let target = Target { name: "canary", rounds: 1_000, run, seeds: || vec![vec![1, 2, 3]] };
        let outcome = std::panic::catch_unwind(|| replay(&target, vec![]));
        assert!(outcome.is_err(), "a thousand mutations of three bytes never made four");
    }

    #[test]
    fn every_seed_is_valid_for_somebody() {
        for target in TARGETS {
            assert!(!(target.seeds)().is_empty(), "{} starts from nothing", target.name);
        }
    }
}
