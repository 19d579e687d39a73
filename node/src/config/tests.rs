//! Every setting said three ways, precedence, and what bad input is told.

use std::collections::BTreeSet;
use std::path::PathBuf;

use banyan_protocol::unit::Bitrate;
use clap::{Args, FromArgMatches};

use super::load::{File, parse};
use super::patch::{BasePatch, NodePatch, Patch, SessionPatch};
use super::resolve::Places;
use super::show::{Origin, default_file, origin, settings};
use super::*;

fn places() -> Places {
    Places { home: Some(PathBuf::from("/home/ada")), ..Places::default() }
}

fn command() -> clap::Command {
    let command = BasePatch::augment_args(clap::Command::new("banyan"));
    SessionPatch::augment_args(NodePatch::augment_args(command))
}

/// What these flags say, and the matches they say it in.
fn flags(args: &[&str]) -> Result<(Patch, clap::ArgMatches), clap::Error> {
    let args = std::iter::once("banyan").chain(args.iter().copied());
    let matches = command().try_get_matches_from(args)?;
    let patch = Patch::from_flags(
        BasePatch::from_arg_matches(&matches)?,
        NodePatch::from_arg_matches(&matches)?,
        SessionPatch::from_arg_matches(&matches)?,
    );
    Ok((patch, matches))
}

fn defaults() -> Config {
    Patch::default().resolve(&places()).expect("the defaults are valid")
}

/// A value of each setting that is not its default, as a flag and as TOML.
const OTHER: [(&str, &str, &str); 22] = [
    ("data_dir", "/srv/banyan", r#""/srv/banyan""#),
    ("role", "helper", r#""helper""#),
    ("listen.port", "5000", "5000"),
    ("listen.bind", "127.0.0.1,::1", r#"["127.0.0.1", "::1"]"#),
    ("listen.advertise", "9.8.7.6:5,[2001:db8::1]:6", r#"["9.8.7.6:5", "[2001:db8::1]:6"]"#),
    ("http.bind", "0.0.0.0:80", r#""0.0.0.0:80""#),
    ("http.public_url", "https://live.example.org", r#""https://live.example.org""#),
    ("capacity.upload", "7 Mbit/s", r#""7 Mbit/s""#),
    ("capacity.children_max", "9", "9"),
    ("discovery.mdns", "false", "false"),
    ("discovery.bootstraps", BOOTSTRAP, BOOTSTRAP_TOML),
    ("session.title", "Ada's talk", r#""Ada's talk""#),
    ("session.bitrate", "1.5 Mbit/s", r#""1.5 Mbit/s""#),
    ("session.data_shards", "5", "5"),
    ("session.parity_shards", "1", "1"),
    ("session.video_codecs", "av1,vp9", r#"["av1", "vp9"]"#),
    ("session.watch", "ticket", r#""ticket""#),
    ("session.valid_for", "90min", r#""90min""#),
    ("gateway.candidates", "9.8.7.6:5", r#"["9.8.7.6:5"]"#),
    ("gateway.viewers_max", "3", "3"),
    ("log.filter", "debug", r#""debug""#),
    ("log.format", "json", r#""json""#),
];
const BOOTSTRAP: &str = "12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5@192.0.2.1:4433";
const BOOTSTRAP_TOML: &str =
    r#"["12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5@192.0.2.1:4433"]"#;

#[test]
fn every_setting_is_a_flag_a_variable_and_a_key() {
    let mut keys = BTreeSet::new();
    for (key, as_flag, as_toml) in OTHER {
        keys.insert(key.to_owned());
        let setting = settings().into_iter().find(|s| s.key == key).expect(key);
        assert_eq!(setting.variable, format!("BANYAN_{}", key.replace('.', "_").to_uppercase()));
        let flag = key.trim_start_matches("session.").trim_end_matches(".filter");
        assert_eq!(setting.flag, format!("--{}", flag.replace(['.', '_'], "-")));

        let (by_flag, matches) = flags(&[&format!("{}={as_flag}", setting.flag)]).expect(key);
        let toml = match key.split_once('.') {
            Some((table, key)) => format!("[{table}]\n{key} = {as_toml}\n"),
            None => format!("{key} = {as_toml}\n"),
        };
        let (by_file, file_keys) = parse(&toml).expect(key);
        assert_eq!(by_flag, by_file, "{key}");
        assert_eq!(file_keys, [key]);
        assert_ne!(by_flag, Patch::default(), "{key}");
        let config = by_flag.resolve(&places()).expect(key);
        assert_ne!(config, defaults(), "{key}");

        let file = File { path: Some("b.toml".into()), patch: by_file, keys: file_keys };
        assert_eq!(origin(&setting, &matches, &file), Origin::Flag(setting.flag.clone()));
        let (_, silent) = flags(&[]).expect("no flags");
        assert_eq!(origin(&setting, &silent, &file), Origin::File("b.toml".into()));
        assert_eq!(origin(&setting, &silent, &File::default()), Origin::Default);
    }
    // Every setting is in the table above, and every key of the resolved structs is a setting.
    assert_eq!(keys, settings().into_iter().map(|s| s.key).collect());
    let all = OTHER.map(|(key, _, toml)| match key.split_once('.') {
        Some((table, key)) => format!("{table}.{key} = {toml}\n"),
        None => format!("{key} = {toml}\n"),
    });
    let config = parse(&all.concat()).expect("all").0.resolve(&places()).expect("all");
    let mut resolved = BTreeSet::new();
    for (name, value) in toml::Table::try_from(&config).expect("a table") {
        match value {
            toml::Value::Table(inner) => {
                resolved.extend(inner.keys().map(|k| format!("{name}.{k}")))
            }
            _ => drop(resolved.insert(name)),
        }
    }
    assert_eq!(keys, resolved);
}

#[test]
fn the_nearest_source_wins() {
    let of = |text: &str| parse(text).expect(text).0;
    let near = of("[capacity]\nupload = \"3 Mbit/s\"");
    let far = of("role = \"gateway\"\n[capacity]\nupload = \"9 Mbit/s\"\nchildren_max = 4");
    let config = near.over(far).resolve(&places()).expect("valid");
    assert_eq!(config.capacity.upload, Bitrate::from_kbps(3_000));
    assert_eq!(config.capacity.children_max, 4);
    assert_eq!(config.role, Role::Gateway);
    assert_eq!(config.gateway, defaults().gateway);
}

#[test]
fn the_shipped_file_is_the_defaults() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../banyan.toml");
    let shipped = std::fs::read_to_string(path).expect("banyan.toml");
    assert_eq!(shipped, default_file(), "run `banyan config show --default > banyan.toml`");
    assert_eq!(parse(&shipped).expect("valid").0, Patch::default());

    // Uncommented, it says what is the case anyway.
    let said: String = shipped
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let (patch, keys) = parse(&said).expect("valid");
    assert_eq!(keys.len(), settings().len() - 1, "all but http.public_url have a default");
    let mut config = patch.resolve(&places()).expect("valid");
    (config.listen.port_is_chosen, config.http.bind_is_chosen) = (false, false);
    assert_eq!(config, defaults());
}

#[test]
fn defaults_follow_the_bitrate_and_the_home() {
    let config = defaults();
    assert_eq!(config.data_dir, PathBuf::from("/home/ada/.local/share/banyan"));
    for (bitrate, k) in [("300 kbit/s", 4), ("2 Mbit/s", 4), ("4 Mbit/s", 8), ("6 Mbit/s", 12)] {
        let (patch, _) = flags(&["--bitrate", bitrate]).expect(bitrate);
        let session = patch.resolve(&places()).expect(bitrate).session;
        assert_eq!((session.data_shards, session.parity_shards), (k, 2), "{bitrate}");
    }
    let (patch, _) = parse("data_dir = \"~/live\"").expect("valid");
    let config = patch.resolve(&places()).expect("valid");
    assert_eq!(config.data_dir, PathBuf::from("/home/ada/live"));
    assert!(Patch::default().resolve(&Places::default()).is_err());
}

#[test]
fn bad_files_are_told_the_line_and_what_would_be_right() {
    for (text, line, why) in [
        (
            "[capacity]\n\nuplod = \"3 Mbit/s\"",
            3,
            "unknown key `uplod`, expected `upload` or `children_max`",
        ),
        (
            "[listn]\nport = 3",
            1,
            "unknown key `listn`, expected one of `data_dir`, `role`, `listen`, `http`, \
             `capacity`, `discovery`, `session`, `gateway`, `log`",
        ),
        (
            "[capacity]\nupload = \"20\"",
            2,
            "\"20\" is not a bitrate: write a number and a unit, such as \"20 Mbit/s\" or \
             \"800 kbit/s\"",
        ),
        (
            "[session]\nvalid_for = \"soon\"",
            2,
            "\"soon\" is not a length of time: write a whole number and a unit, such as \
             \"250ms\", \"10s\", \"15min\", \"24h\" or \"7d\"",
        ),
        ("[listen]\nport = 70000", 2, "invalid value: integer `70000`, expected u16"),
        (
            "role = \"root\"",
            1,
            "unknown variant `root`, expected one of `auto`, `helper`, `gateway`",
        ),
    ] {
        assert_eq!(parse(text), Err((line, why.to_owned())), "{text}");
    }
    // Whatever is in the file, an answer.
    for text in ["[", "\u{0}", "a = ", "a.b.c = 1", "[a]\n[a]", "listen = 3"] {
        assert!(parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn values_out_of_range_are_refused_with_the_range() {
    for (args, message) in [
        (
            ["--data-shards", "17"],
            "session.data_shards is 17\n  try: give 1 to 16, or leave it out and it follows the \
             bitrate",
        ),
        (["--parity-shards", "5"], "session.parity_shards is 5\n  try: give 0 to 4"),
        (
            ["--bitrate", "80 Mbit/s"],
            "session.bitrate is 80 Mbit/s\n  try: give 16 kbit/s to 50 Mbit/s",
        ),
        (
            ["--title", " "],
            "session.title is empty, too long, or has control characters\n  try: give one line of \
             at most 80 characters",
        ),
        (
            ["--valid-for", "3s"],
            "session.valid_for is 3s\n  try: give one minute (\"1min\") to a month (\"31d\")",
        ),
        (
            ["--listen-bind", "127.0.0.1,127.0.0.2"],
            "listen.bind does not name one or two addresses of different families\n  try: name \
             one IPv4 address, one IPv6 address, or one of each",
        ),
        (
            ["--log", "infoo"],
            "log.filter is \"infoo\": not a level\n  try: give error, warn, info, debug or trace, \
             or directives such as \"info,banyan_node::link=trace\"",
        ),
    ] {
        let (patch, _) = flags(&args).expect("it parses");
        assert_eq!(patch.resolve(&places()).expect_err("refused").to_string(), message);
    }
}
