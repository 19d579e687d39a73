//! Provider records that others store with us: checked, capped per peer, and swept out when they
//! expire. (Kademlia's own store forgets an expired record only when somebody asks for it.)

use std::collections::BTreeMap;
use std::time::Instant;

use banyan_protocol::identity::SessionId;
use libp2p::PeerId;
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig, RecordStore};
use libp2p::kad::{ProviderRecord, RecordKey};

use super::addresses::filter;
use super::limits::{KEYS_PER_PROVIDER_MAX, PROVIDERS_PER_KEY_MAX, RECORD_KEYS_MAX, RECORD_TTL};

/// Before the session id in a key. Spec: `proto/SPEC.md#discovery`.
const KEY: &[u8] = b"/banyan/session/1/";

/// The key under which a session's providers are found.
pub(super) fn key(session: SessionId) -> RecordKey {
    RecordKey::new(&[KEY, session.as_bytes()].concat())
}

/// The session a key stands for.
pub(super) fn session(key: &RecordKey) -> Option<SessionId> {
    let id = key.as_ref().strip_prefix(KEY)?;
    Some(SessionId::from_bytes(id.try_into().ok()?))
}

/// An empty store for `local`.
pub(super) fn store(local: PeerId) -> MemoryStore {
    let config = MemoryStoreConfig {
        // Banyan stores no values.
        max_records: 0,
        max_value_bytes: 0,
        max_providers_per_key: PROVIDERS_PER_KEY_MAX,
        max_provided_keys: RECORD_KEYS_MAX,
    };
    MemoryStore::with_config(local, config)
}

/// When which peer's records expire.
#[derive(Debug, Default)]
pub(super) struct Records {
    by_provider: BTreeMap<PeerId, BTreeMap<SessionId, Instant>>,
}

impl Records {
    /// Stores what a peer says of itself, if it may.
    pub(super) fn offer(
        &mut self,
        store: &mut MemoryStore,
        mut record: ProviderRecord,
        loopback: bool,
        now: Instant,
    ) {
        let Some(session) = session(&record.key) else { return };
        let provider = record.provider;
        let held = self.by_provider.get(&provider);
        let known = held.is_some_and(|sessions| sessions.contains_key(&session));
        if !known && held.is_some_and(|sessions| sessions.len() >= KEYS_PER_PROVIDER_MAX) {
            return;
        }
        let expires = now + RECORD_TTL;
        record.expires = Some(expires);
        record.addresses = filter(provider, &record.addresses, loopback);
        let key = record.key.clone();
        // A full list ignores newcomers without an error: look whether it is in.
        if store.add_provider(record).is_ok()
            && store.providers(&key).iter().any(|stored| stored.provider == provider)
        {
            self.by_provider.entry(provider).or_default().insert(session, expires);
        }
    }

    /// Forgets what has expired.
    pub(super) fn sweep(&mut self, store: &mut MemoryStore, now: Instant) {
        self.by_provider.retain(|provider, sessions| {
            sessions.retain(|session, expires| {
                let keep = *expires > now;
                if !keep {
                    store.remove_provider(&key(*session), provider);
                }
                keep
            });
            !sessions.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> SessionId {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        SessionId::from_bytes(bytes)
    }

    fn record(key: RecordKey, provider: PeerId) -> ProviderRecord {
        ProviderRecord { key, provider, expires: None, addresses: Vec::new() }
    }

    #[test]
    fn keys_stand_for_sessions() {
        assert_eq!(session(&key(id(7))), Some(id(7)));
        assert_eq!(session(&RecordKey::new(&b"/banyan/session/1/short")), None);
        assert_eq!(session(&RecordKey::new(&[0; 50])), None);
    }

    #[test]
    fn one_peer_cannot_fill_the_store() {
        let mut store = store(PeerId::random());
        let mut records = Records::default();
        let (now, greedy) = (Instant::now(), PeerId::random());
        for number in 0..1000 {
            records.offer(&mut store, record(key(id(number)), greedy), false, now);
        }
        let stored = (0..1000).filter(|&n| !store.providers(&key(id(n))).is_empty()).count();
        assert_eq!(stored, KEYS_PER_PROVIDER_MAX);
        // A known record is renewed all the same, a stranger's other key refused.
        let later = now + RECORD_TTL / 2;
        records.offer(&mut store, record(key(id(0)), greedy), false, later);
        assert_eq!(store.providers(&key(id(0)))[0].expires, Some(later + RECORD_TTL));
        records.offer(&mut store, record(RecordKey::new(b"other"), PeerId::random()), false, now);
        assert_eq!(records.by_provider.len(), 1);
    }

    #[test]
    fn expired_records_make_room() {
        let mut store = store(PeerId::random());
        let mut records = Records::default();
        let now = Instant::now();
        let fill = |records: &mut Records, store: &mut MemoryStore, from: u32, now| {
            let before = records.by_provider.len();
            for number in from..from + 2 * RECORD_KEYS_MAX as u32 {
                records.offer(store, record(key(id(number)), PeerId::random()), false, now);
            }
            records.by_provider.len() - before
        };
        assert_eq!(fill(&mut records, &mut store, 0, now), RECORD_KEYS_MAX);
        assert_eq!(fill(&mut records, &mut store, 1_000_000, now), 0);
        let later = now + RECORD_TTL;
        records.sweep(&mut store, later);
        assert_eq!(fill(&mut records, &mut store, 1_000_000, later), RECORD_KEYS_MAX);
    }

    #[test]
    fn a_full_key_keeps_its_first_providers() {
        let mut store = store(PeerId::random());
        let mut records = Records::default();
        for _ in 0..100 {
            let record = record(key(id(1)), PeerId::random());
            records.offer(&mut store, record, false, Instant::now());
        }
        assert_eq!(store.providers(&key(id(1))).len(), PROVIDERS_PER_KEY_MAX);
        assert_eq!(records.by_provider.len(), PROVIDERS_PER_KEY_MAX);
    }
}
