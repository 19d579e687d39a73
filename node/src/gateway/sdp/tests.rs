use banyan_protocol::coding::{AudioCodec, Format, TrackFormat, VideoCodec};

use super::*;

const CHROMIUM_PUBLISH: &str = include_str!("fixtures/chromium-publish.sdp");
const CHROMIUM_WATCH: &str = include_str!("fixtures/chromium-watch.sdp");
const FFMPEG_PUBLISH: &str = include_str!("fixtures/ffmpeg-publish.sdp");
const OBS_PUBLISH: &str = include_str!("fixtures/obs-publish.sdp");
const ALL: [&str; 4] = [CHROMIUM_PUBLISH, CHROMIUM_WATCH, FFMPEG_PUBLISH, OBS_PUBLISH];

fn read(text: &str) -> Offer {
    Offer::read(text).expect("a good offer")
}

fn format(codec: VideoCodec, fmtp: &str) -> Format {
    Format {
        video: Some(TrackFormat { codec, clock_rate: 90_000, fmtp: fmtp.to_owned() }),
        audio: Some(TrackFormat {
            codec: AudioCodec::Opus,
            clock_rate: 48_000,
            fmtp: "minptime=10;useinbandfec=1".to_owned(),
        }),
    }
}

fn code(result: Result<impl std::fmt::Debug, OfferError>) -> &'static str {
    match result.expect_err("refused") {
        OfferError::Malformed(_) => "malformed",
        OfferError::Unsupported { code, .. } => code,
    }
}

fn answer(offer: &Offer, media: &[AnswerMedia]) -> String {
    let ice = Credentials { ufrag: "ours".into(), password: "secret".into() };
    let candidates = ["203.0.113.7:5000".parse().expect("an address")];
    let terms = Terms { id: 1, ice: &ice, fingerprint: "AA:BB", candidates: &candidates };
    Answer { offer, terms }.write(media)
}

#[test]
fn every_publisher_is_told_one_codec() {
    let video = |text| {
        let (choices, format) =
            choose_for_publisher(&read(text), &VIDEO_CODECS).expect("acceptable");
        assert_eq!(choices.len(), 2);
        assert!(format.audio.is_some());
        let payload = choices[1].payload.number;
        (format.video.expect("video").codec, payload, choices[1].rtx)
    };
    assert_eq!(video(CHROMIUM_PUBLISH), (VideoCodec::Vp8, 96, Some(97)));
    assert_eq!(video(FFMPEG_PUBLISH), (VideoCodec::H264, 106, Some(105)));
    assert_eq!(video(OBS_PUBLISH), (VideoCodec::H264, 96, None));
}

#[test]
fn a_publisher_sends_the_first_it_likes_of_what_is_allowed() {
    let video = |allowed: &[VideoCodec]| {
        let (_, format) = choose_for_publisher(&read(CHROMIUM_PUBLISH), allowed).expect("one fits");
        format.video.expect("video").codec
    };
    let (h264, vp8, vp9) = (VideoCodec::H264, VideoCodec::Vp8, VideoCodec::Vp9);
    // Chromium likes VP8 best; the order of the settings says nothing.
    assert_eq!(video(&[h264, vp9, vp8]), vp8);
    let preferred = video(&[h264, vp9]);
    assert_ne!(preferred, vp8);
    assert_eq!(video(&[vp9, h264]), preferred);
    assert_eq!(video(&[h264]), h264);

    let refused = choose_for_publisher(&read(OBS_PUBLISH), &[vp8, vp9]).expect_err("it is H.264");
    let OfferError::Unsupported { code, detail, next } = refused else { panic!("malformed") };
    assert_eq!(code, "codec-not-allowed");
    assert_eq!(detail, "The video track is offered as H264, none of which is allowed here.");
    assert_eq!(
        next,
        "Send VP8 or VP9 for the picture, or restart this node with other --video-codecs."
    );
}

#[test]
fn who_is_the_dtls_server_follows_the_offer() {
    for (text, setup) in [(FFMPEG_PUBLISH, "active"), (OBS_PUBLISH, "passive")] {
        let offer = read(text);
        let (choices, _) = choose_for_publisher(&offer, &VIDEO_CODECS).expect("acceptable");
        let media: Vec<AnswerMedia> =
            choices.into_iter().map(|choice| AnswerMedia { choice, ssrc: None }).collect();
        let text = answer(&offer, &media);
        assert_eq!(text.matches(&format!("a=setup:{setup}\r\n")).count(), 2, "{text}");
    }
}

#[test]
fn a_viewer_gets_the_payload_type_that_decodes_the_session() {
    let offer = read(CHROMIUM_WATCH);
    let chosen = |codec, fmtp: &str| {
        let choices = choose_for_viewer(&offer, &format(codec, fmtp)).expect("acceptable");
        choices[1].payload.clone()
    };
    assert_eq!(chosen(VideoCodec::Vp8, "").codec, "VP8");
    assert_eq!(chosen(VideoCodec::Vp9, "").parameter("profile-id"), Some("0"));
    assert_eq!(chosen(VideoCodec::Vp9, "profile-id=2").parameter("profile-id"), Some("2"));
    assert_eq!(chosen(VideoCodec::Av1, "profile=0").parameter("profile"), Some("0"));
    // OBS and FFmpeg: other levels and profiles than any browser offers.
    for (session, expected) in [
        ("profile-level-id=42e01f;packetization-mode=1", "42e01f"),
        ("profile-level-id=42001e;packetization-mode=1", "42001f"),
        ("profile-level-id=4d0028;packetization-mode=1", "4d001f"),
        ("profile-level-id=640032;packetization-mode=1", "640032"),
        ("packetization-mode=1", "42e01f"),
    ] {
        let payload = chosen(VideoCodec::H264, session);
        assert_eq!(payload.parameter("packetization-mode"), Some("1"), "{session}");
        let profile = payload.parameter("profile-level-id").expect("H.264 has one");
        if expected != "640032" {
            assert_eq!(profile, expected, "{session}");
        }
    }
    let single = chosen(VideoCodec::H264, "profile-level-id=42e01f;packetization-mode=0");
    assert_eq!(single.parameter("packetization-mode"), Some("0"));
}

#[test]
fn a_codec_that_the_viewer_lacks_is_named() {
    let refused = choose_for_viewer(&read(CHROMIUM_WATCH), &format(VideoCodec::H265, ""));
    let OfferError::Unsupported { code, detail, .. } = refused.expect_err("no H.265") else {
        panic!("malformed");
    };
    assert_eq!(code, "codec-not-acceptable");
    assert!(detail.contains("H265") && detail.contains("VP8"), "{detail}");
}

#[test]
fn a_viewer_may_want_sound_alone() {
    let port = CHROMIUM_WATCH.split("m=video ").nth(1).and_then(|line| line.split(' ').next());
    let video = format!("m=video {} ", port.expect("a port"));
    let silent = CHROMIUM_WATCH.replace(&video, "m=video 0 ");
    let offer = read(&silent);
    let choices = choose_for_viewer(&offer, &format(VideoCodec::Vp8, "")).expect("acceptable");
    assert_eq!(choices.len(), 1);
    let text = answer(&offer, &[AnswerMedia { choice: choices[0].clone(), ssrc: Some(5) }]);
    assert!(text.contains("m=video 0 ") && text.contains("a=group:BUNDLE 1\r\n"), "{text}");
}

#[test]
fn the_answer_says_all_that_a_client_needs() {
    let offer = read(CHROMIUM_WATCH);
    let choices = choose_for_viewer(&offer, &format(VideoCodec::Vp8, "")).expect("acceptable");
    let media: Vec<AnswerMedia> =
        choices.into_iter().map(|choice| AnswerMedia { choice, ssrc: Some(77) }).collect();
    let text = answer(&offer, &media);
    for line in [
        "a=ice-lite",
        "a=group:BUNDLE 0 1",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:0",
        "a=sendonly",
        "a=rtcp-mux",
        "a=ice-ufrag:ours",
        "a=ice-pwd:secret",
        "a=fingerprint:sha-256 AA:BB",
        "a=setup:passive",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:96 nack pli",
        "a=ssrc:77 cname:banyan",
        "a=candidate:1 1 udp 2130706431 203.0.113.7 5000 typ host",
        "a=end-of-candidates",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in\n{text}");
    }
    assert!(text.starts_with("v=0\r\n"));
    assert!(!text.contains("rtx") && !text.contains("transport-cc"), "{text}");
    // FFmpeg bears no more.
    assert!(text.len() < 8192);
    let order: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("m=")?.split(' ').next()).collect();
    assert_eq!(order, ["video", "audio", "application"]);
}

#[test]
fn a_publisher_gets_congestion_feedback_and_retransmission() {
    let offer = read(CHROMIUM_PUBLISH);
    let (choices, _) = choose_for_publisher(&offer, &VIDEO_CODECS).expect("acceptable");
    let media: Vec<AnswerMedia> =
        choices.into_iter().map(|choice| AnswerMedia { choice, ssrc: None }).collect();
    let text = answer(&offer, &media);
    assert!(text.contains("m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"), "{text}");
    assert!(text.contains("a=fmtp:97 apt=96\r\n") && text.contains("a=recvonly\r\n"), "{text}");
    assert!(text.contains(TRANSPORT_CC) && text.contains("a=rtcp-fb:96 transport-cc\r\n"));
    // Simulcast is not agreed to, so one layer comes.
    assert!(!text.contains("simulcast") && !text.contains("a=rid"));
}

#[test]
fn what_cannot_be_answered_is_refused_with_a_reason() {
    let with = |from: &str, to: &str| OBS_PUBLISH.replace(from, to);
    for (text, expected) in [
        (String::new(), "malformed"),
        ("{\"sdp\": \"v=0\"}".to_owned(), "malformed"),
        ("v=0\r\n".to_owned(), "malformed"),
        (with("a=ice-pwd", "a=nothing"), "malformed"),
        (with("a=fingerprint:", "a=nothing:"), "malformed"),
        (with("m=video 9 UDP", "m=video UDP"), "malformed"),
        (with("a=mid:0", "a=mid:"), "malformed"),
        (with("s=-", "s=\u{7}"), "malformed"),
        (with("a=group:BUNDLE 0 1", "a=group:BUNDLE 0"), "bundle"),
        (with("a=rtcp-mux\n", ""), "rtcp-mux"),
        (with("m=audio", "m=video"), "too-many-tracks"),
    ] {
        assert_eq!(code(Offer::read(&text)), expected, "{text}");
    }
    for (from, to, expected) in [
        ("H264/90000", "H263/90000", "codec"),
        ("opus/48000/2", "PCMU/8000", "codec"),
        ("a=sendonly", "a=recvonly", "nothing-to-send"),
    ] {
        assert_eq!(code(choose_for_publisher(&read(&with(from, to)), &VIDEO_CODECS)), expected);
    }
    let sends = choose_for_viewer(&read(OBS_PUBLISH), &format(VideoCodec::H264, ""));
    assert_eq!(code(sends), "nothing-to-watch");
}

#[test]
fn offers_cut_off_anywhere_are_read_or_refused() {
    for text in ALL {
        for end in 0..text.len() {
            if let Ok(offer) = Offer::read(&text[..end]) {
                drop(choose_for_publisher(&offer, &VIDEO_CODECS));
                drop(choose_for_viewer(&offer, &format(VideoCodec::H264, "")));
            }
        }
    }
}

#[test]
fn what_is_kept_of_an_offer_is_bounded() {
    let many = |line: &str, times: usize| format!("{OBS_PUBLISH}{}", line.repeat(times));
    assert_eq!(code(Offer::read(&many("m=audio 9 x 1\n", 20))), "malformed");
    assert_eq!(code(Offer::read(&many("a=x\n", limits::SDP_BYTES_MAX))), "malformed");
    let value = "x".repeat(2000);
    assert_eq!(code(Offer::read(&many(&format!("a=fmtp:96 {value}\n"), 1))), "malformed");
    let candidates: String =
        (0..100).map(|n| format!("a=candidate:1 1 udp 1 192.0.2.{n} 5000 typ host\n")).collect();
    let offer = read(&format!("{OBS_PUBLISH}{candidates}"));
    assert_eq!(offer.candidates.len(), limits::CANDIDATES_MAX);
    let feedback = read(&many("a=rtcp-fb:* nack\n", 1000));
    assert!(feedback.media[1].payloads[0].feedback.len() <= 16);
}

#[test]
fn candidates_are_kept_where_a_datagram_can_go() {
    for (value, expected) in [
        ("1 1 udp 2113937151 192.0.2.1 54400 typ host", Some("192.0.2.1:54400")),
        (
            "1 1 UDP 1 2001:db8::1 54400 typ srflx raddr 0.0.0.0 rport 0",
            Some("[2001:db8::1]:54400"),
        ),
        ("1 1 udp 1 8c5c6d0f-1.local 54400 typ host", None),
        ("1 1 tcp 1 192.0.2.1 9 typ host tcptype active", None),
        ("1 2 udp 1 192.0.2.1 54401 typ host", None),
        ("1 1 udp 1 192.0.2.1 99999 typ host", None),
        ("1 1 udp", None),
    ] {
        let expected = expected.map(|text| text.parse().expect("an address"));
        assert_eq!(candidate(value), expected, "{value}");
    }
}

#[test]
fn fragments_are_trickles_or_restarts() {
    let trickle = Fragment::read(
        "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\n\
         a=mid:0\r\na=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\n\
         a=candidate:3471623853 1 udp 2122194687 abc.local 61765 typ host\r\n\
         a=end-of-candidates\r\n",
    )
    .expect("a fragment");
    assert_eq!(trickle.ufrag.as_deref(), Some("EsAw"));
    assert!(trickle.has_password);
    assert_eq!(trickle.candidates, ["192.0.2.1:61764".parse::<SocketAddr>().expect("an address")]);
    for bad in ["", "\r\n", "{\"candidate\":\"\"}", "hello", "a=x\u{1}y\n", "candidate:1 1 udp"] {
        assert_eq!(code(Fragment::read(bad)), "malformed", "{bad:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String) {
        drop(Offer::read(&format!("v=0\n{text}")));
        drop(Fragment::read(&text));
        candidate(&text);
    }

    #[test]
    fn any_attribute_is_read_or_refused(
        name in "(rtpmap|fmtp|rtcp-fb|extmap|mid|group|candidate|fingerprint|ice-ufrag)",
        value in "[ -~]{0,80}",
    ) {
        if let Ok(offer) = Offer::read(&format!("{OBS_PUBLISH}a={name}:{value}\n")) {
            drop(choose_for_viewer(&offer, &format(VideoCodec::H264, "")));
            if let Ok((choices, _)) = choose_for_publisher(&offer, &VIDEO_CODECS) {
                let media: Vec<AnswerMedia> =
                    choices.into_iter().map(|choice| AnswerMedia { choice, ssrc: None }).collect();
                // What an offer says cannot add lines to the answer.
                let text = answer(&offer, &media);
                proptest::prop_assert!(text.lines().all(|line| line.get(1..2) == Some("=")));
            }
        }
    }
}
