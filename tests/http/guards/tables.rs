//! Every list and every report is a table, too, of the same rows.

use reqwest::Method;
use serde_json::Value;
use tests::{App, Database, Route, Sample, each_database, table::csv_cells};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Whether a route answers with a page of a list, or a report.
fn is_shown_as_table(route: &Route) -> bool {
    let operation = route.operation();
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
    let is_page = schema.as_str().is_some_and(|name| name.ends_with("Page"));
    let is_report = route.path.contains("/reports/");
    route.method == Method::GET && (is_page || is_report)
}

#[each_database]
async fn every_list_and_report_is_a_table(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    app.run_until_idle().await;
    let mut tables = 0;
    for route in Route::all().into_iter().filter(is_shown_as_table) {
        let name = route.name();
        let content = route.operation()["responses"]["200"]["content"].as_object();
        let known: Vec<&str> = content.into_iter().flatten().map(|(name, _)| &**name).collect();
        assert_eq!(known, ["application/json", "text/csv", XLSX], "{name}");
        assert_eq!(route.values("format"), ["json", "csv", "xlsx"], "{name}");

        let plain = sample.request(&route).query("format=json").send(&sample.owner).await;
        let plain = plain.expect(200);
        let csv = sample.request(&route).query("format=csv").send(&sample.owner).await;
        assert_eq!(csv.status, 200, "{name}: {}", csv.text);
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8", "{name}");
        let rows = csv_cells(&csv.text);
        let accepted = sample.request(&route).header("accept", "text/csv").send(&sample.owner);
        assert_eq!(accepted.await.text, csv.text, "{name}");
        let request = sample.request(&route).query("format=xlsx");
        let cells = sample.owner.workbook(request.path()).await;

        let items = plain["items"].as_array().or(plain["rows"].as_array());
        if let Some(items) = items {
            assert_eq!(rows.len(), items.len() + 1, "{name}: {}", csv.text);
        }
        assert_eq!(cells.len(), rows.len(), "{name}");
        assert_eq!(cells[0].iter().map(ToString::to_string).collect::<Vec<_>>(), rows[0], "{name}");
        if let Some(item) = items.and_then(|items| items.first()).and_then(Value::as_object) {
            let shown: Vec<&str> =
                item.keys().map(|name| name.trim_end_matches("_minor")).collect();
            let columns = rows[0].iter().map(String::as_str);
            let columns: Vec<&str> = columns.filter(|name| shown.contains(name)).collect();
            assert_eq!(columns, shown, "{name}: a column for each property, in its place");
        }
        tables += 1;
    }
    assert!(tables > 40, "{tables}");
    app.stop().await;
}
