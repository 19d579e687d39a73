//! Processes that play a role, and lines between them and the benchmark.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::cpu;

/// A process that plays a role. Ends when dropped.
pub(crate) struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Process {
    /// Starts it and waits for its first line.
    pub(crate) fn start(args: &[&str]) -> (Self, String) {
        let program = std::env::current_exe().expect("the program's path");
        let mut child = Command::new(program)
            .arg("role")
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the process starts");
        let lines = BufReader::new(child.stdout.take().expect("piped"));
        let mut process = Self { child, lines };
        let ready = process.line();
        (process, ready)
    }

    /// Its next line.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("its output can be read");
        assert!(!line.is_empty(), "the process ended early");
        line.trim_end().to_owned()
    }

    /// Sends it a line.
    pub(crate) fn tell(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "{line}").expect("it listens");
    }

    /// CPU time it has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu::of(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a role: returns once the benchmark is gone.
pub(crate) async fn end_of_input() {
    let (gone, wait) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {
            GO.add_permits(1);
        }
        let _ = gone.send(());
    });
    let _ = wait.await;
}

static GO: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(0);

/// In a role: waits for one line from the benchmark.
pub(crate) async fn told() {
    GO.acquire().await.expect("never closed").forget();
}

/// In a role: says one line.
pub(crate) fn say(line: impl std::fmt::Display) {
    println!("{line}");
}
