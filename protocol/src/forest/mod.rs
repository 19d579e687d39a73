//! The stripe forest: who carries what.

mod member;
mod path;
mod stripe;

pub use member::{Contact, Member, Role};
pub use path::{Path, Tag, tag};
pub use stripe::{StripeSet, home};
