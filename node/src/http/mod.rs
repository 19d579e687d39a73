//! The HTTP server of the node: API, pages and the gateway's WHIP and WHEP, on one address.

pub mod problem;
