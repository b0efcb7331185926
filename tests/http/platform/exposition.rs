//! The reader of metrics refuses what Prometheus would.

use tests::exposition::parse;

const HEAD: &str = "# HELP a_total Of a\n# TYPE a_total counter\n";

#[test]
fn what_is_in_order_is_read() {
    let text = "# HELP a_seconds How \\\\ long\n# TYPE a_seconds histogram\n\
        a_seconds_bucket{b=\"x \\\"y\\\"\",le=\"0.1\"} 1\n\
        a_seconds_bucket{b=\"x \\\"y\\\"\",le=\"+Inf\"} 2\n\
        a_seconds_sum{b=\"x \\\"y\\\"\"} 1.5\na_seconds_count{b=\"x \\\"y\\\"\"} 2\n\n\
        # HELP c Of c\n# TYPE c gauge\nc{} -1e3\n";
    let families = parse(text).expect("it is in order");
    let histogram = &families["a_seconds"];
    assert_eq!((&*histogram.kind, &*histogram.help), ("histogram", "How \\ long"));
    assert_eq!(histogram.samples.len(), 4);
    assert_eq!(histogram.samples[0].labels["b"], "x \"y\"");
    assert_eq!(families["c"].value(&[]), Some(-1000.0));
}

#[test]
fn what_is_not_in_order_is_refused() {
    let histogram = "# HELP h Of h\n# TYPE h histogram\n";
    for text in [
        format!("{HEAD}a_total 1"),
        "a_total 1\n".to_owned(),
        "# TYPE a_total counter\na_total 1\n".to_owned(),
        format!("{HEAD}b_total 1\n"),
        format!("{HEAD}a_total -1\n"),
        format!("{HEAD}a_total one\n"),
        format!("{HEAD}a_total infinity\n"),
        format!("{HEAD}a_total{{x=\"1\",x=\"2\"}} 1\n"),
        format!("{HEAD}a_total{{x=\"1\" y=\"2\"}} 1\n"),
        format!("{HEAD}a_total{{x=\"1}} 1\n"),
        format!("{HEAD}a_total{{x=\"\\t\"}} 1\n"),
        format!("{HEAD}a_total{{1x=\"\"}} 1\n"),
        format!("{HEAD}a_total 1\na_total 2\n"),
        format!("{HEAD}a_total 1\n{HEAD}a_total{{x=\"1\"}} 2\n"),
        format!("{histogram}h_bucket{{le=\"1\"}} 1\nh_sum 1\nh_count 1\n"),
        format!(
            "{histogram}h_bucket{{le=\"1\"}} 2\nh_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 1\n"
        ),
        format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_sum 1\nh_count 2\n"),
        format!("{histogram}h_bucket{{le=\"+Inf\"}} 1\nh_count 1\n"),
    ] {
        assert!(parse(&text).is_err(), "{text}");
    }
}
