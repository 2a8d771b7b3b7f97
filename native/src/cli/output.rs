//! What reaches a terminal: colour where it is wanted, progress where somebody watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, BufWriter, IsTerminal, Read, StdoutLock, Write};

/// Whether to colour what goes to `stream`: a terminal, unless <https://no-color.org> says no.
pub fn colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Standard output, written in large pieces.
pub fn results() -> BufWriter<StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// One JSON value on a line of its own.
pub fn json(value: &impl serde::Serialize) -> io::Result<()> {
    let mut out = results();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Progress on stderr, where that is a terminal; cleared when it is dropped.
pub struct Bar(ProgressBar);

/// Shows how far something is that has `length` bytes, if that is known.
pub fn bar(name: &str, length: Option<u64>) -> Bar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(length, target);
    let template = match length {
        Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        None => "{msg} {spinner} {bytes} {bytes_per_sec}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(name.to_owned());
    Bar(bar)
}

impl Bar {
    /// So many bytes more are done.
    pub fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A reader that shows its progress.
pub struct Watched<R> {
    inner: R,
    bar: Bar,
}

impl<R> Watched<R> {
    /// Watches `inner`, which is `length` bytes long if that is known.
    pub fn new(inner: R, name: &str, length: Option<u64>) -> Self {
        Self { inner, bar: bar(name, length) }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.bar.advance(read as u64);
        Ok(read)
    }
}
