//! Which nodes the demo runs, and how each is started: six programs as anyone would start them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Options;
use crate::cmd::human::counted;
use crate::config::Config;

/// Bitrate of the session. Derived: twice the clip's mean, as keyframes are larger.
const BITRATE: &str = "2 Mbit/s";
/// What the root gives. Derived: one child in each of six stripes of 0.55 Mbit/s, at four fifths.
const ROOT_UPLOAD: &str = "4.2 Mbit/s";
/// What a helper gives. Derived: two children, one in each of its stripes.
const HELPER_UPLOAD: &str = "1.45 Mbit/s";
/// What the first gateway gives to other nodes: the whole session to the second.
const GATEWAY_UPLOAD: &str = "4.5 Mbit/s";
/// What the last gateway gives to other nodes: next to nothing, so that it is the farthest out.
const LAST_UPLOAD: &str = "0.8 Mbit/s";

/// What a node of the demo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Helper,
    Gateway,
}

/// A node of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Where its HTTP server is to be; wherever there is room, if absent.
    http: Option<String>,
}

/// The nodes, in the order they start.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) members: Vec<Member>,
    /// The recording to show, instead of the bundled clip.
    file: Option<PathBuf>,
    log: String,
}

impl Plan {
    pub(super) fn new(options: &Options, config: &Config, file: Option<PathBuf>) -> Self {
        let any = || Some("127.0.0.1:0".to_owned());
        let member = |name: String, kind| Member { name, kind, http: any() };
        let mut members = vec![member("root".to_owned(), Kind::Root)];
        members.extend((1..=options.helpers).map(|i| member(format!("helper-{i}"), Kind::Helper)));
        members
            .extend((1..=options.gateways).map(|i| member(format!("gateway-{i}"), Kind::Gateway)));
        if let Some(last) = members.last_mut() {
            // The page's address: the chosen one, or the default, which gives way if it is taken.
            last.http = config.http.bind_is_chosen.then(|| config.http.bind.to_string());
        }
        Self { members, file, log: config.log.filter.clone() }
    }

    /// What to say to the program to become `member`.
    pub(super) fn arguments(
        &self,
        member: &Member,
        data_dir: &Path,
        invite: Option<&str>,
    ) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        let mut say = |words: &[&str]| arguments.extend(words.iter().map(OsString::from));
        match member.kind {
            Kind::Root => {
                let show = if self.file.is_some() { "--loop" } else { "--clip" };
                say(&["publish", show, "--title", "Banyan demo", "--bitrate", BITRATE]);
                say(&["--capacity-upload", ROOT_UPLOAD]);
            }
            Kind::Helper => say(&["up", "--role", "helper", "--capacity-upload", HELPER_UPLOAD]),
            Kind::Gateway => {
                let is_last = self.members.last() == Some(member);
                let upload = if is_last { LAST_UPLOAD } else { GATEWAY_UPLOAD };
                say(&["up", "--role", "gateway", "--capacity-upload", upload]);
            }
        }
        // On one machine and with an invite at hand, looking around would only find other demos.
        say(&["--json", "--until-stdin-closes", "--discovery-mdns=false"]);
        // At every address: a browser does not send media to 127.0.0.1.
        say(&["--listen-port", "0", "--log", &self.log]);
        if let Some(http) = &member.http {
            say(&["--http-bind", http]);
        }
        // A link is no flag, even if it began with a dash.
        say(&["--data-dir"]);
        arguments.push(data_dir.into());
        arguments.push("--".into());
        match member.kind {
            Kind::Root => arguments.extend(self.file.clone().map(OsString::from)),
            Kind::Helper | Kind::Gateway => arguments.extend(invite.map(OsString::from)),
        }
        arguments
    }

    /// `1 root, 3 helpers, 2 gateways`.
    pub(super) fn summary(&self) -> String {
        let of = |kind| self.members.iter().filter(|member| member.kind == kind).count() as u64;
        format!(
            "1 root, {}, {}",
            counted(of(Kind::Helper), "helper"),
            counted(of(Kind::Gateway), "gateway")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::patch::{HttpPatch, Patch};
    use crate::config::resolve::Places;

    fn plan(bind: Option<&str>, file: Option<&str>) -> Plan {
        let http = HttpPatch {
            bind: bind.map(|addr| addr.parse().expect("an address")),
            ..HttpPatch::default()
        };
        let options = Options {
            file: None,
            helpers: 3,
            gateways: 2,
            keep: None,
            json: false,
            http: http.clone(),
        };
        let places = Places { home: Some("/home/ada".into()), ..Places::default() };
        let config = Patch { http, ..Patch::default() }.resolve(&places).expect("valid");
        Plan::new(&options, &config, file.map(PathBuf::from))
    }

    fn words(plan: &Plan, at: usize, invite: Option<&str>) -> String {
        let words = plan.arguments(&plan.members[at], Path::new("/tmp/d"), invite);
        words.join(" ".as_ref()).into_string().expect("text")
    }

    #[test]
    fn six_nodes_are_started_as_anyone_would() {
        let plan = plan(None, None);
        let names: Vec<_> = plan.members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["root", "helper-1", "helper-2", "helper-3", "gateway-1", "gateway-2"]);
        assert_eq!(plan.summary(), "1 root, 3 helpers, 2 gateways");
        let root = words(&plan, 0, None);
        assert!(root.starts_with("publish --clip") && root.ends_with(" --"), "{root}");
        let helper = words(&plan, 1, Some("banyan://x"));
        assert!(helper.starts_with("up --role helper") && helper.ends_with("-- banyan://x"));
        assert!(helper.contains("--http-bind 127.0.0.1:0"), "{helper}");
        let root = words(&super::tests::plan(None, Some("/a.webm")), 0, None);
        assert!(root.starts_with("publish --loop") && root.ends_with("-- /a.webm"), "{root}");
    }

    #[test]
    fn the_last_gateway_serves_the_page() {
        assert!(!words(&plan(None, None), 5, Some("x")).contains("--http-bind"), "the default");
        let chosen = words(&plan(Some("127.0.0.1:9000"), None), 5, Some("x"));
        assert!(chosen.contains("--http-bind 127.0.0.1:9000"), "{chosen}");
    }
}
