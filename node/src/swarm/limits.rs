//! Every bound of the swarm, each with its basis: spec | derived | measured | guess.

use std::time::Duration;

/// Commands waiting for the swarm. Guess: they are served before anything else.
pub const COMMANDS_MAX: usize = 64;
/// Events handed over and not yet taken. Guess.
pub const EVENTS_MAX: usize = 256;
/// Events held back while the channel is full; then the network waits. Derived: one turn of the
/// swarm produces a handful.
pub const EVENTS_HELD_MAX: usize = 64;

/// Addresses kept per peer. Derived: two families, local and mapped, and room for a change.
pub const ADDRESSES_PER_PEER_MAX: usize = 8;
/// Peers whose addresses are kept; the longest unheard is forgotten. Guess: ten times the
/// connections.
pub const PEERS_MAX: usize = 4096;
/// Own addresses that peers say they see, reported once each. Guess.
pub const OBSERVED_MAX: usize = 16;

/// Control connections peers may open to us. Derived: a DHT server's neighbours, the session's
/// gossip mesh, and visitors; each costs some 50 kB.
pub const CONNECTIONS_IN_MAX: u32 = 256;
/// Control connections we may open. Guess.
pub const CONNECTIONS_OUT_MAX: u32 = 128;
/// Control connections with one peer. Derived: one each way when both dial at once, one relayed,
/// one spare.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// Connections in the making, per direction. Guess.
pub const CONNECTIONS_PENDING_MAX: u32 = 64;
/// A connection nobody uses is closed after this. Guess: longer than between two searches.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(60);

/// Keys for which provider records of others are kept. Spec: libp2p's default.
pub const RECORD_KEYS_MAX: usize = 1024;
/// Providers kept per key. Spec: libp2p's default, Kademlia's k; an answer of 20 records with 8
/// addresses each fits the 16 kB of a Kademlia message.
pub const PROVIDERS_PER_KEY_MAX: usize = 20;
/// Keys one peer may provide. Derived: a node takes part in few sessions; without this one peer
/// could fill [`RECORD_KEYS_MAX`].
pub const KEYS_PER_PROVIDER_MAX: usize = 16;
/// Lifetime of a provider record. Derived: two publications may be lost.
pub const RECORD_TTL: Duration = Duration::from_secs(10 * 60);
/// How often own provider records are published. Derived from [`RECORD_TTL`].
pub const RECORD_INTERVAL: Duration = Duration::from_secs(4 * 60);
/// Longest a Kademlia query may take. Guess: three timeouts of a dead peer in parallel.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(10);
/// Searches for providers at once; more wait for none and are refused. Guess.
pub const SEARCHES_MAX: usize = 32;
/// Sessions provided at once. Derived: `SESSIONS_MAX` of the protocol.
pub const PROVIDED_MAX: usize = banyan_protocol::limits::SESSIONS_MAX;

/// Longest capacity advert. Derived: a signed advert with four addresses is below 400 bytes.
pub const ADVERT_BYTES_MAX: usize = 1024;
/// Topics a peer may subscribe to. Derived: `SESSIONS_MAX` of the protocol.
pub const TOPICS_MAX: usize = banyan_protocol::limits::SESSIONS_MAX;
/// Control bytes in one gossip message. Measured: the default of 16 kB splits a busy topic for
/// good; go and jvm use 256 kB.
pub const GOSSIP_CONTROL_BYTES_MAX: usize = 256 << 10;
/// Message ids told in one round of gossip. Measured: with the default of 5000, long ids pass
/// the receiver's bound.
pub const GOSSIP_IDS_MAX: usize = 200;

/// Bootstrap nodes kept. Derived: twice `INVITE_BOOTSTRAPS_MAX` of the protocol.
pub const BOOTSTRAPS_MAX: usize = 2 * banyan_protocol::limits::INVITE_BOOTSTRAPS_MAX;
/// First wait before a lone node tries its bootstrap nodes again; doubles. Guess.
pub const BOOTSTRAP_RETRY_MIN: Duration = Duration::from_secs(2);
/// Longest such wait. Guess.
pub const BOOTSTRAP_RETRY_MAX: Duration = Duration::from_secs(60);

/// How often the swarm looks after itself. Guess.
pub const HOUSEKEEPING: Duration = Duration::from_millis(500);
/// How often expired records of others are swept out. Guess: a tenth of [`RECORD_TTL`].
pub const SWEEP: Duration = Duration::from_secs(60);
