//! `reqlog expect`: waits until enough records match, for tests.

use super::api::{self, Path};
use super::backend::{Absent, Backend};
use super::settings::Settings;
use super::{Place, Problem, Verdict, query, rows};
use clap::Args;
use reqlog_core::filter::Filter;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Waits until it holds that so many records match; else fails and shows the nearest misses
///
/// For tests: `reqlog expect 'session:ci-42 method:POST path:/v1/payments status:2xx' --within 10s`.
#[derive(Args, Debug)]
pub struct Expect {
    /// Which records, in the query language
    #[arg(allow_hyphen_values = true)]
    query: String,
    /// How many: a number, or one behind >=, <=, >, < or =
    #[arg(long, default_value = ">=1", value_parser = Count::parse)]
    count: Count,
    /// How long to wait: 500ms, 10s, 2m
    #[arg(long, default_value = "0s", value_parser = duration)]
    within: Duration,
    /// Only records of this project
    #[arg(long)]
    project: Option<String>,
    /// Print nothing
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    place: Place,
}

/// How many are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    least: u64,
    most: u64,
}

impl Count {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
        let (sign, number) = text.split_at(digits);
        let wanted = || "a number, or one behind >=, <=, >, < or =".to_owned();
        let number: u64 = number.parse().map_err(|_| wanted())?;
        let (least, most) = match sign.trim() {
            ">=" => (number, u64::MAX),
            ">" => (number.checked_add(1).ok_or_else(wanted)?, u64::MAX),
            "<=" => (0, number),
            "<" => (0, number.checked_sub(1).ok_or("fewer than none cannot be")?),
            "" | "=" | "==" => (number, number),
            _ => return Err(wanted()),
        };
        Ok(Self { least, most })
    }

    /// Whether it holds; whether it never will, since records only get more.
    const fn judge(self, count: u64) -> Judgement {
        if count > self.most {
            Judgement::Never
        } else if count >= self.least {
            Judgement::Holds
        } else {
            Judgement::NotYet
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    Holds,
    NotYet,
    Never,
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit.trim() {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        _ => return Err("a number of ms, s or m".into()),
    };
    let millis = number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
    millis.map(Duration::from_millis).ok_or_else(|| "a number of ms, s or m".into())
}

// a directory that nobody serves is locked while it is looked at, so it is let go in between
const PAUSE: Duration = Duration::from_millis(200);
// the longest that a server lets a request wait
const LONGEST: Duration = Duration::from_secs(30);

impl Expect {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        let filter = query::parse(&self.query)?;
        let deadline = Instant::now() + self.within;
        let (mut seen, mut cursor) = (0, None);
        loop {
            let backend = Backend::of(&self.place, settings, Absent::Refuse)?;
            let left = deadline.saturating_duration_since(Instant::now());
            let judgement = if backend.is_shared() {
                self.follow(&backend, &mut seen, &mut cursor, left)?
            } else {
                seen = self.count(&backend)?;
                self.count.judge(seen)
            };
            if judgement == Judgement::Holds {
                return Ok(Verdict::Fine);
            }
            if judgement == Judgement::Never || left.is_zero() {
                if !self.quiet {
                    self.explain(&backend, &filter, seen)?;
                }
                return Ok(Verdict::Unfulfilled);
            }
            if !backend.is_shared() {
                drop(backend);
                sleep(PAUSE.min(left));
            }
        }
    }

    fn path(&self, query: &str) -> Path {
        Path::new("logs").with("q", query).with_some("project", self.project.as_deref())
    }

    fn count(&self, backend: &Backend) -> Result<u64, Problem> {
        let page: api::Page = api::get(backend, self.path(&self.query).with("limit", "1").with("total", "exact"))?;
        Ok(page.total.unwrap_or(page.items.len() as u64))
    }

    /// Counts on from `cursor` in arrival order; at the end of the log, waits for what arrives.
    fn follow(
        &self,
        backend: &Backend,
        seen: &mut u64,
        cursor: &mut Option<String>,
        left: Duration,
    ) -> Result<Judgement, Problem> {
        // the first walk only looks
        let wait = if cursor.is_some() { left.min(LONGEST) } else { Duration::ZERO };
        let path = self
            .path(&self.query)
            .with("limit", &api::MOST.to_string())
            .with("sort", "arrival")
            .with("dir", "asc")
            .with("wait", &format!("{}ms", wait.as_millis()))
            .with_some("cursor", cursor.as_deref());
        let page: api::Page = api::get(backend, path)?;
        *seen += page.items.len() as u64;
        *cursor = page.next;
        let judgement = self.count.judge(*seen);
        let at_end = page.items.len() < api::MOST;
        // more may follow at once, and too many is not fine
        Ok(if judgement == Judgement::Holds && !at_end && self.count.most < u64::MAX {
            Judgement::NotYet
        } else {
            judgement
        })
    }

    /// Says what was found instead: with each term left out in turn.
    fn explain(&self, backend: &Backend, filter: &Filter, seen: u64) -> Result<(), Problem> {
        eprintln!("{seen} records match {}", self.query);
        let Filter::And(terms) = filter else { return Ok(()) };
        for (at, term) in terms.iter().enumerate() {
            let rest = terms.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, term)| term.clone());
            let rest = Filter::And(rest.collect()).to_string();
            let page: api::Page = api::get(backend, self.path(&rest).with("limit", "3").with("total", "exact"))?;
            let Some(total) = page.total.filter(|total| *total > seen) else { continue };
            eprintln!("without {term}: {total}");
            for item in &page.items {
                let row = rows::read(item)?;
                let status = row.record.status.map(|status| status.to_string()).unwrap_or_default();
                let method = row.record.text(reqlog_core::record::Field::Method).unwrap_or_default();
                eprintln!("  {} {method} {status} {}", row.record.time, rows::line(&row));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_ranges() {
        let check = |text, least, most| assert_eq!(Count::parse(text), Ok(Count { least, most }), "{text}");
        check(">=1", 1, u64::MAX);
        check("> 1", 2, u64::MAX);
        check("<=3", 0, 3);
        check("<3", 0, 2);
        check("0", 0, 0);
        check("== 7", 7, 7);
        for wrong in ["", "x", ">=", "1..2", "<0", "!=1"] {
            assert!(Count::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn too_many_never_holds_again() {
        let count = Count { least: 2, most: 3 };
        assert_eq!(
            [1, 2, 3, 4].map(|n| count.judge(n)),
            [Judgement::NotYet, Judgement::Holds, Judgement::Holds, Judgement::Never]
        );
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        assert!(duration("soon").is_err() && duration("1h").is_err());
    }
}
