//! Why the gateway does not do what a peer asked for over HTTP.

use super::sdp::OfferError;

/// A refusal, as the engine gives it; the HTTP side makes a problem document of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The offer or fragment cannot be answered.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// No such session URL: never made, or over.
    #[error("no such connection")]
    UnknownResource,
    /// The ETag is not that of the current ICE session.
    #[error("the ETag is out of date")]
    EtagMismatch,
    /// The session has a publisher that is alive.
    #[error("another publisher is live")]
    PublisherLive,
    /// Nothing is being published.
    #[error("the session is not live")]
    NotLive,
    /// All places are taken.
    #[error("the gateway is full")]
    Full,
    /// The gateway does not know an address that peers can reach it at.
    #[error("the gateway has no address yet")]
    NoAddress,
    /// The engine is overloaded or has stopped.
    #[error("the gateway is busy")]
    Busy,
    /// Our fault; the log has the cause.
    #[error("internal error")]
    Internal,
}
