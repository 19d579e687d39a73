//! Messages generated from `proto/*.proto` by `build.rs`. They leave this crate only as domain
//! types, checked.
#![allow(missing_docs, unreachable_pub, clippy::all)]

/// `proto/capacity.proto`.
pub(crate) mod capacity {
    include!(concat!(env!("OUT_DIR"), "/banyan.capacity.v1.rs"));
}

/// `proto/link.proto`.
#[allow(dead_code)] // until the last message has its reader
pub(crate) mod link {
    include!(concat!(env!("OUT_DIR"), "/banyan.link.v1.rs"));
}

/// `proto/session.proto`.
#[allow(dead_code)] // until the last message has its reader
pub(crate) mod session {
    include!(concat!(env!("OUT_DIR"), "/banyan.session.v1.rs"));
}
