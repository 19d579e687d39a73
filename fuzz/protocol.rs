//! Every target of the core: the name of the binary says which.

#![no_main]

use std::sync::LazyLock;

static BODY: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    banyan_protocol::fuzzing::body(banyan_protocol::fuzzing::TARGETS, env!("CARGO_BIN_NAME"))
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| BODY(data));
