//! Plain tables: columns as wide as their widest cell, numbers to the right.

use super::output;
use std::io::{self, Write};

/// Rows of text under a heading.
pub struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table of these columns.
    pub fn new(heading: &[&'static str]) -> Self {
        Self { heading: heading.to_vec(), rows: Vec::new() }
    }

    /// Appends a row; it has as many cells as the heading.
    pub fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.iter().map(|cell| printable(cell)).collect());
    }

    /// Writes it to standard output, the heading in bold where colour is wanted.
    pub fn print(&self) -> io::Result<()> {
        let mut out = output::results();
        self.write(&mut out, output::colour(&io::stdout()))?;
        out.flush()
    }

    fn write(&self, out: &mut impl Write, colour: bool) -> io::Result<()> {
        let columns = 0..self.heading.len();
        let width = |at: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
            cells.chain([self.heading[at].len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = columns.clone().map(width).collect();
        let numeric: Vec<bool> = columns
            .map(|at| {
                let mut cells = self.rows.iter().filter_map(|row| row.get(at)).filter(|cell| !cell.is_empty());
                cells.clone().next().is_some() && cells.all(|cell| cell.parse::<f64>().is_ok())
            })
            .collect();
        let line = |cells: &[&str]| line(cells, &widths, &numeric);
        let heading = line(&self.heading);
        if colour {
            writeln!(out, "\x1b[1m{heading}\x1b[0m")?;
        } else {
            writeln!(out, "{heading}")?;
        }
        for row in &self.rows {
            writeln!(out, "{}", line(&row.iter().map(String::as_str).collect::<Vec<_>>()))?;
        }
        Ok(())
    }
}

fn line(cells: &[&str], widths: &[usize], numeric: &[bool]) -> String {
    let mut line = String::new();
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            line.push_str("  ");
        }
        let padding = " ".repeat(widths[at].saturating_sub(cell.chars().count()));
        line.extend(if numeric[at] { [&padding, *cell] } else { [*cell, &padding] });
    }
    line.truncate(line.trim_end().len());
    line
}

/// A table whose rows are shown as they come: its columns grow, and numbers are told by the column.
pub struct Growing {
    widths: Vec<usize>,
    numeric: Vec<bool>,
}

impl Growing {
    /// Columns, and whether they hold numbers.
    pub fn new(columns: &[(&str, bool)]) -> Self {
        let widths = columns.iter().map(|(name, _)| name.chars().count()).collect();
        Self { widths, numeric: columns.iter().map(|(_, numeric)| *numeric).collect() }
    }

    /// The line of a row; it has as many cells as there are columns.
    pub fn line(&mut self, cells: &[String]) -> String {
        let cells: Vec<String> = cells.iter().map(|cell| printable(cell)).collect();
        for (width, cell) in self.widths.iter_mut().zip(&cells) {
            *width = (*width).max(cell.chars().count());
        }
        line(&cells.iter().map(String::as_str).collect::<Vec<_>>(), &self.widths, &self.numeric)
    }
}

/// What was captured must not steer the terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Growing, Table};

    #[test]
    fn numbers_stand_right_and_control_characters_are_harmless() {
        let mut table = Table::new(&["name", "count"]);
        table.row(&["a\x1b[2J".into(), "5".into()]);
        table.row(&["longer".into(), "12345678".into()]);
        let mut out = Vec::new();
        table.write(&mut out, false).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "name       count\na\u{fffd}[2J          5\nlonger  12345678\n");
    }

    #[test]
    fn columns_grow_with_their_rows() {
        let mut table = Growing::new(&[("name", false), ("ms", true), ("what", false)]);
        let mut line = |cells: [&str; 3]| table.line(&cells.map(str::to_owned));
        assert_eq!(line(["name", "ms", "what"]), "name  ms  what");
        assert_eq!(line(["a", "1", "\x1b"]), "a      1  \u{fffd}");
        assert_eq!(line(["longer", "100.5", ""]), "longer  100.5");
        assert_eq!(line(["b", "2", "x"]), "b           2  x");
    }
}
