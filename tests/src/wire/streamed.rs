//! Streams of Server-Sent Events: what comes, and that nothing else does.

use super::step::End;
use super::template::{self, Captured};
use super::{Came, Server};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use reqlog_core::live::HEARTBEAT;

pub(super) fn is_stream(answer: &Response<Bytes>) -> bool {
    answer.status() == StatusCode::OK
        && answer.headers().get(CONTENT_TYPE).is_some_and(|name| name == "text/event-stream")
}

/// Reads as many events and comments as are expected, and compares one by one.
pub(super) fn follow(
    stream: &str,
    expected: &str,
    end: End,
    server: &mut impl Server,
    captured: &mut Captured,
) -> Result<(), String> {
    let expected: Vec<&str> = expected.split("\n\n").filter(|block| !block.is_empty()).collect();
    let least = if end == End::Closed { usize::MAX } else { expected.len() };
    let Came { bytes, is_over } = server.read(stream, least).map_err(|error| format!("  {stream}: {error}"))?;
    let blocks = blocks(&bytes)?;
    let mut wrong = Vec::new();
    for (expected, got) in expected.iter().zip(&blocks) {
        wrong.extend(
            template::fit(expected, got, captured).err().map(|difference| format!("  what came differs{difference}")),
        );
    }
    if expected.len() != blocks.len() {
        wrong.push(format!("  expected {} events and comments", expected.len()));
    }
    match (end, is_over) {
        (End::Closed, false) => wrong.push("  expected that the stream is closed".to_owned()),
        (End::Open, true) => wrong.push("  expected that the stream is open".to_owned()),
        _ => {}
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}\n  came {}", wrong.join("\n"), template::printable(&bytes))) }
}

/// Whether the streams that are left have nothing to say but that they live.
pub(super) fn silence(streams: &[&str], server: &mut impl Server) -> Result<(), String> {
    if streams.is_empty() {
        return Ok(());
    }
    server.wait(HEARTBEAT);
    for stream in streams {
        let Came { bytes, .. } = server.read(stream, 1).map_err(|error| format!("at the end, {stream}: {error}"))?;
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let is_heartbeat = blocks(&bytes)?.len() == 1 && lines.any(|line| line == b":" || line == b"event: heartbeat");
        if !is_heartbeat {
            let came = template::printable(&bytes);
            return Err(format!("at the end, {stream}\n  expected nothing but a heartbeat\n  came {came}"));
        }
    }
    Ok(())
}

fn blocks(bytes: &[u8]) -> Result<Vec<&[u8]>, String> {
    let (mut blocks, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let at = rest.windows(2).position(|pair| pair == b"\n\n").ok_or("  an event is cut off")?;
        blocks.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    Ok(blocks)
}
