//! Records read again by their sequences.

use super::cutting::SAMPLES;
use super::*;

#[test]
fn every_record_is_read_again_as_it_was() {
    for (format, file) in SAMPLES {
        let (rows, _) = whole(*format, file);
        for slice in [1, 64, 4096] {
            assert_reread(*format, file, &rows, slice);
            for row in &rows {
                let found = reread(&open(*format, file), file, &[row.id.seq()], slice);
                assert_eq!(found, std::slice::from_ref(row), "{format:?}");
            }
        }
    }
}

#[test]
fn records_far_apart_are_read_without_what_lies_between() {
    let mut file = Vec::new();
    for at in 0..20_000 {
        file.extend_from_slice(format!("{{\"path\":\"/{at}\",\"x\":\"{}\"}}\n", "y".repeat(at % 900)).as_bytes());
    }
    let (rows, _) = whole(Format::Ndjson, &file);
    let picked: Vec<Stored> = rows.iter().step_by(3000).cloned().collect();
    let seqs: Vec<Seq> = picked.iter().map(|row| row.id.seq()).collect();
    let mut reread = Reread::new(&open(Format::Ndjson, &file), &seqs);
    let mut asked = 0;
    while let Some(wanted) = reread.want() {
        let slice = bytes(&file, &wanted);
        asked += slice.len();
        reread.push(&slice);
    }
    assert_eq!(reread.finish(), picked);
    assert!(asked <= picked.len() * (16 << 10) && asked < file.len() / 10, "{asked} bytes of {}", file.len());

    // those of a page lie together and are one read
    let page = &rows[500..550];
    let seqs: Vec<Seq> = page.iter().map(|row| row.id.seq()).collect();
    let mut reread = Reread::new(&open(Format::Ndjson, &file), &seqs);
    let wanted = reread.want().unwrap();
    reread.push(&bytes(&file, &wanted));
    assert_eq!((reread.want(), reread.finish()), (None, page.to_vec()));
}

#[test]
fn a_unit_longer_than_a_read_is_read_on() {
    let long = format!("{{\"path\":\"/long\",\"x\":\"{}\"}}", "y".repeat(3 << 20));
    let file = format!("{{\"path\":\"/a\"}}\n{long}\n{{\"path\":\"/b\"}}\n").into_bytes();
    let (rows, _) = whole(Format::Ndjson, &file);
    assert_eq!(rows.len(), 3);
    assert_reread(Format::Ndjson, &file, &rows, usize::MAX >> 1);
    assert_reread(Format::Ndjson, &file, &rows, 1000);
}

#[test]
fn what_is_not_there_any_more_is_missing_and_others_are_found() {
    let file = b"{\"path\":\"/a\"}\n{\"path\":\"/b\"}\nbroken\n{\"path\":\"/c\"}\n";
    let (rows, _) = whole(Format::Ndjson, file);
    let input = open(Format::Ndjson, file);
    let place = input.place();
    let mut seqs: Vec<Seq> = [3, 13, 28, 1 << 30].into_iter().map(|offset| place.seq(offset).unwrap()).collect();
    seqs.extend(rows.iter().map(|row| row.id.seq()));
    seqs.push(Place::new(4).seq(0).unwrap());
    assert_eq!(reread(&input, file, &seqs, 4096), rows);
}

#[test]
fn a_line_that_was_not_there_is_not_read_to_its_end() {
    let mut file = vec![b'x'; 40 << 20];
    file.extend_from_slice(b"\n{\"path\":\"/a\"}\n");
    let (rows, _) = whole(Format::Ndjson, &file);
    let input = open(Format::Ndjson, &file);
    let mut reread = Reread::new(&input, &[input.place().seq(7).unwrap(), rows[0].id.seq()]);
    let mut asked = 0;
    while let Some(wanted) = reread.want() {
        let slice = bytes(&file, &wanted);
        asked += slice.len();
        reread.push(&slice);
    }
    assert_eq!(reread.finish(), rows);
    assert!(asked < 18 << 20, "{asked}");
}
