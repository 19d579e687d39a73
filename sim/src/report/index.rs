//! The page over many reports: every figure that has a bar, in one table.

use super::markup::escape;
use super::{Report, file};
use anyhow::Context as _;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const STYLE: &str = include_str!("page/page.css");
/// What the table needs beyond the style of a report.
const TABLE: &str = "table{border-collapse:collapse;width:100%}\
    th,td{text-align:left;padding:.35em .8em .35em 0;border-bottom:1px solid #8884}\
    td.n{font-variant-numeric:tabular-nums}td.met{color:var(--good)}td.missed{color:var(--bad);font-weight:600}";

/// Writes `index.html` into `dir` over the reports in its directories, and returns these, by name
/// of their directory. Directories without a report are passed over.
///
/// # Errors
/// If `dir` or a report in it cannot be read, or the page not be written.
pub fn write_index(dir: &Path) -> anyhow::Result<Vec<(String, Report)>> {
    let entries = fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("reading {}", dir.display()))?.path();
        if path.join(file::FIGURES).is_file() {
            names.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    let read = |name: String| Ok((name.clone(), file::read(&dir.join(name))?));
    let reports = names.into_iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let path = dir.join("index.html");
    fs::write(&path, html(&reports)).with_context(|| format!("writing {}", path.display()))?;
    Ok(reports)
}

fn html(reports: &[(String, Report)]) -> String {
    let missed: usize = reports.iter().map(|(_, report)| report.missed().len()).sum();
    let barred = |report: &Report| report.figures.iter().filter(|f| f.bar.is_some()).count();
    let all: usize = reports.iter().map(|(_, report)| barred(report)).sum();
    let (class, verdict) = match missed {
        0 => ("met", format!("All {all} bars are met")),
        some => ("missed", format!("{some} of {all} bars missed")),
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>All plans · Banyan simulator</title>\n\
         <style>{STYLE}{TABLE}</style></head>\n<body><main><header><p class=\"eyebrow\">Banyan \
         simulator</p><h1>All plans</h1><p class=\"verdict {class}\"><b>{verdict}</b></p></header>\n\
         <table><thead><tr><th>plan<th>figure<th>value<th>bar<th></tr></thead><tbody>\n"
    );
    for (name, report) in reports {
        let link = format!("<a href=\"{0}/report.html\">{0}</a>", escape(name));
        if barred(report) == 0 {
            let _ = writeln!(out, "<tr><td>{link}<td colspan=\"4\">no bars");
        }
        for figure in report.figures.iter().filter(|figure| figure.bar.is_some()) {
            let word = if figure.met() == Some(true) { "met" } else { "missed" };
            let _ = writeln!(
                out,
                "<tr><td>{link}<td>{}<td class=\"n\">{}<td class=\"n\">{}<td class=\"{word}\">{word}",
                escape(&figure.words()),
                escape(&figure.amount()),
                escape(&figure.bar_words().unwrap_or_default()),
            );
        }
    }
    out + "</tbody></table></main></body></html>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Figure;

    #[test]
    fn every_bar_of_every_report_is_in_the_table() {
        let mut good = Report::new("good", 1, "");
        good.figures.push(Figure::lower("overlay_p50_ms", 80.0).bar(95.0));
        good.figures.push(Figure::count("joins", 7_777.0));
        let mut bad = Report::new("bad", 1, "");
        bad.figures.push(Figure::lower("healed_ms", 3_001.0).bar(3_000.0));
        let page = html(&[("a<b".into(), bad), ("good".into(), good)]);
        assert!(page.contains("1 of 2 bars missed"));
        assert!(page.contains("<a href=\"a&lt;b/report.html\">a&lt;b</a><td>healed"));
        assert!(page.contains("80 ms") && page.contains("≤ 95 ms") && !page.contains("7 777"));
        assert_eq!(page.matches("<td class=\"missed\">missed").count(), 1);
    }
}
