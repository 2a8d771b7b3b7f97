//! Files that real programs wrote, where the folder of examples is beside the repository.

#![allow(clippy::disallowed_methods)] // a test may read files

use super::*;
use crate::format::tests::corpus::{FILES, folder};

#[test]
fn real_files_are_indexed_as_they_are_imported_in_slices_and_portions_of_any_size() {
    let Some(folder) = folder() else { return };
    for (name, _, format, accepted, refused) in FILES {
        let file = std::fs::read(folder.join(name)).unwrap();
        let whole = whole(*format, &file);
        assert_eq!((whole.0.len(), whole.1.len()), (*accepted, *refused), "{name}");
        // a byte at a time is slow over megabytes and shows no more than over a part of them
        let slices: &[usize] = if file.len() < 1 << 20 { &[1, 64, 4096, 32 << 20] } else { &[64, 4096, 32 << 20] };
        for &slice in slices {
            for target in [1 << 12, 100_000, 1 << 30] {
                assert_cutter(*format, &file, &whole, target, slice);
            }
            if open(*format, &file).splits() == Splits::Anywhere {
                let len = file.len() as u64;
                assert_cut_at(*format, &file, &whole, &[], slice);
                assert_cut_at(*format, &file, &whole, &[len / 3, len / 2, len - len / 7], slice);
            }
            assert_reread(*format, &file, &whole.0, slice);
        }
    }
}
