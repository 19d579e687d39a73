//! Many runs for one answer: how much is noise ([`Summary`]), how little is enough
//! ([`smallest`]), how small a world still shows a failure ([`shrink`]).
//!
//! Nothing here simulates: what a trial is, the caller says.

mod need;
mod search;
mod shrink;
mod summary;

pub use need::Need;
pub use search::smallest;
pub use shrink::shrink;
pub use summary::{Row, Summary};
