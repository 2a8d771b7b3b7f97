//! Keep-alive connections, each of which walks from page to page.

use super::Result;
use super::server::{KEY, Server};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// One line of the table.
pub struct Load {
    /// What is asked.
    pub name: &'static str,
    /// Whether each page counts all matches.
    pub total: &'static str,
    /// Where walks begin.
    pub asks: Vec<Ask>,
}

/// Where a walk begins and how it goes on.
#[derive(Clone)]
pub struct Ask {
    path: String,
    on: On,
}

#[derive(Clone)]
enum On {
    Never,
    // the text after this mark, as this parameter
    Member(&'static str, &'static str),
    Link,
}

/// After so many pages a walk begins again somewhere else.
const PAGES: usize = 20;

impl Ask {
    /// One page, again and again.
    pub fn once(path: &str) -> Self {
        Self { path: path.to_owned(), on: On::Never }
    }

    /// On by the value of a member, sent as a parameter.
    pub fn by_member(path: String, mark: &'static str, parameter: &'static str) -> Self {
        Self { path, on: On::Member(mark, parameter) }
    }

    /// On by `Link: rel="next"`.
    pub fn by_link(path: String) -> Self {
        Self { path, on: On::Link }
    }

    fn next(&self, head: &str, body: &[u8]) -> Option<String> {
        match self.on {
            On::Never => None,
            On::Member(mark, parameter) => {
                // cursors stand behind the rows
                let at = memrchr(body, mark.as_bytes())? + mark.len();
                let end = at + body[at..].iter().position(|byte| *byte == b'"')?;
                Some(format!("{}&{parameter}={}", self.path, std::str::from_utf8(&body[at..end]).ok()?))
            }
            On::Link => {
                let links = head.lines().find_map(|line| line.strip_prefix("link: "))?;
                let next = links.split(", ").find(|link| link.ends_with("rel=\"next\""))?;
                Some(next.split_once('<')?.1.split_once('>')?.0.to_owned())
            }
        }
    }
}

fn memrchr(body: &[u8], mark: &[u8]) -> Option<usize> {
    (0..=body.len().checked_sub(mark.len())?).rev().find(|at| body[*at..].starts_with(mark))
}

/// Latencies of all pages, sorted.
pub fn run(server: &Server, asks: &[Ask], connections: usize, time: Duration) -> Result<Vec<Duration>> {
    let warm = Instant::now() + time / 5;
    let end = warm + time;
    let all: Vec<Result<Vec<Duration>>> = std::thread::scope(|scope| {
        let walkers: Vec<_> =
            (0..connections).map(|at| scope.spawn(move || walk(server, asks, at, warm, end))).collect();
        walkers.into_iter().map(|walker| walker.join().expect("walkers do not panic")).collect()
    });
    let mut measured = Vec::new();
    for one in all {
        measured.extend(one?);
    }
    measured.sort_unstable();
    Ok(measured)
}

fn walk(server: &Server, asks: &[Ask], first: usize, warm: Instant, end: Instant) -> Result<Vec<Duration>> {
    let mut connection = TcpStream::connect(&server.address)?;
    connection.set_nodelay(true)?;
    let (mut measured, mut buffer) = (Vec::new(), Vec::new());
    for at in first.. {
        let ask = &asks[at % asks.len()];
        let mut path = Some(ask.path.clone());
        for _ in 0..PAGES {
            let Some(target) = path.take() else { break };
            let start = Instant::now();
            if start > end {
                return Ok(measured);
            }
            let (head, body) = page(&mut connection, &target, &mut buffer)?;
            if start > warm {
                measured.push(start.elapsed());
            }
            path = ask.next(&head, body);
        }
    }
    Ok(measured)
}

fn page<'b>(connection: &mut TcpStream, target: &str, buffer: &'b mut Vec<u8>) -> Result<(String, &'b [u8])> {
    let request = format!("GET {target} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n\r\n");
    connection.write_all(request.as_bytes())?;
    buffer.clear();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let read = connection.read(&mut chunk)?;
        if read == 0 {
            return Err(format!("{target}: the connection ended").into());
        }
        buffer.extend_from_slice(&chunk[..read]);
        let Some(at) = buffer.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..at])?.to_owned();
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("{target}: {head}").into());
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.ok_or_else(|| format!("{target}: no length"))?.parse()?;
        while buffer.len() < at + 4 + length {
            let read = connection.read(&mut chunk)?;
            if read == 0 {
                return Err(format!("{target}: the connection ended").into());
            }
            buffer.extend_from_slice(&chunk[..read]);
        }
        return Ok((head, &buffer[at + 4..]));
    }
}
