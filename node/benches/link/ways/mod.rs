//! Three ways to carry shards, without and with loss: a stream each, a stream per stripe and group,
//! datagrams with a repair of their own. All at live pace over real QUIC on loopback; distance and
//! loss are made in the sockets. The decision is in `docs/adr/0001-how-shards-travel.md`.

mod datagram;
mod net;
mod stream;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use banyan_node::transport::congestion::Calm;
use bytes::{BufMut, Bytes, BytesMut};
use quinn::{Connection, Endpoint, TransportConfig};
use tokio::sync::mpsc;

use crate::cpu::median;
use crate::process::{Process, say, told};
use crate::{load, tls};
use net::Net;

/// One way to the other side where there is a distance.
const ONE_WAY: Duration = Duration::from_millis(15);
/// Later than this beyond one way, a shard is late.
const LATE: Duration = Duration::from_millis(100);
/// What repairs may take after the last shard was sent.
const DRAIN: Duration = Duration::from_millis(1_500);
/// Each with links' congestion control, and streams with QUIC's own as well.
const WAYS: [&str; 4] = ["stream", "group_stream", "datagram", "stream_cubic"];

/// The conditions of one comparison.
struct Trial {
    name: &'static str,
    links: usize,
    stripes: usize,
    net: Net,
    length: Duration,
}

const TRIALS: [Trial; 4] = [
    Trial { name: "near", links: 30, stripes: 1, net: Net::NEAR, length: Duration::from_secs(4) },
    Trial { name: "far", links: 30, stripes: 1, net: Net::far(0), length: Duration::from_secs(8) },
    Trial {
        name: "lossy",
        links: 30,
        stripes: 1,
        net: Net::far(10),
        length: Duration::from_secs(15),
    },
    Trial {
        name: "lossy_10_stripes",
        links: 3,
        stripes: 10,
        net: Net::far(10),
        length: Duration::from_secs(15),
    },
];
/// Rounds of the trial that measures CPU.
const ROUNDS: usize = 3;

pub(crate) fn measure() {
    for trial in &TRIALS {
        // CPU in turns; delays at the same time, so that what disturbs one disturbs all.
        if trial.name == "near" {
            let rounds: Vec<Vec<Report>> = (0..ROUNDS)
                .map(|_| WAYS.iter().map(|way| Running::start(way, trial).report()).collect())
                .collect();
            for (at, way) in WAYS.iter().enumerate() {
                let cpu = median(rounds.iter().map(|round| round[at].cpu_us_per_shard).collect());
                println!("ways_near_{way}_cpu_us_per_shard={cpu:.1}");
                let overhead = median(rounds.iter().map(|round| round[at].overhead_pct).collect());
                println!("ways_near_{way}_overhead_pct={overhead:.2}");
            }
        } else {
            let running = WAYS.map(|way| Running::start(way, trial));
            for (running, way) in running.into_iter().zip(WAYS) {
                running.report().print(&format!("ways_{}_{way}", trial.name));
            }
        }
    }
}

struct Running {
    process: Process,
    before: Duration,
}

struct Report {
    cpu_us_per_shard: f64,
    overhead_pct: f64,
    rest: Vec<String>,
}

impl Running {
    fn start(way: &str, trial: &Trial) -> Self {
        let (mut process, _) = Process::start(&["way", way, trial.name]);
        let before = process.cpu();
        process.tell("");
        Self { process, before }
    }

    fn report(mut self) -> Report {
        let line = self.process.line();
        let cpu = self.process.cpu() - self.before;
        let values: Vec<&str> = line.split(' ').collect();
        let (shards, overhead): (f64, f64) =
            (values[0].parse().expect("a count"), values[1].parse().expect("a percentage"));
        Report {
            cpu_us_per_shard: cpu.as_secs_f64() * 1e6 / shards,
            overhead_pct: overhead,
            rest: values[2..].iter().map(ToString::to_string).collect(),
        }
    }
}

impl Report {
    fn print(&self, name: &str) {
        println!("{name}_overhead_pct={:.2}", self.overhead_pct);
        self.rest.iter().for_each(|rest| println!("{name}_{rest}"));
    }
}

/// Where shards go that came: how long they took.
type Arrivals = Arc<Mutex<Vec<Duration>>>;

/// Takes note of a shard that came.
fn arrived(origin: Instant, arrivals: &Arrivals, shard: &[u8]) {
    let sent = u64::from_be_bytes(*shard[8..].first_chunk().expect("a time"));
    let took = origin.elapsed().saturating_sub(Duration::from_micros(sent));
    arrivals.lock().expect("nobody panics").push(took);
}

/// The role: both ends of all links, in one process.
pub(crate) async fn play(way: &str, trial: &str) {
    let trial = TRIALS.iter().find(|known| known.name == trial).expect("a trial");
    let mut transport = tls::transport();
    transport.send_fairness(false);
    if way != "stream_cubic" {
        transport.congestion_controller_factory(Arc::new(Calm));
    }
    let transport = Arc::new(transport);
    let origin = Instant::now();
    let arrivals = Arrivals::default();
    let server = trial.net.endpoint(1, &transport);
    let address = server.local_addr().expect("bound");
    let mut links = Vec::new();
    for number in 0..trial.links {
        links.push(connect(&server, trial, number, &transport, address).await);
    }
    let mut queues = Vec::new();
    for (_, from, to) in &links {
        let (queue, shards) = mpsc::channel(256);
        queues.push(queue);
        let arrivals = arrivals.clone();
        let arrived = move |shard: &[u8]| arrived(origin, &arrivals, shard);
        match way {
            "stream" | "stream_cubic" => {
                tokio::spawn(stream::feed(from.clone(), shards));
                tokio::spawn(stream::take(to.clone(), arrived));
            }
            "group_stream" => {
                tokio::spawn(stream::feed_groups(from.clone(), shards));
                tokio::spawn(stream::take_groups(to.clone(), arrived));
            }
            _ => {
                tokio::spawn(datagram::feed(from.clone(), shards));
                tokio::spawn(datagram::take(to.clone(), arrived));
            }
        }
    }
    say("ready");
    told().await;
    let sent_before = udp_bytes(&links);
    let blocks = trial.length.as_nanos() / load::INTERVAL.as_nanos();
    let sizes: Vec<usize> =
        load::shards(load::BLOCKS).iter().map(|shards| shards[0].encoded().len()).collect();
    let mut pace = load::pace();
    let (mut shards, mut bytes) = (0, 0);
    for block in 0..blocks as u64 {
        pace.tick().await;
        for stripe in 0..trial.stripes {
            let len = sizes[(block % load::BLOCKS) as usize];
            let mut shard = BytesMut::with_capacity(len);
            shard.put_u64(block);
            shard.put_u64(origin.elapsed().as_micros() as u64);
            shard.resize(len, stripe as u8);
            let shard = shard.freeze();
            for queue in &queues {
                shards += 1;
                bytes += len as u64;
                queue.try_send(Out { block, stripe, bytes: shard.clone() }).expect("room");
            }
        }
    }
    tokio::time::sleep(DRAIN).await;
    let overhead = (udp_bytes(&links) - sent_before) as f64 * 100.0 / bytes as f64 - 100.0;
    let mut delays = arrivals.lock().expect("nobody panics").clone();
    delays.sort_unstable();
    let ms = |at: usize| delays[at.min(delays.len() - 1)].as_secs_f64() * 1e3;
    let late = delays.iter().filter(|delay| **delay > trial.net.one_way() + LATE).count();
    say(format_args!(
        "{shards} {overhead} delay_p50_ms={:.1} delay_p99_ms={:.1} delay_p999_ms={:.1} \
         delay_max_ms={:.1} late_pct={:.3} missing={}",
        ms(delays.len() / 2),
        ms(delays.len() * 99 / 100),
        ms(delays.len() * 999 / 1000),
        ms(delays.len()),
        late as f64 * 100.0 / shards as f64,
        shards - delays.len(),
    ));
    std::future::pending().await
}

/// A shard on its way out.
struct Out {
    block: u64,
    stripe: usize,
    bytes: Bytes,
}

type Link = (Endpoint, Connection, Connection);

async fn connect(
    server: &Endpoint,
    trial: &Trial,
    number: usize,
    transport: &Arc<TransportConfig>,
    to: SocketAddr,
) -> Link {
    let endpoint = trial.net.endpoint(number as u64 + 2, transport);
    let dial = async { endpoint.connect(to, "l").expect("an address").await.expect("a link") };
    let accept = async { server.accept().await.expect("open").await.expect("a link") };
    let (child, parent) = tokio::join!(dial, accept);
    (endpoint, parent, child)
}

fn udp_bytes(links: &[Link]) -> u64 {
    let sent = |connection: &Connection| connection.stats().udp_tx.bytes;
    links.iter().map(|(_, parent, child)| sent(parent) + sent(child)).sum()
}
