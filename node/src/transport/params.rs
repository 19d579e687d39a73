//! QUIC settings per kind of connection.
//!
//! A server fixes its settings before it knows the ALPN, so what it accepts starts out as a
//! control connection; [`widen_for_link`] changes what can be changed once it turns out a link.
//! The idle timeout is the smaller of both ends' wishes, so the dialler's 5 s holds for a link.

use std::sync::Arc;
use std::time::Duration;

use quinn::{
    EndpointConfig, IdleTimeout, ServerConfig, TransportConfig, ValidationTokenConfig, VarInt,
};

use super::congestion::Calm;
use super::limits::*;
use super::tls::Identity;

/// Settings of an endpoint on the shared port.
pub(super) fn endpoint() -> EndpointConfig {
    let mut config = EndpointConfig::default();
    // Greased packets lose the bit that tells QUIC from the rest.
    config.grease_quic_bit(false).supported_versions(vec![QUIC_V1]);
    config
}

/// Spec: RFC 9000 section 15.
const QUIC_V1: u32 = 1;

/// Settings of the accepting side.
pub(super) fn server(identity: &Identity) -> ServerConfig {
    let mut tokens = ValidationTokenConfig::default();
    // Tokens for later connections are looked up by server name, which all peers share.
    tokens.sent(0);
    let mut transport = common(CONTROL_IDLE_TIMEOUT, CONTROL_KEEP_ALIVE);
    // Cannot be switched on once the ALPN is known. Control peers have no use for it, and what
    // they send all the same stays within this buffer.
    transport.datagram_receive_buffer_size(Some(DATAGRAM_BUFFER_BYTES));
    let mut config = ServerConfig::with_crypto(identity.server());
    config
        .transport_config(Arc::new(transport))
        .validation_token_config(tokens)
        .retry_token_lifetime(HANDSHAKE_TIMEOUT)
        .max_incoming(HANDSHAKES_MAX)
        .incoming_buffer_size(INCOMING_BUFFER_BYTES_MAX / 16)
        .incoming_buffer_size_total(INCOMING_BUFFER_BYTES_MAX)
        .migration(true);
    config
}

/// Settings for dialling a control connection.
pub(super) fn control() -> TransportConfig {
    let mut transport = common(CONTROL_IDLE_TIMEOUT, CONTROL_KEEP_ALIVE);
    transport.datagram_receive_buffer_size(None);
    transport
}

/// Settings for dialling a link.
pub(super) fn link() -> TransportConfig {
    let mut transport = common(LINK_IDLE_TIMEOUT, LINK_KEEP_ALIVE);
    transport
        .max_concurrent_uni_streams(VarInt::from_u32(LINK_UNI_STREAMS_MAX))
        .max_concurrent_bidi_streams(VarInt::from_u32(LINK_BI_STREAMS_MAX))
        .receive_window(VarInt::from_u32(LINK_WINDOW_BYTES))
        .send_window(u64::from(LINK_WINDOW_BYTES))
        .datagram_receive_buffer_size(Some(DATAGRAM_BUFFER_BYTES))
        .datagram_send_buffer_size(DATAGRAM_BUFFER_BYTES);
    transport
}

/// Turns an accepted connection into a link's.
pub(super) fn widen_for_link(connection: &quinn::Connection) {
    connection.set_max_concurrent_uni_streams(VarInt::from_u32(LINK_UNI_STREAMS_MAX));
    connection.set_max_concurrent_bi_streams(VarInt::from_u32(LINK_BI_STREAMS_MAX));
    connection.set_receive_window(VarInt::from_u32(LINK_WINDOW_BYTES));
    connection.set_send_window(u64::from(LINK_WINDOW_BYTES));
}

fn common(idle: Duration, keep_alive: Duration) -> TransportConfig {
    let mut transport = TransportConfig::default();
    let idle = IdleTimeout::try_from(idle).expect("seconds fit QUIC's milliseconds");
    transport
        .max_idle_timeout(Some(idle))
        .keep_alive_interval(Some(keep_alive))
        .initial_rtt(INITIAL_RTT)
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .max_concurrent_bidi_streams(VarInt::from_u32(CONTROL_STREAMS_MAX))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(CONTROL_WINDOW_BYTES))
        .send_window(u64::from(CONTROL_WINDOW_BYTES))
        // In order among equals: a shard half sent helps nobody.
        .send_fairness(false)
        .allow_spin(false)
        .congestion_controller_factory(Arc::new(Calm));
    transport
}
