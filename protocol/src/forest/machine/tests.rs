use super::*;
use crate::forest::peer::Directory;
use std::collections::BTreeSet;

/// Nodes of which only the number is known.
struct Numbers;

impl Directory for Numbers {
    fn home(&self, peer: Peer) -> u8 {
        (peer.0 % 2) as u8
    }
    fn tag(&self, peer: Peer) -> Tag {
        peer.0
    }
    fn network(&self, peer: Peer) -> u32 {
        peer.0
    }
}

/// Every number that a forest holds anywhere, whoever added the place.
fn held(forest: &Forest) -> BTreeSet<u32> {
    let text = format!("{forest:?}");
    let parts = text.split("Peer(").skip(1);
    parts.map(|part| part[..part.find(')').expect("it ends")].parse().expect("a number")).collect()
}

#[test]
fn it_mentions_every_number_it_holds() {
    let mut links = Links::default();
    let mut out = Vec::new();
    let setup = Setup {
        me: Peer(0),
        role: Role::Gateway,
        k: 1,
        n: 2,
        home: 0,
        tag: 0,
        channel: 1,
        slots: 8,
        stripes_max: 2,
        view_max: 16,
        reach: Default::default(),
        seed: [1; 32],
    };
    let mut now = Timestamp::from_micros(1_000_000);
    let mut forest = Forest::new(now, setup);
    let mut most = 0;
    let mut act = |links: &mut Links, now, act: &mut dyn FnMut(&mut Forest, &mut Context<'_>)| {
        act(&mut forest, &mut Context { now, links, directory: &Numbers, out: &mut out });
        let mut held = held(&forest);
        most = most.max(held.len());
        forest.mentioned().for_each(|peer| _ = held.remove(&peer.0));
        held.remove(&0);
        assert!(held.is_empty(), "not mentioned: {held:?} of {forest:?}");
        std::mem::take(&mut out)
    };
    let rtt = Duration::from_millis(1);
    let way = |peer: u32| Path { tags: vec![99, peer].into(), ..Path::default() };
    act(&mut links, now, &mut |forest, cx| forest.on_found(cx, &[Peer(1), Peer(2)]));
    for peer in (1..=2).map(Peer) {
        assert!(links.on_up(now, peer, rtt));
        let done = act(&mut links, now, &mut |forest, cx| forest.on_link_up(cx, peer));
        for action in done {
            let Action::Send(to, Body::Graft(graft)) = action else { continue };
            let (stripe, request, backups) = (graft.stripe, graft.request, vec![Peer(3), Peer(4)]);
            let yes = Body::Admitted { stripe, request, path: way(to.0), backups };
            act(&mut links, now, &mut |forest, cx| forest.on_message(cx, to, yes.clone()));
        }
    }
    for stripe in 0..2 {
        let path = way(1);
        let news = Body::PathUpdate { stripe, path, above: Some(Peer(5)) };
        act(&mut links, now, &mut |forest, cx| forest.on_message(cx, Peer(1), news.clone()));
    }
    act(&mut links, now, &mut |forest, cx| forest.on_late(cx, 0));
    let successors = vec![Peer(6), Peer(7)];
    let prune = Body::Prune { stripe: 1, reason: PruneReason::Leaving, successors };
    act(&mut links, now, &mut |forest, cx| forest.on_message(cx, Peer(1), prune.clone()));
    act(&mut links, now, &mut |forest, cx| forest.ban(cx, Peer(8)));
    for second in 0..40 {
        now = now + Duration::from_secs(1);
        if second == 20 {
            links.on_down(Peer(1));
            act(&mut links, now, &mut |forest, cx| {
                forest.on_link_down(cx, Peer(1), OrphanCause::LinkDown);
            });
        }
        act(&mut links, now, &mut |forest, cx| forest.on_time(cx));
    }
    assert!(most >= 8, "only {most} were ever held");
}
