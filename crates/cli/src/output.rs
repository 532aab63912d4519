//! The two ways of telling the outcome: text for a person, or exactly one JSON document for a script. Results go to
//! stdout; errors, and what is going on meanwhile, to stderr.

use std::cell::RefCell;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;

/// Where a command tells what it did.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    spinner: RefCell<Option<ProgressBar>>,
}

impl Output {
    /// An output in one of the two ways.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json, spinner: RefCell::new(None) }
    }

    /// Tells the outcome: `document` to a script, or else `text` to a person. Once for each command.
    pub(crate) fn tell(&self, document: &impl Serialize, text: &str) {
        self.quieten();
        let line = if self.json {
            serde_json::to_string_pretty(document).unwrap_or_default()
        } else {
            text.to_owned()
        };
        // Whoever closed the pipe does not want to know.
        let _ = writeln!(std::io::stdout().lock(), "{}", line.trim_end());
    }

    /// Writes a document that is JSON (or YAML) whatever was asked for.
    pub(crate) fn document(&self, text: &str) {
        self.quieten();
        let mut stdout = std::io::stdout().lock();
        let _ = writeln!(stdout, "{}", text.trim_end());
        let _ = stdout.flush();
    }

    /// Says what is going on, while it goes on, to somebody who watches.
    pub(crate) fn progress(&self, what: &str) {
        if self.json || !std::io::stderr().is_terminal() {
            return;
        }
        let mut spinner = self.spinner.borrow_mut();
        let bar = spinner.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        bar.set_message(format!("{what} ..."));
    }

    /// Ends the display of progress.
    pub(crate) fn quieten(&self) {
        if let Some(bar) = self.spinner.borrow_mut().take() {
            bar.finish_and_clear();
        }
    }

    /// Says something beside the outcome, to a person only.
    pub(crate) fn note(&self, text: &str) {
        self.quieten();
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Tells a failure: one `error:` line and one `help:` line, and to a script a document as well.
    pub(crate) fn fail(&self, failure: &Failure) {
        self.note(&format!("error: {failure}"));
        let help = failure.help();
        if let Some(help) = &help {
            self.note(&format!("help: {help}"));
        }
        if self.json {
            self.tell(&json!({ "error": { "message": failure.to_string(), "help": help } }), "");
        }
    }
}

/// Lines up columns with two blanks between them. The last column is not padded.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = (0..columns).map(width).collect::<Vec<_>>();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_have_no_trailing_blanks() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        assert_eq!(table(&[row(["a", "b"]), row(["Zürich", ""])]), "a       b\nZürich");
    }
}
