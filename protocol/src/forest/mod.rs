//! The stripe forest: who carries what.
//!
//! Every stripe of a session has its own tree. [`Forest`] is one node's place in them: a child in
//! each stripe it takes (`parents`), a parent mainly in its home stripe (`children`), with a small
//! view of who else is there (`candidates`) and an opinion of each (`score`). It repairs what broke,
//! climbs where it is strong, and moves where it is better off (`optimise`). A node sees by its
//! [`Path`] that it would become its own ancestor. How media arrive is not its business: the hub
//! tells it that a stripe is late ([`Pace`]: later than is usual) and its parent not worth waiting
//! for ([`is_given_up`]).

mod accusations;
mod action;
mod admission;
mod bounds;
mod candidates;
mod children;
mod context;
mod coordinate;
mod feed;
mod glance;
mod known;
mod lag;
mod machine;
mod member;
mod optimise;
mod pace;
mod parents;
mod path;
mod patience;
mod peer;
mod promise;
mod room;
mod root;
mod rough;
mod score;
mod short;
mod shunned;
mod stripe;
mod summed;
mod tags;
mod told;
mod upkeep;
mod view;

pub use action::{Action, Message};
pub use context::Context;
pub use coordinate::{Coordinate, Spot};
pub(crate) use lag::{Head, Need, Progress, need, need_at, pull_at};
pub use machine::{Forest, Setup};
pub use member::{Contact, Member, Reach, Role};
pub use pace::Pace;
pub use path::{Path, Tag, tag};
pub use patience::{is_given_up, silence};
pub(crate) use peer::position;
pub use peer::{Directory, Peer};
pub use stripe::{StripeSet, home};
pub use tags::Tags;
