//! Compressed input told apart by its content and read as a stream.

use std::io::{self, BufReader, Chain, Cursor, Read};

/// How much a stream may grow to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Bytes after decompression; one more is an error of kind [`io::ErrorKind::FileTooLarge`].
    Bytes(u64),
    /// As much as there is.
    Unlimited,
}

/// A compression of a whole stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952, several members too.
    Gzip,
    /// RFC 8878, several frames too.
    Zstd,
    /// zlib (RFC 1950), which HTTP calls deflate.
    Deflate,
    /// RFC 7932. It has no magic number: only a name tells.
    Brotli,
}

impl Coding {
    /// Tells by the first bytes; plain text and Brotli give `None`.
    pub fn detect(start: &[u8]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // a frame, or a skippable one, which pzstd writes first
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some(Self::Deflate),
            _ => None,
        }
    }

    /// The coding that a file's name ends in, or that `Content-Encoding` names.
    pub fn named(name: &str) -> Option<Self> {
        match name.rsplit('.').next().unwrap_or(name).trim().to_ascii_lowercase().as_str() {
            "gz" | "gzip" | "x-gzip" => Some(Self::Gzip),
            "zst" | "zstd" => Some(Self::Zstd),
            "deflate" | "zz" => Some(Self::Deflate),
            "br" => Some(Self::Brotli),
            _ => None,
        }
    }
}

/// The plain bytes of `input`, whatever it is compressed with; its content decides, `named` only what has no magic
/// number.
pub fn plain<'a>(
    mut input: impl Read + Send + 'a,
    named: Option<Coding>,
    limit: Limit,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut start = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut start)?;
    let coding = Coding::detect(&start).or(named.filter(|coding| *coding == Coding::Brotli));
    let whole = BufReader::with_capacity(1 << 18, Cursor::new(start).chain(input));
    let plain: Box<dyn Read + Send + 'a> = match coding {
        None => Box::new(whole),
        Some(Coding::Gzip) => Box::new(flate2::bufread::MultiGzDecoder::new(whole)),
        Some(Coding::Deflate) => Box::new(flate2::bufread::ZlibDecoder::new(whole)),
        Some(Coding::Zstd) => Box::new(zstd_stream(whole)?),
        Some(Coding::Brotli) => Box::new(brotli_decompressor::Decompressor::new(whole, 1 << 16)),
    };
    Ok(match limit {
        Limit::Unlimited => plain,
        Limit::Bytes(left) => Box::new(Limited { inner: plain, left }),
    })
}

type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, R>>;

fn zstd_stream<'a, R: Read>(whole: Whole<R>) -> io::Result<zstd::Decoder<'a, Whole<R>>> {
    let mut decoder = zstd::Decoder::with_buffer(whole)?;
    // windows of `zstd --long`, up to 128 MiB of memory
    decoder.window_log_max(27)?;
    Ok(decoder)
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
