//! The parts of the `rtc` crate that the node's fuzz targets use.

pub use {rtc_rtcp as rtcp, rtc_rtp as rtp, rtc_shared as shared};
