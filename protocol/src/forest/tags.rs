//! The nodes of a way, as marks.

use super::path::Tag;
use std::fmt;
use std::ops::Deref;

/// So many need no memory of their own. Derived: a way in a forest of a million nodes has five or
/// six nodes, and this makes it as small as a `Vec`.
const FEW: usize = 5;

/// The tags of a way, root first; to be read as a slice.
#[derive(Clone)]
pub struct Tags(Kept);

#[derive(Clone)]
enum Kept {
    Few { count: u8, tags: [Tag; FEW] },
    Many(Box<[Tag]>),
}

impl Tags {
    /// Adds the next node of the way.
    pub fn push(&mut self, tag: Tag) {
        match &mut self.0 {
            Kept::Few { count, tags } if usize::from(*count) < FEW => {
                tags[usize::from(*count)] = tag;
                *count += 1;
            }
            Kept::Few { .. } | Kept::Many(_) => *self = self.iter().copied().chain([tag]).collect(),
        }
    }
}

impl Default for Tags {
    fn default() -> Self {
        Self(Kept::Few { count: 0, tags: [0; FEW] })
    }
}

impl Deref for Tags {
    type Target = [Tag];
    fn deref(&self) -> &[Tag] {
        match &self.0 {
            Kept::Few { count, tags } => &tags[..usize::from(*count)],
            Kept::Many(tags) => tags,
        }
    }
}

impl From<&[Tag]> for Tags {
    fn from(all: &[Tag]) -> Self {
        let mut tags = [0; FEW];
        match tags.get_mut(..all.len()) {
            Some(few) => {
                few.copy_from_slice(all);
                Self(Kept::Few { count: all.len() as u8, tags })
            }
            None => Self(Kept::Many(all.into())),
        }
    }
}

impl From<Vec<Tag>> for Tags {
    fn from(all: Vec<Tag>) -> Self {
        all.as_slice().into()
    }
}

impl FromIterator<Tag> for Tags {
    fn from_iter<I: IntoIterator<Item = Tag>>(all: I) -> Self {
        Vec::from_iter(all).into()
    }
}

impl PartialEq for Tags {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
impl Eq for Tags {}

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_or_many_they_are_what_was_put_in() {
        assert!(size_of::<Tags>() <= size_of::<Vec<Tag>>());
        let mut tags = Tags::default();
        for count in 0..2 * FEW as Tag {
            assert_eq!(*tags, Vec::from_iter(0..count));
            assert_eq!(tags, (0..count).collect());
            assert_eq!(matches!(tags.0, Kept::Few { .. }), tags.len() <= FEW);
            tags.push(count);
        }
        assert_eq!(format!("{:?}", Tags::from(vec![3, 1])), "[3, 1]");
    }
}
