//! Decompression in slices, with its limit.

use std::io::Write;

use crate::format::{Compression, Inflate, InflateError};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

const TEXT: &[u8] = b"GET / 200\nGET /a 404\nGET /a 404\n";

fn packed(compression: Compression) -> Vec<u8> {
    let level = flate2::Compression::default();
    match compression {
        Compression::Gzip => {
            // two members, as log rotation and concatenation make them
            let halves = TEXT.split_at(10);
            [halves.0, halves.1].concat_with(|half| {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(half).unwrap();
                encoder.finish().unwrap()
            })
        }
        Compression::Zstd => {
            let halves = TEXT.split_at(10);
            let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
            let mut out = compress_to_vec(halves.0, CompressionLevel::Fastest);
            out.extend(skippable);
            out.extend(compress_to_vec(halves.1, CompressionLevel::Fastest));
            out
        }
        Compression::Deflate => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(TEXT).unwrap();
            encoder.finish().unwrap()
        }
        // an uncompressed meta-block would need an encoder's bit writer: these are the bytes of `printf a | brotli`
        Compression::Brotli => vec![0x0b, 0x00, 0x80, 0x61, 0x03],
    }
}

trait ConcatWith {
    fn concat_with(&self, each: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8>;
}

impl ConcatWith for [&[u8]; 2] {
    fn concat_with(&self, each: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        self.iter().flat_map(|part| each(part)).collect()
    }
}

fn inflate(compression: Compression, bytes: &[u8], slice: usize, limit: Option<u64>) -> Result<Vec<u8>, InflateError> {
    let (mut out, mut decoder) = (Vec::new(), Inflate::new(compression, limit));
    for piece in bytes.chunks(slice) {
        decoder.push(piece, &mut out)?;
    }
    decoder.finish().map(|()| out)
}

const ALL: [(Compression, &[u8]); 4] =
    [(Compression::Gzip, TEXT), (Compression::Zstd, TEXT), (Compression::Deflate, TEXT), (Compression::Brotli, b"a")];

#[test]
fn any_slicing_gives_the_same_text() {
    for (compression, text) in ALL {
        let bytes = packed(compression);
        for slice in [1, 7, 64, 4096] {
            assert_eq!(inflate(compression, &bytes, slice, None).as_deref(), Ok(text), "{compression:?} {slice}");
        }
    }
}

#[test]
fn what_is_cut_off_or_too_large_is_said_to_be() {
    for (compression, text) in ALL {
        let bytes = packed(compression);
        let cut = inflate(compression, &bytes[..bytes.len() - 1], 64, None);
        assert_eq!(cut, Err(InflateError::Truncated(compression)), "{compression:?}");
        let limit = text.len() as u64;
        assert!(inflate(compression, &bytes, 64, Some(limit)).is_ok());
        assert_eq!(
            inflate(compression, &bytes, 64, Some(limit - 1)),
            Err(InflateError::TooLarge(limit - 1)),
            "{compression:?}"
        );
    }
}

#[test]
fn a_small_bomb_stops_at_the_limit() {
    // one frame of many blocks that repeat one byte 131 072 times
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    for _ in 0..2000 {
        bomb.extend([0x02, 0x00, 0x10, b'x']);
    }
    let mut out = Vec::new();
    let result = Inflate::new(Compression::Zstd, Some(1 << 20)).push(&bomb, &mut out);
    assert_eq!(result, Err(InflateError::TooLarge(1 << 20)));
    assert!(out.len() <= 1 << 20);
}

#[test]
fn garbage_is_corrupt_or_cut_off_but_never_text() {
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Deflate] {
        assert!(inflate(compression, &[0xaa; 100], 7, None).is_err(), "{compression:?}");
    }
}
