//! Which payload type of an offer carries the session.

use banyan_protocol::coding::{AudioCodec, Format, TrackFormat, VideoCodec};

use super::offer::parameter;
use super::{Direction, Kind, Media, Offer, OfferError, Payload};

/// Longest `fmtp` carried in blocks, bytes. Guess: parameter sets have about 200.
const FMTP_MAX: usize = 512;

/// Every video codec that can be carried.
pub const VIDEO_CODECS: [VideoCodec; 5] =
    [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::H264, VideoCodec::H265, VideoCodec::Av1];

/// The payload types chosen for one m-line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The m-line's position in the offer.
    pub media: usize,
    /// The codec's entry in it.
    pub payload: Payload,
    /// The payload type of retransmissions (RFC 4588), if offered.
    pub rtx: Option<u8>,
}

/// The name of a codec as `rtpmap` has it.
#[must_use]
pub fn codec_name(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::Vp8 => "VP8",
        VideoCodec::Vp9 => "VP9",
        VideoCodec::H264 => "H264",
        VideoCodec::H265 => "H265",
        VideoCodec::Av1 => "AV1",
    }
}

fn video_codec(payload: &Payload) -> Option<VideoCodec> {
    let codec = VIDEO_CODECS
        .into_iter()
        .find(|codec| payload.codec.eq_ignore_ascii_case(codec_name(*codec)))?;
    (payload.clock_rate == 90_000 && payload.fmtp.len() <= FMTP_MAX).then_some(codec)
}

fn is_opus(payload: &Payload) -> bool {
    payload.codec.eq_ignore_ascii_case("opus")
        && payload.clock_rate == 48_000
        && payload.channels == 2
        && payload.fmtp.len() <= FMTP_MAX
}

fn rtx_of(media: &Media, payload: &Payload) -> Option<u8> {
    let apt = payload.number.to_string();
    media
        .payloads
        .iter()
        .find(|rtx| rtx.codec.eq_ignore_ascii_case("rtx") && rtx.parameter("apt") == Some(&apt))
        .map(|rtx| rtx.number)
}

fn names(media: &Media) -> String {
    let mut names: Vec<&str> = Vec::new();
    for payload in &media.payloads {
        if !payload.codec.is_empty()
            && !names.contains(&payload.codec.as_str())
            && !payload.codec.eq_ignore_ascii_case("rtx")
        {
            names.push(&payload.codec);
        }
    }
    names.truncate(12);
    names.join(", ")
}

/// Chooses what a publisher shall send: on each m-line the first codec of its own preference that
/// is carried here, and for the picture also `allowed`. One codec only, so that the session's
/// format cannot change under way.
///
/// # Errors
/// If it offers nothing to send, or no codec that is carried and allowed here.
pub fn choose_for_publisher(
    offer: &Offer,
    allowed: &[VideoCodec],
) -> Result<(Vec<Choice>, Format), OfferError> {
    let mut format = Format::default();
    let mut choices = Vec::new();
    for kind in [Kind::Audio, Kind::Video] {
        let Some((index, media)) = offer.track(kind) else { continue };
        if media.direction == Direction::RecvOnly {
            continue;
        }
        let found = media.payloads.iter().find(|payload| match kind {
            Kind::Video => video_codec(payload).is_some_and(|codec| allowed.contains(&codec)),
            Kind::Audio => is_opus(payload),
            Kind::Other => false,
        });
        let Some(payload) = found else { return Err(no_codec(kind, media, allowed)) };
        match video_codec(payload) {
            Some(codec) => {
                let fmtp = payload.fmtp.clone();
                format.video = Some(TrackFormat { codec, clock_rate: 90_000, fmtp });
            }
            None => {
                let fmtp = payload.fmtp.clone();
                let codec = AudioCodec::Opus;
                format.audio = Some(TrackFormat { codec, clock_rate: 48_000, fmtp });
            }
        }
        choices.push(Choice {
            media: index,
            payload: payload.clone(),
            rtx: rtx_of(media, payload),
        });
    }
    if choices.is_empty() {
        return Err(OfferError::Unsupported {
            code: "nothing-to-send",
            detail: "The offer has no audio or video that its sender would send.".into(),
            next: "Offer sendonly tracks to publish; to watch, use the WHEP address.".into(),
        });
    }
    Ok((choices, format))
}

/// Why none of a publisher's codecs will do, and what would.
fn no_codec(kind: Kind, media: &Media, allowed: &[VideoCodec]) -> OfferError {
    let carried = kind == Kind::Video && media.payloads.iter().any(|p| video_codec(p).is_some());
    let (code, verdict) = match carried {
        true => ("codec-not-allowed", "allowed"),
        false => ("codec", "carried"),
    };
    let next = match kind {
        Kind::Audio => "Send Opus for sound.".to_owned(),
        Kind::Video | Kind::Other => {
            let names: Vec<&str> = allowed.iter().map(|codec| codec_name(*codec)).collect();
            let change = match carried {
                true => ", or restart this node with other --video-codecs",
                false => "",
            };
            format!("Send {} for the picture{change}.", names.join(" or "))
        }
    };
    let offered = if media.payloads.is_empty() { "nothing".to_owned() } else { names(media) };
    OfferError::Unsupported {
        code,
        detail: format!(
            "The {} track is offered as {offered}, none of which is {verdict} here.",
            media.name
        )
        .into(),
        next: next.into(),
    }
}

/// Chooses the payload types under which a viewer gets the session's tracks. A track that the
/// viewer does not ask for, or that the session does not have, is left out.
///
/// # Errors
/// If the viewer asks for a track but cannot decode the session's codec, or asks for none that
/// the session has.
pub fn choose_for_viewer(offer: &Offer, format: &Format) -> Result<Vec<Choice>, OfferError> {
    let mut choices = Vec::new();
    for kind in [Kind::Audio, Kind::Video] {
        let Some((index, media)) = offer.track(kind) else { continue };
        if media.direction == Direction::SendOnly {
            continue;
        }
        let (found, name) = match (kind, &format.video, &format.audio) {
            (Kind::Video, Some(video), _) => (best_video(media, video), codec_name(video.codec)),
            (Kind::Audio, _, Some(_)) => {
                (media.payloads.iter().find(|payload| is_opus(payload)), "Opus")
            }
            _ => continue,
        };
        let Some(payload) = found else {
            return Err(OfferError::Unsupported {
                code: "codec-not-acceptable",
                detail: format!(
                    "The session's {} is {name}, which the offer does not have (it has: {}).",
                    media.name,
                    names(media)
                )
                .into(),
                next: "Offer that codec as well, or watch in a browser that decodes it.".into(),
            });
        };
        choices.push(Choice {
            media: index,
            payload: payload.clone(),
            rtx: rtx_of(media, payload),
        });
    }
    if choices.is_empty() {
        return Err(OfferError::Unsupported {
            code: "nothing-to-watch",
            detail: "The offer asks for no track that the session has.".into(),
            next: "Offer recvonly audio and video; to publish, use the WHIP address.".into(),
        });
    }
    Ok(choices)
}

/// The offered payload type that can best decode the session's video.
fn best_video<'a>(media: &'a Media, session: &TrackFormat<VideoCodec>) -> Option<&'a Payload> {
    let same = media.payloads.iter().filter(|p| video_codec(p) == Some(session.codec));
    same.filter_map(|payload| Some((fitness(payload, session)?, payload)))
        // The first of equals is the viewer's own preference, so the order is reversed for `max`.
        .rev()
        .max_by_key(|(fitness, _)| *fitness)
        .map(|(_, payload)| payload)
}

/// How well `payload` fits, or `None` if a decoder set up for it would fail.
fn fitness(payload: &Payload, session: &TrackFormat<VideoCodec>) -> Option<u8> {
    let ours = |name, default| parameter(&session.fmtp, name).unwrap_or(default);
    let theirs = |name, default| payload.parameter(name).unwrap_or(default);
    match session.codec {
        VideoCodec::Vp8 => Some(0),
        VideoCodec::Vp9 => (ours("profile-id", "0") == theirs("profile-id", "0")).then_some(0),
        VideoCodec::Av1 => (ours("profile", "0") == theirs("profile", "0")).then_some(0),
        VideoCodec::H265 => (ours("profile-id", "1") == theirs("profile-id", "1")).then_some(0),
        VideoCodec::H264 => {
            // Mode 1 contains mode 0; the other way round a receiver may drop what it gets.
            let interleaving = ours("packetization-mode", "0") == "1";
            if interleaving && theirs("packetization-mode", "0") != "1" {
                return None;
            }
            // Profiles are matched leniently: OBS says Constrained Baseline and sends High, and
            // every browser's decoder reads the parameter sets, not the SDP.
            let (ours, theirs) =
                (ours("profile-level-id", "42e01f"), theirs("profile-level-id", "42e01f"));
            let same_profile = match (ours.get(..4), theirs.get(..4)) {
                (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
                _ => false,
            };
            let same_family = match (ours.get(..2), theirs.get(..2)) {
                (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
                _ => false,
            };
            let same_mode = payload.parameter("packetization-mode").unwrap_or("0")
                == parameter(&session.fmtp, "packetization-mode").unwrap_or("0");
            Some(u8::from(same_profile) * 4 + u8::from(same_family) * 2 + u8::from(same_mode))
        }
    }
}
