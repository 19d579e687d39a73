//! What goes wrong, and whom it meets.

use super::file::{FaultFile, FaultKind};
use super::value::{Share, Span};
use crate::place::{Place, Places};
use crate::population::chance;
use anyhow::{Context as _, ensure};
use banyan_protocol::rng::Rng;

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When, in µs.
    pub at_us: u64,
    /// What.
    pub what: What,
}

/// Kinds of faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// No packet passes between these and all others.
    Partition {
        /// These.
        who: Who,
        /// For so long, in µs.
        for_us: u64,
    },
    /// These die at once.
    Outage {
        /// These.
        who: Who,
    },
    /// The publisher's node dies; a standby must carry on.
    RootDeath,
    /// The publisher hands over to a standby in good order.
    RootHandover,
    /// The uplinks of these lose a part of what they carry.
    UplinkDrop {
        /// These.
        who: Who,
        /// The part they lose, in millionths.
        by_ppm: u32,
        /// For so long, in µs; none: to the end.
        for_us: Option<u64>,
    },
}

/// Whom a fault meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A random share of the nodes that are there, in millionths.
    Share(u32),
    /// All nodes in these cities.
    Cities(Vec<u16>),
    /// The publisher's node.
    Publisher,
}

impl Who {
    /// Whether a node at `place` is met. For a share, `rng` tells; ask it of all nodes in turn.
    pub fn meets(&self, place: &Place, rng: &mut Rng) -> bool {
        match self {
            Self::Share(ppm) => chance(rng, *ppm),
            Self::Cities(cities) => cities.contains(&place.city),
            Self::Publisher => false,
        }
    }
}

/// Checks the `index`-th fault of a plan.
pub(super) fn resolve(
    index: usize,
    file: &FaultFile,
    places: &Places,
    duration: Span,
) -> anyhow::Result<Fault> {
    let key = |name: &str| format!("fault {} ({}): {name}", index + 1, file.kind.name());
    let who = who(file, places).with_context(|| key("whom"))?;
    ensure!(
        file.at < duration,
        "{} = \"{}\" is not before the end, run.duration = \"{duration}\"",
        key("at"),
        file.at
    );
    let takes_for = matches!(file.kind, FaultKind::Partition | FaultKind::UplinkDrop);
    ensure!(takes_for || file.lasts.is_none(), "{} has no meaning here; leave it out", key("for"));
    let takes_by = file.kind == FaultKind::UplinkDrop;
    ensure!(takes_by || file.by.is_none(), "{} has no meaning here; leave it out", key("by"));
    let missing = |name: &str, example: &str| format!("{} is missing: say {example}", key(name));
    let some = || who.clone().with_context(|| missing("share", "share = \"20 %\" or a place"));
    let none = || {
        let unneeded = who.is_none();
        ensure!(unneeded, "{} have no meaning here; leave them out", key("share and place"));
        Ok(())
    };
    let for_us = file.lasts.map(|span| span.0);
    let what = match file.kind {
        FaultKind::Partition => What::Partition {
            who: some()?,
            for_us: for_us.with_context(|| missing("for", "for = \"30 s\""))?,
        },
        FaultKind::Outage => What::Outage { who: some()? },
        FaultKind::RootDeath => none().map(|()| What::RootDeath)?,
        FaultKind::RootHandover => none().map(|()| What::RootHandover)?,
        FaultKind::UplinkDrop => {
            let Share(by_ppm) = file.by.with_context(|| missing("by", "by = \"50 %\""))?;
            What::UplinkDrop { who: who.unwrap_or(Who::Publisher), by_ppm, for_us }
        }
    };
    Ok(Fault { at_us: file.at.0, what })
}

fn who(file: &FaultFile, places: &Places) -> anyhow::Result<Option<Who>> {
    match (&file.share, &file.place) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => anyhow::bail!("share and place are both given; say one of them"),
        (Some(share), None) => Ok(Some(Who::Share(share.0))),
        (None, Some(name)) => {
            let cities = places.cities().iter().enumerate();
            let met = cities
                .filter(|(_, city)| city.name.eq_ignore_ascii_case(name) || city.country == name)
                .map(|(index, _)| index as u16)
                .collect::<Vec<_>>();
            if met.is_empty() {
                return Err(super::resolve::no_such_place(name, places));
            }
            Ok(Some(Who::Cities(met)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_its_share_or_its_cities() {
        let mut rng = Rng::new(&[1; 32], "fault");
        let mut met = |who: &Who, city| {
            let place = Place { city, access_us: 0 };
            (0..10_000).filter(|_| who.meets(&place, &mut rng)).count()
        };
        assert!((3_100..3_500).contains(&met(&Who::Share(330_000), 4)));
        assert_eq!(met(&Who::Cities(vec![2, 4]), 4), 10_000);
        assert_eq!(met(&Who::Cities(vec![2, 4]), 3), 0);
        assert_eq!(met(&Who::Publisher, 4), 0);
    }
}
