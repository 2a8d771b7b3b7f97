//! Compressed input told apart by its content and read as a stream.

use reqlog_core::format::{Compression, Inflate, InflateError, Step};
use std::io::{self, BufRead, BufReader, Chain, Cursor, ErrorKind, Read};

/// How much a stream may grow to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Bytes after decompression; one more is an error of kind [`io::ErrorKind::FileTooLarge`].
    Bytes(u64),
    /// As much as there is.
    Unlimited,
}

/// The plain bytes of `input`, whatever it is compressed with; its content decides, `named` only what has no magic
/// number. An error that is the input's fault has a [`reason`].
pub fn plain<'a>(
    mut input: impl Read + Send + 'a,
    named: Option<Compression>,
    limit: Limit,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut start = Vec::with_capacity(Compression::MAGIC);
    input.by_ref().take(Compression::MAGIC as u64).read_to_end(&mut start)?;
    let compression = Compression::detect(&start, named);
    let whole = BufReader::with_capacity(1 << 18, Cursor::new(start).chain(input));
    let plain: Box<dyn Read + Send + 'a> = match compression {
        None => Box::new(whole),
        Some(Compression::Gzip) => {
            Box::new(Decoded { inner: flate2::bufread::MultiGzDecoder::new(whole), compression: Compression::Gzip })
        }
        Some(Compression::Zstd) => Box::new(Decoded { inner: zstd_stream(whole)?, compression: Compression::Zstd }),
        Some(compression) => Box::new(Inflated::new(whole, compression)),
    };
    Ok(match limit {
        Limit::Unlimited => plain,
        Limit::Bytes(left) => Box::new(Limited { inner: plain, left }),
    })
}

/// What is wrong with the compressed input that ended in `error`, if that is it.
pub fn reason(error: &io::Error) -> Option<InflateError> {
    error.get_ref()?.downcast_ref().copied()
}

fn failed(reason: InflateError) -> io::Error {
    let kind = match reason {
        InflateError::TooLarge(_) => ErrorKind::FileTooLarge,
        InflateError::Truncated(_) => ErrorKind::UnexpectedEof,
        InflateError::Corrupt(_) | InflateError::Window(_) => ErrorKind::InvalidData,
    };
    io::Error::new(kind, reason)
}

type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

fn zstd_stream<'a, R: Read>(whole: Whole<R>) -> io::Result<zstd::Decoder<'a, Whole<R>>> {
    let mut decoder = zstd::Decoder::with_buffer(whole)?;
    // windows of `zstd --long`, up to 128 MiB of memory
    decoder.window_log_max(27)?;
    Ok(decoder)
}

/// A decoder of another crate, which says in its own words what the core says in one.
struct Decoded<R> {
    inner: R,
    compression: Compression,
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).map_err(|error| {
            let is_decoders =
                matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::Other);
            // what the system says of a file, or a layer further out of its input, stays as it is
            if is_decoders && error.raw_os_error().is_none() && reason(&error).is_none() {
                failed(InflateError::Corrupt(self.compression))
            } else {
                error
            }
        })
    }
}

/// The core's decoder over a reader.
struct Inflated<R> {
    inner: R,
    inflate: Option<Inflate>,
    out: Vec<u8>,
    at: usize,
}

impl<R: BufRead> Inflated<R> {
    fn new(inner: R, compression: Compression) -> Self {
        Self { inner, inflate: Some(Inflate::new(compression, None)), out: Vec::new(), at: 0 }
    }
}

impl<R: BufRead> Read for Inflated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() {
            let Some(inflate) = &mut self.inflate else { return Ok(0) };
            self.out.clear();
            self.at = 0;
            let mut input = self.inner.fill_buf()?;
            let available = input.len();
            let step = inflate.step(&mut input, &mut self.out);
            let taken = available - input.len();
            self.inner.consume(taken);
            let is_starved = step.map_err(failed)? == Step::Starved;
            if is_starved
                && available == 0
                && self.out.is_empty()
                && let Some(inflate) = self.inflate.take()
            {
                inflate.finish().map_err(failed)?;
            }
        }
        let given = (self.out.len() - self.at).min(buffer.len());
        buffer[..given].copy_from_slice(&self.out[self.at..][..given]);
        self.at += given;
        Ok(given)
    }
}

struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const TEXT: &[u8] = b"line one\nline two\n";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8], limit: Limit) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        plain(bytes, None, limit)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn each_coding_is_told_by_its_content() {
        let zstd = zstd::encode_all(TEXT, 1).unwrap();
        for packed in [TEXT.to_vec(), gzip(TEXT), zlib(TEXT), zstd.clone()] {
            assert_eq!(read(&packed, Limit::Unlimited).unwrap(), TEXT);
        }
        // two members or frames are one stream
        assert_eq!(read(&[gzip(TEXT), gzip(TEXT)].concat(), Limit::Unlimited).unwrap(), [TEXT, TEXT].concat());
        assert_eq!(read(&[zstd.clone(), zstd].concat(), Limit::Unlimited).unwrap(), [TEXT, TEXT].concat());
        assert_eq!(read(b"", Limit::Unlimited).unwrap(), b"");
    }

    #[test]
    fn the_limit_counts_after_decompression() {
        let packed = gzip(&[b'a'; 1000]);
        assert_eq!(read(&packed, Limit::Bytes(1000)).unwrap().len(), 1000);
        assert_eq!(read(&packed, Limit::Bytes(999)).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_cut_stream_is_an_error() {
        let packed = gzip(TEXT);
        assert!(read(&packed[..packed.len() - 4], Limit::Unlimited).is_err());
    }
}
