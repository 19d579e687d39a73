use super::*;
use crate::place::Continent;
use crate::population::Distribution;
use std::path::Path;

fn resolve(toml: &str) -> anyhow::Result<Plan> {
    Plan::parse("test", toml)
}

#[test]
fn what_is_left_out_is_the_reference_world() {
    let plan = resolve("").expect("the defaults");
    assert_eq!(plan.world.nodes, 10_000);
    assert_eq!(plan.world.places, Places::new(Continent::Europe));
    assert_eq!(plan.world.model, Model::default());
    assert_eq!((plan.stream.k, plan.stream.m, plan.stream.bitrate_bps), (8, 2, 4_000_000));
    assert_eq!((plan.stream.group_blocks, plan.stream.keyframe_percent), (60, 200));
    assert_eq!(plan.publisher.upload_bps, 10_000_000);
    assert_eq!(plan.abrupt_ppm, 1_000_000);
    assert_eq!(plan.liars.share_ppm, 0);
    assert!((6.2..6.3).contains(&plan.resource_ratio()));
}

#[test]
fn a_plan_written_out_gives_the_same_plan() {
    let toml = "
        [world]
        uplinks = { from = '2 Mbit/s', to = '30 Mbit/s' }
        resource_ratio = 2.0
        loss = '2 %'
        [churn]
        mean_life = 'endless'
        [[fault]]
        kind = 'partition'
        at = '30 s'
        for = '10 s'
        place = 'DE'
        [bars]
        overlay_p99_ms = 130
        resource_ratio = '>= 1.5'
    ";
    let plan = resolve(toml).expect("valid");
    let again = resolve(&plan.said.to_toml().expect("Unicode")).expect("valid");
    assert_eq!(plan.said, again.said);
    assert_eq!(format!("{plan:?}"), format!("{again:?}"));
    assert!((plan.resource_ratio() - 2.0).abs() < 1e-3, "{}", plan.resource_ratio());
    assert!(plan.world.model.life_us.is_none());
    assert_eq!(plan.bars["overlay_p99_ms"], Bar::AtMost(130.0));
    assert_eq!(plan.bars["resource_ratio"], Bar::AtLeast(1.5));
    let What::Partition { who: Who::Cities(cities), for_us: 10_000_000 } = &plan.faults[0].what
    else {
        panic!("{:?}", plan.faults)
    };
    let country = |city: &u16| plan.world.places.cities()[usize::from(*city)].country;
    assert!(cities.len() > 3 && cities.iter().all(|city| country(city) == "DE"));
}

#[test]
fn mistakes_name_the_key_the_value_and_what_is_allowed() {
    for (toml, parts) in [
        ("[wrold]", &["wrold", "world", "publisher"][..]),
        ("[world]\nnodez = 5", &["line 2", "nodez", "nodes", "rtt_matrix"]),
        ("[world]\nnodes = 0", &["world.nodes", "0", "between 1 and"]),
        ("[world]\nnodes = 'many'", &["line 2", "nodes", "many"]),
        ("[world]\ncontinent = 'asia'", &["asia", "europe", "world"]),
        ("[world]\nuplinks = '20'", &["line 2", "uplinks", "20 Mbit/s"]),
        ("[world]\nuplinks = 20", &["line 2", "uplinks", "in quotes"]),
        ("[world]\nuplinks = { from = '2 Mbit/s' }", &["line 2", "uplinks", "to"]),
        (
            "[world]\nuplinks = { from = '9 Mbit/s', to = '3 Mbit/s' }",
            &["world.uplinks", "9 Mbit/s", "3 Mbit/s"],
        ),
        ("[world]\nuplinks = '5 Gbit/s'", &["world.uplinks", "5000 Mbit/s", "4 Gbit/s"]),
        ("[world]\nresource_ratio = 0.2", &["world.resource_ratio", "0.2", "uplinks"]),
        ("[world]\nresource_ratio = nan", &["world.resource_ratio", "NaN", "1000"]),
        ("[world]\nloss = '101 %'", &["loss", "101 %", "100 %"]),
        (
            "[world]\nnat = { public = '50 %', punchable = '30 %', hard = '30 %' }",
            &["world.nat", "110 %", "100 %"],
        ),
        ("[world]\nrtt_matrix = 'none.csv'", &["world.rtt_matrix", "none.csv"]),
        ("[stream]\nk = 200", &["stream.k", "200", "16"]),
        ("[stream]\nkeyframe_factor = 0.5", &["stream.keyframe_factor", "0.5"]),
        ("[stream]\nkeyframe_every = '1 ms'", &["stream.keyframe_every", "1 ms", "0 blocks"]),
        ("[publisher]\nplace = 'Atlantis'", &["publisher.place", "Atlantis", "Frankfurt"]),
        ("[run]\nduration = '1 s'", &["run.warm_up", "1 min", "run.duration", "1 s"]),
        ("[run]\nduration = 60", &["line 2", "duration"]),
        ("[run]\nmedia = 'probe'\nprobe_every = '0 s'", &["run.probe_every", "every"]),
        ("[churn]\nmean_life = '10'", &["mean_life", "10 min", "endless"]),
        ("[arrival]\nkind = 'flash'\nseeds = 10000", &["arrival.seeds", "10000"]),
        ("[liars]\nshare = '5 %'\nkinds = []", &["liars.kinds"]),
        ("[liars]\nkinds = ['cheat']", &["cheat", "polluter", "black-hole"]),
        ("[bars]\noverlay_p99_ms = 'low'", &["overlay_p99_ms", "low", "at most"]),
        ("[[fault]]\nkind = 'outage'", &["at"]),
        ("[[fault]]\nkind = 'outage'\nat = '1 s'", &["fault 1 (outage)", "share"]),
        ("[[fault]]\nkind = 'outage'\nat = '20 min'\nshare = '1 %'", &["at", "20 min", "10 min"]),
        ("[[fault]]\nkind = 'root-death'\nat = '1 s'\nshare = '1 %'", &["root-death", "share"]),
        (
            "[[fault]]\nkind = 'partition'\nat = '1 s'\nfor = '1 s'\nplace = 'XX'",
            &["fault 1 (partition)", "XX", "Paris (FR)"],
        ),
        ("[[fault]]\nkind = 'partition'\nat = '1 s'\nshare = '1 %'", &["for", "30 s"]),
        ("[[fault]]\nkind = 'uplink-drop'\nat = '1 s'", &["by", "50 %"]),
    ] {
        let error = resolve(toml).map(|_| ()).expect_err(toml);
        let error = format!("{error:#}");
        for part in parts {
            assert!(error.contains(part), "{toml}\nlacks {part:?}:\n{error}");
        }
    }
}

#[test]
fn single_keys_can_be_set() {
    let mut file: PlanFile = "[[fault]]\nkind = 'root-death'\nat = '1 s'".parse().expect("valid");
    for (key, value) in [
        ("world.nodes", "1000"),
        ("world.uplinks", "{ from = '1 Mbit/s', to = '9 Mbit/s' }"),
        ("world.uplinks.to", "8 Mbit/s"),
        ("world.rtt_matrix", "rtt.csv"),
        ("run.duration", "90s"),
        ("run.duration", "\"2 min\""),
        ("fault.0.at", "9 s"),
        ("bars.depth_p99", "6"),
    ] {
        file.set(key, value).expect(key);
    }
    assert_eq!((file.world.nodes, file.run.duration), (1000, Span(120_000_000)));
    assert_eq!(file.fault[0].at, Span(9_000_000));
    assert_eq!(file.bars["depth_p99"], Bar::AtMost(6.0));
    assert_eq!(file.world.rtt_matrix.as_deref(), Some(Path::new("rtt.csv")));
    let Spread::Between { to, .. } = file.world.uplinks else { panic!("{file:?}") };
    assert_eq!(to.bps(), 8_000_000);
    let before = file.clone();
    for (key, value, parts) in [
        ("world.nodez", "1", &["world.nodez = 1", "nodes", "continent"][..]),
        ("nodes", "1", &["nodes = 1", "world"]),
        ("world.nodes", "-1", &["world.nodes = -1"]),
        ("world.nodes", "ten", &["world.nodes = ten"]),
        ("world.nodes.x", "1", &["world.nodes.x", "nothing below \"world.nodes\""]),
        ("fault.7.at", "1 s", &["fault.7.at", "nothing below \"fault\""]),
        ("run.duration", "long", &["run.duration", "10 min"]),
    ] {
        let error = format!("{:#}", file.set(key, value).expect_err(key));
        for part in parts {
            assert!(error.contains(part), "{key} lacks {part:?}: {error}");
        }
        assert_eq!(file, before, "a failed setting changes nothing");
    }
}

#[test]
fn short_lives_and_rates_are_what_they_say() {
    let plan =
        resolve("[churn]\nshort_share = '20 %'\nshape = 'pareto'\n[arrival]\nreplace='rate'")
            .expect("valid");
    let life = plan.world.model.life_us.expect("nodes leave");
    assert!(matches!(life, Distribution::Mix { first_ppm: 200_000, .. }));
    // 0.2 · 30 s + 0.8 · 600 s = 486 s, for 10 000 nodes: one each 48.6 ms.
    assert_eq!(plan.replace, Replace::Rate { gap_us: 48_600 });
}

/// The plans that ship: each says what it is for, and resolves.
#[test]
fn all_plans_of_the_project_are_valid() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&directory).expect("sim/plans") {
        let path = entry.expect("sim/plans").path();
        let plan = Plan::read(&path).unwrap_or_else(|error| panic!("{error:#}"));
        assert!(plan.about.len() > 20, "{}: begin with what it is for", path.display());
        assert!(!plan.bars.is_empty(), "{}: no bars", path.display());
        names.push(plan.name);
    }
    for name in [
        "reference-10k",
        "reference-10k-strong",
        "churn-10k",
        "flash-10k",
        "flash-100k",
        "scarce-10k",
        "scale-1k",
        "scale-10k",
        "scale-100k",
        "scale-1m",
        "world-10k",
        "liars-10k-5",
        "liars-10k-10",
        "liars-10k-20",
        "partition",
        "outage",
        "root-death",
        "root-handover",
        "small",
    ] {
        assert!(names.iter().any(|known| known == name), "no plan {name}");
    }
}
