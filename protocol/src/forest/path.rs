//! The way from the root to a node, by which loops are seen.

use super::stripe::StripeSet;
use super::tags::Tags;
use crate::identity::{NodeId, SessionId};
use crate::limits::PATH_MAX;

/// A node's mark on a path: four bytes are enough to tell the few nodes of one path apart.
pub type Tag = u32;

/// The tag of `node` in `session`.
#[must_use]
pub fn tag(node: &NodeId, session: &SessionId) -> Tag {
    let digest = blake3::keyed_hash(session.as_bytes(), node.as_bytes());
    let bytes = digest.as_bytes();
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// The way of one stripe from the root to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Root first, the node last.
    pub tags: Tags,
    /// Whether the node's own feed has stopped and is being repaired.
    pub stalled: bool,
    /// Stripes in which the root has no helper.
    pub short: StripeSet,
    /// From the root to the node, µs; as told to a child: to that child, without the link to it.
    pub delay_us: u32,
}

impl Path {
    /// Links from the root to the node. 0 for the root.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.tags.len().saturating_sub(1) as u8
    }

    /// Whether it is the path of the node with `tag`. A node that gives another as its own hides
    /// itself from those who look for loops.
    #[must_use]
    pub fn leads_to(&self, tag: Tag) -> bool {
        self.tags.last() == Some(&tag)
    }

    /// Whether a node with `tag` can be below this one: it would be no loop and not too long a way.
    #[must_use]
    pub fn can_go_on(&self, tag: Tag) -> bool {
        self.tags.len() < PATH_MAX && !self.tags.contains(&tag)
    }

    /// The path of a child with `tag` below this node, if it [can go on](Self::can_go_on).
    #[must_use]
    pub fn child(&self, tag: Tag) -> Option<Self> {
        if !self.can_go_on(tag) {
            return None;
        }
        let mut tags = self.tags.clone();
        tags.push(tag);
        Some(Self { tags, stalled: self.stalled, short: self.short, delay_us: self.delay_us })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_grows_by_one_and_refuses_loops_and_endless_ways() {
        let root = Path { tags: vec![1].into(), ..Path::default() };
        assert_eq!(root.depth(), 0);
        let child = root.child(2).expect("no loop");
        assert_eq!((child.depth(), &*child.tags), (1, [1, 2].as_slice()));
        assert!(child.leads_to(2) && !child.leads_to(1) && !Path::default().leads_to(0));
        assert_eq!(child.child(1), None);
        let long = (2..).try_fold(root, |path, tag| path.child(tag).ok_or(path));
        assert_eq!(long.expect_err("it ends").tags.len(), PATH_MAX);
    }
}
