use super::*;
use std::collections::BTreeSet;

/// How long an advert takes to everybody. Everyone hears each advert.
const GOSSIP: Duration = Duration::from_millis(200);

/// Members of one topic in virtual time.
struct Topic {
    now: Timestamp,
    members: Vec<AdvertInterval>,
    queue: BTreeSet<(Timestamp, usize)>,
    queued: Vec<Timestamp>,
    /// On their way: when they arrive, from whom, what is said.
    under_way: VecDeque<(Timestamp, usize, Duration)>,
    /// Senders that say they keep this interval instead.
    lie: Option<(usize, Duration)>,
}

fn id(number: usize) -> NodeId {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    NodeId::from_bytes(bytes)
}

impl Topic {
    fn new() -> Self {
        Self {
            now: Timestamp::ZERO,
            members: Vec::new(),
            queue: BTreeSet::new(),
            queued: Vec::new(),
            under_way: VecDeque::new(),
            lie: None,
        }
    }

    fn join(&mut self, count: usize) {
        for _ in 0..count {
            let number = self.members.len();
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
            self.members.push(AdvertInterval::new(self.now, Rng::new(&seed, "adverts")));
            let deadline = self.members[number].deadline();
            self.queued.push(deadline);
            self.queue.insert((deadline, number));
        }
    }

    /// The last members leave without a word.
    fn leave(&mut self, keep: usize) {
        self.queue.retain(|(_, number)| *number < keep);
        self.members.truncate(keep);
        self.queued.truncate(keep);
    }

    /// Lets `time` pass. Adverts sent in it.
    fn run(&mut self, time: Duration) -> usize {
        let end = self.now + time;
        let mut sent = 0;
        loop {
            let arrival = self.under_way.front().map(|(at, ..)| *at);
            let wake = self.queue.first().map(|(at, _)| *at);
            let Some(next) = arrival.into_iter().chain(wake).min().filter(|at| *at <= end) else {
                self.now = end;
                return sent;
            };
            self.now = next;
            if arrival == Some(next) {
                let (_, from, interval) = self.under_way.pop_front().expect("just seen");
                for number in 0..self.members.len() {
                    if number != from {
                        self.members[number].heard(next, id(from), interval);
                        // Queued earlier than due is harmless; only an earlier deadline matters.
                        if self.members[number].deadline() < self.queued[number] {
                            self.requeue(number);
                        }
                    }
                }
            } else if let Some((_, number)) = self.queue.pop_first() {
                if self.members[number].deadline() <= next && self.members[number].poll(next) {
                    sent += 1;
                    let honest = self.members[number].interval();
                    let lie = self.lie.filter(|(liars, _)| number < *liars);
                    let said = lie.map_or(honest, |(_, interval)| interval);
                    self.under_way.push_back((next + GOSSIP, number, said));
                }
                self.requeue(number);
            }
        }
    }

    fn requeue(&mut self, number: usize) {
        self.queue.remove(&(self.queued[number], number));
        self.queued[number] = self.members[number].deadline();
        self.queue.insert((self.queued[number], number));
    }
}

fn per_second(sent: usize, time: Duration) -> f64 {
    sent as f64 / time.as_secs_f64()
}

const MINUTES_10: Duration = Duration::from_secs(600);

#[test]
fn a_topic_carries_as_much_whatever_its_size() {
    for size in [10, 100, 512, 10_000] {
        let mut topic = Topic::new();
        topic.join(size);
        let first = topic.run(Duration::from_secs(60));
        // Ten thousand hear seven million adverts in ten minutes: those are enough.
        let windows = if size > 1000 { 1 } else { 3 };
        let rate = |_| per_second(topic.run(MINUTES_10), MINUTES_10);
        let rates: Vec<f64> = (0..windows).map(rate).collect();
        let guess = topic.members[size / 2].population();
        println!("{size} members: {first} in the first minute, then {rates:.2?}/s, count {guess}");
        assert!(rates.iter().all(|rate| (0.8..=1.4).contains(rate)), "{size}: {rates:?}");
        let guess = guess as usize;
        assert!(guess > size * 2 / 3 && guess < size * 3 / 2, "{size}: {guess}");
        // Twice as much as later, and what is under way before the first has been heard.
        assert!(first <= 168 + size / 20, "{first} adverts of {size} members in the first minute");
    }
}

#[test]
fn newcomers_fall_in_and_those_left_behind_speak_again() {
    let mut topic = Topic::new();
    topic.join(1_000);
    topic.run(MINUTES_10);
    topic.join(1_000);
    let joined = per_second(topic.run(MINUTES_10), MINUTES_10);
    assert!(joined <= 1.6, "{joined}/s while as many again join");
    let settled = per_second(topic.run(MINUTES_10), MINUTES_10);
    assert!((0.8..=1.4).contains(&settled), "{settled}/s");
    topic.leave(100);
    topic.run(MINUTES_10);
    let left = per_second(topic.run(MINUTES_10), MINUTES_10);
    println!("while 1000 join 1000: {joined:.2}/s, then {settled:.2}; of 100 left: {left:.2}");
    assert!((0.8..=1.4).contains(&left), "{left}/s of those left");
}

#[test]
fn a_liar_neither_silences_nor_floods_a_topic() {
    for lie in [Duration::ZERO, Duration::MAX] {
        let mut topic = Topic::new();
        topic.lie = Some((100, lie));
        topic.join(500);
        topic.run(MINUTES_10);
        let rate = per_second(topic.run(MINUTES_10), MINUTES_10);
        println!("a fifth says {lie:?}: {rate:.2}/s");
        assert!((0.7..=1.7).contains(&rate), "{rate}/s with a fifth that says {lie:?}");
    }
}

#[test]
fn one_that_repeats_itself_counts_twice_at_most() {
    let at = |ms: u64| Timestamp::from_micros(ms * 1000);
    let mut interval = AdvertInterval::new(at(0), Rng::new(&[1; 32], "adverts"));
    for ms in 0..10_000 {
        interval.heard(at(ms), id(7), Duration::from_secs(10));
    }
    assert!(interval.population() <= 3, "{}", interval.population());
    assert_eq!(interval.interval(), INTERVAL_MIN);
}

#[test]
fn alone_it_keeps_the_shortest_interval() {
    let mut topic = Topic::new();
    topic.join(1);
    assert!((50..=70).contains(&topic.run(MINUTES_10)));
}
