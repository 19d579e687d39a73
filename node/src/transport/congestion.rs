//! Congestion control of links: QUIC's Cubic, but loss without a queue is not congestion.
//!
//! Radio and overfull home networks lose a packet in a hundred without being full. Cubic halves its
//! window each time, and a stream at live pace, which never fills its window, does not let it grow
//! again: at 1 % loss shards come seconds late, however they are carried (docs/adr/0001). So a loss
//! counts only if packets also take longer than they could (a queue has built up), if many are lost
//! (a queue that is too short to show), or if everything is.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::congestion::{Controller, ControllerFactory, CubicConfig};
use quinn_proto::RttEstimator;

/// A queue shows when the round trip is longer than the shortest by this and by a quarter.
/// Derived: above the jitter of Wi-Fi and timers, below what a viewer's deadline would feel.
const QUEUE_MIN: Duration = Duration::from_millis(20);
/// Lost bytes of a hundred that are congestion in any case. Derived: what WebRTC's congestion
/// control takes for it (draft-ietf-rmcat-gcc-02, section 6).
const LOSS_PCT_MAX: u64 = 10;
/// Loss is counted over at least so many bytes. Derived: a second of one stripe.
const COUNTED_BYTES: u64 = 64 << 10;

/// Makes the controllers of connections.
#[derive(Debug, Default)]
pub struct Calm;

impl ControllerFactory for Calm {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        let cubic = Arc::new(CubicConfig::default()).build(now, mtu);
        Box::new(CalmCubic { cubic, queued: false, acked: 0, lost: 0, outgo: Outgo::default() })
    }
}

/// What went out on a connection, and how long what is sent now waits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outgo {
    /// Bytes acknowledged since it is up.
    pub acked_bytes: u64,
    /// By how much the round trip is longer than the shortest, as of the last acknowledgement:
    /// packets wait somewhere on the way.
    pub queued: Duration,
    /// Since when there has been more to send than congestion control lets out.
    pub blocked_since: Option<Instant>,
}

impl Outgo {
    /// Of a connection with [`Calm`] congestion control.
    #[must_use]
    pub fn of(connection: &quinn::Connection) -> Option<Self> {
        let controller = connection.congestion_state().into_any().downcast::<CalmCubic>();
        Some(controller.ok()?.outgo)
    }

    /// How long what is sent at `now` waits, here and on the way, beyond the way's own time.
    #[must_use]
    pub fn queue(&self, now: Instant) -> Duration {
        let blocked = self.blocked_since.map(|at| now.saturating_duration_since(at));
        self.queued.max(blocked.unwrap_or_default())
    }
}

/// Cubic that hears only of losses that mean something.
struct CalmCubic {
    cubic: Box<dyn Controller>,
    /// Whether packets waited somewhere, as of the last acknowledgement.
    queued: bool,
    acked: u64,
    lost: u64,
    outgo: Outgo,
}

impl CalmCubic {
    fn count(&mut self, acked: u64, lost: u64) {
        self.acked += acked;
        self.lost += lost;
        if self.acked + self.lost > 2 * COUNTED_BYTES {
            // What is older weighs less.
            self.acked /= 2;
            self.lost /= 2;
        }
    }

    fn much_lost(&self) -> bool {
        let sent = self.acked + self.lost;
        sent >= COUNTED_BYTES && self.lost * 100 > sent * LOSS_PCT_MAX
    }
}

impl Controller for CalmCubic {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.cubic.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.queued = is_queue(rtt.get(), rtt.min());
        self.count(bytes, 0);
        self.outgo.acked_bytes += bytes;
        self.outgo.queued = rtt.get().saturating_sub(rtt.min());
        self.outgo.blocked_since =
            if app_limited { None } else { self.outgo.blocked_since.or(Some(now)) };
        self.cubic.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        app_limited: bool,
        largest_acked: Option<u64>,
    ) {
        self.cubic.on_end_acks(now, in_flight, app_limited, largest_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        self.count(0, lost_bytes);
        // No bytes: routers marked packets instead of dropping them, which is always meant.
        if lost_bytes == 0 || is_persistent_congestion || self.queued || self.much_lost() {
            self.cubic.on_congestion_event(now, sent, is_persistent_congestion, lost_bytes);
        }
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.cubic.on_mtu_update(new_mtu);
    }

    fn window(&self) -> u64 {
        self.cubic.window()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self { cubic: self.cubic.clone_box(), ..*self })
    }

    fn initial_window(&self) -> u64 {
        self.cubic.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Whether this round trip, against the shortest, says that packets wait somewhere.
fn is_queue(rtt: Duration, shortest: Duration) -> bool {
    rtt > shortest + QUEUE_MIN.max(shortest / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controller() -> CalmCubic {
        let cubic = Arc::new(CubicConfig::default()).build(Instant::now(), 1_200);
        CalmCubic { cubic, queued: false, acked: 0, lost: 0, outgo: Outgo::default() }
    }

    /// The window after `losses` of `acked` bytes each loss, against the window before.
    fn shrinks(mut calm: CalmCubic, losses: usize, acked: u64, lost: u64) -> bool {
        let before = calm.window();
        let start = Instant::now();
        for loss in 1..=losses as u32 {
            calm.count(acked, 0);
            let sent = start + Duration::from_millis(100) * loss;
            calm.on_congestion_event(sent + Duration::from_millis(30), sent, false, lost);
        }
        calm.window() < before
    }

    #[test]
    fn only_losses_that_mean_something_count() {
        assert!(!shrinks(controller(), 1_000, 100_000, 1_200), "one packet in a hundred");
        assert!(shrinks(controller(), 1_000, 8_000, 1_200), "one packet in eight");
        assert!(!shrinks(controller(), 3, 1_200, 1_200), "too few to tell");
        let queued = CalmCubic { queued: true, ..controller() };
        assert!(shrinks(queued, 1, 100_000, 1_200), "one packet, and a queue");
        assert!(shrinks(controller(), 1, 0, 0), "marked by a router");
    }

    #[test]
    fn a_link_waits_for_a_queue_on_the_way_or_for_its_own_window() {
        let now = Instant::now();
        let (ms, idle) = (Duration::from_millis, Outgo::default());
        assert_eq!(idle.queue(now), ms(0));
        assert_eq!(Outgo { queued: ms(40), ..idle }.queue(now), ms(40));
        let blocked = Outgo { queued: ms(40), blocked_since: Some(now), ..idle };
        assert_eq!(blocked.queue(now + ms(10)), ms(40));
        assert_eq!(blocked.queue(now + ms(300)), ms(300));
    }

    #[test]
    fn all_lost_is_congestion() {
        let mut calm = controller();
        let before = calm.window();
        let now = Instant::now() + Duration::from_secs(1);
        calm.on_congestion_event(now, now, true, 1_200);
        assert!(calm.window() < before);
    }

    #[test]
    fn a_queue_shows_in_the_round_trip() {
        let ms = Duration::from_millis;
        for (rtt, shortest, queue) in
            [(1, 1, false), (20, 1, false), (22, 1, true), (120, 100, false), (126, 100, true)]
        {
            assert_eq!(is_queue(ms(rtt), ms(shortest)), queue, "{rtt} ms, {shortest} ms");
        }
    }
}
