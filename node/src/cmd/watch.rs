//! `banyan watch`: takes a session without a browser, and prints its numbers.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::human::{count, rate};
use super::out::{self, LiveLine};
use crate::config::patch::NodePatch;
use crate::config::{Config, Role};
use crate::exit::Refusal;
use crate::keys::DataDir;
use crate::run::Node;
use crate::status::SessionStatus;
use crate::stop::Stop;

/// Flags of `watch`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The session: the link its publisher shares. Quote it, as it contains '#'.
    #[arg(value_name = "INVITE")]
    pub invite: String,
    /// Write what arrives to a file.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// End after so many seconds, with an error if nothing arrived.
    #[arg(long, value_name = "COUNT")]
    pub seconds: Option<u64>,
    /// Print a line of JSON each second.
    #[arg(long)]
    pub json: bool,
    /// The node's settings.
    #[command(flatten)]
    pub node: NodePatch,
}

/// One second's numbers.
#[derive(Serialize)]
struct Tick<'a> {
    seconds: u64,
    #[serde(flatten)]
    session: &'a SessionStatus,
}

/// Watches until told to stop, or for the given seconds.
///
/// # Errors
/// The node cannot start or go on, the session cannot be joined, or nothing arrived.
pub async fn run(options: Options, mut config: Config) -> Result<()> {
    let stop = Stop::listen(false)?;
    // The whole session is wanted here, not a stripe of it.
    config.role = Role::Gateway;
    // A viewer needs no name that lasts, so it can run beside any other node of this machine.
    let key = banyan_protocol::identity::NodeKey::from_seed(&DataDir::random_seed()?);
    let Some(node) = stop.unless(Node::start(config, key)).await else { return Ok(()) };
    let node = node?;
    let work = async {
        tokio::select! {
            done = watch(&node, &options) => done,
            error = node.failed() => Err(error),
        }
    };
    let done = stop.unless(work).await.unwrap_or(Ok(()));
    node.stop().await;
    done
}

async fn watch(node: &Node, options: &Options) -> Result<()> {
    let opened = node.join(&options.invite).await?;
    if let Some(output) = &options.output {
        node.record(&opened.session, output).await?;
    }
    if !options.json {
        out::text(&format!("\"{}\"; Ctrl-C ends.\n", opened.title))?;
    }
    let mut line = LiveLine::new();
    let mut every_second = tokio::time::interval(Duration::from_secs(1));
    every_second.tick().await;
    let mut seconds = 0;
    loop {
        every_second.tick().await;
        seconds += 1;
        let status = node.status().await;
        let session = status.sessions.into_iter().find(|session| session.id == opened.session);
        let session = session.unwrap_or_default();
        match options.json {
            true => out::json(&Tick { seconds, session: &session })?,
            false => line.show(&numbers(seconds, &session))?,
        }
        if options.seconds.is_some_and(|limit| seconds >= limit) {
            line.end()?;
            return match session.blocks {
                0 => Err(Refusal::new(format!("nothing arrived within {seconds} seconds"))
                    .means("the publisher may not be sending, or no node that has it was reached")
                    .next("ask the publisher, or watch again with --log debug")
                    .into()),
                _ => Ok(()),
            };
        }
    }
}

fn numbers(seconds: u64, session: &SessionStatus) -> String {
    let of = session.stripes.len();
    let taken = session.stripes.iter().filter(|stripe| stripe.parent.is_some()).count();
    let delay = session.delay_ms.map_or("delay unknown".to_owned(), |ms| format!("delay {ms} ms"));
    format!(
        "{seconds} s: {}, {} blocks, {} rebuilt, {} lost, {taken} of {of} stripes, {delay}",
        rate(session.download_bps),
        count(session.blocks),
        count(session.parity_used),
        count(session.blocks_lost),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::StripeStatus;

    #[test]
    fn a_second_is_a_line() {
        let parent = Some("ab".to_owned());
        let session = SessionStatus {
            download_bps: 5_120_000,
            blocks: 1_500,
            parity_used: 3,
            delay_ms: Some(84),
            stripes: vec![StripeStatus { parent, ..Default::default() }, StripeStatus::default()],
            ..SessionStatus::default()
        };
        assert_eq!(
            numbers(50, &session),
            "50 s: 5.12 Mbit/s, 1,500 blocks, 3 rebuilt, 0 lost, 1 of 2 stripes, delay 84 ms"
        );
        let tick = serde_json::to_value(Tick { seconds: 50, session: &session }).expect("json");
        assert_eq!((&tick["seconds"], &tick["blocks"]), (&50.into(), &1_500.into()));
    }
}
