use super::*;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn publisher() -> PublisherKey {
    PublisherKey::from_seed(&[1; 32])
}

fn session() -> SessionId {
    SessionId::derive(&publisher().id(), &[3; 16])
}

fn ticket() -> Ticket {
    Ticket {
        session: session(),
        action: Action::Watch,
        expires: UnixSeconds(NOW.0 + 600),
        not_before: Some(NOW),
        id: Some("seat 12".to_owned()),
    }
}

fn check(text: &str) -> Result<Ticket, TicketError> {
    Ticket::verify(text, &publisher().id(), &session(), Action::Watch, NOW)
}

/// A JWT of any header and claims, signed as a hostile publisher's site would.
fn jwt(header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(publisher().sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn claims() -> String {
    format!(r#"{{"sid":"{}","act":"watch","exp":{}}}"#, session(), NOW.0 + 600)
}

const HEADER: &str = r#"{"alg":"EdDSA"}"#;

#[test]
fn a_ticket_permits_what_it_says_and_nothing_else() {
    let text = ticket().sign(&publisher());
    assert!(text.len() < 400, "{}", text.len());
    assert_eq!(check(&text), Ok(ticket()));
    let me = publisher().id();
    let (this, other) = (session(), SessionId::derive(&me, &[9; 16]));
    let verify =
        |publisher, session, action| Ticket::verify(&text, publisher, session, action, NOW);
    assert_eq!(verify(&me, &other, Action::Watch), Err(TicketError::WrongSession));
    assert_eq!(verify(&me, &this, Action::Publish), Err(TicketError::WrongAction));
    let stranger = PublisherKey::from_seed(&[2; 32]).id();
    assert_eq!(verify(&stranger, &this, Action::Watch), Err(TicketError::BadSignature));
}

#[test]
fn time_is_checked_with_leeway_both_ways() {
    let text = ticket().sign(&publisher());
    let at = |now: u64| {
        let now = UnixSeconds(now);
        Ticket::verify(&text, &publisher().id(), &session(), Action::Watch, now).map(|_| ())
    };
    assert_eq!(at(NOW.0 - TICKET_LEEWAY_SECONDS - 1), Err(TicketError::NotYetValid));
    assert_eq!(at(NOW.0 - TICKET_LEEWAY_SECONDS), Ok(()));
    assert_eq!(at(NOW.0 + 600 + TICKET_LEEWAY_SECONDS - 1), Ok(()));
    assert_eq!(at(NOW.0 + 600 + TICKET_LEEWAY_SECONDS), Err(TicketError::Expired));
    assert_eq!(at(u64::MAX), Err(TicketError::Expired));
}

#[test]
fn only_eddsa_is_an_algorithm() {
    for alg in ["none", "None", "HS256", "RS256", "ES256", "eddsa", "EdDSA ", "Ed25519", ""] {
        let text = jwt(&format!(r#"{{"alg":"{alg}"}}"#), &claims());
        assert_eq!(check(&text), Err(TicketError::WrongAlgorithm), "{alg}");
    }
    // Without a signature there is nothing to check, whatever the header says.
    let none = jwt(r#"{"alg":"none"}"#, &claims());
    let unsigned = &none[..=none.rfind('.').expect("three parts")];
    assert_eq!(check(unsigned), Err(TicketError::Malformed));
}

#[test]
fn what_another_library_writes_is_read() {
    assert!(check(&jwt(HEADER, &claims())).is_ok());
    let header = r#"{ "typ": "jwt", "kid": "2026", "alg": "EdDSA" }"#;
    let more = format!(
        r#"{{"iss":"site","aud":["x"],"iat":1,"sub":"me","exp":{},"act":"watch","sid":"{}"}}"#,
        NOW.0 + 1,
        session()
    );
    assert!(check(&jwt(header, &more)).is_ok());
}

#[test]
fn what_is_not_a_ticket_is_malformed() {
    let sid = session();
    let exp = NOW.0 + 600;
    let bad_headers = [
        "",
        "{}",
        "[]",
        r#"{"alg":null}"#,
        r#"{"alg":["EdDSA"]}"#,
        r#"{"alg":"none","alg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","crit":["exp"]}"#,
        r#"{"alg":"EdDSA","typ":"dpop+jwt"}"#,
        r#"{"alg":"EdDSA"} x"#,
    ];
    for header in bad_headers {
        assert_eq!(check(&jwt(header, &claims())), Err(TicketError::Malformed), "{header}");
    }
    let bad_claims = [
        "{}".to_owned(),
        "null".to_owned(),
        format!(r#"{{"act":"watch","exp":{exp}}}"#),
        format!(r#"{{"sid":"{sid}","exp":{exp}}}"#),
        format!(r#"{{"sid":"{sid}","act":"watch"}}"#),
        format!(r#"{{"sid":"{sid}","act":"Watch","exp":{exp}}}"#),
        format!(r#"{{"sid":"{sid}","act":"watch","exp":-1}}"#),
        format!(r#"{{"sid":"{sid}","act":"watch","exp":1e99}}"#),
        format!(r#"{{"sid":"{sid}","act":"watch","exp":"{exp}"}}"#),
        format!(r#"{{"sid":"{sid}","act":"watch","exp":{exp},"exp":{exp}}}"#),
        format!(r#"{{"sid":"{sid}","act":"watch","exp":{exp},"nbf":"x"}}"#),
        format!(r#"{{"sid":"{sid}","act":"watch","exp":{exp},"jti":7}}"#),
        format!(r#"{{"sid":"{}","act":"watch","exp":{exp}}}"#, &sid.to_string()[1..]),
        "[".repeat(1000),
    ];
    for claims in &bad_claims {
        assert_eq!(check(&jwt(HEADER, claims)), Err(TicketError::Malformed), "{claims}");
    }
    let good = jwt(HEADER, &claims());
    for text in [
        "",
        ".",
        "..",
        "...",
        &good.replace('.', ""),
        &format!("{good}="),
        &format!("{good}."),
        &format!(" {good}"),
        &format!(".{good}"),
        &jwt(HEADER, &" ".repeat(TICKET_BYTES_MAX)),
        "żółw.żółw.żółw",
    ] {
        assert_eq!(check(text), Err(TicketError::Malformed), "{text}");
    }
}

#[test]
fn any_changed_character_and_any_truncation_is_noticed() {
    let text = ticket().sign(&publisher());
    for len in 0..text.len() {
        assert_eq!(check(&text[..len]), Err(TicketError::Malformed), "{len} characters");
    }
    for at in 0..text.len() {
        for replacement in [b'A', b'B', b'.', b'/', b'=', b'_', 0x7f] {
            let mut changed = text.clone().into_bytes();
            if changed[at] != replacement {
                changed[at] = replacement;
                let changed = String::from_utf8(changed).expect("ASCII");
                assert!(check(&changed).is_err(), "character {at} to {replacement}");
            }
        }
    }
}
