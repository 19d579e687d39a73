//! An answer, written.

use std::fmt::Write;
use std::net::SocketAddr;

use super::{Choice, Credentials, Extension, Kind, Offer};

/// The header extension that congestion control needs.
pub(crate) const TRANSPORT_CC: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// Feedback that is agreed to where offered.
const FEEDBACK: [&str; 4] = ["nack", "nack pli", "ccm fir", "transport-cc"];

/// What this gateway's side of every answer is.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Tells this answer from others (RFC 8866 section 5.2).
    pub id: u32,
    /// Our ICE credentials for this peer.
    pub ice: &'a Credentials,
    /// Our certificate's SHA-256 fingerprint.
    pub fingerprint: &'a str,
    /// Our addresses, best first.
    pub candidates: &'a [SocketAddr],
}

/// One m-line of the answer that is in use.
#[derive(Clone, Debug)]
pub struct AnswerMedia {
    /// What was chosen of the offer.
    pub choice: Choice,
    /// The SSRC we send with; without one we receive.
    pub ssrc: Option<u32>,
}

/// Writes answers.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The offer to answer.
    pub offer: &'a Offer,
    /// Our side.
    pub terms: Terms<'a>,
}

impl Answer<'_> {
    /// The answer with `media` in use and every other m-line refused.
    #[must_use]
    pub fn write(&self, media: &[AnswerMedia]) -> String {
        let mut text = String::with_capacity(2048);
        self.write_into(&mut text, media).expect("writing to a String");
        text
    }

    fn write_into(&self, text: &mut String, used: &[AnswerMedia]) -> std::fmt::Result {
        let id = self.terms.id;
        write!(text, "v=0\r\no=- {id} 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-lite\r\n")?;
        let of = |index| used.iter().find(|media| media.choice.media == index);
        let mids: Vec<&str> = (self.offer.media.iter().enumerate())
            .filter(|(index, _)| of(*index).is_some())
            .filter_map(|(_, media)| media.mid.as_deref())
            .collect();
        if !mids.is_empty() {
            write!(text, "a=group:BUNDLE {}\r\n", mids.join(" "))?;
        }
        write!(text, "a=msid-semantic: WMS *\r\n")?;
        let mut first = true;
        for (index, media) in self.offer.media.iter().enumerate() {
            let (name, protocol) = (&media.name, &media.protocol);
            match of(index) {
                Some(answer) => {
                    let number = answer.choice.payload.number;
                    write!(text, "m={name} 9 {protocol} {number}")?;
                    if let Some(rtx) = answer.rtx() {
                        write!(text, " {rtx}")?;
                    }
                    write!(text, "\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n")?;
                    if let Some(mid) = &media.mid {
                        write!(text, "a=mid:{mid}\r\n")?;
                    }
                    self.write_media(text, index, answer)?;
                    // The first m-line in use is the tagged one of the bundle: RFC 8843 has the
                    // transport's attributes there.
                    if std::mem::take(&mut first) {
                        text.push_str(&candidate_lines(self.terms.candidates));
                    }
                }
                None => {
                    let format = &media.first_format;
                    write!(text, "m={name} 0 {protocol} {format}\r\nc=IN IP4 0.0.0.0\r\n")?;
                    if let Some(mid) = &media.mid {
                        write!(text, "a=mid:{mid}\r\n")?;
                    }
                    if media.kind != Kind::Other {
                        write!(text, "a=inactive\r\n")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn write_media(
        &self,
        text: &mut String,
        index: usize,
        answer: &AnswerMedia,
    ) -> std::fmt::Result {
        let Terms { ice, fingerprint, .. } = self.terms;
        let (media, payload) = (&self.offer.media[index], &answer.choice.payload);
        let direction = if answer.ssrc.is_some() { "sendonly" } else { "recvonly" };
        write!(
            text,
            "a={direction}\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\n",
            ice.ufrag, ice.password
        )?;
        let setup = if self.offer.dtls_passive { "active" } else { "passive" };
        write!(text, "a=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\n")?;
        write!(text, "a=rtcp-mux\r\na=rtcp-rsize\r\n")?;
        if let Some(Extension { id, uri }) = answer.transport_cc(media) {
            write!(text, "a=extmap:{id} {uri}\r\n")?;
        }
        let (number, codec, rate) = (payload.number, &payload.codec, payload.clock_rate);
        write!(text, "a=rtpmap:{number} {codec}/{rate}")?;
        if payload.channels > 0 {
            write!(text, "/{}", payload.channels)?;
        }
        write!(text, "\r\n")?;
        if !payload.fmtp.is_empty() {
            write!(text, "a=fmtp:{number} {}\r\n", payload.fmtp)?;
        }
        for feedback in FEEDBACK {
            // Towards a viewer we estimate nothing, so we ask for no feedback about it.
            let wanted = feedback != "transport-cc" || answer.ssrc.is_none();
            if wanted && payload.has_feedback(feedback) {
                write!(text, "a=rtcp-fb:{number} {feedback}\r\n")?;
            }
        }
        if let Some(rtx) = answer.rtx() {
            write!(text, "a=rtpmap:{rtx} rtx/{rate}\r\na=fmtp:{rtx} apt={number}\r\n")?;
        }
        if let Some(ssrc) = answer.ssrc {
            // One stream for both tracks: that is what makes a browser synchronise them.
            let kind = &media.name;
            write!(text, "a=msid:banyan {kind}\r\na=ssrc:{ssrc} cname:banyan\r\n")?;
            write!(text, "a=ssrc:{ssrc} msid:banyan {kind}\r\n")?;
        }
        Ok(())
    }
}

impl AnswerMedia {
    /// The payload type of retransmissions, where used: a publisher's go by RFC 4588; a viewer's
    /// are the packets themselves again.
    fn rtx(&self) -> Option<u8> {
        self.choice.rtx.filter(|_| self.ssrc.is_none())
    }

    fn transport_cc<'a>(&self, media: &'a super::Media) -> Option<&'a Extension> {
        let wanted = self.ssrc.is_none() && self.choice.payload.has_feedback("transport-cc");
        media.extensions.iter().find(|extension| wanted && extension.uri == TRANSPORT_CC)
    }
}

/// Our candidates as SDP lines, best first, with the mark that no more follow.
#[must_use]
pub fn candidate_lines(candidates: &[SocketAddr]) -> String {
    let mut text = String::new();
    for (index, address) in candidates.iter().enumerate() {
        // spec: RFC 8445 section 5.1.2.1, type preference 126 for host candidates.
        let priority = (126 << 24) | ((65_535 - index as u32) << 8) | 255;
        let (ip, port, foundation) = (address.ip(), address.port(), index + 1);
        let line = format!("a=candidate:{foundation} 1 udp {priority} {ip} {port} typ host\r\n");
        text.push_str(&line);
    }
    text.push_str("a=end-of-candidates\r\n");
    text
}
