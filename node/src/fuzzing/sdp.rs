//! Bodies of WHIP and WHEP requests.

use banyan_protocol::coding::{AudioCodec, Format, TrackFormat, VideoCodec};
use banyan_protocol::fuzzing::Target;

use crate::gateway::limits;
use crate::gateway::sdp::{
    Answer, AnswerMedia, Choice, Credentials, Fragment, Offer, Terms, VIDEO_CODECS,
    choose_for_publisher, choose_for_viewer,
};

/// An offer, answered both ways.
pub(super) const OFFER: Target = Target {
    name: "offer",
    rounds: 5_000,
    run: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Ok(offer) = Offer::read(text) else { return };
        assert!(!offer.media.is_empty() && offer.media.len() <= limits::SDP_MEDIA_MAX);
        assert!(offer.candidates.len() <= limits::CANDIDATES_MAX);
        if let Ok((choices, format)) = choose_for_publisher(&offer, &VIDEO_CODECS) {
            assert!(format.video.is_some() || format.audio.is_some());
            answer(&offer, choices, None);
        }
        for codec in [VideoCodec::Vp8, VideoCodec::Vp9, VideoCodec::H264, VideoCodec::Av1] {
            let fmtp = "profile-level-id=42e01f;packetization-mode=1".to_owned();
            let video = Some(TrackFormat { codec, clock_rate: 90_000, fmtp: fmtp.clone() });
            let audio = Some(TrackFormat { codec: AudioCodec::Opus, clock_rate: 48_000, fmtp });
            if let Ok(choices) = choose_for_viewer(&offer, &Format { video, audio }) {
                answer(&offer, choices, Some(1));
            }
        }
    },
    seeds: || {
        [
            include_bytes!("../gateway/sdp/fixtures/chromium-publish.sdp").to_vec(),
            include_bytes!("../gateway/sdp/fixtures/chromium-watch.sdp").to_vec(),
            include_bytes!("../gateway/sdp/fixtures/ffmpeg-publish.sdp").to_vec(),
            include_bytes!("../gateway/sdp/fixtures/obs-publish.sdp").to_vec(),
        ]
        .into()
    },
};

/// Whatever was offered, the answer is SDP, with one m-line for each offered and no others.
fn answer(offer: &Offer, choices: Vec<Choice>, ssrc: Option<u32>) {
    assert!((1..=2).contains(&choices.len()));
    let ice = Credentials { ufrag: "ours".to_owned(), password: "secret".to_owned() };
    let candidates = ["203.0.113.7:4433".parse().expect("an address")];
    let terms = Terms { id: 1, ice: &ice, fingerprint: "AA:BB", candidates: &candidates };
    let media: Vec<AnswerMedia> =
        choices.into_iter().map(|choice| AnswerMedia { choice, ssrc }).collect();
    let text = Answer { offer, terms }.write(&media);
    for line in text.split_terminator("\r\n") {
        assert!(line.as_bytes().get(1) == Some(&b'='), "{line:?}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    assert_eq!(text.matches("\r\nm=").count(), offer.media.len(), "{text}");
    assert_eq!(text.matches("\r\na=ice-pwd:secret\r\n").count(), media.len(), "{text}");
}

/// The body of a PATCH.
pub(super) const FRAGMENT: Target = Target {
    name: "fragment",
    rounds: 20_000,
    run: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        if let Ok(fragment) = Fragment::read(text) {
            assert!(fragment.candidates.len() <= limits::CANDIDATES_MAX);
        }
    },
    seeds: || {
        vec![
            b"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\n\
              a=mid:0\r\na=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\n\
              a=candidate:3471623853 1 udp 2122194687 abc.local 61765 typ host\r\n\
              a=end-of-candidates\r\n"
                .to_vec(),
        ]
    },
};
