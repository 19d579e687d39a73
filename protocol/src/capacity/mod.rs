//! What a node has to give: measured at home, budgeted, told to others, and believed by them with
//! reserve.
//!
//! [`Uplink`] gathers what the links take → [`Egress`] makes of it what the line carries → it is
//! [`split`] between sessions → [`Budget`] makes slots of that → an [`Advert`] says what
//! is left of them, every [`AdvertInterval`] → others count on it as far as [`Claim`] believes.

mod advert;
mod budget;
mod claim;
mod egress;
mod interval;
mod pulls;
mod split;
mod subnet;
mod uplink;

pub use advert::{Advert, AdvertError, SignedAdvert};
pub use budget::{Budget, Load, Means, PROBATION_SLOTS, Place, Slots};
pub use claim::{Claim, Report};
pub use egress::Egress;
pub use interval::AdvertInterval;
pub use pulls::Pulls;
pub use split::{Demand, split};
pub use subnet::Subnet;
pub use uplink::{Sent, Uplink, is_behind};
