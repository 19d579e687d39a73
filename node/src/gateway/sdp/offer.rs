//! An offer, read.

use std::borrow::Cow;
use std::net::SocketAddr;

use super::{Fingerprint, candidate};
use crate::gateway::limits;

/// Longest attribute value kept, bytes. Guess: an H.264 `fmtp` with parameter sets has about 200.
const VALUE_MAX: usize = 1024;

/// Why an offer cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It is not SDP, or lacks what every WebRTC offer has.
    #[error("{0}")]
    Malformed(Cow<'static, str>),
    /// It asks for what this gateway does not do.
    #[error("{detail}")]
    Unsupported {
        /// Stable, for programs.
        code: &'static str,
        /// What is wrong.
        detail: Cow<'static, str>,
        /// What to do.
        next: Cow<'static, str>,
    },
}

impl OfferError {
    fn malformed(why: impl Into<Cow<'static, str>>) -> Self {
        Self::Malformed(why.into())
    }
}

/// What an m-line carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `m=audio`.
    Audio,
    /// `m=video`.
    Video,
    /// Anything else, data channels above all.
    Other,
}

/// Who sends on an m-line, as the offerer sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both.
    #[default]
    SendRecv,
    /// The offerer.
    SendOnly,
    /// The answerer.
    RecvOnly,
    /// Nobody.
    Inactive,
}

/// One payload type of an m-line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// The payload type.
    pub number: u8,
    /// Encoding name as in `rtpmap`.
    pub codec: String,
    /// Clock rate in Hz.
    pub clock_rate: u32,
    /// Channels, 0 where `rtpmap` has none.
    pub channels: u8,
    /// The `fmtp` parameters.
    pub fmtp: String,
    /// The `rtcp-fb` values.
    pub feedback: Vec<String>,
}

impl Payload {
    /// The value of a parameter in `fmtp`.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        parameter(&self.fmtp, name)
    }

    /// Whether `rtcp-fb` has exactly this value.
    #[must_use]
    pub fn has_feedback(&self, value: &str) -> bool {
        self.feedback.iter().any(|feedback| feedback == value)
    }
}

/// The value of a parameter in an `fmtp` line.
pub(super) fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A header extension of an m-line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its local identifier.
    pub id: u8,
    /// What it is.
    pub uri: String,
}

/// One m-line with its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// What it carries.
    pub kind: Kind,
    /// The words after `m=`, for echoing: media and protocol.
    pub name: String,
    /// `UDP/TLS/RTP/SAVPF` and the like.
    pub protocol: String,
    /// The formats as written, first one only: an m-line that is refused echoes it.
    pub first_format: String,
    /// Its name in BUNDLE.
    pub mid: Option<String>,
    /// Who sends.
    pub direction: Direction,
    /// Port 0 without `bundle-only`: the offerer does not use it.
    pub disabled: bool,
    /// The payload types, in the offerer's order of preference.
    pub payloads: Vec<Payload>,
    /// The header extensions.
    pub extensions: Vec<Extension>,
    rtcp_mux: bool,
}

impl Media {
    fn payload(&mut self, number: &str) -> Option<&mut Payload> {
        let number: u8 = number.parse().ok()?;
        self.payloads.iter_mut().find(|payload| payload.number == number)
    }
}

/// An offer with the attributes of its transport, which all m-lines share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The offerer's ICE user name fragment.
    pub ufrag: String,
    /// The certificates it may show.
    pub fingerprints: Vec<Fingerprint>,
    /// Whether it wants to be the DTLS server, as FFmpeg does.
    pub dtls_passive: bool,
    /// The m-lines, in order.
    pub media: Vec<Media>,
    /// Where it can perhaps be reached.
    pub candidates: Vec<SocketAddr>,
}

/// What is being collected: session-level attributes first, then those of the current m-line.
#[derive(Default)]
struct Reader {
    ufrag: Option<String>,
    password: bool,
    fingerprints: Vec<Fingerprint>,
    setup: Option<String>,
    direction: Option<Direction>,
    bundle: Vec<String>,
    candidates: Vec<SocketAddr>,
    media: Vec<Media>,
    ports: Vec<(bool, bool)>,
}

impl Offer {
    /// Reads an offer.
    ///
    /// # Errors
    /// [`OfferError`] says what is missing or not supported, in words for the sender.
    pub fn read(text: &str) -> Result<Self, OfferError> {
        if text.len() > limits::SDP_BYTES_MAX {
            return Err(OfferError::malformed("the offer is too long"));
        }
        if !text.starts_with("v=0") {
            return Err(OfferError::malformed("an SDP offer starts with v=0"));
        }
        let mut reader = Reader::default();
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            if line.chars().any(char::is_control) {
                return Err(OfferError::malformed("a line has control characters"));
            }
            let Some((kind, value)) = line.split_once('=') else {
                return Err(OfferError::malformed("a line is not of the form x=value"));
            };
            match kind {
                "m" => reader.media_line(value)?,
                "a" => reader.attribute(value)?,
                // Origin, name, times, bandwidth, connection: nothing that ICE does not replace.
                _ if kind.len() == 1 => {}
                _ => return Err(OfferError::malformed("a line is not of the form x=value")),
            }
        }
        reader.finish()
    }

    /// The one m-line of `kind` in use, with its position.
    #[must_use]
    pub fn track(&self, kind: Kind) -> Option<(usize, &Media)> {
        self.media.iter().enumerate().find(|(_, media)| media.kind == kind && !media.disabled)
    }
}

impl Reader {
    fn media_line(&mut self, value: &str) -> Result<(), OfferError> {
        if self.media.len() == limits::SDP_MEDIA_MAX {
            return Err(OfferError::malformed("the offer has too many m-lines"));
        }
        let mut words = value.split_ascii_whitespace();
        let (Some(name), Some(port), Some(protocol)) = (words.next(), words.next(), words.next())
        else {
            return Err(OfferError::malformed("an m-line is not complete"));
        };
        let port: u16 = port
            .split('/')
            .next()
            .and_then(|port| port.parse().ok())
            .ok_or(OfferError::Malformed("an m-line has no port".into()))?;
        let formats: Vec<&str> = words.take(limits::SDP_PAYLOADS_MAX).collect();
        let kind = match name {
            "audio" => Kind::Audio,
            "video" => Kind::Video,
            _ => Kind::Other,
        };
        let numbers = formats.iter().filter_map(|number| number.parse().ok());
        self.media.push(Media {
            kind,
            name: name.to_owned(),
            protocol: protocol.to_owned(),
            first_format: (*formats.first().unwrap_or(&"0")).to_owned(),
            mid: None,
            direction: self.direction.unwrap_or_default(),
            disabled: false,
            payloads: numbers
                .filter(|number| *number < 128)
                .map(|number| Payload { number, ..Payload::default() })
                .collect(),
            extensions: Vec::new(),
            rtcp_mux: false,
        });
        self.ports.push((port == 0, false));
        Ok(())
    }

    fn attribute(&mut self, attribute: &str) -> Result<(), OfferError> {
        let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
        if value.len() > VALUE_MAX {
            return Err(OfferError::malformed("an attribute is too long"));
        }
        match name {
            // All m-lines share one transport, so the first of each counts.
            "ice-ufrag" => drop(self.ufrag.get_or_insert_with(|| value.to_owned())),
            "ice-pwd" => self.password = true,
            "setup" => drop(self.setup.get_or_insert_with(|| value.to_owned())),
            "fingerprint" => {
                if let Some((algorithm, value)) = value.split_once(' ')
                    && self.fingerprints.len() < limits::SDP_MEDIA_MAX
                {
                    let fingerprint = Fingerprint {
                        algorithm: algorithm.to_ascii_lowercase(),
                        value: value.trim().to_owned(),
                    };
                    if !self.fingerprints.contains(&fingerprint) {
                        self.fingerprints.push(fingerprint);
                    }
                }
            }
            "group" => {
                if let Some(mids) = value.strip_prefix("BUNDLE") {
                    let mids = mids.split_ascii_whitespace().take(limits::SDP_MEDIA_MAX);
                    self.bundle = mids.map(str::to_owned).collect();
                }
            }
            "candidate" => {
                if let Some(address) = candidate(value)
                    && self.candidates.len() < limits::CANDIDATES_MAX
                    && !self.candidates.contains(&address)
                {
                    self.candidates.push(address);
                }
            }
            "sendrecv" => self.set_direction(Direction::SendRecv),
            "sendonly" => self.set_direction(Direction::SendOnly),
            "recvonly" => self.set_direction(Direction::RecvOnly),
            "inactive" => self.set_direction(Direction::Inactive),
            _ => self.media_attribute(name, value)?,
        }
        Ok(())
    }

    fn set_direction(&mut self, direction: Direction) {
        match self.media.last_mut() {
            Some(media) => media.direction = direction,
            None => self.direction = Some(direction),
        }
    }

    fn media_attribute(&mut self, name: &str, value: &str) -> Result<(), OfferError> {
        let (Some(media), Some(port)) = (self.media.last_mut(), self.ports.last_mut()) else {
            return Ok(());
        };
        match name {
            "mid" => {
                if value.is_empty() || value.contains(' ') {
                    return Err(OfferError::malformed("a=mid needs a name"));
                }
                media.mid = Some(value.to_owned());
            }
            "rtcp-mux" => media.rtcp_mux = true,
            "bundle-only" => port.1 = true,
            "rtpmap" => {
                let Some((number, encoding)) = value.split_once(' ') else { return Ok(()) };
                let mut parts = encoding.trim().split('/');
                if let Some(payload) = media.payload(number) {
                    payload.codec = parts.next().unwrap_or_default().to_owned();
                    payload.clock_rate =
                        parts.next().and_then(|rate| rate.parse().ok()).unwrap_or_default();
                    payload.channels =
                        parts.next().and_then(|count| count.parse().ok()).unwrap_or_default();
                }
            }
            "fmtp" => {
                let Some((number, parameters)) = value.split_once(' ') else { return Ok(()) };
                if let Some(payload) = media.payload(number) {
                    payload.fmtp = parameters.trim().to_owned();
                }
            }
            "rtcp-fb" => {
                let Some((number, feedback)) = value.split_once(' ') else { return Ok(()) };
                let feedback = feedback.trim();
                for payload in &mut media.payloads {
                    let meant = number == "*" || number.parse() == Ok(payload.number);
                    if meant && payload.feedback.len() < 16 {
                        payload.feedback.push(feedback.to_owned());
                    }
                }
            }
            "extmap" => {
                let Some((id, uri)) = value.split_once(' ') else { return Ok(()) };
                // The identifier may carry a direction: "3/recvonly".
                let id = id.split('/').next().and_then(|id| id.parse().ok());
                let uri = uri.split_ascii_whitespace().next();
                if let (Some(id @ 1..=14), Some(uri)) = (id, uri)
                    && media.extensions.len() < 32
                {
                    media.extensions.push(Extension { id, uri: uri.to_owned() });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Offer, OfferError> {
        if self.media.is_empty() {
            return Err(OfferError::malformed("the offer has no m-line"));
        }
        for (media, (zero, bundle_only)) in self.media.iter_mut().zip(&self.ports) {
            media.disabled = *zero && !bundle_only || media.direction == Direction::Inactive;
        }
        let Some(ufrag) = self.ufrag.filter(|ufrag| !ufrag.is_empty() && self.password) else {
            return Err(OfferError::malformed(
                "the offer has no ICE credentials (a=ice-ufrag, a=ice-pwd)",
            ));
        };
        if self.fingerprints.is_empty() {
            return Err(OfferError::malformed("the offer has no DTLS fingerprint (a=fingerprint)"));
        }
        let used: Vec<&Media> = self
            .media
            .iter()
            .filter(|media| !media.disabled && media.kind != Kind::Other)
            .collect();
        for kind in [Kind::Audio, Kind::Video] {
            if used.iter().filter(|media| media.kind == kind).count() > 1 {
                return Err(OfferError::Unsupported {
                    code: "too-many-tracks",
                    detail: "The offer has more than one audio or more than one video m-line."
                        .into(),
                    next: "Offer at most one audio and one video track.".into(),
                });
            }
        }
        if used.iter().any(|media| !media.rtcp_mux) {
            return Err(OfferError::Unsupported {
                code: "rtcp-mux",
                detail: "The offer wants RTCP on a port of its own.".into(),
                next: "Offer a=rtcp-mux on every m-line (rtcpMuxPolicy: \"require\").".into(),
            });
        }
        let bundled =
            |media: &&Media| media.mid.as_ref().is_some_and(|mid| self.bundle.contains(mid));
        if used.len() > 1 && !used.iter().all(bundled) {
            return Err(OfferError::Unsupported {
                code: "bundle",
                detail: "The offer has m-lines outside of one BUNDLE group.".into(),
                next: "Offer a=group:BUNDLE with every m-line (bundlePolicy: \"max-bundle\")."
                    .into(),
            });
        }
        Ok(Offer {
            ufrag,
            fingerprints: self.fingerprints,
            dtls_passive: self.setup.as_deref() == Some("passive"),
            media: self.media,
            candidates: self.candidates,
        })
    }
}
