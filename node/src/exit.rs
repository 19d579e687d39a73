//! How the program ends: 0 ok, 1 no (the caller asked for what cannot be), 2 broken (it should have
//! worked).
//!
//! A "no" is a [`Refusal`] anywhere in the error's chain; everything else is broken. Both print
//! what happened, what it means and what to do, and nothing twice.

use std::fmt;
use std::process::ExitCode;

/// The request cannot be fulfilled, and the person at the keyboard can change that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    what: String,
    means: Option<String>,
    next: Option<String>,
}

impl Refusal {
    /// What happened, in one line without a full stop.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), means: None, next: None }
    }

    /// What that means.
    #[must_use]
    pub fn means(mut self, means: impl Into<String>) -> Self {
        self.means = Some(means.into());
        self
    }

    /// What to do.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(means) = &self.means {
            write!(f, "\n       {means}")?;
        }
        if let Some(next) = &self.next {
            write!(f, "\n  try: {next}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Prints the error, if there is one, to standard error and gives the exit code.
#[must_use]
pub fn report(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if closed_pipe(&error) {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {}", text(&error));
    ExitCode::from(if is_refusal(&error) { 1 } else { 2 })
}

/// The error for a person: a refusal as it is, anything else with its causes.
#[must_use]
pub fn text(error: &anyhow::Error) -> String {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return refusal.to_string();
    }
    if let Some(refusal) = error.chain().find_map(|e| e.downcast_ref::<Refusal>()) {
        return refusal.to_string();
    }
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        text.push_str("\n   cause: ");
        text.push_str(&cause.to_string());
    }
    text
}

fn is_refusal(error: &anyhow::Error) -> bool {
    error.is::<Refusal>() || error.chain().any(|e| e.is::<Refusal>())
}

/// `banyan status | head` is not an error.
fn closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|e| {
        e.downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn a_refusal_is_a_no_and_anything_else_is_broken() {
        let refusal =
            Refusal::new("no node runs here").means("there is nothing to report").next("banyan up");
        let wrapped = Err::<(), _>(refusal).context("asking the node").expect_err("an error");
        assert!(is_refusal(&wrapped));
        assert_eq!(
            text(&wrapped),
            "no node runs here\n       there is nothing to report\n  try: banyan up"
        );
        let broken = anyhow::anyhow!("disk full").context("writing node.key");
        assert!(!is_refusal(&broken));
        assert_eq!(text(&broken), "writing node.key\n   cause: disk full");
    }
}
