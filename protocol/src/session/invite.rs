//! An invite: everything needed to join a session, as a link that people paste.
//!
//! Three spellings of the same bytes, each perhaps with a ticket at its end:
//! `banyan://BODY`, `https://portal.example/watch/SESSION#BODY` and `BODY` alone; `&t=TICKET` after
//! BODY. What is after `#` never leaves a browser by itself, so a portal's log holds no invite.
//!
//! spec: proto/SPEC.md#invite

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use prost::Message;

use super::descriptor::SignedDescriptor;
use crate::forest::Contact;
use crate::identity::{NodeId, SessionId, Ticket};
use crate::limits::{ADDRESSES_MAX, INVITE_BOOTSTRAPS_MAX, INVITE_TEXT_BYTES_MAX};
use crate::wire::DecodeError;
use crate::wire::fields::{array, decode_address, encode_address, require};
use crate::wire::proto::session as wire;

mod body;

/// Everything needed to join a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// The session, as its publisher describes it. Not checked yet.
    pub descriptor: SignedDescriptor,
    /// Nodes to ask first, at most [`INVITE_BOOTSTRAPS_MAX`], each with an address. Hints: not signed.
    pub bootstraps: Vec<Contact>,
    /// A ticket, where the policy asks for one.
    pub ticket: Option<String>,
}

/// Why a text is not an invite.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// Nothing like one.
    #[error(
        "this is not a Banyan link: one starts with banyan:// or looks like \
         https://portal.example/watch/…#…"
    )]
    NotAnInvite,
    /// Its end is missing.
    #[error("the link is incomplete: its end is missing, copy it again, whole")]
    Incomplete,
    /// Its beginning may be right, but not all of it.
    #[error("the link is damaged: some characters in it were changed, copy it again")]
    Damaged,
    /// Made by a version to come.
    #[error("the link was made by a newer Banyan (format {0}): update this one")]
    NewerFormat(u8),
    /// The page's address and what follows it name two sessions.
    #[error("the link is inconsistent: its address names another session than its content")]
    OtherSession,
    /// The ticket's end is missing.
    #[error("the ticket at the end of the link is incomplete: copy the link again, whole")]
    IncompleteTicket,
    /// Longer than any invite.
    #[error("the link is too long to be one: at most {INVITE_TEXT_BYTES_MAX} characters")]
    TooLong,
    /// Whole, but what it says is out of bounds.
    #[error("the link is whole, but what it says is not valid: {0}")]
    Content(#[from] DecodeError),
}

impl Invite {
    /// An invite of at most [`INVITE_BOOTSTRAPS_MAX`] nodes with at most
    /// [`ADDRESSES_MAX`] addresses each: those beyond, nodes without an address and
    /// addresses that nobody can dial are left out.
    #[must_use]
    pub fn new(descriptor: SignedDescriptor, bootstraps: Vec<Contact>) -> Self {
        let bootstraps = bootstraps
            .into_iter()
            .map(|mut b| {
                b.addresses.retain(dialable);
                b.addresses.truncate(ADDRESSES_MAX);
                b
            })
            .filter(|b| !b.addresses.is_empty())
            .take(INVITE_BOOTSTRAPS_MAX)
            .collect();
        Self { descriptor, bootstraps, ticket: None }
    }

    /// The same with a ticket.
    #[must_use]
    pub fn with_ticket(mut self, ticket: impl Into<String>) -> Self {
        self.ticket = Some(ticket.into());
        self
    }

    /// The page where a browser watches, on the portal at `base_url`, such as
    /// `https://portal.example`.
    #[must_use]
    pub fn to_watch_link(&self, base_url: &str) -> String {
        let base = base_url.trim_end_matches('/');
        format!("{base}/watch/{}#{}", self.descriptor.claimed_session(), self.tail())
    }

    /// Body and ticket.
    fn tail(&self) -> String {
        let body = body::write(&self.encode_content());
        match &self.ticket {
            Some(ticket) => format!("{body}&t={ticket}"),
            None => body,
        }
    }

    /// The bytes inside the body.
    pub(crate) fn encode_content(&self) -> Vec<u8> {
        let bootstraps = self.bootstraps.iter().map(write_bootstrap).collect();
        wire::Invite { descriptor: Some(self.descriptor.to_wire()), bootstraps }.encode_to_vec()
    }

    /// Reads what [`Self::encode_content`] wrote.
    pub(crate) fn decode_content(bytes: &[u8]) -> Result<Self, DecodeError> {
        let message = wire::Invite::decode(bytes)
            .map_err(|_| DecodeError::field("invite", "not a protobuf message"))?;
        let descriptor = message.descriptor.as_ref().ok_or(DecodeError::Truncated("descriptor"))?;
        let count = message.bootstraps.len();
        require(count <= INVITE_BOOTSTRAPS_MAX, "bootstraps", "more than 8")?;
        Ok(Self {
            descriptor: SignedDescriptor::from_wire(descriptor)?,
            bootstraps: message.bootstraps.iter().map(read_bootstrap).collect::<Result<_, _>>()?,
            ticket: None,
        })
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "banyan://{}", self.tail())
    }
}

impl FromStr for Invite {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > INVITE_TEXT_BYTES_MAX {
            return Err(InviteError::TooLong);
        }
        // Mail programs break long lines, and no spelling has a space.
        let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let (session, tail) = locate(&text)?;
        let (body, ticket) = match tail.split_once("&t=") {
            Some((body, ticket)) => (body, Some(ticket)),
            None => (tail, None),
        };
        let mut invite = Self::decode_content(&body::read(body)?)?;
        invite.ticket = ticket.map(str::to_owned);
        if session.is_some_and(|session| session != invite.descriptor.claimed_session()) {
            return Err(InviteError::OtherSession);
        }
        if ticket.is_some_and(|ticket| !Ticket::looks_whole(ticket)) {
            return Err(InviteError::IncompleteTicket);
        }
        Ok(invite)
    }
}

/// Finds body and ticket in any spelling, and the session that the address names.
fn locate(text: &str) -> Result<(Option<SessionId>, &str), InviteError> {
    let (scheme, rest) = match text.split_once("://") {
        None => return Ok((None, text)),
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
    };
    match scheme.as_str() {
        // Some programs take it for the address of a host and end it with a slash.
        "banyan" => Ok((None, rest.trim_end_matches('/'))),
        "https" | "http" => {
            let (address, fragment) = match rest.split_once('#') {
                Some((address, fragment)) => (address, Some(fragment)),
                None => (rest, None),
            };
            let path = address.split('?').next().unwrap_or(address).trim_end_matches('/');
            let (_, session) = path.rsplit_once("/watch/").ok_or(InviteError::NotAnInvite)?;
            // Without what follows the `#`, or with half a session, the copy stopped too soon.
            let fragment = fragment.ok_or(InviteError::Incomplete)?;
            let session = SessionId::from_hex(session).ok_or(InviteError::Damaged)?;
            Ok((Some(session), fragment))
        }
        _ => Err(InviteError::NotAnInvite),
    }
}

/// Whether a packet could be sent there at all.
fn dialable(address: &SocketAddr) -> bool {
    let ip = address.ip();
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast()
}

fn write_bootstrap(contact: &Contact) -> wire::Bootstrap {
    wire::Bootstrap {
        node: contact.node.as_bytes().to_vec().into(),
        addresses: contact.addresses.iter().map(encode_address).collect(),
    }
}

fn read_bootstrap(message: &wire::Bootstrap) -> Result<Contact, DecodeError> {
    let range = 1..=ADDRESSES_MAX;
    require(range.contains(&message.addresses.len()), "bootstrap.addresses", "not 1 to 4")?;
    let node = NodeId::from_bytes(array("bootstrap.node", &message.node)?);
    let read = |bytes: &bytes::Bytes| {
        let address = decode_address(bytes)?;
        require(dialable(&address), "address", "no packet can be sent there")?;
        Ok(address)
    };
    let addresses = message.addresses.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Contact { node, addresses })
}

#[cfg(test)]
mod tests;
