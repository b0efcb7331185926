//! The log of a year and its summary.

use serde_json::json;
use tests::{Answer, App, Database, each_database};

use crate::work::incident::Site;

/// The rows of a file, with its headings first.
#[track_caller]
fn rows(answer: &Answer, name: &str) -> Vec<Vec<String>> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    let disposition = format!("attachment; filename=\"{name}\"");
    assert_eq!(answer.headers["content-disposition"], disposition.as_str());
    let text = answer.text.strip_prefix('\u{feff}').expect("it says that it is UTF-8");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect());
    rows.collect()
}

/// A year on the site, in New York: two recordable incidents in it, one that is not, and one of the
/// year before by the clock on the wall.
async fn year(app: &App) -> Site {
    let site = Site::of(app).await;
    let ours = json!({ "version": 1, "time_zone": "America/New_York", "name": "=Ours, \"Inc\"" });
    site.ada.patch(&site.home, ours).await.expect(200);
    for (at, with) in [
        (
            "2025-01-01T05:00:00Z",
            json!({ "recordable": true, "classification": "days_away",
            "injury_type": "injury", "days_away": 200, "days_restricted": 7, "place": "+1 floor" }),
        ),
        (
            "2026-01-01T04:59:59Z",
            json!({ "recordable": true, "classification": "death",
            "injury_type": "poisoning", "privacy_case": true, "days_away": 3, "body_part": null,
            "cause": null, "nature": "fumes", "job_title": null }),
        ),
        ("2025-06-01T12:00:00Z", json!({ "days_away": 50 })),
        (
            "2025-01-01T04:59:59Z",
            json!({ "recordable": true, "classification": "restricted",
            "injury_type": "other_illness" }),
        ),
    ] {
        let mut report = site.report();
        report["occurred_at"] = json!(at);
        for (name, value) in with.as_object().unwrap() {
            report[name] = value.clone();
        }
        site.ada.make(&site.incidents, report).await;
    }
    site
}

#[each_database]
async fn the_log_of_a_year_has_its_recordable_incidents(database: Database) {
    let app = App::start(&database).await;
    let site = year(&app).await;
    let log = site.ada.get(&format!("{}/osha-300?year=2025", site.incidents)).await;
    let rows = rows(&log, "osha-300-2025.csv");
    assert_eq!((rows.len(), rows[0].len()), (3, 18), "{rows:?}");
    assert_eq!(
        rows[1],
        [
            "1",
            "Grace",
            "Carpenter",
            "2025-01-01",
            "'+1 floor",
            "laceration; left thumb; a saw",
            "",
            "X",
            "",
            "",
            "180",
            "7",
            "X",
            "",
            "",
            "",
            "",
            "",
        ]
    );
    assert_eq!(
        rows[2],
        [
            "2",
            "Privacy Case",
            "",
            "2025-12-31",
            "Hall 2",
            "fumes",
            "X",
            "",
            "",
            "",
            "3",
            "0",
            "",
            "",
            "",
            "X",
            "",
            "",
        ]
    );
    let before = site.ada.get(&format!("{}/osha-300?year=2024", site.incidents)).await;
    assert_eq!(self::rows(&before, "osha-300-2024.csv").len(), 2);
    for query in ["", "?year=x", "?year=999", "?year=9999", "?year=2025&more=1"] {
        let refused = site.ada.get(&format!("{}/osha-300{query}", site.incidents)).await;
        assert_eq!(refused.expect_violations().len(), 1, "{query}");
    }
    app.stop().await;
}

#[each_database]
async fn the_summary_of_a_year_has_its_sums_and_what_was_worked(database: Database) {
    let app = App::start(&database).await;
    let site = year(&app).await;
    let linus = site.ada.make(&format!("{}/members", site.home), json!({ "name": "Linus" })).await;
    for (member, day, minutes) in [
        (&site.grace, "2025-01-01", 8 * 60),
        (&site.grace, "2025-12-31", 60),
        (&linus, "2025-06-01", 30),
        (&linus, "2026-01-01", 7 * 60),
    ] {
        let worked = json!({ "member_id": member["id"], "day": day, "minutes": minutes });
        site.ada.make(&format!("{}/time-entries", site.home), worked).await;
    }
    let path = |year| format!("{}/osha-300a?year={year}", site.incidents);
    let summary = rows(&site.ada.get(&path(2025)).await, "osha-300a-2025.csv");
    assert_eq!(summary[0].len(), 16);
    assert_eq!(
        summary[1],
        [
            "'=Ours, \"Inc\"",
            "2025",
            "2",
            "10",
            "1",
            "1",
            "0",
            "0",
            "183",
            "7",
            "1",
            "0",
            "0",
            "1",
            "0",
            "0",
        ]
    );
    // Nothing has happened, and that is to be said too.
    let quiet = rows(&site.ada.get(&path(2023)).await, "osha-300a-2023.csv");
    assert_eq!(quiet[1][2..], ["0"; 14]);
    app.stop().await;
}
