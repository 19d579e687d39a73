//! The stripe forest: who carries what.
//!
//! Every stripe of a session has its own tree. A node is a child in each stripe it takes
//! ([`parents`]) and a parent mainly in its home stripe ([`children`]); it sees by [`lag`] that a
//! parent fell silent ([`Pace`]: later than is usual), and by [`path`] that it would become its own ancestor.

mod candidates;
mod children;
mod coordinate;
mod feed;
mod lag;
mod member;
mod pace;
mod parents;
mod path;
mod stripe;

pub(crate) use candidates::{Candidates, Told};
pub(crate) use children::{Admission, Children, Preempted};
pub use coordinate::Coordinate;
pub(crate) use lag::{Head, Need, need, need_at};
pub use member::{Contact, Member, Role};
pub use pace::Pace;
pub(crate) use parents::{Asker, Parents, Roster};
pub use path::{Path, Tag, tag};
pub use stripe::{StripeSet, home};
