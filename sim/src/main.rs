//! `banyan-sim`: runs plans, compares their reports, looks closely at a small session.

mod cli;
mod close_up;
mod compare;
mod cost;
mod run;
mod trials;

use clap::Parser as _;
use std::process::ExitCode;

/// Ends with 0 if all is well, 1 if a bar is missed or a figure got worse, 2 if it could not be
/// found out.
fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
