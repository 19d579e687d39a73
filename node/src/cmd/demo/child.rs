//! One node of the demo: a process of this same program, from its start to its end.
//!
//! Its standard input is held open and means "go on": a node started with `--until-stdin-closes`
//! ends cleanly when it closes, which the system does for us even if the demo is killed. So no node
//! is ever left behind, and no signal is sent to a process id that may be another's by now. It runs
//! in a process group of its own, so that Ctrl-C reaches the demo alone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::future::join_all;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child as Process, ChildStdin, ChildStdout, Command};

use crate::cmd::ready::Ready;

/// Longest wait for a node to be ready. Guess: a busy small machine needs a few seconds.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for a node to end by itself. Derived: longer than its HTTP server drains.
const STOP_TIMEOUT: Duration = Duration::from_secs(8);
/// Longest line a node may say it is ready with, bytes. Derived: two links of at most 8 kB each.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// How much of a log is shown. Guess: what fits a screen.
const TAIL_LINES: usize = 15;
const TAIL_BYTES: usize = 8 * 1024;

/// What to start: this program, except in tests.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) file: PathBuf,
    /// Said before the arguments of a node.
    pub(super) first: Vec<OsString>,
}

impl Program {
    /// The one that runs now.
    pub(super) fn this() -> Result<Self> {
        let file = std::env::current_exe().context("finding this program's own file")?;
        Ok(Self { file, first: Vec::new() })
    }
}

/// A running node.
pub(super) struct Child {
    name: String,
    process: Process,
    /// Apart from the process, as waiting for that one closes what it has.
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    data_dir: PathBuf,
    log: PathBuf,
    ready: Ready,
}

impl Child {
    /// Starts a node. What it logs goes to `DATA_DIR.log`.
    pub(super) fn spawn(
        program: &Program,
        name: &str,
        arguments: &[OsString],
        data_dir: &Path,
    ) -> Result<Self> {
        let log = data_dir.with_extension("log");
        let stderr = std::fs::File::create(&log)
            .with_context(|| format!("making the log {}", log.display()))?;
        let mut command = Command::new(&program.file);
        command
            .args(&program.first)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true);
        // The owner's settings are for the owner's node.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BANYAN_") {
                command.env_remove(name);
            }
        }
        command.env("BANYAN_CONFIG", "/dev/null");
        let mut process =
            command.spawn().with_context(|| format!("starting {}", program.file.display()))?;
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().map(BufReader::new);
        Ok(Self {
            name: name.to_owned(),
            process,
            stdin,
            stdout,
            data_dir: data_dir.to_owned(),
            log,
            ready: Ready::default(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What it said when it was ready.
    pub(super) fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Its process, while it lives.
    #[cfg(test)]
    pub(super) fn pid(&self) -> Option<u32> {
        self.process.id()
    }

    pub(super) fn describe(&self) -> super::Node<'_> {
        super::Node {
            name: &self.name,
            log: &self.log,
            data_dir: &self.data_dir,
            ready: &self.ready,
        }
    }

    /// Waits for its line.
    ///
    /// # Errors
    /// It ends, says something else, or says nothing for too long.
    pub(super) async fn wait_ready(&mut self) -> Result<()> {
        let stdout = self.stdout.take().context("its output is read once")?;
        let mut line = String::new();
        let mut stdout = stdout.take(LINE_BYTES_MAX);
        let read = tokio::time::timeout(READY_TIMEOUT, stdout.read_line(&mut line)).await;
        match read {
            Err(_) => bail!("it was not ready within {} seconds", READY_TIMEOUT.as_secs()),
            Ok(Err(error)) => return Err(error).context("reading what it says"),
            Ok(Ok(0)) => bail!("it ended before it was ready: {}", self.died().await),
            Ok(Ok(_)) => {}
        }
        self.ready = serde_json::from_str(&line)
            .with_context(|| format!("it said {:?} instead of being ready", line.trim()))?;
        // Kept, not read: a node says nothing more, and must not find its output closed.
        self.stdout = Some(stdout.into_inner());
        Ok(())
    }

    /// Waits for its end and says how it came.
    pub(super) async fn died(&mut self) -> String {
        match self.process.wait().await {
            Ok(status) => how(status),
            Err(error) => format!("cannot tell: {error}"),
        }
    }

    /// The end of its log, indented.
    pub(super) fn log_tail(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let from = text.len().saturating_sub(TAIL_BYTES);
        let text = String::from_utf8_lossy(&text[from..]);
        let lines: Vec<_> = text.lines().collect();
        let tail = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        match tail {
            [] => "    (it logged nothing)".to_owned(),
            lines => lines.iter().map(|l| format!("    {l}")).collect::<Vec<_>>().join("\n"),
        }
    }
}

/// Ends nodes: asks all, waits, and kills what does not listen.
pub(super) async fn stop_all(children: &mut [Child]) {
    for child in children.iter_mut() {
        child.stdin = None;
    }
    join_all(children.iter_mut().map(|child| async {
        if tokio::time::timeout(STOP_TIMEOUT, child.process.wait()).await.is_err() {
            eprintln!("{} does not end by itself and is killed", child.name);
            // It may have ended just now.
            let _ = child.process.kill().await;
        }
    }))
    .await;
}

fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (tempfile::TempDir, Child) {
        let dir = tempfile::tempdir().expect("a directory");
        let program = Program { file: "/bin/sh".into(), first: vec!["-c".into(), script.into()] };
        let child = Child::spawn(&program, "sh", &[], &dir.path().join("sh"));
        (dir, child.expect("starts"))
    }

    #[tokio::test]
    async fn a_node_is_ready_when_it_says_so_and_ends_when_asked() {
        let (_dir, mut child) = shell(r#"echo '{"event":"ready","port":7}'; cat; echo bye >&2"#);
        child.wait_ready().await.expect("ready");
        assert_eq!(child.ready().port, 7);
        stop_all(std::slice::from_mut(&mut child)).await;
        assert_eq!(child.died().await, "exit code 0");
        assert_eq!(child.log_tail(), "    bye");
    }

    #[tokio::test]
    async fn a_node_that_fails_says_why() {
        let (_dir, mut child) = shell("seq 100 >&2; exit 3");
        let error = child.wait_ready().await.expect_err("it ends");
        assert_eq!(error.to_string(), "it ended before it was ready: exit code 3");
        assert!(child.log_tail().starts_with("    86\n") && child.log_tail().ends_with("    100"));
        let (_dir, mut child) = shell("echo hello; kill -9 $$");
        let error = child.wait_ready().await.expect_err("that is not it");
        assert_eq!(error.to_string(), "it said \"hello\" instead of being ready");
        assert_eq!(child.died().await, "killed by signal 9");
        assert_eq!(child.log_tail(), "    (it logged nothing)");
    }
}
