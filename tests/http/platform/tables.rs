//! Lists and reports as CSV and XLSX.

use calamine::Data;
use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, each_database, table::csv_cells};

/// The cells of a column, without its name.
fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let place = rows[0].iter().position(|column| column == name).expect(name);
    rows[1..].iter().map(|row| row[place].clone()).collect()
}

fn xlsx_column(rows: &[Vec<Data>], name: &str) -> Vec<Data> {
    let name = Data::String(name.to_owned());
    let place = rows[0].iter().position(|column| *column == name).expect("a column");
    rows[1..].iter().map(|row| row[place].clone()).collect()
}

async fn spend(client: &Client, expenses: &str, amount_minor: i64, more: Value) -> Value {
    let mut new = json!({ "spent_on": "2026-11-01", "amount_minor": amount_minor });
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.make(expenses, new).await
}

#[each_database]
async fn a_table_says_what_the_list_says(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let made = spend(
        &ada,
        &expenses,
        1250,
        json!({ "note": "=HYPERLINK(\"http://x\")", "tags": ["a,b", "c"], "merchant": "Käse" }),
    )
    .await;
    spend(&ada, &expenses, 300, json!({ "currency": "JPY", "note": "@x" })).await;
    spend(&ada, &expenses, 9_007_199_254_740_991, json!({ "kind": "refund" })).await;

    let path = format!("{expenses}?sort=amount_minor");
    let csv = ada.get(&format!("{path}&format=csv")).await;
    assert_eq!(csv.headers["content-disposition"], "attachment; filename=\"expenses.csv\"");
    let rows = csv_cells(&csv.text);
    assert_eq!(column(&rows, "amount"), ["300", "12.50", "90071992547409.91"]);
    assert_eq!(column(&rows, "currency"), ["JPY", "EUR", "EUR"]);
    assert_eq!(column(&rows, "note")[..2], ["'@x", "'=HYPERLINK(\"http://x\")"]);
    assert_eq!(column(&rows, "merchant")[1], "Käse");
    assert_eq!(column(&rows, "tags")[1], r#"["a,b","c"]"#);
    assert_eq!(column(&rows, "spent_on")[1], "2026-11-01");
    assert_eq!(column(&rows, "id")[1], made["id"].as_str().unwrap());
    assert_eq!(column(&rows, "created_at")[1], made["created_at"].as_str().unwrap());
    assert_eq!(column(&rows, "category_id")[1], "");

    let rows = ada.workbook(&format!("{path}&format=xlsx")).await;
    let exact = "90071992547409.91".to_owned();
    assert_eq!(
        xlsx_column(&rows, "amount"),
        [Data::Float(300.0), Data::Float(12.5), Data::String(exact)]
    );
    let note = "=HYPERLINK(\"http://x\")".to_owned();
    assert_eq!(xlsx_column(&rows, "note")[1], Data::String(note));
    let Data::DateTime(day) = &xlsx_column(&rows, "spent_on")[1] else { panic!("no day") };
    assert_eq!(day.as_f64(), 46_327.0);
    assert!(matches!(xlsx_column(&rows, "created_at")[1], Data::DateTime(_)));
    assert_eq!(xlsx_column(&rows, "category_id")[1], Data::Empty);
    app.stop().await;
}

/// The target of the link to what follows.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    Some(link.trim_start_matches('<').split('>').next().unwrap().to_owned())
}

#[each_database]
async fn a_table_has_all_pages_or_the_one_that_is_asked_for(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    for number in 0..60 {
        ada.make(&categories, json!({ "name": format!("{number:02}") })).await;
    }
    let whole = ada.get(&format!("{categories}?format=csv")).await;
    assert_eq!(next(&whole), None);
    let names = column(&csv_cells(&whole.text), "name");
    assert_eq!(names.len(), 60, "more than a page of JSON has");
    assert!(names.is_sorted(), "{names:?}");

    let first = ada.get(&format!("{categories}?format=csv&limit=7")).await;
    assert_eq!(column(&csv_cells(&first.text), "name"), names[..7]);
    let second = ada.get(&next(&first).expect("more")).await;
    assert_eq!(column(&csv_cells(&second.text), "name"), names[7..14]);
    let rest = ada.get(&next(&second).expect("more").replace("limit=7", "")).await;
    assert_eq!(column(&csv_cells(&rest.text), "name"), names[14..]);
    app.stop().await;
}

#[each_database]
async fn a_table_has_the_fields_and_the_rows_that_are_asked_for(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    spend(&ada, &expenses, 100, json!({ "note": "-x" })).await;
    spend(&ada, &expenses, 200, json!({})).await;
    let path = format!("{expenses}?amount_to=150&fields=note,amount_minor");
    let csv = ada.get(&format!("{path}&format=csv")).await;
    let rows = csv_cells(&csv.text);
    assert_eq!(rows.len(), 2, "{}", csv.text);
    let mut names = rows[0].clone();
    names.sort_unstable();
    assert_eq!(names, ["amount", "id", "note", "version"]);
    assert_eq!(column(&rows, "amount"), ["1.00"]);
    app.stop().await;
}

#[each_database]
async fn a_table_that_a_client_has_is_not_sent_again(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    spend(&ada, &expenses, 100, json!({})).await;
    let report = format!("{home}/reports/spending?from=2026-01-01&to=2026-12-31&group_by=month");
    for path in [format!("{expenses}?"), report] {
        let mut tags = Vec::new();
        for format in ["json", "csv", "xlsx"] {
            let path = format!("{path}&format={format}");
            let answer = ada.get(&path).await;
            assert_eq!(answer.status, 200, "{path}");
            let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
            assert!(vary.iter().any(|it| *it == "accept"), "{path}: {vary:?}");
            let tag = answer.headers["etag"].to_str().unwrap().to_owned();
            let known = [("if-none-match", tag.as_str())];
            let again = ada.send_bytes(reqwest::Method::GET, &path, "", None, &known).await;
            assert_eq!(again.status, 304, "{path}");
            tags.push(tag);
        }
        tags.dedup();
        assert_eq!(tags.len(), 3, "{path}: each format is another answer");
    }
    app.stop().await;
}

#[each_database]
async fn a_report_is_a_table_of_its_rows(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("company").await;
    let project = ada.make(&format!("{home}/projects"), json!({ "name": "=Roof" })).await;
    let more = json!({ "project_id": project["id"], "merchant": "+Shop" });
    let expense = spend(&ada, &format!("{home}/expenses"), 1999, more).await;
    assert_eq!(expense["status"], "draft");
    let spending = format!("{home}/reports/spending?from=2026-01-01&to=2026-12-31");
    let csv = ada.get(&format!("{spending}&group_by=merchant&format=csv")).await;
    let rows = csv_cells(&csv.text);
    assert_eq!(column(&rows, "label"), ["'+Shop"]);
    assert_eq!(column(&rows, "pending"), ["19.99"]);
    assert_eq!(column(&rows, "count"), ["1"]);
    // The same query as JSON, which may be cached, is another answer.
    let json = ada.read(&format!("{spending}&group_by=merchant")).await;
    assert_eq!(json["rows"][0]["label"], "+Shop");

    let id = project["id"].as_str().unwrap();
    let cost = ada.get(&format!("{home}/reports/job-cost?project_id={id}&format=csv")).await;
    let rows = csv_cells(&cost.text);
    let columns = ["part", "key", "label", "seconds", "unrated_seconds", "currency", "amount"];
    assert_eq!(rows[0], columns);
    app.stop().await;
}

#[each_database]
async fn what_is_no_format_is_refused(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    for bad in ["format=pdf", "format=", "format", "format=csv&format=csv", "format=CSV"] {
        let refused = ada.get(&format!("{expenses}?{bad}")).await;
        assert_eq!(refused.expect_violations(), ["?format"], "{bad}");
    }
    // What is neither a list nor a report has no formats.
    let made = spend(&ada, &expenses, 100, json!({})).await;
    let one = format!("{expenses}/{}?format=csv", made["id"].as_str().unwrap());
    assert_eq!(ada.get(&one).await.expect_violations(), ["?format"]);
    // Problems are what they are.
    let table = format!("{expenses}?format=csv&amount_from=x");
    assert_eq!(ada.get(&table).await.expect_violations(), ["?amount_from"]);
    let cursor = format!("{expenses}?format=xlsx&cursor=x");
    assert_eq!(ada.get(&cursor).await.expect_violations(), ["?cursor"]);
    app.anonymous()
        .get(&format!("{expenses}?format=csv"))
        .await
        .expect_problem(401, "unauthenticated");
    let viewer = ada.invite(&home, "viewer").await;
    let keys = format!("{home}/api-keys?format=xlsx");
    viewer.get(&keys).await.expect_problem(403, "role_insufficient");
    app.stop().await;
}
