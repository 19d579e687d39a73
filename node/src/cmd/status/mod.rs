//! `banyan status`: what the node of this machine does.

mod text;

use anyhow::Result;

use super::out;
use crate::config::Config;
use crate::exit::Refusal;
use crate::http::client;
use crate::keys::Running;
use crate::status::NodeStatus;

/// Flags of `status`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Asks the node that uses the data directory, and prints its answer.
///
/// # Errors
/// No node uses it, or it does not answer.
pub async fn run(options: &Options, config: &Config) -> Result<()> {
    let place = config.data_dir.display();
    let Some(running) = Running::find(&config.data_dir)? else {
        return Err(Refusal::new(format!("no node runs with the data directory {place}"))
            .next("start one with `banyan up`, or name its directory with --data-dir")
            .into());
    };
    let status: NodeStatus = match client::get_json(running.http, "/api/status").await {
        Ok(status) => status,
        Err(error) => {
            return Err(Refusal::new(format!(
                "the node (process {}) at http://{} does not answer: {error:#}",
                running.pid, running.http
            ))
            .means("it has crashed, or it is stuck")
            .next("start it again; if it still runs, stop it first")
            .into());
        }
    };
    match options.json {
        true => out::json(&status),
        false => Ok(out::text(&text::of(&status))?),
    }
}
