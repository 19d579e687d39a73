//! What a node has to give: measured at home, budgeted, told to others, and believed by them with
//! reserve.
//!
//! [`Egress`] measures this node's uplink → [`Budget`] makes slots of it → an [`Advert`] says what
//! is left of them, every [`AdvertInterval`] → others count on it as far as [`Claim`] believes.

mod advert;
mod budget;
mod claim;
mod egress;
mod interval;
mod subnet;

pub use advert::{Advert, AdvertError, SignedAdvert};
pub use budget::{Budget, Load, Means, PROBATION_SLOTS, Place, Slots};
pub use claim::{Claim, Report};
pub use egress::Egress;
pub use interval::AdvertInterval;
pub use subnet::Subnet;
