//! Latencies, rates and markdown.

use super::Result;
use std::fmt;
use std::time::{Duration, Instant};

/// Durations of one question's repetitions, sorted.
pub struct Latency(Vec<Duration>);

const WARM_UP: usize = 3;
const MOST: usize = 400;
const LEAST: usize = 5;
const BUDGET: Duration = Duration::from_secs(2);

impl Latency {
    /// Repeats `ask` some hundred times, or fewer when it is slow.
    pub fn of<T>(mut ask: impl FnMut() -> Result<T>) -> Result<Self> {
        let start = Instant::now();
        for _ in 0..WARM_UP {
            ask()?;
            if start.elapsed() > BUDGET {
                break;
            }
        }
        let (start, mut all) = (Instant::now(), Vec::with_capacity(MOST));
        while all.len() < MOST && (all.len() < LEAST || start.elapsed() < BUDGET) {
            let one = Instant::now();
            std::hint::black_box(ask()?);
            all.push(one.elapsed());
        }
        all.sort_unstable();
        Ok(Self(all))
    }

    fn quantile(&self, per_cent: usize) -> Duration {
        self.0[(self.0.len() * per_cent / 100).min(self.0.len() - 1)]
    }

    /// The median in ms.
    pub fn p50(&self) -> String {
        ms(self.quantile(50))
    }

    /// The 99th percentile in ms.
    pub fn p99(&self) -> String {
        ms(self.quantile(99))
    }

    /// This median over the other one.
    pub fn ratio(&self, other: &Self) -> f64 {
        self.quantile(50).as_secs_f64() / other.quantile(50).as_secs_f64()
    }
}

/// A duration in ms, three digits after the point.
pub fn ms(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}

/// Records in a time.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// How many.
    pub rows: u64,
    /// In which time.
    pub time: Duration,
}

impl Rate {
    /// Records a second.
    pub fn per_second(self) -> f64 {
        self.rows as f64 / self.time.as_secs_f64()
    }
}

/// A markdown table; `Display` pads its columns.
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// A table of these columns.
    pub fn new(head: &[&str]) -> Self {
        Self(vec![head.iter().map(ToString::to_string).collect()])
    }

    /// Appends a row of as many cells.
    pub fn row(&mut self, cells: Vec<String>) {
        self.0.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.0[0].len()).map(width).collect();
        for (at, row) in self.0.iter().enumerate() {
            for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width - cell.chars().count());
                if column == 0 { write!(f, "| {cell}{pad} |")? } else { write!(f, " {pad}{cell} |")? }
            }
            writeln!(f)?;
            if at == 0 {
                for (column, &width) in widths.iter().enumerate() {
                    let dashes = "-".repeat(width);
                    if column == 0 { write!(f, "| {dashes} |")? } else { write!(f, " {dashes}:|")? }
                }
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// One line about what was measured on what.
pub fn conditions(rows: u64, bytes: u64) -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cpu = cpu.map_or("unknown CPU", |(_, name)| name.trim());
    format!("{rows} records of {} bytes of NDJSON on average; {cores} cores, {cpu}", bytes / rows.max(1))
}
