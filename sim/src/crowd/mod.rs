//! The crowd: thousands of nodes in virtual time, each with the forest machine that ships.
//!
//! [`Crowd`] owns the nodes, what is under way between them, and time. Nothing here decides whom a
//! node asks or takes: that is [`Forest`](banyan_protocol::forest::Forest), with the node's
//! [`Links`](banyan_protocol::links::Links). What a shard does to each node is the media plane's
//! ([`Media`]), which tells what a node would notice.
//!
//! Same plan and seed, same [`trace_hash`](Crowd::trace_hash).
//!
//! Reading order: `registry` (who is who), `host` (one node), `act` (what nodes do to each other),
//! `life` (joining, dying, discovery), `late` (a stripe is late), `fault`, `liars`, `check` (the
//! rules), `measure`, `delays`; then what comes of it: `served`, `report` (figures), `plots`, `picture`.

mod act;
mod check;
mod delays;
mod fault;
mod foresight;
mod host;
mod late;
mod liars;
mod life;
mod mail;
mod measure;
mod picture;
mod plots;
mod registry;
mod report;
mod served;

pub use check::Violation;

use crate::media::{Media, Notice, Settings, Stream};
use crate::plan::{self, Plan};
use crate::population::{Arrivals, Population};
use crate::progress::Progress;
use crate::report::Report;
use crate::wheel::Wheel;
use banyan_protocol::forest::Action;
use banyan_protocol::rng::Rng;
use check::Checks;
use fault::{Handover, Heals};
use foresight::Foresight;
use host::Host;
use liars::Liars;
use mail::Mail;
use measure::Measures;
use registry::Registry;
use std::collections::VecDeque;

/// The publisher's node, the first root.
pub(super) const ROOT: u32 = 0;
/// How often the world measures itself, µs.
const SAMPLE_US: u64 = 1_000_000;

/// How often nodes look at their uplinks, µs. Guess: the node's driver does not yet.
const UPLINKS_US: u64 = 250_000;

/// What will happen. Small, as millions are pending.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A node's timer.
    Wake(u32),
    /// A message: number, sender, receiver, the receiver's life.
    Message { slot: u32, from: u32, to: u32, life: u8 },
    /// A link is up at `at`, whose life it was.
    LinkUp { at: u32, peer: u32, life: u8 },
    /// The first packet of a dial is sent again.
    Redial { at: u32, peer: u32, life: u8 },
    /// A link did not come up.
    LinkFailed { at: u32, peer: u32, life: u8 },
    /// A link went down.
    LinkDown { at: u32, peer: u32, life: u8 },
    /// The next node comes.
    Arrival,
    /// A node comes in the place of another.
    Replacement,
    /// A node's life is over.
    Death { node: u32, life: u8 },
    /// Discovery answers.
    Found { node: u32, life: u8 },
    /// A stripe is late (where the media plane does not say so itself).
    Late { node: u32, stripe: u8, life: u8 },
    /// A stripe was late a while ago: does its parent feed it now?
    /// `patient`: the wait was that for a parent that repairs its own feed.
    Promote { node: u32, stripe: u8, life: u8, newest: u32, patient: bool },
    /// Something was pulled a while ago, for the `nth` time: did it come?
    Pulled { node: u32, stripe: u8, life: u8, newest: u32, nth: u8 },
    /// Something goes wrong, or is mended: index into the plan's faults.
    Fault { index: u16, ends: bool },
    /// The world measures itself.
    Sample,
    /// The world is looked over.
    Check,
    /// Nodes look at their uplinks.
    Uplinks,
}

/// A world of many nodes.
pub struct Crowd {
    plan: Plan,
    now_us: u64,
    wheel: Wheel<Event>,
    hosts: Vec<Host>,
    registry: Registry,
    /// The root: the publisher's node, or who took its place.
    root: u32,
    /// Numbers of the living, the first root not among them, in no order that matters.
    living: Vec<u32>,
    /// Where in `living` a number is.
    seats: Vec<u32>,
    /// Numbers of the dead, with the time of death, the longest dead first.
    dead: VecDeque<(u64, u32)>,
    /// Nodes that others do not find yet: since when, who, in which life; the first first.
    unknown: VecDeque<(u64, u32, u8)>,
    /// Nodes that others find and reach, the dead among them until somebody comes across them.
    published: Vec<(u32, u8)>,
    mail: Mail,
    foresight: Foresight,
    media: Option<Media>,
    population: Population,
    arrivals: Arrivals,
    actions: Vec<Action>,
    notices: Vec<Notice>,
    measures: Measures,
    checks: Checks,
    liars: Liars,
    heals: Heals,
    handover: Handover,
    rng: Rng,
    trace: u64,
}

impl Crowd {
    /// The world of a plan, before anything has happened.
    ///
    /// # Errors
    /// If the plan asks for what no world can have.
    pub fn new(plan: &Plan) -> anyhow::Result<Self> {
        let seed = plan.seed();
        let mut crowd = Self {
            now_us: 0,
            wheel: Wheel::new(),
            hosts: Vec::new(),
            registry: Registry { facts: Vec::new(), places: plan.world.places.clone() },
            living: Vec::new(),
            seats: Vec::new(),
            dead: VecDeque::new(),
            unknown: VecDeque::new(),
            published: Vec::new(),
            mail: Mail::default(),
            foresight: Foresight::default(),
            media: media(plan)?,
            population: plan.population(),
            arrivals: plan.arrivals(),
            actions: Vec::new(),
            notices: Vec::new(),
            measures: Measures::new(plan),
            checks: Checks::default(),
            liars: Liars::new(plan),
            heals: Heals::default(),
            handover: Handover::default(),
            root: ROOT,
            rng: Rng::new(&seed, "crowd"),
            trace: plan.run.seed,
            plan: plan.clone(),
        };
        crowd.publish();
        crowd.name_standby();
        crowd.next_arrival();
        crowd.wheel.push(SAMPLE_US, Event::Sample);
        crowd.wheel.push(check::CHECK_US, Event::Check);
        crowd.wheel.push(UPLINKS_US, Event::Uplinks);
        crowd.plan_faults();
        Ok(crowd)
    }

    /// Lives the plan through, and says what was seen. Whether that is enough, [`Plan::judge`] says.
    ///
    /// # Errors
    /// If a rule of the forest is broken: what, who, when, and how to see it again.
    pub fn run(&mut self, mut progress: Progress) -> Result<Report, Violation> {
        let end_us = self.plan.run.duration_us;
        while self.step(end_us) {
            progress.at(self.now_us, self.living.len());
            if let Some(violation) = self.checks.violation.take() {
                return Err(violation);
            }
        }
        progress.finish(self.living.len());
        Ok(self.report())
    }

    /// Lets the next thing happen. False when the end is reached.
    fn step(&mut self, end_us: u64) -> bool {
        let next_us = self.wheel.peek(end_us).unwrap_or(end_us);
        if let Some(media) = &mut self.media {
            let reached_us = media.run(next_us, &self.registry, &mut self.notices);
            if !self.notices.is_empty() {
                self.now_us = reached_us;
                self.heed();
                return true;
            }
        }
        let Some((at_us, event)) = self.wheel.pop(end_us) else {
            self.now_us = end_us;
            return false;
        };
        self.now_us = at_us;
        self.look_ahead();
        self.dispatch(event);
        true
    }

    fn dispatch(&mut self, event: Event) {
        match event {
            Event::Wake(node) => self.wake(node),
            Event::Message { slot, from, to, life } => self.receive(slot, from, to, life),
            Event::LinkUp { at, peer, life } => self.link_up(at, peer, life),
            Event::Redial { at, peer, life } => self.redial(at, peer, life),
            Event::LinkFailed { at, peer, life } => self.link_failed(at, peer, life),
            Event::LinkDown { at, peer, life } => self.link_down(at, peer, life),
            Event::Arrival => {
                self.arrive();
                self.next_arrival();
            }
            Event::Replacement => self.arrive(),
            Event::Death { node, life } => self.leave(node, life),
            Event::Found { node, life } => self.found(node, life),
            Event::Late { node, stripe, life } => {
                if self.is(node, life) {
                    self.late(node, stripe);
                }
            }
            Event::Promote { node, stripe, life, newest, patient } => {
                self.promote(node, stripe, life, (newest, patient));
            }
            Event::Pulled { node, stripe, life, newest, nth } => {
                self.pull_again(node, stripe, life, (newest, nth));
            }
            Event::Fault { index, ends } => self.fault(index.into(), ends),
            Event::Check => {
                self.observe_liars();
                self.look_at_handover();
                self.look_at_heals();
                self.check();
            }
            Event::Uplinks => {
                self.look_at_uplinks();
                self.wheel.push(self.now_us + UPLINKS_US, Event::Uplinks);
            }
            Event::Sample => {
                self.sample();
                self.tell_paces();
                self.wheel.push(self.now_us + SAMPLE_US, Event::Sample);
            }
        }
    }

    /// Whether a number still is in the life it had.
    fn is(&self, node: u32, life: u8) -> bool {
        let host = &self.hosts[node as usize];
        host.alive && host.life == life
    }

    fn stripes(&self) -> u8 {
        self.plan.stream.stripes()
    }

    fn note(&mut self, what: u64) {
        let mixed = (self.trace ^ what ^ self.now_us).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.trace = mixed.rotate_left(29);
    }

    /// A number that two runs of the same plan and seed share.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.trace ^ self.media.as_ref().map_or(0, Media::trace_hash)
    }
}

/// The stream of a plan, of whose blocks every so manieth is simulated.
fn stream(plan: &Plan, every: u32) -> Stream {
    let said = &plan.stream;
    Stream {
        bitrate_bps: said.bitrate_bps,
        blocks_per_s: said.frame_rate,
        every,
        k: said.k,
        m: said.m,
        keyframe_every: said.group_blocks,
        keyframe_pct: said.keyframe_percent,
    }
}

/// The media plane that a plan asks for.
fn media(plan: &Plan) -> anyhow::Result<Option<Media>> {
    let every = match plan.run.media {
        plan::Media::None => return Ok(None),
        plan::Media::Every => 1,
        plan::Media::Probe => {
            (plan.run.probe_every_us * u64::from(plan.stream.frame_rate) / 1_000_000).max(1) as u32
        }
    };
    let stream = stream(plan, every);
    let settings =
        Settings { stream, jitter_us: plan.world.jitter_us, ..Settings::reference(plan.run.seed) };
    // The dead keep their number for a while, and a plan with replacements has more than its nodes.
    let capacity = life::numbers(plan) as usize;
    Media::new(settings, capacity).map(Some).map_err(anyhow::Error::msg)
}
