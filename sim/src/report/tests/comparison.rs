use crate::report::{Change, Figure, How, Report, compare};

fn of(figures: Vec<Figure>) -> Report {
    Report { figures, ..Report::new("churn-10k", 1, "") }
}

#[test]
fn compare_knows_the_better_direction_and_puts_the_worst_first() {
    let before = of(vec![
        Figure::lower("overlay_p50_ms", 80.0).bar(95.0),
        Figure::lower("overlay_p99_ms", 128.0).bar(130.0),
        Figure::lower("repair_p99_ms", 200.0),
        Figure::lower("control_share_pct", 0.8),
        Figure::higher("blocks_delivered_pct", 90.0),
        Figure::lower("join_failures", 0.0),
        Figure::lower("depth_mean", 3.000),
        Figure::text("trace_hash", "aa"),
        Figure::count("old_count", 1.0),
    ]);
    let after = of(vec![
        Figure::lower("overlay_p50_ms", 60.0).bar(95.0),
        Figure::lower("overlay_p99_ms", 133.0).bar(130.0),
        Figure::lower("repair_p99_ms", 300.0),
        Figure::lower("control_share_pct", 0.9),
        Figure::higher("blocks_delivered_pct", 99.0),
        Figure::lower("join_failures", 2.0),
        Figure::lower("depth_mean", 3.02),
        Figure::text("trace_hash", "bb"),
        Figure::count("new_count", 1.0),
    ]);
    let found = compare(&before, &after, How::default()).unwrap();
    let names = |changes: &[Change]| -> Vec<String> {
        changes.iter().map(|change| change.after.name.clone()).collect()
    };
    assert_eq!(
        names(&found.worse),
        ["overlay_p99_ms", "join_failures", "repair_p99_ms", "control_share_pct"]
    );
    assert_eq!(names(&found.better), ["overlay_p50_ms", "blocks_delivered_pct"]);
    assert_eq!(names(&found.other), ["trace_hash"]);
    assert_eq!((found.same, found.is_worse()), (1, true));
    assert_eq!(
        (found.gone.as_slice(), found.new.as_slice()),
        (&["old_count".to_owned()][..], &["new_count".to_owned()][..])
    );
    let text = found.to_string();
    for expected in [
        "overlay_p99_ms     128 → 133 ms  +5 (+3.9 %)     now misses its bar ≤ 130 ms",
        "+100 (+50.0 %)",
        "-20 (-25.0 %)",
        "0 → 2",
        "same within 1 %: 1 figure",
    ] {
        assert!(text.contains(expected), "no {expected:?} in\n{text}");
    }
    let back = compare(&after, &before, How::default()).unwrap();
    assert_eq!(back.better.len(), 4, "the other way round, worse is better\n{back}");
    assert!(!compare(&before, &before, How::default()).unwrap().is_worse());
}

#[test]
fn compare_says_how_the_runs_were_made_and_refuses_different_plans() {
    let mut before = of(vec![Figure::lower("a_ms", f64::NAN), Figure::lower("b_ms", 1.0)]);
    let mut after = of(vec![Figure::lower("a_ms", 1.0), Figure::lower("b_ms", f64::NAN)]);
    before.config.insert("loss".into(), "0.5 %".into());
    after.config.insert("loss".into(), "1 %".into());
    after.config.insert("liars".into(), "5 %".into());
    after.seed = 2;
    let found = compare(&before, &after, How::default()).unwrap();
    let text = found.to_string();
    assert!(text.starts_with("churn-10k, seed 1 → 2\n  config liars: (unset) → 5 %\n"), "{text}");
    assert!(text.contains("config loss: 0.5 % → 1 %"));
    assert_eq!(
        (found.worse[0].after.name.as_str(), found.better[0].after.name.as_str()),
        ("b_ms", "a_ms")
    );
    after.plan = "flash-10k".into();
    let refused = compare(&before, &after, How::default()).unwrap_err().to_string();
    assert!(refused.contains("churn-10k") && refused.contains("flash-10k"), "{refused}");
    let how = How { across_plans: true, ..How::default() };
    assert!(compare(&before, &after, how).unwrap().to_string().starts_with("churn-10k seed 1 →"));
}

#[test]
fn a_bar_crossed_counts_below_the_threshold() {
    let before = of(vec![Figure::lower("a_ms", 129.9).bar(130.0)]);
    let after = of(vec![Figure::lower("a_ms", 130.1).bar(130.0)]);
    assert!(compare(&before, &after, How::default()).unwrap().is_worse());
}
