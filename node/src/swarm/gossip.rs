//! Capacity adverts by gossip: one topic per session, small messages, bounded everything.

use banyan_protocol::identity::SessionId;
use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, MaxCountSubscriptionFilter, Message, MessageAuthenticity,
    MessageId, TopicHash, TopicSubscriptionFilter, ValidationMode,
};
use libp2p::identity::Keypair;

use super::limits::{GOSSIP_CONTROL_BYTES_MAX, GOSSIP_IDS_MAX, TOPICS_MAX};

/// Before the session's hex in a topic's name. Spec: `proto/SPEC.md#discovery`.
const TOPIC: &str = "/banyan/capacity/1/";
/// Bytes of a message id. Derived: 128 bits do not collide, and gossip lists ids by the hundred.
const MESSAGE_ID_BYTES: usize = 16;

/// gossipsub as Banyan configures it.
pub(super) type Gossip =
    Behaviour<libp2p::gossipsub::IdentityTransform, MaxCountSubscriptionFilter<CapacityTopics>>;

/// Builds it.
pub(super) fn behaviour(keypair: &Keypair) -> Gossip {
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Strict)
        // Nothing is passed on before we say so.
        .validate_messages()
        .message_id_fn(message_id)
        .max_control_message_size(GOSSIP_CONTROL_BYTES_MAX)
        .max_control_messages_sent(GOSSIP_IDS_MAX)
        .build()
        .expect("constant settings that agree with each other");
    let filter = MaxCountSubscriptionFilter {
        filter: CapacityTopics,
        max_subscribed_topics: TOPICS_MAX,
        max_subscriptions_per_request: TOPICS_MAX,
    };
    let authenticity = MessageAuthenticity::Signed(keypair.clone());
    Behaviour::new_with_subscription_filter(authenticity, config, filter)
        .expect("strict validation and signed messages agree")
}

/// The topic of a session's adverts.
pub(super) fn topic(session: SessionId) -> IdentTopic {
    IdentTopic::new(format!("{TOPIC}{session}"))
}

/// The session whose topic it is.
pub(super) fn session(topic: &TopicHash) -> Option<SessionId> {
    SessionId::from_hex(topic.as_str().strip_prefix(TOPIC)?)
}

/// Author and sequence number, both covered by the author's signature.
fn message_id(message: &Message) -> MessageId {
    let mut hasher = blake3::Hasher::new();
    if let Some(source) = message.source {
        hasher.update(&source.to_bytes());
    }
    hasher.update(&message.sequence_number.unwrap_or(0).to_be_bytes());
    MessageId::new(&hasher.finalize().as_bytes()[..MESSAGE_ID_BYTES])
}

/// Lets peers subscribe to topics of sessions, whichever, and to nothing else.
pub(super) struct CapacityTopics;

impl TopicSubscriptionFilter for CapacityTopics {
    fn can_subscribe(&mut self, topic: &TopicHash) -> bool {
        session(topic).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_name_sessions_and_only_they_pass() {
        let id = SessionId::from_bytes([0xab; 32]);
        assert_eq!(session(&topic(id).hash()), Some(id));
        assert!(CapacityTopics.can_subscribe(&topic(id).hash()));
        for name in ["cap", "/banyan/capacity/1/", "/banyan/capacity/1/zz"] {
            assert!(!CapacityTopics.can_subscribe(&IdentTopic::new(name).hash()), "{name}");
        }
    }

    #[test]
    fn ids_are_short_and_differ() {
        let message = |sequence: u64| Message {
            source: Some(crate::peer::keypair([1; 32]).public().to_peer_id()),
            data: vec![],
            sequence_number: Some(sequence),
            topic: topic(SessionId::from_bytes([1; 32])).hash(),
        };
        assert_eq!(message_id(&message(1)).0.len(), MESSAGE_ID_BYTES);
        assert_ne!(message_id(&message(1)), message_id(&message(2)));
    }
}
