//! A reader of event streams over a socket of its own, which can stall, and break off at any byte.

use std::io::{self, BufRead, BufReader, Read, Take, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// One event, or one that says nothing but a comment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What `id` says, if it says anything.
    pub id: Option<String>,
    /// Its type; `message` where it names none.
    pub kind: String,
    /// Its lines of data.
    pub data: String,
}

impl Event {
    /// The data as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// What a stream is asked for.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    pub address: &'a str,
    pub path: &'a str,
    pub key: &'a str,
    pub last: Option<&'a str>,
    /// After so many bytes of the answer the connection is cut.
    pub bytes: u64,
}

/// An open stream.
pub struct Stream {
    body: BufReader<Chunks>,
    socket: TcpStream,
    /// The answer's head as sent.
    pub head: String,
}

/// Why there is no stream.
#[derive(Debug)]
pub enum Refused {
    /// The connection failed, or ended too early.
    Broken,
    /// The answer has another status.
    Answer(u16),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        // a silent server is a failure of the test
        assert!(!matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{error}");
        Self::Broken
    }
}

// longer than anything that is waited for
const PATIENCE: Duration = Duration::from_mins(2);

impl<'a> Ask<'a> {
    pub fn new(address: &'a str, path: &'a str, key: &'a str) -> Self {
        Self { address, path, key, last: None, bytes: u64::MAX }
    }

    pub fn after(self, last: &'a str) -> Self {
        Self { last: Some(last), ..self }
    }

    pub fn cut_after(self, bytes: u64) -> Self {
        Self { bytes, ..self }
    }

    /// The stream, which is there.
    #[track_caller]
    pub fn open(&self) -> Stream {
        self.try_open().unwrap_or_else(|refused| panic!("{self:?}: {refused:?}"))
    }

    pub fn try_open(&self) -> Result<Stream, Refused> {
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let last = self.last.map(|last| format!("Last-Event-ID: {last}\r\n")).unwrap_or_default();
        let (path, key) = (self.path, self.key);
        let fields = "Host: test\r\nAccept: text/event-stream\r\nAccept-Encoding: gzip, br, zstd\r\n";
        let request = format!("GET {path} HTTP/1.1\r\n{fields}Authorization: Bearer {key}\r\n{last}\r\n");
        socket.write_all(request.as_bytes())?;
        let mut read = BufReader::new(socket.try_clone()?.take(self.bytes));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if read.read_line(&mut head)? == 0 {
                return Err(Refused::Broken);
            }
        }
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        if status != 200 {
            return Err(Refused::Answer(status));
        }
        let body = BufReader::new(Chunks { inner: read, left: 0, ended: false });
        Ok(Stream { body, socket, head })
    }
}

impl Stream {
    /// The next event, comments included (all but empty events); `None` at the end, however it came. An event that
    /// breaks off is none.
    pub fn next(&mut self) -> Option<Event> {
        let mut event = Event { kind: "message".into(), ..Event::default() };
        loop {
            let line = self.line()?;
            let (name, value) = match line.split_once(':') {
                Some((name, value)) => (name, value.strip_prefix(' ').unwrap_or(value)),
                None => (line.as_str(), ""),
            };
            match name {
                "" if line.is_empty() => return Some(event),
                "" => event.kind = "comment".into(),
                "id" => event.id = Some(value.to_owned()),
                "event" => value.clone_into(&mut event.kind),
                "data" => {
                    if !event.data.is_empty() {
                        event.data.push('\n');
                    }
                    event.data.push_str(value);
                }
                other => panic!("{other:?} is no field of a stream"),
            }
        }
    }

    /// The next event that is no comment and no heartbeat.
    pub fn event(&mut self) -> Option<Event> {
        loop {
            let event = self.next()?;
            if event.kind != "comment" && event.kind != "heartbeat" {
                return Some(event);
            }
        }
    }

    /// The next record.
    #[track_caller]
    pub fn message(&mut self) -> Event {
        let event = self.event().expect("the stream goes on");
        assert_eq!(event.kind, "message", "{event:?}");
        event
    }

    /// Whether the body ended as one does that is whole.
    pub fn ended_well(&self) -> bool {
        self.body.get_ref().ended
    }

    /// Ends the connection, with unread data in it.
    pub fn close(self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    // without its end
    fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        match self.body.read_until(b'\n', &mut line) {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                panic!("nothing came for {} s", PATIENCE.as_secs())
            }
            Err(_) => return None,
        }
        (line.pop() == Some(b'\n')).then(|| String::from_utf8(line).unwrap())
    }
}

// RFC 9112, 7.1
struct Chunks {
    inner: BufReader<Take<TcpStream>>,
    left: usize,
    ended: bool,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !self.ended {
            let mut size = String::new();
            self.inner.read_line(&mut size)?;
            if size == "\r\n" {
                size.clear();
                self.inner.read_line(&mut size)?;
            }
            let size = size.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
            self.left = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
            self.ended = self.left == 0;
        }
        let most = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read;
        if read == 0 && !self.ended { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
    }
}
