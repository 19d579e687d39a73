//! SRTP and SRTCP of one peer.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::bail;
use bytes::BytesMut;
use rtc::crypto::RTCCryptoProvider;
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::dtls::state::State;
use rtc::srtp::config::{Config, LABEL_EXTRACTOR_DTLS_SRTP, SessionKeys};
use rtc::srtp::context::Context;
use rtc::srtp::option::{srtcp_replay_protection, srtp_replay_protection};
use rtc::srtp::protection_profile::ProtectionProfile;

use crate::gateway::limits;

/// Packets this far behind the newest are still taken. Derived: retransmissions after 1 s at
/// 8 Mbit/s.
const REPLAY_WINDOW: usize = 1024;

/// The keys of one association, both directions.
pub(crate) struct Srtp {
    keys: SessionKeys,
    profile: ProtectionProfile,
    provider: Arc<dyn RTCCryptoProvider>,
    outbound: Context,
    /// One context for each source that has proved to know the key. A context makes state for any
    /// SSRC it is asked about before it checks the packet, so it must not be asked about
    /// strangers.
    inbound: BTreeMap<u32, Context>,
}

impl Srtp {
    /// Takes the keys from a completed DTLS handshake.
    ///
    /// # Errors
    /// If no SRTP profile was agreed on.
    pub(crate) fn new(
        state: &State,
        provider: &Arc<dyn RTCCryptoProvider>,
    ) -> anyhow::Result<Self> {
        let profile = match state.srtp_protection_profile() {
            SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm => ProtectionProfile::AeadAes128Gcm,
            SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm => ProtectionProfile::AeadAes256Gcm,
            SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80 => {
                ProtectionProfile::Aes128CmHmacSha1_80
            }
            other => bail!("no SRTP profile in common: {other:?}"),
        };
        let mut config = Config { profile, ..Config::default() };
        let material = state.export_keying_material(
            LABEL_EXTRACTOR_DTLS_SRTP,
            &[],
            config.keying_material_len(),
        )?;
        config.set_session_keys_from_keying_material(material.as_ref(), state.is_client())?;
        let keys = config.keys;
        let outbound = Context::new(
            &keys.local_master_key,
            &keys.local_master_salt,
            profile,
            None,
            None,
            provider.crypto(),
        )?;
        Ok(Self { keys, profile, provider: provider.clone(), outbound, inbound: BTreeMap::new() })
    }

    /// Protects an RTP packet.
    pub(crate) fn seal_rtp(&mut self, packet: &[u8]) -> anyhow::Result<BytesMut> {
        Ok(self.outbound.encrypt_rtp(packet)?)
    }

    /// Protects a compound RTCP packet.
    pub(crate) fn seal_rtcp(&mut self, packet: &[u8]) -> anyhow::Result<BytesMut> {
        Ok(self.outbound.encrypt_rtcp(packet)?)
    }

    /// Checks and opens an SRTP packet.
    pub(crate) fn open_rtp(&mut self, packet: &[u8]) -> anyhow::Result<BytesMut> {
        self.open(packet, 8, |context| Ok(context.decrypt_rtp(packet)?))
    }

    /// Checks and opens an SRTCP packet.
    pub(crate) fn open_rtcp(&mut self, packet: &[u8]) -> anyhow::Result<BytesMut> {
        self.open(packet, 4, |context| Ok(context.decrypt_rtcp(packet)?))
    }

    fn open(
        &mut self,
        packet: &[u8],
        ssrc_at: usize,
        decrypt: impl FnOnce(&mut Context) -> anyhow::Result<BytesMut>,
    ) -> anyhow::Result<BytesMut> {
        let Some(ssrc) = packet.get(ssrc_at..ssrc_at + 4) else { bail!("too short") };
        let ssrc = u32::from_be_bytes([ssrc[0], ssrc[1], ssrc[2], ssrc[3]]);
        if let Some(context) = self.inbound.get_mut(&ssrc) {
            return decrypt(context);
        }
        if self.inbound.len() >= limits::SOURCES_MAX {
            bail!("more sources than {}", limits::SOURCES_MAX);
        }
        let mut context = Context::new(
            &self.keys.remote_master_key,
            &self.keys.remote_master_salt,
            self.profile,
            Some(srtp_replay_protection(REPLAY_WINDOW)),
            Some(srtcp_replay_protection(REPLAY_WINDOW)),
            self.provider.crypto(),
        )?;
        let opened = decrypt(&mut context)?;
        self.inbound.insert(ssrc, context);
        Ok(opened)
    }
}
