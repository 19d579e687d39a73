//! What a report says of its plan: the settings, and whether the bars are reached.

use super::{Bar, Plan};
use crate::report::{Better, Figure, Report};
use std::collections::BTreeMap;

impl Plan {
    /// A report of a run of this plan, without figures yet.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut report = Report::new(&self.name, self.run.seed, &self.about);
        report.config = self.settings();
        report
    }

    /// All settings by key as `--set` takes them, with their values.
    #[must_use]
    pub fn settings(&self) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        if let Ok(table) = toml::Value::try_from(&self.said) {
            flatten("", &table, &mut settings);
        }
        settings.retain(|key, _| !key.starts_with("bars."));
        settings
    }

    /// Gives figures the bars of this plan. A bar for which there is no figure is not reached: it
    /// gets one that says so.
    pub fn judge(&self, report: &mut Report) {
        for (name, bar) in &self.bars {
            let (better, bound) = match *bar {
                Bar::AtMost(bound) => (Better::Lower, bound),
                Bar::AtLeast(bound) => (Better::Higher, bound),
            };
            if report.figure(name).is_none() {
                report.figures.push(Figure::text(name, "not measured"));
            }
            for figure in report.figures.iter_mut().filter(|figure| figure.name == *name) {
                figure.better = better;
                figure.bar = Some(bound);
            }
        }
    }
}

fn flatten(key: &str, value: &toml::Value, into: &mut BTreeMap<String, String>) {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    match value {
        toml::Value::Table(table) => {
            table.iter().for_each(|(name, value)| flatten(&below(name), value, into));
        }
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            let items = items.iter().enumerate();
            items.for_each(|(i, value)| flatten(&below(&i.to_string()), value, into));
        }
        toml::Value::String(text) => {
            into.insert(key.to_owned(), text.clone());
        }
        other => {
            into.insert(key.to_owned(), other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_what_was_set_and_which_bars_were_missed() {
        let toml = "# What for.\n# In two lines.\n[bars]\na_ms = 5\nb_pct = '>= 3'\nc = 1\nd = 0";
        let plan = Plan::parse("test", toml).expect("valid");
        let mut report = plan.report();
        assert_eq!(report.about, "What for. In two lines.");
        assert_eq!(report.config["world.uplinks.to"], "100 Mbit/s");
        assert_eq!(report.config["liars.kinds"].matches("polluter").count(), 1);
        assert!(!report.config.contains_key("bars.a_ms"));
        report.figures =
            vec![Figure::count("a_ms", 5.0), Figure::count("b_pct", 2.0), Figure::lower("c", 2.0)];
        plan.judge(&mut report);
        let missed: Vec<_> = report.missed().iter().map(|figure| figure.name.clone()).collect();
        assert_eq!(missed, ["b_pct", "c", "d"]);
        assert!(report.lines().contains("d=not measured"));
    }
}
