mod comparison;
mod curves;

use super::*;
use std::path::{Path, PathBuf};

/// A directory of its own for a test, removed with it.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("banyan-report-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&path).ok();
        Self(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// Whether every element that is opened is closed, in order: what an XML reader would refuse.
fn check_well_formed(svg: &str) {
    let mut open = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closes what was opened last");
        } else if !tag.ends_with('/') {
            assert_eq!(tag.matches('"').count() % 2, 0, "quotes are closed in <{tag}>");
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "a coordinate is not a number");
}

#[test]
fn lines_are_names_and_values_without_superfluous_digits() {
    let rows = [
        (Figure::lower("overlay_p99_ms", 118.037_333), "overlay_p99_ms=118.04"),
        (Figure::lower("publisher_upload_ratio", 1.75), "publisher_upload_ratio=1.75"),
        (Figure::lower("join_failures", 0.0), "join_failures=0"),
        (Figure::count("shards_sent", 183_204_117.0), "shards_sent=183204117"),
        (
            Figure::lower("glitches_per_viewer_hour", 0.002_300_04),
            "glitches_per_viewer_hour=0.0023",
        ),
        (Figure::higher("blocks_delivered_pct", 99.999_97), "blocks_delivered_pct=99.99997"),
        (Figure::count("drift_ms", -0.000_000_000_000_1), "drift_ms=0"),
        (Figure::lower("repair_p99_ms", f64::NAN), "repair_p99_ms=NaN"),
        (Figure::text("trace_hash", "00ff"), "trace_hash=00ff"),
        (Figure::text("label", "two\nlines"), "label=two lines"),
    ];
    for (figure, line) in rows {
        let mut report = Report::new("p", 1, "");
        report.figures.push(figure);
        assert_eq!(report.lines(), format!("{line}\n"));
    }
}

#[test]
fn a_bar_is_met_from_its_better_side_and_never_by_what_was_not_measured() {
    let rows = [
        (Figure::lower("a_ms", 130.0).bar(130.0), Some(true)),
        (Figure::lower("a_ms", 130.1).bar(130.0), Some(false)),
        (Figure::higher("a_pct", 99.0).bar(99.9), Some(false)),
        (Figure::higher("a_pct", 100.0).bar(99.9), Some(true)),
        (Figure::count("lost", 0.0).bar(0.0), Some(true)),
        (Figure::count("lost", 1.0).bar(0.0), Some(false)),
        (Figure::lower("a_ms", f64::NAN).bar(130.0), Some(false)),
        (Figure::lower("a_ms", 5.0), None),
    ];
    for (figure, met) in rows {
        assert_eq!(figure.met(), met, "{figure:?}");
    }
}

#[test]
fn a_figure_says_its_name_and_unit_in_words() {
    let figure = Figure::lower("glitches_per_viewer_hour", 0.1).bar(0.01);
    assert_eq!((figure.words().as_str(), figure.unit()), ("glitches per viewer hour", ""));
    assert_eq!(Figure::count("joins_per_s", 1.0).words(), "joins per s");
    let figure = Figure::lower("overlay_p99_ms", 130.001).bar(130.0);
    assert_eq!((figure.words().as_str(), figure.amount().as_str()), ("overlay p99", "130.001 ms"));
    assert_eq!(Figure::higher("a_pct", 99.998_4).amount(), "99.998%");
    assert_eq!(Figure::lower("a_ms", 98.2661).amount(), "98.27 ms");
    assert_eq!(Figure::lower("a_ms", f64::NAN).amount(), "not measured");
    let figure = Figure::lower("publisher_upload_ratio", 1.8).bar(1.75);
    assert_eq!(figure.bar_words().as_deref(), Some("≤ 1.75×"));
    assert_eq!(Figure::text("trace_hash", "0").unit(), "");
}

#[test]
fn what_is_written_is_read_back_from_the_directory_and_from_the_file() {
    let dir = Dir::new("round-trip");
    let mut report = sample::report(60);
    report.figures.retain(|figure| figure.name != "rejoin_p99_ms");
    write(&dir.0, &report).unwrap();
    let file = dir.0.join("figures.json");
    let json = std::fs::read_to_string(&file).unwrap();
    let back = read(&dir.0).unwrap();
    assert_eq!((back.lines(), &back.config), (report.lines(), &report.config));
    assert_eq!(back.plots.len(), report.plots.len());
    assert_eq!(back.forest.as_ref().unwrap().nodes.len(), 60);
    write(&dir.0, &back).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), json, "to the last digit");
    assert_eq!(read(&file).unwrap(), back);
    let page = std::fs::read_to_string(dir.0.join("report.html")).unwrap();
    assert!(page.contains("of 8 bars missed"), "the headline counts the bars");
    assert!(page.contains("run sim/plans/reference-10k.toml --seed 42"));
    assert!(!page.contains("http://www.w3.org/1999") && !page.contains("src="), "self-contained");
    assert!(dir.0.join("forest.svg").exists());
    report.forest = None;
    write(&dir.0, &report).unwrap();
    assert!(!dir.0.join("forest.svg").exists(), "no picture of another run is left");
}

#[test]
fn the_names_in_the_json_are_those_that_others_read() {
    let mut report = sample::report(30);
    report.plots.truncate(1);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["figures"][1]["name"], "overlay_p99_ms");
    assert_eq!(json["figures"][1]["better"], "lower");
    assert_eq!(json["figures"][1]["bar"], 130.0);
    assert_eq!(json["seed"], 42);
    assert_eq!(json["plots"][0]["kind"], "line");
    assert_eq!(json["plots"][0]["marks"][1][1], "p99 bar");
    assert_eq!(json["forest"]["nodes"][0]["parent"], serde_json::Value::Null);
}

#[test]
fn what_is_no_number_survives_the_json_and_the_page() {
    let mut report = Report::new("empty", 0, "");
    report.figures.push(Figure::lower("repair_p99_ms", f64::NAN).bar(f64::NAN));
    report.figures.push(Figure::lower("join_p99_ms", f64::INFINITY).bar(1.0));
    report.plots = vec![
        Plot::default(),
        Plot::new("odd", Axis::log("x"), Axis::log("y"))
            .series("a", vec![(f64::NAN, 1.0), (0.0, 0.0), (-1.0, 5.0), (1.0, f64::INFINITY)])
            .mark(f64::NAN, "nowhere"),
        Plot::new("one", Axis::linear("x"), Axis::linear("y")).series("a", vec![(5.0, 5.0)]),
        Plot::new("zero", Axis::linear("x"), Axis::log("y")).series("a", vec![(0.0, 1.0)]),
        Plot::new("bars", Axis::linear("x"), Axis::linear("y"))
            .kind(Kind::Bars)
            .series("a", vec![(1.0, -2.0)])
            .series("b", Vec::new()),
    ];
    for plot in &report.plots {
        check_well_formed(&chart::svg(plot));
    }
    let node = TreeNode { delay_ms: f64::NAN, upload_mbps: f64::NAN, ..TreeNode::default() };
    report.forest = Some(ForestPicture { title: String::new(), nodes: vec![node] });
    assert!(page::html(&report).contains("2 of 2 bars missed"));
    let json = serde_json::to_string(&report).unwrap();
    let back: Report = serde_json::from_str(&json).unwrap();
    assert!(back.figures[0].value.number().unwrap().is_nan());
    assert_eq!(back.plots[1].series[0].points, vec![(0.0, 0.0), (-1.0, 5.0)]);
    assert!(back.forest.unwrap().nodes[0].delay_ms.is_nan());
    for samples in [&[][..], &[f64::NAN], &[f64::INFINITY, f64::NAN]] {
        assert!(curve::cdf(samples).is_empty() && curve::tail(samples).is_empty());
        assert!(curve::histogram(samples, 10).is_empty());
        assert!(curve::quantile(samples, 0.5).is_nan());
        assert!(curve::lorenz(samples).1.is_nan());
    }
}

#[test]
fn text_of_a_plan_stays_text() {
    let evil = "</svg><script>alert('1')</script>\"&\u{1}";
    let mut report = sample::report(40);
    report.plan = evil.into();
    report.about = evil.into();
    report.config.insert(evil.into(), evil.into());
    report.figures.push(Figure::lower(evil, 1.0).bar(0.0));
    report.figures.push(Figure::text(evil, evil));
    let mut plot = Plot::new(evil, Axis::linear(evil), Axis::linear(evil)).note(evil);
    plot = plot.series(evil, vec![(1.0, 1.0)]).series(evil, vec![(2.0, 1.0)]).mark(1.5, evil);
    check_well_formed(&chart::svg(&plot));
    check_well_formed(&chart::legend(&plot.series));
    report.plots.push(plot.clone());
    report.plots.push(plot.kind(Kind::Bars));
    let forest = report.forest.as_mut().unwrap();
    forest.title = evil.into();
    for node in &mut forest.nodes {
        (node.label, node.role, node.place) = (evil.into(), evil.into(), evil.into());
    }
    check_well_formed(&forest_svg(forest));
    let page = page::html(&report);
    assert_eq!(page.matches("<script").count(), 1, "only our own");
    assert!(!page.contains("alert('1')") && !page.contains('\u{1}'));
    assert!(page.contains("&lt;script&gt;"));
    assert!(report.command().contains("'sim/plans/"), "the shell sees one word");
}

#[test]
fn a_reader_is_told_what_is_wrong_with_a_report() {
    let dir = Dir::new("errors");
    let missing = read(&dir.0).unwrap_err().to_string();
    assert!(missing.contains("no report at") && missing.contains("--report"), "{missing}");
    std::fs::create_dir_all(&dir.0).unwrap();
    std::fs::write(dir.0.join("figures.json"), "{\"plan\": 7}").unwrap();
    let bad = format!("{:#}", read(&dir.0).unwrap_err());
    assert!(bad.contains("figures.json") && bad.contains("line 1"), "{bad}");
    let file = dir.0.join("figures.json");
    assert!(write(&file.join("below"), &Report::default()).is_err());
}

#[test]
fn ticks_are_round_and_inside() {
    let rows: [(&[f64], bool, &[&str]); 8] = [
        (&[123_456.0, 123_470.0], false, &["123460", "123465", "123470"]),
        (&[0.0, 1.04e9], false, &["0", "500M", "1G"]),
        (&[-0.003, 0.003], false, &["-0.002", "0", "0.002"]),
        (&[0.0, 163.0], false, &["0", "50", "100", "150"]),
        (&[0.0, 0.9], false, &["0", "0.2", "0.4", "0.6", "0.8"]),
        (&[1e3, 1e6], true, &["1k", "10k", "100k", "1M"]),
        (&[0.01, 100.0], true, &["0.01", "0.1", "1", "10", "100"]),
        (&[], false, &["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ];
    for (values, log, expected) in rows {
        let scale = scale::Scale::new(values.iter().copied(), log, None, (0.0, 100.0));
        let ticks: Vec<_> =
            scale.ticks(5).into_iter().filter(|tick| !tick.label.is_empty()).collect();
        let labels: Vec<_> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        for label in expected {
            assert!(labels.contains(label), "{label} is not in {labels:?} of {values:?}");
        }
        assert!(labels.len() <= 9, "{labels:?}");
        let different: std::collections::BTreeSet<_> = labels.iter().collect();
        assert_eq!(different.len(), labels.len(), "{labels:?}");
        for tick in ticks {
            let at = scale.place(tick.at).unwrap();
            assert!((-1e-6..=100.0 + 1e-6).contains(&at), "{tick:?} at {at}");
        }
    }
}

#[test]
fn a_forest_of_any_size_shows_its_nodes_once_and_stays_small() {
    for n in [1, 2, 30, 1_000, 10_000] {
        let picture = sample::forest(n);
        let svg = forest_svg(&picture);
        check_well_formed(&svg);
        let dots: usize =
            svg.split("<path").filter(|path| path.contains("class=\"dot s")).map(h0).sum();
        assert_eq!(dots, n - 1, "all but the root are dots");
        assert!(svg.len() < 900_000, "{n} nodes take {} bytes", svg.len());
    }
    let svg = forest_svg(&sample::forest(30));
    let named = (1..30).filter(|i| {
        [">n", ">v"].iter().any(|kind| {
            svg.contains(&format!("{kind}{i}<")) || svg.contains(&format!("{kind}{i} +"))
        })
    });
    assert!(named.count() >= 26, "a small tree names its nodes");
}

fn h0(path: &str) -> usize {
    path.matches("h0").count()
}

#[test]
fn roles_have_their_marks_whichever_is_more_common() {
    let mut picture = sample::forest(30);
    for (i, node) in picture.nodes.iter_mut().enumerate() {
        node.role = ["liar", "helper", "liar", "gateway"][i % 4].into();
    }
    let svg = forest_svg(&picture);
    assert!(svg.contains("filled: gateway (7) · with a hole: helper (8) · square: liar (14)"));
    let squares = svg.split("<path").filter(|path| path.contains("class=\"dot square s"));
    assert_eq!(squares.map(h0).sum::<usize>(), 14);
}

#[test]
fn a_faulty_forest_is_drawn_too() {
    let node = |parent| TreeNode { parent, delay_ms: 5.0, upload_mbps: 1.0, ..TreeNode::default() };
    let rows: [Vec<TreeNode>; 4] = [
        vec![],
        vec![node(Some(0))],
        vec![node(Some(1)), node(Some(2)), node(Some(0)), node(Some(99))],
        vec![node(None), node(None), node(Some(0))],
    ];
    for nodes in rows {
        let picture = ForestPicture { title: "odd".into(), nodes };
        let shape = picture::Shape::new(&picture);
        assert_eq!(shape.order.len(), picture.nodes.len(), "every node has a place");
        check_well_formed(&forest_svg(&picture));
    }
}

/// With `BANYAN_REPORT_SAMPLES=DIR`, samples are left there to be looked at.
#[test]
fn samples_to_look_at_are_written() {
    let own = Dir::new("samples");
    let kept = std::env::var_os("BANYAN_REPORT_SAMPLES");
    let dir = kept.as_deref().map_or(own.0.as_path(), Path::new);
    for n in [30, 1_000, 10_000] {
        let report = sample::report(n);
        let dir = dir.join(n.to_string());
        write(&dir, &report).unwrap();
        let bytes = std::fs::metadata(dir.join("report.html")).unwrap().len();
        assert!(bytes < 2_000_000, "a page of {bytes} bytes");
    }
}
