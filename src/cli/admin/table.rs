//! Tables for people: columns as wide as their widest cell, numbers to the right.

use std::fmt;

use crate::account::Credits;

/// A table with a heading.
pub(in crate::cli) struct Table<const N: usize> {
    heading: [&'static str; N],
    /// Which columns hold numbers.
    right: [bool; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// An empty table. A heading that begins with `>` is of a column of numbers.
    pub(in crate::cli) fn new(heading: [&'static str; N]) -> Self {
        Self {
            heading: heading.map(|h| h.trim_start_matches('>')),
            right: heading.map(|h| h.starts_with('>')),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(in crate::cli) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths = self.heading.map(|cell| cell.chars().count());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let heading = self.heading.map(str::to_uppercase);
        for row in std::iter::once(&heading).chain(&self.rows) {
            let mut line = String::new();
            for ((cell, width), right) in row.iter().zip(widths).zip(self.right) {
                line += &if right { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// An amount, with what it is worth in the currency in which amounts are shown, where there is one: `5 (0.05 EUR)`.
pub(in crate::cli) fn with_worth(amount: Credits, worth: Option<&String>) -> String {
    worth.map_or_else(|| amount.to_string(), |worth| format!("{amount} ({worth})"))
}

/// Text from outside as it can stand on a terminal: nothing in it moves the cursor or turns the line around.
pub(in crate::cli) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '"' | '\'' | '\\') {
            out.push(c);
        } else {
            out.extend(c.escape_debug());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_the_cursor_is_escaped_and_quotes_are_not() {
        assert_eq!(printable("it's \"ñ\"\u{1b}[2J\n\u{202e}"), "it's \"ñ\"\\u{1b}[2J\\n\\u{202e}");
    }

    #[test]
    fn columns_are_aligned_and_nothing_trails() {
        let mut table = Table::new(["name", ">credit"]);
        table.row(["a".to_owned(), "1000".to_owned()]);
        table.row(["längst".to_owned(), "0.5".to_owned()]);
        assert_eq!(table.to_string(), "NAME    CREDIT\na         1000\nlängst     0.5\n");
    }
}
