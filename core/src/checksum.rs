//! CRC-32 (IEEE 802.3, as in gzip) of parts, ids and compressed input.
//!
//! Where there is hardware for it, `crc32fast` uses it. On wasm there is none, and the 16 KB of tables that it brings
//! instead cannot be compressed: there they are computed when they are first needed, which takes some microseconds.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crc32fast::{Hasher, hash};
#[cfg(target_arch = "wasm32")]
pub(crate) use tabled::{Hasher, hash};

#[cfg(any(target_arch = "wasm32", test))]
mod tabled {
    use std::sync::LazyLock;

    // of a byte that is followed by as many zero bytes as the table's place
    type Tables = [[u32; 256]; 16];

    static TABLES: LazyLock<Box<Tables>> = LazyLock::new(|| {
        let mut tables = Box::new([[0; 256]; 16]);
        for byte in 0..256 {
            tables[0][byte] = (0..8).fold(byte as u32, |sum, _| (sum >> 1) ^ ((sum & 1) * 0xedb8_8320));
        }
        for zeros in 1..16 {
            for byte in 0..256 {
                let sum = tables[zeros - 1][byte];
                tables[zeros][byte] = sum >> 8 ^ tables[0][sum as usize & 0xff];
            }
        }
        tables
    });

    /// The sum of all of it.
    pub(crate) fn hash(bytes: &[u8]) -> u32 {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finalize()
    }

    /// The sum of what comes in slices.
    #[derive(Clone, Debug)]
    pub(crate) struct Hasher(u32);

    impl Hasher {
        pub(crate) fn new() -> Self {
            Self(0)
        }

        pub(crate) fn reset(&mut self) {
            self.0 = 0;
        }

        pub(crate) fn finalize(self) -> u32 {
            self.0
        }

        pub(crate) fn update(&mut self, bytes: &[u8]) {
            let tables: &Tables = &TABLES;
            let (blocks, rest) = bytes.as_chunks::<16>();
            let mut sum = !self.0;
            for block in blocks {
                sum = fold(tables, sum, *block);
            }
            self.0 = !rest.iter().fold(sum, |sum, byte| sum >> 8 ^ tables[0][usize::from(sum as u8 ^ byte)]);
        }
    }

    // written out, since a loop would stay one where size counts
    fn fold(tables: &Tables, sum: u32, block: [u8; 16]) -> u32 {
        let of = |zeros: usize, byte: u8| tables[zeros][usize::from(byte)];
        let first = sum.to_le_bytes();
        of(15, block[0] ^ first[0])
            ^ of(14, block[1] ^ first[1])
            ^ of(13, block[2] ^ first[2])
            ^ of(12, block[3] ^ first[3])
            ^ of(11, block[4])
            ^ of(10, block[5])
            ^ of(9, block[6])
            ^ of(8, block[7])
            ^ of(7, block[8])
            ^ of(6, block[9])
            ^ of(5, block[10])
            ^ of(4, block[11])
            ^ of(3, block[12])
            ^ of(2, block[13])
            ^ of(1, block[14])
            ^ of(0, block[15])
    }
}

#[cfg(test)]
mod tests {
    use super::tabled;
    use proptest::prelude::*;

    #[test]
    fn the_check_value_is_that_of_the_catalogue() {
        assert_eq!(tabled::hash(b"123456789"), 0xcbf4_3926);
    }

    proptest! {
        #[test]
        fn tables_and_hardware_come_to_the_same_in_any_slices(
            bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200,
        ) {
            let mut hasher = tabled::Hasher::new();
            hasher.update(b"before");
            hasher.reset();
            let (head, tail) = bytes.split_at(cut.min(bytes.len()));
            hasher.update(head);
            hasher.update(tail);
            prop_assert_eq!(hasher.clone().finalize(), crc32fast::hash(&bytes));
            prop_assert_eq!(tabled::hash(&bytes), crc32fast::hash(&bytes));
        }
    }
}
