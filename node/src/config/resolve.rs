//! From what was said to what it means: precedence, defaults, validation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use banyan_protocol::limits::{K_MAX, M_MAX, SESSION_SECONDS_MAX, TITLE_CHARS_MAX};
use banyan_protocol::session::default_stripes;
use banyan_protocol::unit::Bitrate;

use super::patch::{
    CapacityPatch, DiscoveryPatch, GatewayPatch, HttpPatch, ListenPatch, LogPatch, Patch,
    SessionPatch,
};
use super::{Capacity, Codec, Config, Discovery, Gateway, Http, Listen, Log, Session, TimeSpan};
use crate::exit::Refusal;

/// Default UDP port. Guess: not registered for another UDP service of home hardware.
pub const LISTEN_PORT: u16 = 4433;
/// Default HTTP address: this machine alone, since it controls the node.
pub const HTTP_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Default upload to give. Guess: half of a common home uplink.
pub const UPLOAD: Bitrate = Bitrate::from_kbps(20_000);
/// Default most children. Derived: 20 Mbit/s over the smallest usual shard rate (2 Mbit/s, 4 data
/// shards) is 40 slots; room for owners who give more.
pub const CHILDREN_MAX: u32 = 100;
/// Default most viewers. Derived: 20 Mbit/s at 1 Mbit/s each, with room for owners who give more;
/// the measured uplink limits long before.
pub const VIEWERS_MAX: u32 = 200;
/// Default bitrate of a session. Spec: DESIGN's reference stream.
pub const BITRATE: Bitrate = Bitrate::from_kbps(4_000);
/// Highest bitrate of a session. Derived: `BLOCK_BYTES_MAX` must hold a keyframe of seconds' worth.
pub const BITRATE_MAX: Bitrate = Bitrate::from_kbps(50_000);
/// Lowest bitrate of a session: below it, headers outweigh the sound they carry. Guess.
pub const BITRATE_MIN: Bitrate = Bitrate::from_kbps(16);
/// Default life of a session's link. Guess: an event and the days around it.
pub const VALID_FOR: TimeSpan = TimeSpan(Duration::from_secs(7 * 86_400));
/// Most entries of a list of addresses. Guess: far above use, far below harm.
pub const LIST_MAX: usize = 64;

/// Where the system keeps a user's files.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `$HOME`.
    pub home: Option<PathBuf>,
    /// `$XDG_DATA_HOME`.
    pub data: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`.
    pub config: Option<PathBuf>,
}

impl Places {
    /// As the environment says. Relative paths do not count (XDG Base Directory specification).
    #[must_use]
    pub fn from_env() -> Self {
        let absolute =
            |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        Self {
            home: absolute("HOME"),
            data: absolute("XDG_DATA_HOME"),
            config: absolute("XDG_CONFIG_HOME"),
        }
    }

    fn data_dir(&self) -> Option<PathBuf> {
        let under_home = || Some(self.home.as_ref()?.join(".local/share"));
        Some(self.data.clone().or_else(under_home)?.join("banyan"))
    }

    /// The configuration file looked for when none is named.
    #[must_use]
    pub fn config_file(&self) -> Option<PathBuf> {
        let under_home = || Some(self.home.as_ref()?.join(".config"));
        Some(self.config.clone().or_else(under_home)?.join("banyan/banyan.toml"))
    }

    /// `~/…` means the same in a file, where no shell expands it.
    fn expand(&self, path: PathBuf) -> PathBuf {
        match (path.strip_prefix("~"), &self.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path,
        }
    }
}

macro_rules! over {
    ($($name:ident { $($field:ident),+ })+) => {$(
        impl $name {
            /// What this source said, and where it was silent, what `below` said.
            #[must_use]
            pub fn over(self, below: Self) -> Self {
                Self { $($field: self.$field.or(below.$field)),+ }
            }
        }
    )+};
}
over! {
    ListenPatch { port, bind, advertise }
    HttpPatch { bind, public_url }
    CapacityPatch { upload, children_max }
    DiscoveryPatch { mdns, bootstraps }
    SessionPatch { title, bitrate, data_shards, parity_shards, video_codecs, watch, valid_for }
    GatewayPatch { candidates, viewers_max }
    LogPatch { filter, format }
}

impl Patch {
    /// What this source said, and where it was silent, what `below` said.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            data_dir: self.data_dir.or(below.data_dir),
            role: self.role.or(below.role),
            listen: self.listen.over(below.listen),
            http: self.http.over(below.http),
            capacity: self.capacity.over(below.capacity),
            discovery: self.discovery.over(below.discovery),
            session: self.session.over(below.session),
            gateway: self.gateway.over(below.gateway),
            log: self.log.over(below.log),
        }
    }

    /// Fills in the defaults and validates.
    ///
    /// # Errors
    /// A value out of range, or no place for data.
    pub fn resolve(self, places: &Places) -> Result<Config, Refusal> {
        let data_dir = match self.data_dir {
            Some(dir) => places.expand(dir),
            None => places.data_dir().ok_or_else(|| {
                Refusal::new("there is no place to keep this node's keys: HOME is not set")
                    .next("name a directory with --data-dir")
            })?,
        };
        if data_dir == Path::new("") {
            return Err(bad("data_dir", "is empty", "name a directory"));
        }
        Ok(Config {
            data_dir,
            role: self.role.unwrap_or_default(),
            listen: listen(self.listen)?,
            http: http(self.http),
            capacity: Capacity {
                upload: self.capacity.upload.unwrap_or(UPLOAD),
                children_max: self.capacity.children_max.unwrap_or(CHILDREN_MAX),
            },
            discovery: Discovery {
                mdns: self.discovery.mdns.unwrap_or(true),
                bootstraps: list("discovery.bootstraps", self.discovery.bootstraps)?,
            },
            session: session(self.session)?,
            gateway: Gateway {
                candidates: list("gateway.candidates", self.gateway.candidates)?,
                viewers_max: self.gateway.viewers_max.unwrap_or(VIEWERS_MAX),
            },
            log: log(self.log)?,
        })
    }
}

fn listen(patch: ListenPatch) -> Result<Listen, Refusal> {
    let bind = patch
        .bind
        .unwrap_or_else(|| vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]);
    let of_v4 = bind.iter().filter(|ip| ip.is_ipv4()).count();
    if bind.is_empty() || of_v4 > 1 || bind.len() - of_v4 > 1 {
        return Err(bad(
            "listen.bind",
            "does not name one or two addresses of different families",
            "name one IPv4 address, one IPv6 address, or one of each",
        ));
    }
    Ok(Listen {
        port: patch.port.unwrap_or(LISTEN_PORT),
        port_is_chosen: patch.port.is_some(),
        bind,
        advertise: list("listen.advertise", patch.advertise)?,
    })
}

fn http(patch: HttpPatch) -> Http {
    Http {
        bind: patch.bind.unwrap_or(HTTP_BIND),
        bind_is_chosen: patch.bind.is_some(),
        public_url: patch.public_url,
    }
}

fn session(patch: SessionPatch) -> Result<Session, Refusal> {
    let bitrate = patch.bitrate.unwrap_or(BITRATE);
    if !(BITRATE_MIN..=BITRATE_MAX).contains(&bitrate) {
        return Err(bad(
            "session.bitrate",
            &format!("is {bitrate}"),
            &format!("give {BITRATE_MIN} to {BITRATE_MAX}"),
        ));
    }
    let (default_k, default_m) = default_stripes(bitrate, true);
    let data_shards = patch.data_shards.unwrap_or(default_k);
    if !(1..=K_MAX).contains(&data_shards) {
        let next = format!("give 1 to {K_MAX}, or leave it out and it follows the bitrate");
        return Err(bad("session.data_shards", &format!("is {data_shards}"), &next));
    }
    let parity_shards = patch.parity_shards.unwrap_or(default_m);
    if parity_shards > M_MAX {
        return Err(bad(
            "session.parity_shards",
            &format!("is {parity_shards}"),
            &format!("give 0 to {M_MAX}"),
        ));
    }
    let title = patch.title.unwrap_or_else(|| "Live".to_owned()).trim().to_owned();
    if title.is_empty()
        || title.chars().count() > TITLE_CHARS_MAX
        || title.chars().any(char::is_control)
    {
        return Err(bad(
            "session.title",
            "is empty, too long, or has control characters",
            &format!("give one line of at most {TITLE_CHARS_MAX} characters"),
        ));
    }
    let mut video_codecs = Vec::new();
    for codec in patch.video_codecs.unwrap_or_else(|| Codec::ALL.to_vec()) {
        if !video_codecs.contains(&codec) {
            video_codecs.push(codec);
        }
    }
    if video_codecs.is_empty() {
        return Err(bad("session.video_codecs", "is empty", "name at least one codec"));
    }
    let valid_for = patch.valid_for.unwrap_or(VALID_FOR);
    if !(60..=SESSION_SECONDS_MAX).contains(&valid_for.0.as_secs()) {
        return Err(bad(
            "session.valid_for",
            &format!("is {valid_for}"),
            "give one minute (\"1min\") to a month (\"31d\")",
        ));
    }
    Ok(Session {
        title,
        bitrate,
        data_shards,
        parity_shards,
        video_codecs,
        watch: patch.watch.unwrap_or_default(),
        valid_for,
    })
}

fn log(patch: LogPatch) -> Result<Log, Refusal> {
    let filter = patch.filter.unwrap_or_else(|| "info".to_owned());
    if let Err(why) = crate::telemetry::check_filter(&filter) {
        return Err(bad(
            "log.filter",
            &format!("is {filter:?}: {why}"),
            "give error, warn, info, debug or trace, or directives such as \
             \"info,banyan_node::link=trace\"",
        ));
    }
    Ok(Log { filter, format: patch.format.unwrap_or_default() })
}

fn list<T>(key: &str, values: Option<Vec<T>>) -> Result<Vec<T>, Refusal> {
    let values = values.unwrap_or_default();
    if values.len() > LIST_MAX {
        let what = format!("has {} entries", values.len());
        return Err(bad(key, &what, &format!("give at most {LIST_MAX}")));
    }
    Ok(values)
}

fn bad(key: &str, what: &str, next: &str) -> Refusal {
    Refusal::new(format!("{key} {what}")).next(next)
}
