//! `banyan up`: a volunteer's node.

use anyhow::Result;

use super::human::{counted, short};
use super::out;
use super::ready::Ready;
use crate::config::Config;
use crate::config::patch::NodePatch;
use crate::keys::{DataDir, Running};
use crate::run::Node;
use crate::status::{NodeStatus, SessionRole};
use crate::stop::Stop;

/// Flags of `up`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Sessions to help: the links their publishers share. Quote them, as they contain '#'.
    #[arg(value_name = "INVITE")]
    pub invites: Vec<String>,
    /// Print one line of JSON when ready, instead of a text.
    #[arg(long)]
    pub json: bool,
    /// End when standard input ends: for a parent process.
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
    /// The node's settings.
    #[command(flatten)]
    pub node: NodePatch,
}

/// Runs a node until it is told to stop.
///
/// # Errors
/// The node cannot start or go on, or it was given sessions and could join none of them.
pub async fn run(options: Options, config: Config) -> Result<()> {
    let stop = Stop::listen(options.until_stdin_closes)?;
    let dir = DataDir::open(&config.data_dir)?;
    let Some(node) = stop.unless(Node::start(config, dir.node_key()?)).await else {
        return Ok(());
    };
    let node = node?;
    let _note = Running::here(node.http()).leave_in(&dir)?;
    let done = stop.unless(help(&node, &options)).await.unwrap_or(Ok(()));
    node.stop().await;
    done
}

async fn help(node: &Node, options: &Options) -> Result<()> {
    let mut joined = 0;
    for invite in &options.invites {
        match node.join(invite).await {
            Ok(_) => joined += 1,
            // The last chance of doing anything useful.
            Err(error) if joined == 0 && options.invites.len() == 1 => return Err(error),
            Err(error) => eprintln!("warning: {}", crate::exit::text(&error)),
        }
    }
    if joined == 0 && !options.invites.is_empty() {
        anyhow::bail!(
            crate::exit::Refusal::new("none of the sessions could be joined")
                .means("this node would help nobody")
                .next("ask the publisher for a new link")
        );
    }
    let status = node.status().await;
    match options.json {
        true => out::json(&Ready::of(&status, None))?,
        false => out::text(&welcome(&status))?,
    }
    Err(node.failed().await)
}

fn welcome(status: &NodeStatus) -> String {
    let doing = match status.sessions.len() as u64 {
        0 => "waiting for sessions to help".to_owned(),
        sessions => format!("helping {}", counted(sessions, "session")),
    };
    let mut text = format!(
        "\nThis node is up, {doing}.\n\n  node     {}\n  port     UDP {}\n  page     http://{}/\n",
        short(&status.node),
        status.port,
        status.http
    );
    for session in &status.sessions {
        let role = match session.role {
            SessionRole::Root => "root",
            SessionRole::Helper => "helper",
            SessionRole::Gateway => "gateway",
        };
        text.push_str(&format!("  session  \"{}\", as {role}\n", session.title));
    }
    text.push_str("\n`banyan status` shows what it does. Ctrl-C ends it.\n\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::SessionStatus;

    #[test]
    fn a_volunteer_is_told_what_the_node_does() {
        let session = SessionStatus {
            title: "Show".into(),
            role: SessionRole::Gateway,
            ..SessionStatus::default()
        };
        let mut status = NodeStatus {
            node: "0123456789abcdef".into(),
            port: 4433,
            http: "127.0.0.1:8080".into(),
            ..NodeStatus::default()
        };
        assert!(welcome(&status).contains("is up, waiting for sessions"));
        status.sessions.push(session);
        assert_eq!(
            welcome(&status),
            "\nThis node is up, helping 1 session.\n\n  node     01234567\n  port     UDP 4433\n  \
             page     http://127.0.0.1:8080/\n  session  \"Show\", as gateway\n\n`banyan status` \
             shows what it does. Ctrl-C ends it.\n\n"
        );
    }
}
