//! `banyan demo`: a session over six real nodes on this machine.
//!
//! The demo is a parent and nothing more: it starts `banyan publish` and `banyan up` as anyone
//! would ([`plan`]), each with its own data directory and ports, waits until each says that it is
//! ready ([`child`]) and in its place ([`settle`]), and shows what they say of themselves
//! ([`live`]). A node that dies is
//! announced and the others carry on: that is what is being shown.

mod child;
mod live;
mod plan;
mod settle;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::select_all;
use serde::Serialize;

use super::out::{self, LiveLine};
use super::ready::Ready;
use crate::config::Config;
use crate::config::patch::HttpPatch;
use crate::exit::Refusal;
use crate::stop::Stop;
use child::{Child, Program};
use plan::Plan;
use settle::{Until, settle};

/// Flags of `demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The recording to show, instead of the bundled clip: WebM, Matroska or IVF.
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Nodes that relay.
    #[arg(long, value_name = "COUNT", default_value_t = 3,
        value_parser = clap::value_parser!(u8).range(0..=20))]
    pub helpers: u8,
    /// Nodes that serve browsers. The last of them serves the page.
    #[arg(long, value_name = "COUNT", default_value_t = 2,
        value_parser = clap::value_parser!(u8).range(1..=20))]
    pub gateways: u8,
    /// Directory for the nodes' data and logs, kept afterwards; without it, one that is removed.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Print a line of JSON when ready and when a node dies, instead of texts.
    #[arg(long)]
    pub json: bool,
    /// Address of the page.
    #[command(flatten)]
    pub http: HttpPatch,
}

/// What `--json` prints.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event<'a> {
    /// All nodes are ready.
    Ready { open: &'a str, nodes: Vec<Node<'a>> },
    /// A node has died.
    Died { name: &'a str, how: String },
}

/// A node of the demo, for tests to find.
#[derive(Serialize)]
struct Node<'a> {
    name: &'a str,
    log: &'a Path,
    data_dir: &'a Path,
    #[serde(flatten)]
    ready: &'a Ready,
}

/// Runs the demo until it is told to stop.
///
/// # Errors
/// A node cannot be started, or the root dies.
pub async fn run(options: Options, config: Config) -> Result<()> {
    let file = options.file.as_deref().map(found).transpose()?;
    let stop = Stop::listen(false)?;
    let place = Place::new(options.keep.as_deref())?;
    let plan = Plan::new(&options, &config, file);
    let mut children = Vec::new();
    let program = Program::this()?;
    let work = async {
        bring_up(&program, &options, &plan, place.path(), &mut children).await?;
        attend(&options, &mut children).await
    };
    let done = stop.unless(work).await.unwrap_or(Ok(()));
    child::stop_all(&mut children).await;
    done
}

/// Starts the nodes one after another, and says where to look. `children` has those that were
/// started, also if it fails or is dropped.
async fn bring_up(
    program: &Program,
    options: &Options,
    plan: &Plan,
    place: &Path,
    children: &mut Vec<Child>,
) -> Result<()> {
    let started = std::time::Instant::now();
    let mut line = LiveLine::new();
    let mut invite = None;
    let kinds: Vec<_> = plan.members.iter().map(|member| member.kind).collect();
    for (at, member) in plan.members.iter().enumerate() {
        if let Some(until) = Until::before(member.kind, &kinds[..at]) {
            // Helpers hang from the root, which knows of all; a gateway knows of itself.
            let told = match until {
                Until::Carried(_) => children.first(),
                Until::Fed => children.last(),
            };
            let http = told.context("it was started before")?.ready().http.clone();
            if line.is_terminal() && !options.json {
                line.show("letting the tree grow")?;
            }
            settle(&http, until).await;
        }
        if line.is_terminal() && !options.json {
            line.show(&format!("starting {}", member.name))?;
        }
        let data_dir = place.join(&member.name);
        let arguments = plan.arguments(member, &data_dir, invite.as_deref());
        children.push(Child::spawn(program, &member.name, &arguments, &data_dir)?);
        let child = children.last_mut().context("it was just put there")?;
        if let Err(error) = child.wait_ready().await {
            let tail = child.log_tail();
            return Err(error.context(format!("starting {}\n{tail}", member.name)));
        }
        if let Some(publishes) = &child.ready().publishes {
            invite = Some(publishes.watch.clone());
        }
    }
    let last = children.last().context("a plan has nodes")?;
    let invite = invite.context("the root did not say what it publishes")?;
    let open = opened_at(&invite, &last.ready().http)?;
    match options.json {
        true => {
            let nodes = children.iter().map(Child::describe).collect();
            out::json(&Event::Ready { open: &open, nodes })?;
        }
        false => {
            line.end()?;
            out::text(&welcome(plan, &open, started.elapsed()))?;
        }
    }
    Ok(())
}

/// Shows what goes on, until the root is gone.
async fn attend(options: &Options, children: &mut Vec<Child>) -> Result<()> {
    let mut line = LiveLine::new();
    let mut every_second = tokio::time::interval(Duration::from_secs(1));
    every_second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // A moving line is for eyes; a file would only grow.
    let moving = line.is_terminal() && !options.json;
    loop {
        let looked_at: Vec<_> = children.iter().map(|child| child.ready().http.clone()).collect();
        let look = async {
            every_second.tick().await;
            match moving {
                true => live::line(&looked_at).await,
                false => std::future::pending().await,
            }
        };
        let (died, how) = tokio::select! {
            text = look => {
                line.show(&text)?;
                continue;
            }
            (how, at, _) = select_all(children.iter_mut().map(|c| Box::pin(c.died()))) => (at, how),
        };
        let dead = children.remove(died);
        line.end()?;
        match options.json {
            true => out::json(&Event::Died { name: dead.name(), how: how.clone() })?,
            false => out::text(&format!(
                "\n{} has died ({how}). The others carry on. The end of its log:\n{}\n",
                dead.name(),
                dead.log_tail()
            ))?,
        }
        if died == 0 && dead.ready().publishes.is_some() {
            bail!("the root has died ({how}), and with it the session\n{}", dead.log_tail());
        }
        if children.is_empty() {
            bail!("all nodes have died");
        }
    }
}

fn welcome(plan: &Plan, open: &str, took: Duration) -> String {
    format!(
        "\n{} nodes are up after {:.1} s: {}.\n\nOpen this in a browser:\n{open}\n\nCtrl-C ends \
         it.\n\n",
        plan.members.len(),
        took.as_secs_f64(),
        plan.summary()
    )
}

/// The watch link as the node at `http` serves it.
fn opened_at(link: &str, http: &str) -> Result<String> {
    let at = link.find("/watch/").with_context(|| format!("{link:?} is not a watch link"))?;
    Ok(format!("http://{http}{}", &link[at..]))
}

/// Where the nodes' files are, for as long as this exists, or for good.
enum Place {
    Kept(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    fn new(keep: Option<&Path>) -> Result<Self> {
        match keep {
            Some(path) => {
                std::fs::create_dir_all(path)
                    .with_context(|| format!("making the directory {}", path.display()))?;
                // Nodes are told of it by name, from wherever they run.
                Ok(Self::Kept(path.canonicalize().context("finding the directory just made")?))
            }
            None => Ok(Self::Passing(
                tempfile::Builder::new()
                    .prefix("banyan-demo-")
                    .tempdir()
                    .context("making a temporary directory")?,
            )),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(dir) => dir.path(),
        }
    }
}

/// The file named, from wherever the root runs.
fn found(file: &Path) -> Result<PathBuf, Refusal> {
    file.canonicalize().map_err(|error| {
        Refusal::new(format!("cannot read {}: {error}", file.display()))
            .next("name a WebM, Matroska or IVF file, or none to see the bundled clip")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::patch::Patch;
    use crate::config::resolve::Places;

    /// A program that is ready at once and ends when its standard input does.
    const NODE: &str = r#"
        verb=$1
        while [ "$1" != -- ]; do shift; done
        case $verb in
        publish) echo '{"event":"ready","http":"127.0.0.1:1","session":"5a","title":"","whip":"",
            "ticket":"","watch":"http://127.0.0.1:1/watch/5a#x","studio":"","reopened":false}' |
            tr -d '\n'; echo ;;
        up) [ "$2" = http://127.0.0.1:1/watch/5a#x ] && echo '{"http":"127.0.0.1:2"}' ;;
        esac
        cat; echo ended >&2"#;

    fn options(place: &Path) -> Options {
        Options {
            file: None,
            helpers: 1,
            gateways: 1,
            keep: Some(place.to_owned()),
            json: true,
            http: HttpPatch::default(),
        }
    }

    #[tokio::test]
    async fn a_node_that_dies_is_announced_and_the_root_is_missed() {
        let temp = tempfile::tempdir().expect("a directory");
        let place = temp.path();
        let options = options(place);
        let places = Places { home: Some("/home/ada".into()), ..Places::default() };
        let config = Patch::default().resolve(&places).expect("valid");
        let plan = Plan::new(&options, &config, None);
        let first = ["-c", NODE, "banyan"].map(Into::into).to_vec();
        let program = Program { file: "/bin/sh".into(), first };
        let mut children = Vec::new();

        bring_up(&program, &options, &plan, place, &mut children).await.expect("all are ready");
        assert_eq!(children.len(), 3);

        let pids: Vec<_> = children.iter().map(|child| child.pid().expect("alive")).collect();
        let killing = async {
            for pid in &pids[..2] {
                let kill = ["-c".to_owned(), format!("kill -9 {pid}")];
                let done = tokio::process::Command::new("/bin/sh").args(kill).status().await;
                assert!(done.expect("runs").success());
            }
        };
        // The helper may die before the root or, to us, after it: the root's death ends it all.
        let (ended, ()) = tokio::join!(attend(&options, &mut children), killing);
        let error = ended.expect_err("the root is gone").to_string();
        assert!(error.starts_with("the root has died (killed by signal 9)"), "{error}");
        child::stop_all(&mut children).await;
        let log = std::fs::read_to_string(place.join("gateway-1.log")).expect("a log");
        assert_eq!(log, "ended\n", "ended, not killed");
    }

    #[test]
    fn the_page_is_served_by_the_node_named() {
        let link = "http://127.0.0.1:40000/watch/5a3f#x/y&t=z";
        let here = opened_at(link, "127.0.0.1:8080").expect("a link");
        assert_eq!(here, "http://127.0.0.1:8080/watch/5a3f#x/y&t=z");
        assert!(opened_at("banyan://x", "127.0.0.1:8080").is_err());
    }
}
