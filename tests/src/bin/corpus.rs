//! Writes a generated log as NDJSON to standard output: `corpus [RECORDS [SEED]]`.

use reqlog_tests::corpus::Corpus;
use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1).map(|argument| {
        argument
            .parse::<u64>()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, format!("{argument}: {error}")))
    });
    let records = arguments.next().transpose()?.unwrap_or(1_000_000);
    let seed = arguments.next().transpose()?.unwrap_or(1);
    let mut corpus = Corpus::new(seed);
    let mut out = io::stdout().lock();
    let mut lines = Vec::with_capacity(1 << 20);
    for _ in 0..records {
        corpus.next_entry().write_line(&mut lines);
        if lines.len() > 1 << 19 {
            out.write_all(&lines)?;
            lines.clear();
        }
    }
    out.write_all(&lines)?;
    out.flush()
}
