//! Who can read what, what happens to damaged files, and who may use a directory.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::exit;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").permissions().mode() & 0o7777
}

fn data() -> (tempfile::TempDir, DataDir) {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = DataDir::open(&temp.path().join("banyan")).expect("opens");
    (temp, dir)
}

fn session() -> StoredSession {
    StoredSession {
        descriptor: vec![1, 2, 3],
        media_seed: vec![7; 32],
        publish_ticket: "a.b.c".into(),
    }
}

#[test]
fn keys_are_private_and_stay_the_same() {
    let (_temp, dir) = data();
    let (node, publisher) = (dir.node_key().expect("key"), dir.publisher_key().expect("key"));
    assert_ne!(node.seed(), publisher.seed());
    assert_eq!(mode(dir.path()), 0o700);
    for name in ["node.key", "publisher.key", "lock"] {
        assert_eq!(mode(&dir.path().join(name)), 0o600, "{name}");
    }
    assert_eq!(dir.node_key().expect("key").seed(), node.seed());
    assert_eq!(dir.publisher_key().expect("key").seed(), publisher.seed());
    let path = dir.path().to_owned();
    drop(dir);
    let again = DataDir::open(&path).expect("opens again");
    assert_eq!(again.node_key().expect("key").id(), node.id());
    // Nothing half-made is left lying around.
    assert_eq!(fs::read_dir(&path).expect("dir").count(), 3);
}

#[test]
fn keys_that_others_can_read_are_refused() {
    let (_temp, dir) = data();
    dir.node_key().expect("key");
    let key = dir.path().join("node.key");
    for wrong in [0o640, 0o604, 0o660] {
        fs::set_permissions(&key, Permissions::from_mode(wrong)).expect("chmod");
        let text = exit::text(&dir.node_key().expect_err("refused"));
        assert!(text.starts_with(&format!("the key {} can be read", key.display())), "{text}");
        assert!(text.contains(&format!("try: chmod 600 {}", key.display())), "{text}");
    }
    fs::set_permissions(&key, Permissions::from_mode(0o400)).expect("chmod");
    dir.node_key().expect("read-only is as private");

    let open = dir.path().to_owned();
    drop(dir);
    fs::set_permissions(&open, Permissions::from_mode(0o770)).expect("chmod");
    let text = exit::text(&DataDir::open(&open).expect_err("refused"));
    assert!(text.contains("others can write") && text.contains("chmod 700"), "{text}");
}

#[test]
fn damaged_keys_are_neither_used_nor_replaced() {
    let (_temp, dir) = data();
    dir.node_key().expect("key");
    dir.publisher_key().expect("key");
    let path = dir.path().join("node.key");
    let good = fs::read_to_string(&path).expect("text");
    let other = fs::read_to_string(dir.path().join("publisher.key")).expect("text");
    let flipped = match good.as_bytes()[20] {
        b'0' => good.replacen(&good[18..21], "111", 1),
        _ => good.replacen(&good[18..21], "000", 1),
    };
    for bad in ["", "\n", &good[..good.len() - 1], &good[..90], &flipped, &other, &"x".repeat(5000)]
    {
        fs::write(&path, bad).expect("write");
        let text = exit::text(&dir.node_key().expect_err("refused"));
        assert!(text.contains("is damaged"), "{text}");
        assert!(text.contains(&format!("mv {0} {0}.damaged", path.display())), "{text}");
        assert_eq!(fs::read_to_string(&path).expect("text"), bad, "left as it was");
    }
    fs::write(&path, [0xff, 0xfe]).expect("write");
    assert!(dir.node_key().is_err());
    fs::remove_file(&path).expect("rm");
    fs::create_dir(&path).expect("mkdir");
    fs::set_permissions(&path, Permissions::from_mode(0o700)).expect("chmod");
    assert!(dir.node_key().is_err());
}

#[test]
fn one_node_uses_a_directory() {
    let (_temp, dir) = data();
    let text = exit::text(&DataDir::open(dir.path()).expect_err("refused"));
    let us = std::process::id();
    assert!(text.starts_with(&format!("another node (process {us}) uses")), "{text}");
    assert!(text.contains("--data-dir"), "{text}");
    let path = dir.path().to_owned();
    drop(dir);
    DataDir::open(&path).expect("free again");
}

#[test]
fn sessions_are_reopened_by_name() {
    let (_temp, dir) = data();
    assert_eq!(dir.load_session("show").expect("reads"), None);
    dir.store_session("show", &session()).expect("stores");
    dir.store_session("show", &session()).expect("stores over");
    assert_eq!(dir.load_session("show").expect("reads"), Some(session()));
    let path = dir.path().join("sessions/show.json");
    assert_eq!((mode(&path), mode(&dir.path().join("sessions"))), (0o600, 0o700));

    for bad in ["", "{}", "{\"descriptor\":\"!\",\"media_seed\":\"\",\"publish_ticket\":\"\"}"] {
        fs::write(&path, bad).expect("write");
        let text = exit::text(&dir.load_session("show").expect_err("refused"));
        assert!(text.contains("damaged") && text.contains("--new"), "{text}");
    }
    for bad in ["", "..", "a/b", "../x", "-x", "Show", "a b", &"a".repeat(65)] {
        assert!(check_name(bad).is_err(), "{bad}");
        assert!(dir.store_session(bad, &session()).is_err(), "{bad}");
    }
}

#[test]
fn a_running_node_is_found_until_it_ends() {
    let (_temp, dir) = data();
    assert_eq!(Running::find(dir.path()).expect("reads"), None);
    let running = Running::here("0.0.0.0:8080".parse().expect("an address"));
    assert_eq!(running.http, "127.0.0.1:8080".parse::<std::net::SocketAddr>().expect("an address"));
    let note = running.leave_in(&dir).expect("writes");
    assert_eq!(Running::find(dir.path()).expect("reads"), Some(running));
    assert_eq!(mode(&dir.path().join("running.json")), 0o600);
    drop(note);
    assert_eq!(Running::find(dir.path()).expect("reads"), None);
    assert_eq!(Running::find(Path::new("/nonexistent")).expect("reads"), None);
}
