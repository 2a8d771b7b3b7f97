//! Undoing `Content-Encoding` at ingestion, before redaction looks at the text.

use super::Cut;
use crate::format::{Compression, Inflate, InflateError};
use std::io::Read;

/// Longest body after decoding that is looked at; of a longer one only size, type and this fact are kept.
pub const DECODED_LIMIT: usize = 16 << 20;

/// Decodes `bytes` as `encodings` say (the field's value: outermost last), to at most `limit` bytes.
///
/// **Ours:** many sources hand over decoded bytes and the header of the encoded ones. So an encoding whose mark the
/// bytes do not carry (gzip, zstd, zlib), or `br` of what is text, is taken as undone already. Bytes that only begin like
/// zlib, as `x^2` does, are text where no control character is among them that JSON has no short escape for.
pub fn decode(encodings: &str, bytes: &[u8], limit: usize) -> Result<Option<Vec<u8>>, Cut> {
    let mut decoded: Option<Vec<u8>> = None;
    for encoding in encodings.split(',').rev().map(str::trim) {
        let current = decoded.as_deref().unwrap_or(bytes);
        let text = || std::str::from_utf8(current).is_ok();
        let next = match encoding.to_ascii_lowercase().as_str() {
            "" | "identity" => continue,
            "gzip" | "x-gzip" if current.starts_with(&[0x1f, 0x8b]) => {
                let mut decoded = Vec::new();
                let mut members = Inflate::new(Compression::Gzip, Some(limit as u64));
                members.push(current, &mut decoded).and_then(|()| members.finish()).map_err(|error| match error {
                    InflateError::TooLarge(_) => Cut::TooLarge,
                    _ => Cut::Undecodable,
                })?;
                decoded
            }
            "deflate" if is_zlib(current) && !is_readable(current) => {
                read(flate2::read::ZlibDecoder::new(current), limit)?
            }
            "deflate" if !text() => read(flate2::read::DeflateDecoder::new(current), limit)?,
            "zstd" if current.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => {
                let frames = ruzstd::decoding::StreamingDecoder::new(current).map_err(|_| Cut::Undecodable)?;
                read(frames, limit)?
            }
            "br" if !text() => read(brotli_decompressor::Decompressor::new(current, 4096), limit)?,
            _ if text() => continue,
            _ => return Err(Cut::Undecodable),
        };
        decoded = Some(next);
    }
    Ok(decoded)
}

// RFC 1950: compression method 8, and a header checksum.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, [method, flags, ..] if method & 0xf == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

fn is_readable(bytes: &[u8]) -> bool {
    let odd = |byte: &u8| *byte < b' ' && !matches!(byte, 0x08 | b'\t' | b'\n' | 0x0c | b'\r');
    !bytes.iter().any(odd) && std::str::from_utf8(bytes).is_ok()
}

fn read(input: impl Read, limit: usize) -> Result<Vec<u8>, Cut> {
    let mut decoded = Vec::new();
    input.take(limit as u64 + 1).read_to_end(&mut decoded).map_err(|_| Cut::Undecodable)?;
    if decoded.len() > limit { Err(Cut::TooLarge) } else { Ok(decoded) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression as Level;
    use flate2::read::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;

    fn all(mut input: impl Read) -> Vec<u8> {
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_encoded_is_decoded_and_what_is_not_is_left() {
        let text = "{\"name\":\"alpha\"} ".repeat(20).into_bytes();
        let gzip = all(GzEncoder::new(&*text, Level::fast()));
        let zlib = all(ZlibEncoder::new(&*text, Level::fast()));
        let raw = all(DeflateEncoder::new(&*text, Level::fast()));
        let zstd = ruzstd::encoding::compress_to_vec(&*text, ruzstd::encoding::CompressionLevel::Fastest);
        for (encoding, bytes) in
            [("gzip", &gzip), ("x-gzip", &gzip), ("deflate", &zlib), ("deflate", &raw), ("zstd", &zstd)]
        {
            assert_eq!(decode(encoding, bytes, 1000), Ok(Some(text.clone())), "{encoding}");
            assert_eq!(decode(encoding, bytes, 100), Err(Cut::TooLarge), "{encoding}");
            assert_eq!(decode(encoding, &text, 1000), Ok(None), "{encoding} undone already");
        }
        let twice = all(GzEncoder::new(&*zlib, Level::fast()));
        assert_eq!(decode("deflate, gzip", &twice, 1000), Ok(Some(text.clone())));
        assert_eq!(decode("identity", &gzip, 1000), Ok(None));
        assert_eq!(decode("br", &text, 1000), Ok(None));
        assert_eq!(decode("deflate", b"x^2 + y^2", 1000), Ok(None));
        let short = all(ZlibEncoder::new(&b"a"[..], Level::fast()));
        assert!(std::str::from_utf8(&short).is_ok(), "such a stream may be text, but for its control characters");
        assert_eq!(decode("deflate", &short, 1000), Ok(Some(b"a".to_vec())));
        assert_eq!(decode("gzip", &gzip[..gzip.len() / 2], 1000), Err(Cut::Undecodable));
        assert_eq!(decode("br", &[0xff; 40], 1000), Err(Cut::Undecodable));
        assert_eq!(decode("unheard-of", &[0xff; 40], 1000), Err(Cut::Undecodable));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_are_refused(
            encoding in prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "br, gzip", "x"]),
            head in prop::sample::select(vec![&[][..], &[0x1f, 0x8b, 8, 0], &[0x28, 0xb5, 0x2f, 0xfd], &[0x78, 0x9c]]),
            rest in proptest::collection::vec(any::<u8>(), 0..200)
        ) {
            let bytes = [head, &rest].concat();
            if let Ok(Some(decoded)) = decode(encoding, &bytes, 4096) {
                prop_assert!(decoded.len() <= 4096);
            }
        }
    }
}
