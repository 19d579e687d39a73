use crate::report::{curve, sample};

#[test]
fn thinning_keeps_both_ends_and_the_quantiles() {
    for n in [1, 2, 399, 400, 401, 5_000, 100_000] {
        let samples = sample::delays(n, 60.0);
        for (curve, at_max) in
            [(curve::cdf(&samples), 100.0), (curve::tail(&samples), 100.0 / n as f64)]
        {
            assert!(curve.len() <= curve::POINTS_MAX, "{n}: {}", curve.len());
            assert!(curve.len() >= n.min(200), "{n}: {}", curve.len());
            assert!(curve.is_sorted_by(|a, b| a.0 <= b.0));
            let xs: Vec<f64> = curve.iter().map(|point| point.0).collect();
            for q in [0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0] {
                assert!(xs.contains(&curve::quantile(&samples, q)), "{n}: quantile {q}");
            }
            assert!((curve.last().unwrap().1 - at_max).abs() < 1e-9);
        }
    }
    let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!(curve::quantile(&hundred, 0.99), 99.0);
    assert_eq!(curve::quantile(&hundred, 0.5), 50.0);
}

#[test]
fn a_course_keeps_its_spikes() {
    let mut samples: Vec<(f64, f64)> = (0..50_000).map(|i| (f64::from(i), 1.0)).collect();
    samples[31_234].1 = 90.0;
    samples[777].1 = -4.0;
    let course = curve::course(&samples);
    assert!(course.len() <= curve::POINTS_MAX);
    assert!(course.contains(&(31_234.0, 90.0)) && course.contains(&(777.0, -4.0)));
    assert_eq!((course[0].0, course.last().unwrap().0), (0.0, 49_999.0));
    assert!(course.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn a_histogram_counts_every_sample_once() {
    let depths = [1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 6.0];
    let bars = curve::histogram(&depths, 10);
    let expected = [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 0.0), (5.0, 0.0), (6.0, 1.0)];
    assert_eq!(bars, expected, "bars stand on whole numbers");
    for n in [1, 10, 3_000] {
        let bars = curve::histogram(&sample::delays(n, 60.0), 20);
        assert_eq!(bars.iter().map(|bar| bar.1).sum::<f64>(), n as f64);
        assert!(bars.len() <= 60, "{}", bars.len());
    }
}

#[test]
fn the_gini_coefficient_tells_equal_from_lonely_givers() {
    let (curve, equal) = curve::lorenz(&[3.0; 50]);
    assert!(equal.abs() < 1e-9);
    assert_eq!((curve[0], *curve.last().unwrap()), ((0.0, 0.0), (100.0, 100.0)));
    let mut one = vec![0.0; 99];
    one.push(7.0);
    assert!((curve::lorenz(&one).1 - 0.99).abs() < 1e-9);
    assert!((curve::lorenz(&[1.0, 3.0]).1 - 0.25).abs() < 1e-9);
    assert!(curve::lorenz(&[0.0, 0.0]).1.is_nan());
}
