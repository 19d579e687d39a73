//! Standard output, where a reader that has gone is an error to pass on, not a panic.

use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result};
use serde::Serialize;

/// Prints a text as it is.
pub(super) fn text(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Prints one JSON object on one line.
pub(super) fn json(value: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_string(value).context("writing JSON")?;
    line.push('\n');
    Ok(text(&line)?)
}

/// A line that replaces itself, on a terminal; elsewhere each stands.
pub(super) struct LiveLine {
    terminal: bool,
    shown: bool,
}

impl LiveLine {
    pub(super) fn new() -> Self {
        Self { terminal: io::stdout().is_terminal(), shown: false }
    }

    /// Whether somebody looks at a terminal.
    pub(super) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(super) fn show(&mut self, line: &str) -> io::Result<()> {
        self.shown = true;
        match self.terminal {
            // To the start of the line, and clear what is behind the text.
            true => text(&format!("\r{line}\x1b[K")),
            false => text(&format!("{line}\n")),
        }
    }

    /// Leaves the last line standing.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match self.terminal && std::mem::take(&mut self.shown) {
            true => text("\n"),
            false => Ok(()),
        }
    }
}
