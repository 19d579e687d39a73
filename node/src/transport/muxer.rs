//! A control connection as libp2p sees it: bidirectional streams over a quinn connection.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use futures::{AsyncRead, AsyncWrite, FutureExt};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use quinn::ConnectionError;

use super::address::to_multiaddr;
use super::error::Error;

type Opening = BoxFuture<'static, Result<(quinn::SendStream, quinn::RecvStream), ConnectionError>>;

/// Opens and accepts streams of one control connection.
pub struct Muxer {
    connection: quinn::Connection,
    remote: SocketAddr,
    inbound: Option<Opening>,
    outbound: Option<Opening>,
    closing: Option<BoxFuture<'static, ConnectionError>>,
}

impl Muxer {
    pub(super) fn new(connection: quinn::Connection) -> Self {
        let remote = connection.remote_address();
        Self { connection, remote, inbound: None, outbound: None, closing: None }
    }
}

fn poll_open(opening: &mut Opening, cx: &mut Context<'_>) -> Poll<Result<Substream, Error>> {
    let (send, recv) = ready!(opening.poll_unpin(cx))?;
    Poll::Ready(Ok(Substream { send, recv, closed: None }))
}

impl StreamMuxer for Muxer {
    type Substream = Substream;
    type Error = Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Substream, Error>> {
        let this = &mut *self;
        let opening = this.inbound.get_or_insert_with(|| {
            let connection = this.connection.clone();
            async move { connection.accept_bi().await }.boxed()
        });
        let stream = ready!(poll_open(opening, cx));
        this.inbound = None;
        Poll::Ready(stream)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Substream, Error>> {
        let this = &mut *self;
        let opening = this.outbound.get_or_insert_with(|| {
            let connection = this.connection.clone();
            async move { connection.open_bi().await }.boxed()
        });
        let stream = ready!(poll_open(opening, cx));
        this.outbound = None;
        Poll::Ready(stream)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = &mut *self;
        let closing = this.closing.get_or_insert_with(|| {
            this.connection.close(0u32.into(), &[]);
            let connection = this.connection.clone();
            async move { connection.closed().await }.boxed()
        });
        match ready!(closing.poll_unpin(cx)) {
            ConnectionError::LocallyClosed => Poll::Ready(Ok(())),
            error => Poll::Ready(Err(error.into())),
        }
    }

    /// Reports a peer whose NAT gave it another address. Seen when the connection next has
    /// something to do, which its keep-alive bounds.
    fn poll(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, Error>> {
        let remote = self.connection.remote_address();
        if remote == self.remote {
            return Poll::Pending;
        }
        self.remote = remote;
        Poll::Ready(Ok(StreamMuxerEvent::AddressChange(to_multiaddr(remote))))
    }
}

/// One bidirectional stream.
pub struct Substream {
    send: quinn::SendStream,
    recv: quinn::RecvStream,
    /// The first result of closing: libp2p closes again and again.
    closed: Option<Result<(), io::ErrorKind>>,
}

impl AsyncRead for Substream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        AsyncRead::poll_read(Pin::new(&mut self.recv), cx, buffer)
    }
}

impl AsyncWrite for Substream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(&mut self.send), cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.send), cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(result) = self.closed {
            return Poll::Ready(result.map_err(Into::into));
        }
        let result = ready!(AsyncWrite::poll_close(Pin::new(&mut self.send), cx));
        self.closed = Some(result.as_ref().map_err(io::Error::kind).copied());
        Poll::Ready(result)
    }
}
