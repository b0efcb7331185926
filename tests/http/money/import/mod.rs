//! What an import does with the rows of a file.

mod bank;
mod columns;
mod format;
mod identity;
mod large;
mod property;
mod slices;
mod writer;

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, each_database};

/// Uploads a file whose columns are called as in `FILE`.
async fn import(client: &Client, home: &str, more: &str, file: &str) -> Answer {
    let query = format!("date=Day&amount=Sum&merchant=Shop&category=What&note=Why{more}");
    client.upload(&format!("{home}/expenses/import?{query}"), file).await
}

const FILE: &str = "Day,Shop,Sum,Why,What,Unused\n\
    2026-11-01,Bakery,12.50,bread,Food,x\n\
    2026-11-02,,3,,,\n";

fn outcome(report: &Value) -> [u64; 4] {
    ["created", "duplicates", "ignored", "failed"]
        .map(|name| report[name].as_u64().expect("a report counts"))
}

/// Amount, currency and merchant of each expense, in order of day and amount.
async fn written(client: &Client, home: &str) -> Vec<(i64, String, Option<String>)> {
    let rows = client.all(&format!("{home}/expenses"), "?limit=500").await;
    let mut rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row[name].as_str().map(str::to_owned);
            let amount = row["amount_minor"].as_i64().expect("an amount");
            (text("spent_on"), (amount, text("currency").unwrap_or_default(), text("merchant")))
        })
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, rest)| rest).collect()
}

#[each_database]
async fn each_column_goes_where_the_query_says(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let kim = ada.make(&format!("{home}/members"), json!({ "name": "Kim" })).await;
    let more = format!("&create_categories=true&member_id={}", kim["id"].as_str().expect("an id"));
    let report = import(&ada, &home, &more, FILE).await.expect(200);
    assert_eq!(outcome(&report), [2, 0, 0, 0]);
    assert_eq!(report["errors"], json!([]));
    let rows = ada.all(&format!("{home}/expenses"), "?sort=spent_on").await;
    let food = &ada.all(&format!("{home}/categories"), "").await[0];
    assert_eq!(food["name"], "Food");
    let full = json!({ "spent_on": "2026-11-01", "amount_minor": 1250, "currency": "EUR",
        "merchant": "Bakery", "note": "bread", "category_id": food["id"], "kind": "purchase",
        "status": "approved", "member_id": kim["id"], "version": 1 });
    let bare = json!({ "spent_on": "2026-11-02", "amount_minor": 300, "merchant": null,
        "note": null, "category_id": null });
    for (row, expected) in rows.iter().zip([full, bare]) {
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(&row[name], value, "{name}");
        }
    }
    app.stop().await;
}

#[each_database]
async fn what_is_imported_into_a_company_waits_for_approval(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let file = "Day,Sum\n2026-11-01,5\n";
    ada.upload(&format!("{company}/expenses/import?date=day&amount=SUM"), file).await.expect(200);
    assert_eq!(ada.all(&format!("{company}/expenses"), "").await[0]["status"], "draft");
    let bob = ada.invite(&company, "member").await;
    let refused = import(&bob, &company, "", FILE).await;
    refused.expect_problem(403, "role_insufficient");
    app.stop().await;
}

#[each_database]
async fn a_file_imported_twice_creates_nothing_the_second_time(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import?date=d&amount=a&merchant=m");
    let row = |day: u32, count: usize| format!("2026-11-{day:02},1.00,x\n").repeat(count);
    let upload = async |rows: &[String]| {
        let report = ada.upload(&path, format!("d,a,m\n{}", rows.concat())).await.expect(200);
        outcome(&report)
    };
    // Two equal rows are two expenses; a third in a later file is a third.
    assert_eq!(upload(&[row(1, 2), row(2, 1)]).await, [3, 0, 0, 0]);
    assert_eq!(upload(&[row(1, 2), row(2, 1)]).await, [0, 3, 0, 0]);
    assert_eq!(upload(&[row(2, 1), row(3, 4)]).await, [4, 1, 0, 0]);
    assert_eq!(upload(&[row(1, 3)]).await, [1, 2, 0, 0]);
    let other_columns = "m,x,a,d\nx,?,1,2026-11-03\n";
    let report = ada.upload(&path, other_columns).await.expect(200);
    assert_eq!(outcome(&report), [0, 1, 0, 0], "written otherwise, and the same");
    assert_eq!(written(&ada, &home).await.len(), 8);
    app.stop().await;
}

/// Bad rows, each with its line, column and code.
const BAD: &str = "Day,Shop,Sum,Why,What\n\
    2026-11-01,good,1.00,,\n\
    2026-11-31,x,1.00,,\n\
    2026-11-02,x,1.005,,\n\
    2026-11-02,x,0,,\n\
    2026-11-02,x,-1,,\n\
    2026-11-02,x,abc,,\n\
    2026-11-02,x,90071992547409.92,,\n\
    2026-11-02,x,1.00,,Unknown\n\
    2026-11-02,x\n\
    2026-11-02,x,1.00,,,,more\n";

fn errors(report: &Value) -> Vec<(u64, Option<&str>, &str)> {
    let errors = report["errors"].as_array().expect("errors");
    errors
        .iter()
        .map(|error| {
            assert!(error["message"].is_string());
            let line = error["line"].as_u64().expect("a line");
            (line, error["column"].as_str(), error["code"].as_str().expect("a code"))
        })
        .collect()
}

fn expected_errors() -> Vec<(u64, Option<&'static str>, &'static str)> {
    vec![
        (3, Some("Day"), "date"),
        (4, Some("Sum"), "amount_precision"),
        (5, Some("Sum"), "amount_range"),
        (7, Some("Sum"), "amount"),
        (8, Some("Sum"), "amount_range"),
        (9, Some("What"), "unknown_category"),
        (10, None, "columns"),
        (11, None, "columns"),
    ]
}

#[each_database]
async fn one_bad_row_aborts_the_import_unless_bad_rows_are_skipped(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for more in ["", "&on_error=abort", "&on_error=abort&dry_run=true"] {
        let more = &format!("&sign=debit_positive{more}");
        let problem = import(&ada, &home, more, BAD).await.expect_problem(422, "import_failed");
        assert_eq!(outcome(&problem), [0, 0, 1, 8], "{more}");
        assert_eq!(errors(&problem), expected_errors());
    }
    assert_eq!(written(&ada, &home).await, []);
    for (more, created) in [("&dry_run=true", [1, 0]), ("", [1, 0]), ("", [0, 1])] {
        let more = format!("&sign=debit_positive&on_error=skip{more}");
        let report = import(&ada, &home, &more, BAD).await.expect(200);
        assert_eq!(outcome(&report), [created[0], created[1], 1, 8], "{more}");
        assert_eq!(errors(&report), expected_errors());
    }
    assert_eq!(written(&ada, &home).await, [(100, "EUR".into(), Some("good".into()))]);
    app.stop().await;
}

/// However many rows are bad: all are counted, and a thousand are told.
#[each_database]
async fn a_report_stays_small(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let file = format!("Day,Shop,Sum,Why,What\n{}", "x,,,,\n".repeat(1500));
    let problem = import(&ada, &home, "", &file).await.expect_problem(422, "import_failed");
    assert_eq!(outcome(&problem), [0, 0, 0, 1500]);
    assert_eq!(errors(&problem).len(), 1000);
    app.stop().await;
}

#[each_database]
async fn a_dry_run_says_what_would_happen_and_writes_nothing(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let more = "&create_categories=true&dry_run=true";
    for _twice in 0..2 {
        let report = import(&ada, &home, more, FILE).await.expect(200);
        assert_eq!(outcome(&report), [2, 0, 0, 0]);
    }
    assert_eq!(written(&ada, &home).await, []);
    assert_eq!(ada.all(&format!("{home}/categories"), "").await, Vec::<Value>::new());
    import(&ada, &home, "&create_categories=true", FILE).await.expect(200);
    assert_eq!(outcome(&import(&ada, &home, more, FILE).await.expect(200)), [0, 2, 0, 0]);
    app.stop().await;
}

#[each_database]
async fn a_category_is_found_by_its_name_in_any_case_or_made_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    let parent = ada.make(&categories, json!({ "name": "Parent" })).await;
    let below = json!({ "name": "Füße", "parent_id": parent["id"] });
    let below = ada.make(&categories, below).await;
    let file = "Day,Shop,Sum,Why,What\n\
        2026-11-01,a,1,,FÜßE\n2026-11-02,b,1,, new \n2026-11-03,c,1,,NEW\n";
    let report = import(&ada, &home, "&create_categories=true", file).await.expect(200);
    assert_eq!(outcome(&report), [3, 0, 0, 0]);
    let rows = ada.all(&format!("{home}/expenses"), "?sort=spent_on").await;
    assert_eq!(rows[0]["category_id"], below["id"]);
    assert_eq!(rows[1]["category_id"], rows[2]["category_id"]);
    let names = ada.all(&categories, "").await;
    let names: Vec<_> = names.iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["Füße", "new", "Parent"]);
    app.stop().await;
}

#[each_database]
async fn rows_of_money_that_came_in_are_ignored(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import?date=d&amount=a&direction=io&direction_debit=out");
    let file = "d,a,io\n2026-11-01,1,OUT\n2026-11-01,2,in\nnonsense,,\n2026-11-01,3, out \n";
    assert_eq!(outcome(&ada.upload(&path, file).await.expect(200)), [2, 0, 2, 0]);
    app.stop().await;
}

#[each_database]
async fn a_query_that_does_not_fit_the_file_is_refused_with_a_pointer(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let unknown = "member_id=0199aaaa-0000-7000-8000-000000000000";
    for (query, pointers) in [
        ("date=Day&amount=Sum&merchant=Nope&note=No", &["?merchant", "?note"][..]),
        ("date=Nope&amount=Sum", &["?date"]),
        ("amount=Sum&amount_debit=Why", &["?amount_debit"]),
        ("date=Day&amount_credit=Sum", &["?amount_credit"]),
        ("date=Day&amount=Sum&direction_credit=Shop", &["?direction_credit"]),
        ("date=Day&amount=Sum&direction=Shop", &["?direction_debit"]),
        ("date=Day&amount=Sum&direction_debit=Shop", &["?direction_debit"]),
        ("date=Day&amount=Sum&currency=EUR&currency_column=Shop", &["?currency_column"]),
        ("date=Day&amount=Sum&currency=EURO", &["?currency"]),
        ("date=Day&amount=Sum&account=x&account_column=Shop", &["?account_column"]),
        ("date=Day&amount=Sum&account_column=IBAN", &["?account_column"]),
        ("date=Day&amount=Sum&status=State", &["?status"]),
        ("date=Day&amount=Sum&latitude=Why", &["?longitude"]),
        ("date=Day&amount=Sum&date_format=%25Q", &["?date_format"]),
        ("date=Day&amount=Sum&decimal_separator=x", &["?decimal_separator"]),
        ("date=Day&amount=Sum&decimal_separator=,,", &["?decimal_separator"]),
        ("date=Day&amount=Sum&delimiter=x", &["?delimiter"]),
        ("date=Day&amount=Sum&delimiter=|", &["?date", "?amount"]),
        ("date=Day&amount=Sum&encoding=klingon", &["?encoding"]),
        ("date=Day&amount=Sum&skip_rows=1001", &["?skip_rows"]),
        ("date=Day&amount=Sum&skip_last=-1", &["?skip_last"]),
        ("date=Day&amount=Sum&sign=plus", &["?sign"]),
        ("date=Day&amount=Sum&income=export", &["?income"]),
        ("date=Day&amount=Sum&on_error=ignore", &["?on_error"]),
        ("date=Day&amount=Sum&nonsense=1", &["?nonsense"]),
        (&format!("date=Day&amount=Sum&{unknown}"), &["?member_id"]),
    ] {
        let refused = ada.upload(&format!("{home}/expenses/import?{query}"), FILE).await;
        assert_eq!(refused.expect_violations(), pointers, "{query}");
    }
    let twice = "Day,Sum,day\n2026-11-01,1,2026-11-02\n";
    let refused = ada.upload(&format!("{home}/expenses/import?date=Day&amount=Sum"), twice).await;
    assert_eq!(refused.expect_violations(), ["?date"]);
    let path = format!("{home}/expenses/import?date=Day&amount=Sum");
    ada.post(&path, json!({})).await.expect_problem(415, "unsupported_media_type");
    assert_eq!(written(&ada, &home).await, []);
    app.stop().await;
}

/// The same file at the same moment, several times: its rows are there once.
#[each_database]
async fn imports_of_one_file_at_once_create_its_rows_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let rows: String = (1..=600).map(|n| format!("2026-11-01,s{n},{n},,c\n")).collect();
    let file = format!("Day,Shop,Sum,Why,What\n{rows}");
    let query = "date=Day&amount=Sum&merchant=Shop&category=What&create_categories=true";
    let path = format!("{home}/expenses/import?{query}");
    let imports = (0..4).map(|_| app.import(&ada, &path, file.clone()));
    let reports = futures_util::future::join_all(imports).await;
    let sums = reports.into_iter().map(|report| outcome(&report));
    let sums = sums.fold([0; 4], |sum, one| [0, 1, 2, 3].map(|i| sum[i] + one[i]));
    assert_eq!(sums, [600, 1800, 0, 0]);
    assert_eq!(written(&ada, &home).await.len(), 600);
    assert_eq!(ada.all(&format!("{home}/categories"), "").await.len(), 1);
    app.stop().await;
}
