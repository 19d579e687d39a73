//! A live event: what its publisher says about it, and how others find it.
//!
//! [`Descriptor`] → signed → travels in an [`Invite`] → checked → [`Session`], which the rest of
//! the core may rely on.

mod beacon;
mod descriptor;
mod grant;
mod invite;
mod live;
mod outline;
mod policy;

pub use beacon::{BEACON_EVERY, Beacon, BeaconWatch, SignedBeacon, Standing};
pub use descriptor::{
    Descriptor, DescriptorBuilder, DescriptorError, InvalidDescriptor, Session, SignedDescriptor,
    default_stripes,
};
pub use grant::{GrantError, RootGrant, SignedRootGrant, Terms};
pub use invite::{Invite, InviteError};
pub(crate) use live::{Entry, Live, Share};
pub use live::{SessionStatus, StripeStatus};
pub use outline::Outline;
pub(crate) use outline::end_message;
pub use policy::{Policy, Relay, Watch};

#[cfg(test)]
pub(crate) mod testing;
