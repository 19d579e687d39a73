//! The page: in ten seconds which plan, met or missed, and by how much; then the plots.

use super::markup::escape;
use super::{Better, Figure, Plot, Report, chart, forest_svg};
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");
const HOVER: &str = include_str!("hover.js");

/// `report` as one self-contained HTML page.
pub(super) fn html(report: &Report) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{} · Banyan simulator</title>\n<style>{STYLE}</style></head>\n<body><main>\n",
        escape(&report.plan)
    );
    headline(&mut out, report);
    bars(&mut out, report);
    others(&mut out, report);
    plots(&mut out, &report.plots);
    if let Some(forest) = &report.forest {
        let _ = writeln!(
            out,
            "<section><h2>The forest</h2><div class=\"picture\">{}</div></section>",
            forest_svg(forest)
        );
    }
    again(&mut out, report);
    let _ = writeln!(
        out,
        "</main><div id=\"hover\" hidden></div><script>{HOVER}</script></body></html>"
    );
    out
}

fn headline(out: &mut String, report: &Report) {
    let barred = report.figures.iter().filter(|figure| figure.bar.is_some()).count();
    let missed = report.missed();
    let (class, verdict) = match (barred, missed.len()) {
        (0, _) => ("plain", "No bars in this plan".to_owned()),
        (1, 0) => ("met", "The bar is met".to_owned()),
        (all, 0) => ("met", format!("All {all} bars are met")),
        (all, some) => ("missed", format!("{some} of {all} bars missed")),
    };
    let _ = write!(
        out,
        "<header><p class=\"eyebrow\">Banyan simulator · seed {}</p><h1>{}</h1><p class=\"about\">{}</p>\
         <p class=\"verdict {class}\"><b>{verdict}</b>",
        report.seed,
        escape(&report.plan),
        escape(&report.about)
    );
    let named: Vec<String> = missed.iter().take(4).map(|figure| said(figure)).collect();
    if !named.is_empty() {
        let more = missed.len() - named.len();
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        let _ = write!(out, " <span>{}{more}</span>", escape(&named.join(", ")));
    }
    *out += "</p></header>\n";
}

/// `overlay p99 141 ms (bar ≤ 130 ms)`.
fn said(figure: &Figure) -> String {
    let bar = figure.bar_words().unwrap_or_default();
    format!("{} {} (bar {bar})", figure.words(), figure.amount())
}

/// A tile for each figure with a bar, the missed ones first.
fn bars(out: &mut String, report: &Report) {
    let mut figures: Vec<&Figure> = report.figures.iter().filter(|f| f.bar.is_some()).collect();
    if figures.is_empty() {
        return;
    }
    figures.sort_by_key(|figure| figure.met());
    *out += "<section class=\"tiles\" aria-label=\"Figures against their bars\">";
    for figure in figures {
        let (class, word) =
            if figure.met() == Some(true) { ("met", "met") } else { ("missed", "missed") };
        let value = figure.value_words();
        let long = if value.chars().count() > 8 { " long" } else { "" };
        let _ = write!(
            out,
            "<div class=\"tile {class}\"><h3>{}</h3><p class=\"value{long}\">{} <small>{}</small></p>{}\
             <p class=\"bar\"><span><em>bar </em>{}</span><b>{word}</b></p></div>",
            escape(&figure.words()),
            escape(&value),
            if figure.value.number().is_some_and(f64::is_finite) { figure.unit() } else { "" },
            gauge(figure),
            escape(&figure.bar_words().unwrap_or_default())
        );
    }
    *out += "</section>\n";
}

/// The value as a strip, the bar as a line across it.
fn gauge(figure: &Figure) -> String {
    let (Some(value), Some(bar)) = (figure.value.number(), figure.bar) else {
        return String::new();
    };
    if !value.is_finite() || value < 0.0 || bar < 0.0 || figure.better == Better::Neither {
        return String::new();
    }
    // The bar stands at two thirds, so that a value half again as large fills the strip.
    let full = if bar > 0.0 { bar * 1.5 } else { value.max(1.0) * 1.5 };
    let percent = |amount: f64| (amount / full * 100.0).clamp(0.0, 100.0);
    format!(
        "<div class=\"gauge\" aria-hidden=\"true\"><i style=\"width:{:.1}%\"></i>\
         <s style=\"left:{:.1}%\"></s></div>",
        percent(value),
        percent(bar)
    )
}

/// All other figures, small.
fn others(out: &mut String, report: &Report) {
    let figures: Vec<&Figure> = report.figures.iter().filter(|f| f.bar.is_none()).collect();
    if figures.is_empty() {
        return;
    }
    *out += "<section><h2>Also measured</h2><dl class=\"others\">";
    for figure in figures {
        let _ = write!(
            out,
            "<div><dt>{}</dt><dd>{}</dd></div>",
            escape(&figure.words()),
            escape(&figure.amount())
        );
    }
    *out += "</dl></section>\n";
}

fn plots(out: &mut String, plots: &[Plot]) {
    if plots.is_empty() {
        return;
    }
    *out += "<section><h2>Plots</h2><div class=\"plots\">";
    for plot in plots {
        let _ = writeln!(
            out,
            "<figure><h3>{}</h3>{}{}<figcaption>{}</figcaption></figure>",
            escape(&plot.title),
            chart::legend(&plot.series),
            chart::svg(plot),
            escape(&plot.note)
        );
    }
    *out += "</div></section>\n";
}

fn again(out: &mut String, report: &Report) {
    let _ = write!(
        out,
        "<section><h2>Run it again</h2><p>The same seed makes the same world.</p>\
         <pre><code>{}</code></pre>",
        escape(&report.command())
    );
    if !report.config.is_empty() {
        *out += "<h3>Configuration</h3><dl class=\"config\">";
        for (key, value) in &report.config {
            let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(key), escape(value));
        }
        *out += "</dl>";
    }
    *out += "<p class=\"foot\">The figures and the points of all plots are in \
             <code>figures.json</code> beside this page.</p></section>\n";
}
