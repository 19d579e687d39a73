//! Log lines: which, and how they look.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// The names our own lines carry: the program, its crates, its stable facts.
const OURS: [&str; 3] = ["banyan", "banyan_node", "banyan_protocol"];

/// Starts logging to standard error. Later calls change nothing, so tests may call it too.
pub fn init(log: &Log) {
    let filter = EnvFilter::try_new(directives(&log.filter))
        .expect("the filter was checked when the settings were resolved");
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error means that a subscriber is set already; that one goes on.
    let _ = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => {
            let colour = std::io::IsTerminal::is_terminal(&std::io::stderr())
                && std::env::var_os("NO_COLOR").is_none();
            builder.with_ansi(colour).try_init()
        }
    };
}

/// Whether a text is a filter.
///
/// # Errors
/// What is wrong with it.
pub fn check_filter(text: &str) -> Result<(), String> {
    let text = text.trim();
    // `EnvFilter` takes a lone word for a target, and would log everything of a crate "infoo".
    let lone_word = !text.contains([',', '=', ':', '[']);
    // Nothing at all parses as a level too: as errors alone.
    if text.is_empty() || lone_word && text.parse::<tracing::level_filters::LevelFilter>().is_err()
    {
        return Err("not a level".to_owned());
    }
    EnvFilter::try_new(directives(text)).map(drop).map_err(|e| e.to_string())
}

/// A lone level means ours; libraries keep to warnings, as their lines say nothing to an operator.
fn directives(text: &str) -> String {
    let text = text.trim();
    if text.contains([',', '=']) || text.parse::<tracing::Level>().is_err() {
        return text.to_owned();
    }
    // `error` quietens the libraries too.
    let others = if text.eq_ignore_ascii_case("error") { "error" } else { "warn" };
    OURS.iter().fold(others.to_owned(), |all, ours| format!("{all},{ours}={text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_level_is_ours() {
        let debug = "warn,banyan=debug,banyan_node=debug,banyan_protocol=debug";
        assert_eq!(directives(" debug "), debug);
        assert!(directives("error").starts_with("error,"));
        assert_eq!(directives("info,quinn=trace"), "info,quinn=trace");
        assert!(check_filter("info,quinn=loud").is_err());
        assert!(check_filter("infoo").is_err() && check_filter("").is_err());
        assert!(check_filter("trace").is_ok() && check_filter("off").is_ok());
    }
}
