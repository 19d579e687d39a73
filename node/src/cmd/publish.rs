//! `banyan publish`: makes a session, or reopens it, and is its root.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, Result};
use banyan_protocol::time::UnixSeconds;

use super::out;
use super::ready::{Publishes, Ready};
use crate::config::Config;
use crate::config::patch::{NodePatch, SessionPatch};
use crate::exit::Refusal;
use crate::keys::{DataDir, Running, check_name};
use crate::publication::Publication;
use crate::run::{Node, Source};
use crate::stop::Stop;

/// Flags of `publish`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// A recording (WebM, Matroska, IVF) to publish as if it were live. Without one, media comes
    /// by WHIP: from OBS, FFmpeg, GStreamer or the studio page.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Begin the recording again at its end.
    #[arg(long = "loop", requires = "file")]
    pub repeat: bool,
    /// Publish the bundled clip, again and again.
    #[arg(long, conflicts_with = "file")]
    pub clip: bool,
    /// Name under which the session is kept, to be reopened under the same link.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub name: String,
    /// Make a new session, in place of the one kept under the name.
    #[arg(long)]
    pub new: bool,
    /// Print one line of JSON when ready, instead of a text.
    #[arg(long)]
    pub json: bool,
    /// End when standard input ends: for a parent process.
    #[arg(long, hide = true)]
    pub until_stdin_closes: bool,
    /// The session's settings.
    #[command(flatten)]
    pub session: SessionPatch,
    /// The node's settings.
    #[command(flatten)]
    pub node: NodePatch,
}

/// Publishes until told to stop.
///
/// # Errors
/// The node cannot start or go on, or the file or the stored session cannot be read.
pub async fn run(options: Options, config: Config) -> Result<()> {
    check_name(&options.name)?;
    let source = match options.file.clone() {
        Some(path) => Some(Source::File { path: readable(path)?, repeat: options.repeat }),
        None => options.clip.then_some(Source::Clip),
    };
    let stop = Stop::listen(options.until_stdin_closes)?;
    let dir = DataDir::open(&config.data_dir)?;
    let local_only = config.http.public_url.is_none() && config.http.bind.ip().is_loopback();
    let publication = Publication::open(&dir, &options.name, options.new, &config.session, now()?)?;
    let Some(node) = stop.unless(Node::start(config, dir.node_key()?)).await else {
        return Ok(());
    };
    let node = node?;
    let _note = Running::here(node.http()).leave_in(&dir)?;
    let work = publish(&node, publication, source, &options, local_only);
    let done = stop.unless(work).await.unwrap_or(Ok(()));
    node.stop().await;
    done
}

async fn publish(
    node: &Node,
    publication: Publication,
    source: Option<Source>,
    options: &Options,
    local_only: bool,
) -> Result<()> {
    let shows = source.clone();
    let session = publication.session.id().to_string();
    let title = publication.session.descriptor().title.clone();
    let (ticket, reopened) = (publication.ticket.clone(), publication.reopened);
    let published = node.publish(publication, source).await?;
    let publishes = Publishes {
        session,
        title,
        whip: published.whip,
        ticket,
        watch: published.watch,
        studio: published.studio,
        reopened,
    };
    match options.json {
        true => out::json(&Ready::of(&node.status().await, Some(publishes)))?,
        false => out::text(&welcome(&publishes, shows.as_ref(), local_only))?,
    }
    Err(node.failed().await)
}

fn welcome(session: &Publishes, shows: Option<&Source>, local_only: bool) -> String {
    let again =
        if session.reopened { " again, under the same link (--new makes a new one)" } else { "" };
    // Every address on a line of its own, from its first column: a triple click takes it whole.
    let mut text = format!(
        "\n\"{}\" is open{again}.\n\nThe link to share:\n{}\n",
        session.title, session.watch
    );
    if local_only {
        text.push_str(
            "It opens on this machine only. For others, add --http-bind 0.0.0.0:8080, or\n\
             --http-public-url with the address of a proxy to this node.\n",
        );
    }
    match shows {
        Some(Source::File { path, .. }) => {
            text.push_str(&format!("\nIt shows {}.\n", path.display()));
        }
        Some(Source::Clip) => text.push_str("\nIt shows the bundled clip.\n"),
        None => text.push_str(&format!(
            "\nStream to it by WHIP, in OBS: Settings, Stream, Service \"WHIP\".\nServer:\n{}\n\
             Bearer token, which is secret:\n{}\n\nOr from your browser, which is secret too:\n{}\n",
            session.whip, session.ticket, session.studio
        )),
    }
    text.push_str("\nIt is live while this runs. Ctrl-C ends it.\n\n");
    text
}

fn readable(path: PathBuf) -> Result<PathBuf, Refusal> {
    let refuse = |why: &dyn std::fmt::Display| {
        Refusal::new(format!("cannot read {}: {why}", path.display()))
            .next("name a WebM, Matroska or IVF file, or none to stream by WHIP")
    };
    let file = std::fs::File::open(&path).map_err(|error| refuse(&error))?;
    match file.metadata().is_ok_and(|meta| meta.is_dir()) {
        true => Err(refuse(&"it is a directory")),
        false => Ok(path),
    }
}

fn now() -> Result<UnixSeconds> {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .context("this computer's clock is before 1970")?;
    Ok(UnixSeconds(since.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Publishes {
        Publishes {
            session: "5a".repeat(32),
            title: "Ada's talk".into(),
            whip: "http://127.0.0.1:8080/whip/5a".into(),
            ticket: "aaa.bbb.ccc".into(),
            watch: "http://127.0.0.1:8080/watch/5a#xyz".into(),
            studio: "http://127.0.0.1:8080/studio#5a&t=aaa.bbb.ccc".into(),
            reopened: false,
        }
    }

    #[test]
    fn a_publisher_can_copy_every_address_whole() {
        assert_eq!(
            welcome(&session(), None, false),
            "
\"Ada's talk\" is open.

The link to share:
http://127.0.0.1:8080/watch/5a#xyz

Stream to it by WHIP, in OBS: Settings, Stream, Service \"WHIP\".
Server:
http://127.0.0.1:8080/whip/5a
Bearer token, which is secret:
aaa.bbb.ccc

Or from your browser, which is secret too:
http://127.0.0.1:8080/studio#5a&t=aaa.bbb.ccc

It is live while this runs. Ctrl-C ends it.

"
        );
        let file = Source::File { path: "a.webm".into(), repeat: true };
        let again = welcome(&Publishes { reopened: true, ..session() }, Some(&file), true);
        assert!(again.contains("is open again, under the same link (--new makes a new one).\n"));
        assert!(again.contains("/watch/5a#xyz\nIt opens on this machine only."), "{again}");
        assert!(again.contains("--http-bind 0.0.0.0:8080, or\n--http-public-url "), "{again}");
        assert!(again.contains("It shows a.webm.\n") && !again.contains("ccc"), "{again}");
    }

    #[test]
    fn ready_is_one_flat_object() {
        let ready = Ready { event: "ready".into(), publishes: Some(session()), ..Ready::default() };
        let text = serde_json::to_string(&ready).expect("json");
        assert!(text.contains("\"whip\":\"http") && !text.contains("publishes"), "{text}");
        assert_eq!(serde_json::from_str::<Ready>(&text).expect("reads"), ready);
        let helper = serde_json::from_str::<Ready>("{\"event\":\"ready\"}").expect("reads");
        assert_eq!(helper.publishes, None);
    }
}
