//! Changing single keys of a plan, and writing it out.

use super::PlanFile;
use anyhow::{Context as _, bail};

impl PlanFile {
    /// Sets one key, such as `world.nodes` or `fault.0.at`, to a value as TOML writes it; quotes
    /// round a text may be left out.
    ///
    /// # Errors
    /// If there is no such key, or it cannot have that value: says what is allowed.
    pub fn set(&mut self, key: &str, value: &str) -> anyhow::Result<()> {
        let context = || format!("setting {key} = {value}");
        let mut table = toml::Value::try_from(&*self).with_context(context)?;
        let (mut at, mut path) = (&mut table, key.split('.').peekable());
        while let Some(part) = path.next() {
            let known = match at {
                toml::Value::Table(table) => {
                    Some(table.entry(part).or_insert_with(|| toml::Table::new().into()))
                }
                toml::Value::Array(items) => {
                    part.parse().ok().and_then(|index: usize| items.get_mut(index))
                }
                _ => None,
            };
            let Some(next) = known else {
                bail!("{}: there is nothing below {:?}", context(), key_before(key, part));
            };
            at = next;
            if path.peek().is_none() {
                *at = read_value(value);
            }
        }
        *self = table.try_into().with_context(context)?;
        Ok(())
    }

    /// All keys with their values, as TOML.
    ///
    /// # Errors
    /// If a path in it is not Unicode.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        toml::to_string(self).context("writing the plan as TOML")
    }
}

/// What of `key` comes before `part`.
fn key_before<'a>(key: &'a str, part: &str) -> &'a str {
    key.split(part).next().unwrap_or(key).trim_end_matches('.')
}

/// A value as TOML reads it, or else the text itself.
fn read_value(text: &str) -> toml::Value {
    let line = toml::from_str::<toml::Table>(&format!("value = {text}"));
    let value = line.ok().and_then(|mut table| table.remove("value"));
    value.unwrap_or_else(|| toml::Value::String(text.to_owned()))
}
