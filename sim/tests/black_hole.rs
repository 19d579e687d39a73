//! A stranger that promises every stripe at once and sends nothing: tried, and then left alone.

use banyan_protocol::forest::{Contact, Member, Path, Reach, Role, Spot, StripeSet, tag};
use banyan_protocol::input::JoinRole;
use banyan_protocol::output::Event;
use banyan_protocol::wire::control::Body;
use banyan_sim::stage::{FRAME, Stage};
use banyan_sim::stranger::Stranger;
use banyan_sim::world::Network;
use std::time::Duration;

const HOME: Network =
    Network { delay: Duration::from_millis(20), jitter: Duration::from_millis(5), loss_ppm: 0 };
const HELPER: JoinRole = JoinRole::Helper { stripes_max: 2 };

#[test]
fn a_black_hole_is_tried_a_few_times_and_costs_no_block() {
    let mut stage = Stage::new(6, 11, HOME, (4, 2), 12);
    for helper in 1..4 {
        stage.join(helper, HELPER, 8);
    }
    stage.publish(Duration::from_secs(2));
    stage.join(4, JoinRole::Gateway, 6);
    stage.publish(Duration::from_secs(1));
    stage.join(5, JoinRole::Gateway, 6);
    stage.publish(Duration::from_secs(2));
    let session = stage.outline.session;
    let hole = Stranger::link(&mut stage.world, 5, 10);
    let [a, b] = 10u16.to_be_bytes();
    let contact = Contact::new(hole.id, [([192, 0, a, b], 4433).into()]);
    let member = Member {
        contact,
        role: Role::Helper,
        carries: StripeSet::all(6),
        slots: 100,
        slots_free: 100,
        depth: 1,
        delay_us: 0,
        age_s: 0,
        reach: Reach::default(),
        spot: Spot::default(),
    };
    let path = Path { tags: vec![7, tag(&hole.id, &session)].into(), ..Path::default() };
    let mut answered = 0;
    for frame in 0..60 * 30 {
        if frame % 150 == 0 {
            let member = member.clone();
            hole.say(&mut stage.world, session, Body::Announce { member, reply: false });
        }
        let grafts = hole.heard(&stage.world);
        let grafts: Vec<_> = grafts
            .into_iter()
            .filter_map(|body| match body {
                Body::Graft(graft) => Some(graft),
                _ => None,
            })
            .collect();
        for graft in grafts.iter().skip(answered) {
            let (stripe, request, backups) = (graft.stripe, graft.request, Vec::new());
            let path = path.clone();
            let yes = Body::Admitted { stripe, request, path, backups, displaced: None };
            hole.say(&mut stage.world, session, yes);
        }
        answered = grafts.len();
        stage.publish(FRAME);
    }
    let grafted: Vec<_> = stage.world.hosts[5]
        .events
        .iter()
        .filter_map(|(at, event)| match event {
            Event::Grafted { parent, stripe, .. } if *parent == hole.id => Some((*at, *stripe)),
            _ => None,
        })
        .collect();
    assert_eq!(stage.lost(5), 0, "{grafted:?}");
    assert!(grafted.len() <= 12, "{} times: {grafted:?}", grafted.len());
}
