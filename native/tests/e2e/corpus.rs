//! Files to import: real ones where they are at hand, generated ones where not.

use crate::random::Random;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The folder of real files, beside the repository or beside the folder of its worktrees.
pub fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(2).take(2);
    let found = beside.map(|folder| folder.join("shared/data")).find(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: there is no folder of real files beside the repository");
    }
    found
}

/// An access log of 10 000 lines, some of which occur more than once: a real one where it is at hand.
pub fn access_log() -> String {
    match folder() {
        Some(folder) => std::fs::read_to_string(folder.join("access/examples__apache_logs")).unwrap(),
        None => generated(),
    }
}

/// In the combined format, within four days, 17 lines of it twice.
pub fn generated() -> String {
    let random = &mut Random::seeded(17);
    let mut lines: Vec<String> = Vec::new();
    for n in 0..10_000 {
        if n % 588 == 587 && n < 9_996 {
            lines.push(lines[random.below(n)].clone());
            continue;
        }
        let status = random.pick(&[200, 200, 200, 200, 206, 301, 304, 404, 404, 403, 500]);
        let size = if random.below(12) == 0 { "-".to_owned() } else { random.below(90_000).to_string() };
        lines.push(format!(
            "192.0.2.{} - - [{}/May/2015:{:02}:05:{:02} +0000] \"{} /page/{}?n={n} HTTP/1.1\" {status} {size} \"-\" \"agent/{}\"",
            random.below(250),
            17 + n / 2500,
            n % 2500 * 24 / 2500,
            random.below(60),
            random.pick(&["GET", "GET", "GET", "POST", "HEAD"]),
            random.below(300),
            random.below(40),
        ));
    }
    lines.iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    })
}

/// How many lines repeat an earlier one.
pub fn repeated(log: &str) -> usize {
    let distinct: std::collections::HashSet<&str> = log.lines().collect();
    log.lines().count() - distinct.len()
}

/// What a line of the log says, as far as every reader must agree: client, method, path, status.
pub fn essence(line: &str) -> (String, String, String, u64) {
    let (head, rest) = line.split_once('"').unwrap();
    let (request, rest) = rest.split_once('"').unwrap();
    let mut words = request.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let path = target.split(['?', '#']).next().unwrap();
    let status = rest.trim_start().split(' ').next().unwrap().parse().unwrap();
    (head.split(' ').next().unwrap().to_owned(), method.to_owned(), path.to_owned(), status)
}
