//! The program as its user meets it: what it prints, where, and how it ends.

use std::path::Path;
use std::process::{Command, Output};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a directory"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the program with nothing of this machine's settings.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_banyan"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .envs(variables.iter().copied())
            .output()
            .expect("runs")
    }
}

/// The exit code, standard output and standard error.
fn parts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn mistakes_end_with_1_and_say_what_to_do() {
    let place = Place::new();
    let missing = place.path().join("none.toml");
    let bad = place.path().join("bad.toml");
    std::fs::write(&bad, "role = \"helper\"\n[capacity]\nuplod = \"3 Mbit/s\"\n").expect("writes");
    let (missing, bad) = (missing.to_str().expect("text"), bad.to_str().expect("text"));
    for (arguments, said) in [
        (vec!["--wrong"], "unexpected argument '--wrong'".to_owned()),
        (
            vec!["up", "--capacity-uplod", "3"],
            "tip: a similar argument exists: '--capacity-upload'".into(),
        ),
        (vec!["dance"], "unrecognized subcommand 'dance'".into()),
        (vec!["watch"], "<INVITE>".into()),
        (
            vec!["--config", missing, "config", "check"],
            format!(
                "error: cannot read the configuration file {missing}: No such file or directory \
                 (os error 2)\n  try: check the name, or start without --config: every setting \
                 has a default\n"
            ),
        ),
        (
            vec!["--config", bad, "config", "check"],
            format!(
                "error: {bad}, line 3: unknown key `uplod`, expected `upload` or `children_max`\n       \
                 the configuration file is not used, and nothing was started\n  try: correct the \
                 line; `banyan config show --default` prints every key\n"
            ),
        ),
        (
            vec!["config", "check", "--data-shards", "40"],
            "error: session.data_shards is 40\n  try: give 1 to 16".into(),
        ),
        (
            vec!["up", "--capacity-upload", "20"],
            "error: invalid value '20' for '--capacity-upload <RATE>': \"20\" is not a bitrate: \
             write a number and a unit, such as \"20 Mbit/s\" or \"800 kbit/s\""
                .into(),
        ),
        (
            vec!["status"],
            format!(
                "error: no node runs with the data directory {}/.local/share/banyan\n  try: start \
                 one with `banyan up`, or name its directory with --data-dir\n",
                place.path().display()
            ),
        ),
        (vec!["publish", "/nothing.webm"], "error: cannot read /nothing.webm: No such file".into()),
        (vec!["publish", "--name", "../x"], "\"../x\" cannot be the name of a session".into()),
        (vec!["demo", "/nothing.webm"], "error: cannot read /nothing.webm".into()),
    ] {
        let (code, out, err) = parts(&place.run(&arguments, &[]));
        assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}: {err}");
        assert!(err.contains(&said), "{arguments:?}: {err}");
    }
    let left: Vec<_> = std::fs::read_dir(place.path()).expect("dir").collect();
    assert_eq!(left.len(), 1, "nothing was made: {left:?}");
}

#[test]
fn help_and_version_end_with_0() {
    let place = Place::new();
    for verb in ["demo", "up", "publish", "watch", "status", "config"] {
        let (code, out, err) = parts(&place.run(&[verb, "--help"], &[]));
        assert_eq!((code, err.as_str()), (Some(0), ""), "{verb}");
        assert!(out.contains("Usage: banyan"), "{out}");
    }
    let (code, out, _) = parts(&place.run(&["--version"], &[]));
    assert_eq!((code, out.as_str()), (Some(0), "banyan 0.1.0\n"));
}

#[test]
fn settings_come_from_flag_variable_and_file_in_that_order() {
    let place = Place::new();
    let dir = place.path().join(".config/banyan");
    std::fs::create_dir_all(&dir).expect("makes");
    let file = dir.join("banyan.toml");
    std::fs::write(
        &file,
        "[listen]\nport = 1\n[capacity]\nupload = \"1 Mbit/s\"\n[log]\nfilter = \"warn\"\n",
    )
    .expect("writes");
    let variables = [("BANYAN_CAPACITY_UPLOAD", "2 Mbit/s"), ("BANYAN_LOG_FILTER", "error")];
    let arguments = ["--log", "debug", "config", "show", "--origin"];
    let (code, out, err) = parts(&place.run(&arguments, &variables));
    assert_eq!(code, Some(0), "{err}");
    let line = |start: &str| {
        let line = out.lines().find(|line| line.starts_with(start)).expect(start);
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("filter"), "filter = \"debug\" # flag --log");
    assert_eq!(line("upload"), "upload = \"2 Mbit/s\" # variable BANYAN_CAPACITY_UPLOAD");
    assert_eq!(line("port"), format!("port = 1 # file {}", file.display()));
    assert_eq!(line("mdns"), "mdns = true # default");
    assert_eq!(line("# public_url"), "# public_url is not set # default");

    let (_, out, _) = parts(&place.run(&["config", "show", "--json"], &variables));
    let json: serde_json::Value = serde_json::from_str(&out).expect("json");
    assert_eq!(json["log.filter"]["origin"], "variable BANYAN_LOG_FILTER");
    assert_eq!(json["listen.port"]["value"], 1);

    let (code, out, _) = parts(&place.run(&["config", "check"], &[]));
    assert_eq!((code, out), (Some(0), format!("The settings are sound ({}).\n", file.display())));
    let (_, out, _) = parts(&place.run(&["config", "show"], &[]));
    let shown = place.path().join("shown.toml");
    std::fs::write(&shown, out).expect("writes");
    let shown = shown.to_str().expect("text");
    let (code, _, err) = parts(&place.run(&["--config", shown, "config", "check"], &[]));
    assert_eq!((code, err.as_str()), (Some(0), ""), "what is shown is a file");
}

#[test]
fn the_shipped_file_is_what_the_program_prints() {
    let (code, out, _) = parts(&Place::new().run(&["config", "show", "--default"], &[]));
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../banyan.toml");
    assert_eq!((code, out), (Some(0), std::fs::read_to_string(shipped).expect("banyan.toml")));
}

#[test]
fn a_node_that_crashed_is_told_from_none() {
    let place = Place::new();
    let dir = place.path().join("data");
    std::fs::create_dir(&dir).expect("makes");
    // A port that was free a moment ago.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let http = gone.local_addr().expect("bound");
    drop(gone);
    std::fs::write(dir.join("running.json"), format!("{{\"pid\":7,\"http\":\"{http}\"}}"))
        .expect("writes");
    let dir = dir.to_str().expect("text");
    let (code, out, err) = parts(&place.run(&["status", "--json", "--data-dir", dir], &[]));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(
        err.starts_with(&format!("error: the node (process 7) at http://{http} does not answer"))
    );
    assert!(err.contains("it has crashed, or it is stuck\n  try: start it again"), "{err}");
}
