use super::*;
use crate::forest::Spot;
use crate::forest::feed::Search;
use crate::forest::peer::Directory;
use crate::wire::control::Graft;
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

const SETUP: Setup = Setup {
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
    reach: Reach::Public,
    seed: [1; 32],
};

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
    let setup = SETUP;
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
            let path = way(to.0);
            let yes = Body::Admitted { stripe, request, path, backups, displaced: None };
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

#[test]
fn who_hangs_from_the_old_root_turns_to_the_new_one_and_keeps_the_old_one_until_it_says_yes() {
    let now = Timestamp::from_micros(1_000_000);
    let (mut links, mut out) = (Links::default(), Vec::new());
    let setup = Setup { me: Peer(4), role: Role::Gateway, tag: 4, ..SETUP };
    let mut forest = Forest::new(now, setup);
    let rtt = Duration::from_millis(1);
    for peer in [0, 1, 2, 3].map(Peer) {
        links.on_up(now, peer, rtt);
    }
    let mut act = |act: &mut dyn FnMut(&mut Forest, &mut Context<'_>)| {
        act(
            &mut forest,
            &mut Context { now, links: &mut links, directory: &Numbers, out: &mut out },
        );
        let parents = [0, 1].map(|stripe| forest.parent(stripe).map(|peer| peer.0));
        (std::mem::take(&mut out), parents)
    };
    let asked = |out: &[Action], of: u32| -> Vec<(u8, u32)> {
        let grafts = out.iter().filter_map(|action| match action {
            Action::Send(Peer(to), Body::Graft(graft)) if *to == of => {
                Some((graft.stripe, graft.request))
            }
            _ => None,
        });
        grafts.collect()
    };
    let yes = |(stripe, request), tags: &[Tag]| {
        let path = Path { tags: tags.iter().copied().collect(), ..Path::default() };
        Body::Admitted { stripe, request, path, backups: Vec::new(), displaced: None }
    };
    // The root feeds stripe 0, node 1 stripe 1.
    let (out, _) = act(&mut |forest, cx| {
        forest.set_root(Peer(0));
        forest.turn_to(cx, Peer(0));
    });
    let both = asked(&out, 0);
    act(&mut |forest, cx| forest.on_message(cx, Peer(0), yes(both[0], &[0])));
    act(&mut |forest, cx| forest.on_message(cx, Peer(0), yes(both[1], &[0])));
    let (out, _) = act(&mut |forest, cx| forest.turn_to(cx, Peer(1)));
    let of_one = asked(&out, 1);
    let (_, parents) =
        act(&mut |forest, cx| forest.on_message(cx, Peer(1), yes(of_one[1], &[0, 1])));
    assert_eq!(parents, [Some(0), Some(1)]);
    act(&mut |forest, cx| {
        forest.on_message(
            cx,
            Peer(1),
            Body::Redirected {
                stripe: 0,
                request: of_one[0].1,
                refusal: Refusal::Full,
                members: Vec::new(),
            },
        )
    });
    // Another becomes the root.
    let grant = Body::Grant { root: Peer(2), grant: Default::default() };
    let (out, parents) = act(&mut |forest, cx| forest.on_message(cx, Peer(1), grant.clone()));
    let told = |out: &[Action]| -> Vec<u32> {
        let told = out.iter().filter_map(|action| match action {
            Action::Send(Peer(to), Body::Grant { root: Peer(2), .. }) => Some(*to),
            _ => None,
        });
        told.collect()
    };
    assert_eq!(told(&out), [0, 2, 3], "all but who told it");
    assert_eq!(parents, [Some(0), Some(1)], "fed by the old one as yet");
    let asked_two = asked(&out, 2);
    assert_eq!(asked_two.iter().map(|ask| ask.0).collect::<Vec<_>>(), [0]);
    let (out, _) = act(&mut |forest, cx| forest.on_message(cx, Peer(3), grant.clone()));
    assert_eq!(told(&out), Vec::<u32>::new(), "once is enough");
    let (_, parents) =
        act(&mut |forest, cx| forest.on_message(cx, Peer(2), yes(asked_two[0], &[2])));
    assert_eq!(parents, [Some(2), Some(1)]);
    // It feeds others as the root when it gets the place itself, and takes nothing from anybody.
    let (out, _) = act(&mut |forest, cx| {
        forest.become_root(cx, 8, Default::default());
        forest.stand_alone(cx);
    });
    assert_eq!(forest.path(&links, 1).map(|path| path.tags.to_vec()), Some(vec![4]));
    assert_eq!((forest.parent(0), forest.parent(1)), (None, None));
    let left = |peer, stripe| {
        out.iter().any(|action| {
            matches!(action,
            Action::Send(to, Body::Prune { stripe: s, .. }) if *to == Peer(peer) && *s == stripe)
        })
    };
    assert!(left(2, 0) && left(1, 1));
}

/// A gateway that may be fed by peer 1, to whom a link is up, and what it asks of it.
fn asking(now: Timestamp, links: &mut Links) -> (Forest, Vec<(u8, u32)>) {
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
    let mut forest = Forest::new(now, setup);
    act(&mut forest, now, links, |forest, cx| forest.on_found(cx, &[Peer(1)]));
    assert!(links.on_up(now, Peer(1), Duration::from_millis(1)));
    let asked = act(&mut forest, now, links, |forest, cx| forest.on_link_up(cx, Peer(1)));
    (forest, asked)
}

/// Lets a forest act: the stripes and numbers of the requests it makes.
fn act(
    forest: &mut Forest,
    now: Timestamp,
    links: &mut Links,
    act: impl FnOnce(&mut Forest, &mut Context<'_>),
) -> Vec<(u8, u32)> {
    let mut out = Vec::new();
    act(forest, &mut Context { now, links, directory: &Numbers, out: &mut out });
    let asked = out.into_iter().filter_map(|action| match action {
        Action::Send(_, Body::Graft(graft)) => Some((graft.stripe, graft.request)),
        _ => None,
    });
    asked.collect()
}

fn yes(stripe: u8, request: u32) -> Message {
    let path = Path { tags: [99, 1].into_iter().collect(), ..Path::default() };
    Body::Admitted { stripe, request, path, backups: vec![Peer(3), Peer(4)], displaced: None }
}

#[test]
fn a_yes_to_an_earlier_request_of_the_same_parent_is_taken() {
    let mut now = Timestamp::from_micros(1_000_000);
    let mut links = Links::default();
    let (mut forest, first) = asking(now, &mut links);
    let (stripe, request) = first[0];
    let mut again = Vec::new();
    for _ in 0..30 {
        now = now + Duration::from_millis(100);
        again.extend(act(&mut forest, now, &mut links, |forest, cx| forest.on_time(cx)));
    }
    let is_later = |asked: &(u8, u32)| asked.0 == stripe && asked.1 > request;
    assert!(again.iter().any(is_later), "it asks once more: {again:?}");
    while !matches!(forest.parents.feed(stripe).map(|f| f.search.peer()), Some(Some(Peer(1)))) {
        now = now + Duration::from_millis(10);
        act(&mut forest, now, &mut links, |forest, cx| forest.on_time(cx));
    }
    act(&mut forest, now, &mut links, |forest, cx| {
        forest.on_message(cx, Peer(1), yes(stripe, request));
    });
    assert_eq!(forest.parent(stripe), Some(Peer(1)));
}

#[test]
fn nothing_is_pulled_from_whoever_broke_a_rule() {
    let now = Timestamp::from_micros(1_000_000);
    let mut links = Links::default();
    let (mut forest, asked) = asking(now, &mut links);
    let (stripe, request) = asked[0];
    act(&mut forest, now, &mut links, |forest, cx| {
        forest.on_message(cx, Peer(1), yes(stripe, request));
    });
    assert!(forest.backups(stripe).any(|backup| backup == Peer(3)));
    act(&mut forest, now, &mut links, |forest, cx| forest.ban(cx, Peer(3)));
    assert!(forest.backups(stripe).all(|backup| backup != Peer(3)));
}

#[test]
fn a_parent_that_was_silent_is_no_heir() {
    let now = Timestamp::from_micros(1_000_000);
    let mut links = Links::default();
    let (mut forest, asked) = asking(now, &mut links);
    let (stripe, request) = asked[0];
    assert!(links.on_up(now, Peer(3), Duration::from_millis(1)));
    act(&mut forest, now, &mut links, |forest, cx| {
        forest.on_message(cx, Peer(1), yes(stripe, request));
    });
    forest.candidates.shun(now, Peer(3), false);
    act(&mut forest, now, &mut links, |forest, cx| forest.on_late(cx, stripe));
    let feed = forest.parents.feed(stripe).expect("there is one");
    assert_ne!(feed.search.peer(), Some(Peer(3)), "the parent above was silent before");
}

/// A node with a parent in stripe 0, links to `1..=9`, and a way to let it act.
fn fed_by(parent: Peer, now: Timestamp) -> (Forest, Links) {
    let (mut links, mut out) = (Links::default(), Vec::new());
    let mut forest = Forest::new(now, Setup { slots: 1, view_max: 64, ..SETUP });
    let peers: Vec<Peer> = (1..=9).map(Peer).collect();
    let mut cx = Context { now, links: &mut links, directory: &Numbers, out: &mut out };
    for peer in &peers {
        cx.links.on_up(now, *peer, Duration::from_millis(1));
    }
    forest.on_found(&mut cx, &[parent]);
    let asked = cx.out.iter().find_map(|action| match action {
        Action::Send(to, Body::Graft(graft)) if *to == parent && graft.stripe == 0 => Some(*graft),
        _ => None,
    });
    let Graft { stripe, request, .. } = asked.expect("it asks");
    let path = Path { tags: vec![99, parent.0].into(), ..Path::default() };
    let backups = Vec::new();
    let yes = Body::Admitted { stripe, request, path, backups, displaced: None };
    forest.on_message(&mut cx, parent, yes);
    (forest, links)
}

fn asks(slots: u16) -> Message {
    Body::Graft(Graft {
        stripe: 0,
        request: 1,
        channel: 9,
        slots,
        resume: 0,
        repair_of: None,
        helper: true,
        fed: 0,
        insist: false,
        reach: Reach::Public,
    })
}

#[test]
fn a_full_node_sends_on_to_where_there_is_room_below_and_up_where_there_is_none() {
    let now = Timestamp::from_micros(1_000_000);
    let (mut forest, mut links) = fed_by(Peer(2), now);
    let mut say = |from: u32, message: Message| {
        let mut out = Vec::new();
        let mut cx = Context { now, links: &mut links, directory: &Numbers, out: &mut out };
        forest.on_message(&mut cx, Peer(from), message);
        out
    };
    let sent_on = |out: &[Action], to: u32| -> Option<Vec<u32>> {
        out.iter().find_map(|action| match action {
            Action::Send(Peer(at), Body::Redirected { members, .. }) if *at == to => {
                Some(members.iter().map(|member| member.contact.0).collect())
            }
            _ => None,
        })
    };
    let admitted = |action: &Action| matches!(action, Action::Admitted { child: Peer(4), .. });
    assert!(say(4, asks(5)).iter().any(admitted), "the only slot");
    assert_eq!(sent_on(&say(6, asks(0)), 6), Some(vec![4]), "the child offered slots");
    let (stripe, places) = (0, Vec::new());
    say(4, Body::Room { stripe, room: 0, children: 5, places });
    let up = sent_on(&say(6, asks(0)), 6);
    assert_eq!(up, Some(Vec::new()), "nobody knows how the parent is reached");
    let parent = Member {
        contact: Peer(2),
        role: Role::Gateway,
        carries: StripeSet::all(2),
        slots: 9,
        slots_free: 0,
        depth: 1,
        delay_us: 0,
        age_s: 0,
        reach: Reach::Public,
        spot: Spot::default(),
    };
    say(2, Body::Announce { member: parent, reply: false });
    assert_eq!(sent_on(&say(6, asks(0)), 6), Some(vec![2]), "up the tree");
}

#[test]
fn a_child_that_took_this_nodes_place_is_asked_at_once() {
    let now = Timestamp::from_micros(1_000_000);
    let (mut forest, mut links) = fed_by(Peer(2), now);
    let mut out = Vec::new();
    let mut cx = Context { now, links: &mut links, directory: &Numbers, out: &mut out };
    forest.on_message(&mut cx, Peer(4), asks(5));
    cx.out.clear();
    let (reason, successors) = (PruneReason::Preempted, vec![Peer(4)]);
    forest.on_message(&mut cx, Peer(2), Body::Prune { stripe: 0, reason, successors });
    let released = |action: &Action| matches!(action, Action::Released { child: Peer(4), .. });
    assert!(cx.out.iter().any(released), "it is no child any more");
    let grafts = |action: &Action| matches!(action, Action::Send(Peer(4), Body::Graft(_)));
    assert!(cx.out.iter().any(grafts), "and is asked for a place");
}

#[test]
fn who_is_sent_from_one_to_the_next_chooses_for_itself_in_between() {
    let now = Timestamp::from_micros(1_000_000);
    let mut links = Links::default();
    let (mut forest, asked) = asking(now, &mut links);
    let (stripe, mut request) = asked[0];
    // One of its own, which it knows besides.
    act(&mut forest, now, &mut links, |forest, cx| forest.on_found(cx, &[Peer(2)]));
    (2..40).for_each(|peer| assert!(links.on_up(now, Peer(peer), Duration::from_millis(1))));
    let mut whom = vec![1];
    for nth in 0..8 {
        let friend = |i: u32| Member { contact: Peer(4 + nth * 4 + i), ..near_the_root() };
        let members = (0..4).map(friend).collect();
        let refusal = Refusal::Full;
        let away = Body::Redirected { stripe, request, refusal, members };
        let from = Peer(*whom.last().expect("somebody"));
        act(&mut forest, now, &mut links, |forest, cx| forest.on_message(cx, from, away));
        let search = &forest.parents.feed(stripe).expect("a feed").search;
        let Search::Asking { peer, request: number, .. } = *search else { panic!("{search:?}") };
        request = number;
        whom.push(peer.0);
    }
    assert!(whom[1] >= 4, "who is full knows who is not: {whom:?}");
    assert!(whom.contains(&2), "they name each other for ever: {whom:?}");
}

fn near_the_root() -> Member<Peer> {
    Member {
        contact: Peer(0),
        role: Role::Gateway,
        carries: StripeSet::all(2),
        slots: 58,
        slots_free: 58,
        depth: 1,
        delay_us: 500_000,
        age_s: 0,
        reach: Reach::Public,
        spot: Spot::default(),
    }
}

#[test]
fn whoever_broke_a_rule_and_dials_is_not_asked_though_it_is_there_first() {
    let now = Timestamp::from_micros(1_000_000);
    for banned in [false, true] {
        let mut links = Links::default();
        let mut forest = Forest::new(now, SETUP);
        act(&mut forest, now, &mut links, |forest, cx| forest.on_found(cx, &[Peer(1)]));
        if banned {
            act(&mut forest, now, &mut links, |forest, cx| forest.ban(cx, Peer(2)));
        }
        assert!(links.on_up(now, Peer(2), Duration::from_millis(1)));
        let asked = act(&mut forest, now, &mut links, |forest, cx| forest.on_link_up(cx, Peer(2)));
        assert_eq!(asked.is_empty(), banned, "{asked:?}");
    }
}

#[test]
fn whoever_asked_for_a_link_speaks_first_and_nobody_waits_where_there_was_one_before() {
    let now = Timestamp::from_micros(1_000_000);
    let (mut links, mut out) = (Links::default(), Vec::new());
    let mut forest = Forest::new(now, Setup { me: Peer(4), tag: 4, view_max: 16, ..SETUP });
    let (mine, theirs) = (Peer(1), Peer(2));
    let mut announced = |links: &mut Links, act: &mut dyn FnMut(&mut Forest, &mut Context<'_>)| {
        act(&mut forest, &mut Context { now, links, directory: &Numbers, out: &mut out });
        let said = std::mem::take(&mut out).into_iter().filter_map(|action| match action {
            Action::Send(to, Body::Announce { reply: true, .. }) => Some(to),
            _ => None,
        });
        said.collect::<Vec<Peer>>()
    };
    announced(&mut links, &mut |forest, cx| forest.on_found(cx, &[mine, theirs, Peer(3), Peer(5)]));

    links.on_down(theirs); // had it asked for that one
    links.connect(now, mine, &mut Vec::new());
    for (peer, said) in [(mine, vec![mine]), (theirs, vec![])] {
        assert!(links.on_up(now, peer, Duration::from_millis(1)));
        assert_eq!(announced(&mut links, &mut |forest, cx| forest.on_link_up(cx, peer)), said);
    }
    let said = announced(&mut links, &mut |forest, cx| forest.on_link_there(cx, theirs));
    assert_eq!(said, [theirs], "it was there before this node was in the session");
}

#[test]
fn a_parent_that_promises_more_than_it_gives_is_not_moved_to() {
    let now = Timestamp::from_micros(1_000_000);
    for (gives_us, moves) in [(20_000, true), (60_000, false)] {
        let (mut forest, mut links) = fed_by(Peer(2), now);
        let mut out = Vec::new();
        let mut say = |from: u32, message: Message| {
            let mut cx = Context { now, links: &mut links, directory: &Numbers, out: &mut out };
            forest.on_message(&mut cx, Peer(from), message);
            (std::mem::take(&mut out), forest.parent(0))
        };
        let slow = Path { tags: vec![99, 2].into(), delay_us: 60_000, ..Path::default() };
        say(2, Body::PathUpdate { stripe: 0, path: slow, above: Some(Peer(9)) });
        // Of a session that is not small; 4 is at home in stripe 0, too.
        let others = (20..40).map(|peer| Member { contact: Peer(peer), ..near_the_root() });
        say(2, Body::Members(others.collect()));
        let near = Member { contact: Peer(4), delay_us: 20_000, ..near_the_root() };
        let (asked, _) = say(2, Body::Members(vec![near]));
        let graft = asked.iter().find_map(|action| match action {
            Action::Send(Peer(4), Body::Graft(graft)) => Some(graft.request),
            _ => None,
        });
        let path = Path { tags: vec![99, 4].into(), delay_us: gives_us, ..Path::default() };
        let (stripe, backups, displaced) = (0, Vec::new(), None);
        let request = graft.expect("it promises 40 ms less");
        let yes = Body::Admitted { stripe, request, path, backups, displaced };
        let (out, parent) = say(4, yes);
        let left = if moves { Peer(2) } else { Peer(4) };
        assert_eq!(parent, Some(if moves { Peer(4) } else { Peer(2) }));
        let is_prune = |action: &Action| matches!(action, Action::Send(to, Body::Prune { stripe: 0, .. }) if *to == left);
        assert!(out.iter().any(is_prune), "the other need not feed it: {out:?}");
    }
}

#[test]
fn who_promises_much_and_comes_late_is_left_and_shunned() {
    let mut now = Timestamp::from_micros(1_000_000);
    let mut links = Links::default();
    let mut forest = Forest::new(now, Setup { n: 4, view_max: 48, ..SETUP });
    (1..40).for_each(|peer| assert!(links.on_up(now, Peer(peer), Duration::from_millis(2))));
    let all: Vec<Peer> = (1..40).map(Peer).collect();
    act(&mut forest, now, &mut links, |forest, cx| forest.on_found(cx, &all));
    for stripe in 0..4 {
        let search = &forest.parents.feed(stripe).expect("a feed").search;
        let Search::Asking { peer, request, .. } = *search else { panic!("{search:?}") };
        // All promise 50 ms.
        let tags = [99, peer.0].into_iter().collect();
        let path = Path { tags, delay_us: 50_000, ..Path::default() };
        let yes = Body::Admitted { stripe, request, path, backups: Vec::new(), displaced: None };
        act(&mut forest, now, &mut links, |forest, cx| forest.on_message(cx, peer, yes));
    }
    let liar = forest.parent(2).expect("a parent");
    let paces = |stripe| Some(if stripe == 2 { 90_000 } else { 5_000 });
    let mut told_us = Vec::new();
    for _ in 0..5 {
        now = now + Duration::from_secs(1);
        act(&mut forest, now, &mut links, |forest, cx| forest.on_paces(cx, paces));
        told_us.push(forest.delay_us(&links, 2).expect("it has a parent") / 1_000);
    }
    assert_eq!(told_us, [52, 52, 137, 137, 137], "what it sees counts once it is sure");
    assert!(forest.candidates.is_shunned(now, liar));
    for stripe in [0, 1, 3] {
        assert_eq!(forest.delay_us(&links, stripe), Some(52_000));
        let honest = forest.parent(stripe).expect("a parent");
        assert!(honest == liar || !forest.candidates.is_shunned(now, honest));
    }
}

#[test]
fn a_pull_that_brings_nothing_goes_to_another_next_time() {
    let now = Timestamp::from_micros(1_000_000);
    let mut links = Links::default();
    let (mut forest, asked) = asking(now, &mut links);
    for (stripe, request) in &asked {
        act(&mut forest, now, &mut links, |forest, cx| {
            forest.on_message(cx, Peer(1), yes(*stripe, *request));
        });
    }
    let stripe = asked[0].0;
    let parent = forest.parent(stripe).expect("it said yes");
    assert!(links.on_up(now, Peer(3), Duration::from_millis(1)));
    let sources: BTreeSet<Peer> =
        (0..4).filter_map(|nth| forest.source(&links, stripe, nth)).collect();
    assert!(sources.contains(&Peer(3)) && !sources.contains(&parent), "{sources:?}");
    assert_eq!(forest.source(&links, stripe, 0), Some(Peer(3)), "the backup first");
    links.on_down(Peer(3));
    assert_ne!(forest.source(&links, stripe, 0), Some(Peer(3)), "it is gone");
}

#[test]
fn in_a_session_of_few_both_ends_of_a_link_say_who_they_are() {
    let now = Timestamp::from_micros(1_000_000);
    let (mut links, mut out) = (Links::default(), Vec::new());
    let mut forest = Forest::new(now, Setup { me: Peer(4), tag: 4, ..SETUP });
    let theirs = Peer(2);
    assert!(links.on_up(now, theirs, Duration::from_millis(1)));
    let mut cx = Context { now, links: &mut links, directory: &Numbers, out: &mut out };
    forest.on_found(&mut cx, &[theirs]);
    cx.out.clear();
    forest.on_link_up(&mut cx, theirs);
    let says = |action: &Action| matches!(action, Action::Send(to, Body::Announce { reply: true, .. }) if *to == theirs);
    assert!(out.iter().any(says), "{out:?}");
}
