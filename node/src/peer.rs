//! One key, two spellings: the core's [`NodeId`] (the raw Ed25519 public key) and libp2p's
//! [`PeerId`] (an identity multihash of the same key in protobuf).
//!
//! libp2p peers with other kinds of keys exist; they have no `NodeId`, so they get no links.

use banyan_protocol::identity::NodeId;
use libp2p::PeerId;
use libp2p::identity::{Keypair, PublicKey, ed25519};

/// Multihash's code for "the digest is the data itself". Spec: the multicodec table.
const IDENTITY: u64 = 0;

/// The libp2p key pair of a node whose Ed25519 secret key is `secret`.
#[must_use]
pub fn keypair(mut secret: [u8; 32]) -> Keypair {
    // The call wipes the array it is given.
    Keypair::ed25519_from_bytes(&mut secret).expect("any 32 bytes are an Ed25519 secret key")
}

/// `node` as libp2p spells it; `None` if the 32 bytes are no Ed25519 public key.
#[must_use]
pub fn peer_id(node: &NodeId) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(node.as_bytes()).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// `peer` as the core spells it; `None` unless it is an Ed25519 key.
#[must_use]
pub fn node_id(peer: &PeerId) -> Option<NodeId> {
    let hash = peer.as_ref();
    if hash.code() != IDENTITY {
        return None;
    }
    let key = PublicKey::try_decode_protobuf(hash.digest()).ok()?;
    Some(NodeId::from_bytes(key.try_into_ed25519().ok()?.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_convert_both_ways() {
        let keypair = keypair([7; 32]);
        let public = keypair.public();
        let node = node_id(&public.to_peer_id()).expect("an Ed25519 peer");
        let raw = public.try_into_ed25519().expect("an Ed25519 key").to_bytes();
        assert_eq!(node.as_bytes(), &raw);
        assert_eq!(peer_id(&node), Some(keypair.public().to_peer_id()));
    }

    #[test]
    fn other_keys_have_no_other_spelling() {
        // An identity multihash of noise, then a hash as RSA keys have.
        assert_eq!(node_id(&PeerId::random()), None);
        let sha = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
        assert_eq!(node_id(&sha.parse().expect("a PeerId")), None);
        // 32 bytes that are no point of the curve.
        let mut bytes = [0; 32];
        bytes[0] = 2;
        assert_eq!(peer_id(&NodeId::from_bytes(bytes)), None);
    }
}
