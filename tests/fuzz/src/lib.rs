//! All fuzz targets of the project in one place, for libFuzzer's binaries.
//!
//! The node's files are compiled here one by one, under the paths they have in its crate, so that
//! none of its dependencies is: with instrumentation they take a quarter of an hour.

#![allow(dead_code, unused_imports)] // what only the rest of the node uses

use banyan_protocol::fuzzing::Target;

#[path = "../../../node/src/fuzzing/mod.rs"]
mod node;
#[path = "../../../node/src/payload/mod.rs"]
mod payload;

#[path = "."] // the paths inside start here
mod sink {
    use banyan_protocol::coding::{Packet, VideoCodec};

    #[path = "../../../node/src/sink/picture/mod.rs"]
    mod picture;

    /// Stands for the function of the same name in the node.
    pub fn describes(codec: VideoCodec, packets: &[Packet]) -> bool {
        picture::Picture::of(codec, packets).is_some()
    }
}

#[path = "."]
mod gateway {
    #[path = "../../../node/src/gateway/limits.rs"]
    pub mod limits;
    #[path = "../../../node/src/gateway/random.rs"]
    pub mod random;
    #[path = "../../../node/src/gateway/sdp/mod.rs"]
    pub mod sdp;

    #[path = "."]
    pub mod connection {
        #[path = "../../../node/src/gateway/connection/ice.rs"]
        pub mod ice;
        #[path = "../../../node/src/gateway/connection/stun.rs"]
        pub mod stun;
    }
}

#[path = "."]
mod transport {
    #[path = "../../../node/src/transport/split.rs"]
    pub mod split;
    #[path = "../../../node/src/transport/stun.rs"]
    pub mod stun;
}

/// Every target.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    banyan_protocol::fuzzing::TARGETS.iter().chain(node::TARGETS)
}

/// The body of the target called `name`.
///
/// # Panics
/// If there is none.
pub fn body(name: &str) -> fn(&[u8]) {
    targets().find(|target| target.name == name).expect("a target of this name").run
}
