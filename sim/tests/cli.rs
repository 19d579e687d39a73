//! The program itself: what it prints, and how it ends.

use banyan_sim::report::{Figure, Report, write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn sim(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan-sim"));
    command.args(arguments).output().expect("the program is built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn plan(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(name);
    path.to_str().expect("Unicode").to_owned()
}

#[test]
fn a_close_up_is_the_same_for_the_same_seed() {
    let hash = |seed| {
        let output = sim(&["close-up", seed]);
        assert!(output.status.success());
        let text = text(&output.stdout);
        assert!(text.contains("blocks_lost=0\n"), "{text}");
        text.lines().last().expect("a hash").to_owned()
    };
    assert!(hash("7").starts_with("trace_hash="));
    assert_eq!(hash("7"), hash("7"));
    assert_ne!(hash("7"), hash("8"));
}

#[test]
fn a_plan_is_shown_complete_and_as_set() {
    let output = sim(&["show", &plan("small.toml"), "--seed", "9", "--set", "run.warm_up=20s"]);
    let text = text(&output.stdout);
    for line in ["seed = 9", "warm_up = \"20 s\"", "nodes = 1000", "frame_rate = 30"] {
        assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
    }
}

#[test]
fn what_cannot_be_read_ends_with_2_and_says_why() {
    for (arguments, part) in [
        (&["show", "none.toml"][..], "none.toml"),
        (&["show", &plan("small.toml"), "--set", "world.nodez=1"], "rtt_matrix"),
        (&["show", &plan("small.toml"), "--set", "world"], "KEY=VALUE"),
        (&["compare", "none", "none"], "--report"),
        (&["dance"], "--help"),
    ] {
        let output = sim(arguments);
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(part), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_comparison_ends_with_1_if_anything_got_worse() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let report = |name: &str, delay_ms| {
        let mut report = Report::new("small", 1, "");
        report.figures.push(Figure::lower("overlay_p99_ms", delay_ms));
        write(&directory.join(name), &report).expect("writable");
        directory.join(name).to_str().expect("Unicode").to_owned()
    };
    let (slow, fast) = (report("slow", 130.0), report("fast", 110.0));
    assert_eq!(sim(&["compare", &slow, &fast]).status.code(), Some(0));
    let worse = sim(&["compare", &fast, &slow]);
    assert_eq!(worse.status.code(), Some(1));
    assert!(text(&worse.stdout).contains("overlay_p99_ms"));
}
