//! Fuzz targets of the node: what it reads itself before, or instead of, any library.
//!
//! See [`banyan_protocol::fuzzing`]. The fuzzer's crate compiles these files and what they test
//! alone, without the node's dependencies, which take a quarter of an hour to build with
//! instrumentation: what is fuzzed here must not need them.

mod payload;
mod peer;
mod port;
mod sdp;

use banyan_protocol::fuzzing::Target;

/// The targets of this crate.
pub const TARGETS: &[Target] = &[
    payload::FRAME,
    payload::PAYLOAD,
    peer::CHECK,
    peer::RTCP,
    peer::RTP,
    port::SPLIT,
    port::STUN,
    sdp::FRAGMENT,
    sdp::OFFER,
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use banyan_protocol::fuzzing::{read_corpus, replay};

    use super::*;

    #[test]
    fn every_target_survives_its_corpus_and_mutations_of_it() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus-min");
        for target in TARGETS {
            replay(target, read_corpus(&corpus.join(target.name)));
        }
    }
}
