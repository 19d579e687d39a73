//! The body of a PATCH: `application/trickle-ice-sdpfrag` (RFC 8840).

use std::net::SocketAddr;

use super::{OfferError, candidate};
use crate::gateway::limits;

/// Candidates that a peer sends after its offer, or new credentials for an ICE restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The peer's user name fragment, where given.
    pub ufrag: Option<String>,
    /// Whether there was a password with it.
    pub has_password: bool,
    /// Its candidates. Those that nothing can be sent to (mDNS names, TCP) are left out.
    pub candidates: Vec<SocketAddr>,
}

impl Fragment {
    /// Reads a fragment.
    ///
    /// # Errors
    /// If it is not one.
    pub fn read(text: &str) -> Result<Self, OfferError> {
        let mut fragment = Self::default();
        let mut lines = 0;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let well_formed = line.split_once('=').is_some_and(|(kind, _)| kind.len() == 1)
                && !line.chars().any(char::is_control);
            if !well_formed || text.len() > limits::SDP_BYTES_MAX {
                return Err(OfferError::Malformed("the body is not an SDP fragment".into()));
            }
            lines += 1;
            let Some(attribute) = line.strip_prefix("a=") else { continue };
            match attribute.split_once(':') {
                // One transport for all m-lines, so the first counts.
                Some(("ice-ufrag", ufrag)) => {
                    fragment.ufrag.get_or_insert_with(|| ufrag.to_owned());
                }
                Some(("ice-pwd", _)) => fragment.has_password = true,
                Some(("candidate", value)) => {
                    if let Some(address) = candidate(value)
                        && fragment.candidates.len() < limits::CANDIDATES_MAX
                    {
                        fragment.candidates.push(address);
                    }
                }
                _ => {}
            }
        }
        if lines == 0 {
            return Err(OfferError::Malformed("the body is empty".into()));
        }
        Ok(fragment)
    }
}
