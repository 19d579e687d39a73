//! Refusals in words for the person at the other end.

use axum::http::{HeaderValue, StatusCode, header};

use super::Denied;
use crate::gateway::sdp::OfferError;
use banyan_protocol::identity::{Action, TicketError};

use crate::gateway::Refusal;
use crate::http::problem::Problem;

/// Seconds after which a viewer may ask again for a session that is not live. Guess.
const NOT_LIVE_RETRY: u32 = 2;
/// Seconds after which a full gateway may be asked again. Guess.
const FULL_RETRY: u32 = 10;
/// Seconds after which a busy one may be asked again. Guess.
const BUSY_RETRY: u32 = 1;

/// The engine's refusal as a response.
pub(super) fn refusal(refusal: Refusal) -> Problem {
    let retry = |problem: Problem, seconds: u32| {
        problem.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    };
    match refusal {
        Refusal::Offer(OfferError::Malformed(why)) => {
            Problem::bad_request("malformed-sdp", format!("The body cannot be read: {why}."))
                .with_next("Send the SDP as the WebRTC library made it, unchanged.")
        }
        Refusal::Offer(OfferError::Unsupported { code, detail, next }) => {
            Problem::unprocessable(code, detail).with_next(next)
        }
        Refusal::UnknownResource => {
            Problem::not_found("connection-unknown", "There is no such connection, or it is over.")
                .with_next("POST a new offer.")
        }
        Refusal::EtagMismatch => Problem::new(
            StatusCode::PRECONDITION_FAILED,
            "etag-mismatch",
            "If-Match names an ICE session that is over.",
        )
        .with_next("Use the ETag of the newest answer, or \"*\" to restart ICE."),
        Refusal::PublisherLive => {
            let seconds = crate::gateway::limits::PUBLISHER_SILENT.as_secs() as u32;
            let problem = Problem::conflict(
                "publisher-live",
                "Somebody is publishing to this session, and it takes one publisher at a time.",
            );
            let next = "Stop the other publisher. If it died, its place is free in some seconds.";
            retry(problem.with_next(next), seconds)
        }
        Refusal::NotLive => {
            let problem =
                Problem::conflict("not-live", "Nothing is being published to this session now.");
            retry(problem.with_next("Ask again when Retry-After is over."), NOT_LIVE_RETRY)
        }
        Refusal::Full => Problem::unavailable(
            "gateway-full",
            "All places on this gateway are taken.",
            FULL_RETRY,
        )
        .with_next("Try another gateway of the session, or ask again later."),
        Refusal::NoAddress => Problem::unavailable(
            "no-address",
            "This gateway does not know yet at which address it can be reached.",
            FULL_RETRY,
        )
        .with_next("If you run it: connect it to a network, or name its address with --gateway-candidates."),
        Refusal::Busy => {
            Problem::unavailable("gateway-busy", "The gateway has too much to do.", BUSY_RETRY)
                .with_next("Ask again in a second.")
        }
        Refusal::Internal => Problem::internal(),
    }
}

/// A ticket's refusal as a response: 401 asks for another ticket, 403 says that this one, good in
/// itself, is not for this.
pub(super) fn denied(denied: Denied, action: Action) -> Problem {
    let next = match action {
        Action::Publish => "`banyan publish` prints a ticket: give it as bearer token.",
        Action::Watch => "Open the link that the publisher shared: it has a ticket in it.",
    };
    let unauthorized = |code, detail: &'static str, challenge: &'static str| {
        Problem::unauthorized(code, detail)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    };
    let invalid = "Bearer error=\"invalid_token\"";
    let problem = match denied {
        Denied::Missing => unauthorized("ticket-missing", "This session needs a ticket.", "Bearer"),
        Denied::Ticket(
            TicketError::Malformed | TicketError::WrongAlgorithm | TicketError::BadSignature,
        ) => unauthorized(
            "ticket-invalid",
            "This is not a ticket of the session's publisher, or it was changed or cut off.",
            invalid,
        ),
        Denied::Ticket(TicketError::Expired) => {
            let detail = "This ticket has expired. Ask the publisher for a new one.";
            return unauthorized("ticket-expired", detail, invalid).with_next(next);
        }
        Denied::Ticket(TicketError::NotYetValid) => {
            let detail = "This ticket is not valid yet. Come back later, or check the clocks.";
            return unauthorized("ticket-not-yet-valid", detail, invalid).with_next(next);
        }
        Denied::Ticket(TicketError::WrongSession) => {
            Problem::forbidden("ticket-for-another-session", "This ticket is for another session.")
        }
        Denied::Ticket(TicketError::WrongAction) => Problem::forbidden(
            "ticket-for-another-action",
            match action {
                Action::Publish => "This ticket permits watching, not publishing.",
                Action::Watch => "This ticket permits publishing, not watching.",
            },
        ),
        Denied::Policy => Problem::forbidden(
            "policy",
            "The session's policy does not allow this from where you are.",
        ),
    };
    problem.with_next(next)
}
