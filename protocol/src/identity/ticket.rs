//! Tickets: a publisher's permission to publish to, or watch, one session.
//!
//! A JWT (RFC 7519) signed with EdDSA over Ed25519 (RFC 8037), so that a publisher's web site can
//! issue tickets with any library, and any node checks them without asking anybody.
//!
//! spec: proto/SPEC.md#ticket

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{PublisherId, PublisherKey, SIGNATURE_BYTES, SessionId, Signature};
use crate::limits::{TICKET_BYTES_MAX, TICKET_LEEWAY_SECONDS};
use crate::time::UnixSeconds;

/// The one algorithm. Spec: RFC 8037 section 3.1. Anything else is refused before a key is touched,
/// so a ticket cannot choose how it is checked.
const ALGORITHM: &str = "EdDSA";

/// What a ticket permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Send the session's media (WHIP).
    Publish,
    /// Watch the session (WHEP).
    Watch,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publish => "publish",
            Self::Watch => "watch",
        })
    }
}

/// Permission to do one thing with one session, for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The session it is for.
    pub session: SessionId,
    /// What it permits.
    pub action: Action,
    /// First second it is no longer valid.
    pub expires: UnixSeconds,
    /// First second it is valid, if not from the beginning of time.
    pub not_before: Option<UnixSeconds>,
    /// Tells this ticket from others (`jti`), so that one can be counted or withdrawn.
    pub id: Option<String>,
}

/// Why a ticket does not permit what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TicketError {
    /// It is not a ticket at all.
    #[error("this is not a ticket, or it was cut off: copy it again, whole")]
    Malformed,
    /// It is a JWT, but not signed by EdDSA.
    #[error("this ticket is not signed with EdDSA")]
    WrongAlgorithm,
    /// It is not by the session's publisher, or was changed.
    #[error("this ticket was not signed by the session's publisher, or was changed since")]
    BadSignature,
    /// Its time is over, by this node's clock.
    #[error("this ticket has expired: ask the publisher for a new one")]
    Expired,
    /// Its time has not come, by this node's clock.
    #[error("this ticket is not valid yet: come back later, or check this computer's clock")]
    NotYetValid,
    /// It is for something else.
    #[error("this ticket is for another session")]
    WrongSession,
    /// It permits something else.
    #[error("this ticket does not permit that: one to publish and one to watch are different")]
    WrongAction,
}

#[derive(Serialize)]
struct HeaderOut {
    alg: &'static str,
    typ: &'static str,
}

/// Claims as they travel. Unknown ones are ignored, as RFC 7519 section 4 asks.
#[derive(Serialize, Deserialize)]
struct Claims {
    sid: String,
    act: Action,
    exp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

impl Ticket {
    /// Signs it: a JWT.
    #[must_use]
    pub fn sign(&self, key: &PublisherKey) -> String {
        let header = HeaderOut { alg: ALGORITHM, typ: "JWT" };
        let claims = Claims {
            sid: self.session.to_string(),
            act: self.action,
            exp: self.expires.0,
            nbf: self.not_before.map(|t| t.0),
            jti: self.id.clone(),
        };
        let mut text = part(&header) + "." + &part(&claims);
        let signature = key.sign(text.as_bytes());
        text.push('.');
        text.push_str(&URL_SAFE_NO_PAD.encode(signature));
        text
    }

    /// Checks that `text` permits `action` on `session` at `now`. No network, no state.
    ///
    /// Clocks may differ by [`TICKET_LEEWAY_SECONDS`], both ways.
    ///
    /// # Errors
    /// The first of [`TicketError`], in its order, that applies.
    pub fn verify(
        text: &str,
        publisher: &PublisherId,
        session: &SessionId,
        action: Action,
        now: UnixSeconds,
    ) -> Result<Self, TicketError> {
        let (signed, header, claims, signature) = split(text)?;
        check_header(&header)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TicketError::Malformed)?;
        let ticket = Self {
            session: SessionId::from_hex(&claims.sid).ok_or(TicketError::Malformed)?,
            action: claims.act,
            expires: UnixSeconds(claims.exp),
            not_before: claims.nbf.map(UnixSeconds),
            id: claims.jti,
        };
        publisher.verify(signed.as_bytes(), &signature).map_err(|_| TicketError::BadSignature)?;
        if now.0 >= ticket.expires.0.saturating_add(TICKET_LEEWAY_SECONDS) {
            return Err(TicketError::Expired);
        }
        if ticket.not_before.is_some_and(|t| now.0.saturating_add(TICKET_LEEWAY_SECONDS) < t.0) {
            return Err(TicketError::NotYetValid);
        }
        if ticket.session != *session {
            return Err(TicketError::WrongSession);
        }
        if ticket.action != action {
            return Err(TicketError::WrongAction);
        }
        Ok(ticket)
    }

    /// Whether `text` has the outline of a ticket: three parts, the last a whole signature. Tells
    /// a ticket that was cut off from one that does not hold.
    #[must_use]
    pub fn looks_whole(text: &str) -> bool {
        split(text).is_ok()
    }
}

/// Signed text, header, claims, signature.
type Parts<'a> = (&'a str, Vec<u8>, Vec<u8>, Signature);

fn split(text: &str) -> Result<Parts<'_>, TicketError> {
    if text.len() > TICKET_BYTES_MAX {
        return Err(TicketError::Malformed);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(TicketError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TicketError::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TicketError::Malformed);
    let signature: [u8; SIGNATURE_BYTES] =
        decode(signature)?.try_into().map_err(|_| TicketError::Malformed)?;
    Ok((signed, decode(header)?, decode(claims)?, signature))
}

fn check_header(json: &[u8]) -> Result<(), TicketError> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
        typ: Option<String>,
        crit: Option<serde_json::Value>,
    }
    let header: Header = serde_json::from_slice(json).map_err(|_| TicketError::Malformed)?;
    if header.alg != ALGORITHM {
        return Err(TicketError::WrongAlgorithm);
    }
    // RFC 7515 section 4.1.11: extensions that must be understood, and none is.
    if header.crit.is_some() || header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(TicketError::Malformed);
    }
    Ok(())
}

fn part(value: &impl Serialize) -> String {
    let json = serde_json::to_vec(value).expect("plain strings and numbers always serialise");
    URL_SAFE_NO_PAD.encode(json)
}

/// A text that is not an [`Action`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither \"publish\" nor \"watch\"")]
pub struct ParseActionError(String);

impl FromStr for Action {
    type Err = ParseActionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "publish" => Ok(Self::Publish),
            "watch" => Ok(Self::Watch),
            _ => Err(ParseActionError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
