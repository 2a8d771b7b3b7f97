//! Bodies between async sockets and blocking threads, a few pieces at a time.

use axum::body::Body;
use bytes::Bytes;
use futures_core::Stream;
use http_body_util::BodyExt;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

// so that a fast side runs ahead a little, and memory stays bounded
const AHEAD: usize = 4;

type Piece = io::Result<Bytes>;

/// A response body whose pieces are sent from elsewhere.
pub(super) fn body() -> (mpsc::Sender<Piece>, Body) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    (sender, Body::from_stream(Pieces(receiver)))
}

/// A response body of one piece at a time: there is room for the next when the socket has taken the last.
pub(super) fn paced() -> (Paced, Body) {
    // a piece, and the error that cuts it off
    let (sender, receiver) = mpsc::channel(2);
    (Paced { sender, room: Arc::new(Semaphore::new(1)) }, Body::from_stream(Pieces(receiver)))
}

/// The sender's side of [`paced`]; the body ends when it is dropped.
pub(super) struct Paced {
    sender: mpsc::Sender<Piece>,
    room: Arc<Semaphore>,
}

/// A piece on its way through the layers of the server, which pass it on without a copy. Whoever writes it to a socket
/// drops it then.
struct OnItsWay {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for OnItsWay {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Paced {
    /// Waits until the last piece was taken; `None` when the client is gone.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        let room = self.room.clone().acquire_owned().await.ok()?;
        (!self.sender.is_closed()).then_some(room)
    }

    /// Sends a piece into its room.
    pub(super) fn send(&self, room: OwnedSemaphorePermit, bytes: Bytes) {
        // there is a place for each room; a client that is gone needs nothing
        let _ = self.sender.try_send(Ok(Bytes::from_owner(OnItsWay { bytes, _room: room })));
    }

    /// Waits until the client is gone.
    pub(super) async fn gone(&self) {
        self.sender.closed().await;
    }

    /// Waits until everything was taken or the client is gone.
    pub(super) async fn drained(&self) {
        let _ = self.room.acquire().await;
    }

    /// Gives up the connection with what was not taken.
    pub(super) fn cut_off(&self) {
        let _ = self.sender.try_send(Err(io::ErrorKind::ConnectionAborted.into()));
    }
}

/// A body without bytes whose length is not known beforehand.
pub(super) fn nothing() -> Body {
    let (_, receiver) = mpsc::channel(1);
    Body::from_stream(Pieces(receiver))
}

struct Pieces(mpsc::Receiver<Piece>);

impl Stream for Pieces {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        self.0.poll_recv(context)
    }
}

/// A request body as a blocking reader, and the future that feeds it; a body that breaks off, or pauses for longer than
/// `idle`, is an error of the reader, never its end.
pub(super) fn reader(mut body: Body, idle: Duration) -> (impl Future<Output = ()>, impl Read + Send + 'static) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let feed = async move {
        loop {
            let piece = match timeout(idle, body.frame()).await {
                Ok(None) => Ok(None),
                Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().unwrap_or_default())),
                Ok(Some(Err(_))) => Err(io::ErrorKind::UnexpectedEof.into()),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            let last = !matches!(piece, Ok(Some(_)));
            if sender.send(piece).await.is_err() || last {
                return;
            }
        }
    };
    (feed, Incoming { receiver, rest: Bytes::new(), ended: false })
}

struct Incoming {
    // `None` is the end of the body; a channel that closes without it was dropped with its connection
    receiver: mpsc::Receiver<io::Result<Option<Bytes>>>,
    rest: Bytes,
    ended: bool,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() && !self.ended {
            match self.receiver.blocking_recv().unwrap_or(Err(io::ErrorKind::UnexpectedEof.into()))? {
                Some(piece) => self.rest = piece,
                None => self.ended = true,
            }
        }
        let taken = self.rest.split_to(buffer.len().min(self.rest.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(pieces: Vec<Piece>) -> Body {
        let (sender, body) = body();
        for piece in pieces {
            sender.try_send(piece).unwrap();
        }
        body
    }

    fn read(body: Body) -> (Vec<u8>, io::Result<usize>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (feed, mut reader) = reader(body, Duration::from_mins(1));
        let thread = std::thread::spawn(move || {
            let mut out = Vec::new();
            let end = reader.read_to_end(&mut out);
            (out, end)
        });
        runtime.block_on(feed);
        thread.join().unwrap()
    }

    #[test]
    fn a_whole_body_ends_and_a_broken_one_does_not() {
        let (out, end) =
            read(pieces(vec![Ok(Bytes::from_static(b"ab")), Ok(Bytes::new()), Ok(Bytes::from_static(b"c"))]));
        assert_eq!((out.as_slice(), end.unwrap()), (&b"abc"[..], 3));
        let (out, end) = read(pieces(vec![Ok(Bytes::from_static(b"ab")), Err(io::ErrorKind::ConnectionReset.into())]));
        assert_eq!(out, b"ab");
        assert!(end.is_err());
    }

    #[test]
    fn a_feed_that_is_dropped_is_no_end() {
        let (feed, mut reader) = reader(Body::empty(), Duration::from_mins(1));
        drop(feed);
        assert!(reader.read(&mut [0; 1]).is_err());
    }
}
