//! Bodies between async sockets and blocking threads, a few pieces at a time.

use axum::body::Body;
use bytes::Bytes;
use futures_core::Stream;
use http_body_util::BodyExt;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

// so that a fast side runs ahead a little, and memory stays bounded
const AHEAD: usize = 4;

type Piece = io::Result<Bytes>;

/// A response body whose pieces are sent from elsewhere.
pub(super) fn body() -> (mpsc::Sender<Piece>, Body) {
    let (sender, receiver) = mpsc::channel(AHEAD);
    (sender, Body::from_stream(Pieces(receiver)))
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
