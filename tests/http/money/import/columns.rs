//! Columns that say more of a row than what was spent: whether it is booked, and where it was.

use serde_json::{Value, json};
use tests::{App, Database, each_database};

/// The code and the number of each reason.
fn reasons(report: &Value) -> Vec<(Value, Value)> {
    let reasons = report["reasons"].as_array().expect("a list").iter();
    reasons.map(|reason| (reason["code"].clone(), reason["count"].clone())).collect()
}

#[each_database]
async fn what_is_not_booked_is_counted_and_imported_once_it_is(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import");
    let row = |state: &str| format!("2026-02-01,Hotel,-50.00,{state}\n");
    let others = "2026-02-02,Shop,-1.00,COMPLETED\n2026-02-03,Shop,-2.00,DECLINED\n\
        2026-02-03,Shop,-3.00,REVERTED\n2026-02-04,Firm,7.00,COMPLETED\n";
    let file = |state: &str| format!("Date,Payee,Amount,State\n{}{others}", row(state));
    for more in ["", "?date=Date&amount=Amount&merchant=Payee"] {
        let preview = ada.upload(&format!("{path}/preview{more}"), file("PENDING")).await;
        let preview = preview.expect(200);
        assert_eq!(preview["settings"]["status"], "State");
        assert_eq!([&preview["outflows"], &preview["inflows"], &preview["ignored"]], [1, 1, 3]);
        assert_eq!(
            (&preview["rows"][0]["reason"], &preview["rows"][0]["kind"]),
            (&json!("pending"), &Value::Null)
        );
    }
    let report = ada.upload(&path, file("PENDING")).await.expect(200);
    assert_eq!([&report["created"], &report["ignored"], &report["failed"]], [1, 4, 0]);
    let expected = [("income", 1), ("pending", 1), ("void", 2)];
    let expected: Vec<_> = expected.iter().map(|(code, n)| (json!(code), json!(n))).collect();
    assert_eq!(reasons(&report), expected);
    let report = ada.upload(&path, file("COMPLETED")).await.expect(200);
    assert_eq!([&report["created"], &report["duplicates"], &report["ignored"]], [1, 1, 3]);
    // In place of the day, too: the row has none yet.
    let nordic = "Bokföringsdag;Belopp;Rubrik\nReserverat;-99,00;SL\n2026/02/05;-12,00;ICA\n\
        2026/02/06;-13,00;ICA\n";
    let report = ada.upload(&path, nordic).await.expect(200);
    assert_eq!([&report["created"], &report["ignored"], &report["failed"]], [2, 1, 0]);
    assert_eq!(reasons(&report), [(json!("pending"), json!(1))]);
    app.stop().await;
}

#[each_database]
async fn a_row_that_says_neither_a_day_nor_an_amount_is_no_transaction(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import");
    let file = "Date,Payee,Amount\n2026-02-01,Shop,-1.00\n,and more of its text,\n2026-02-02,Shop,-2.00\n\
        ,Shop,-3.00\n2026-02-03,Shop,\n2026-02-04,Shop,-4.00\n";
    let problem = ada.upload(&path, file).await.expect_problem(422, "import_failed");
    assert_eq!([&problem["ignored"], &problem["failed"]], [1, 2]);
    let report = ada.upload(&format!("{path}?on_error=skip"), file).await.expect(200);
    assert_eq!([&report["created"], &report["ignored"], &report["failed"]], [3, 1, 2]);
    let counted = ["amount", "date", "no_transaction"].map(|code| (json!(code), json!(1)));
    assert_eq!(reasons(&report), counted);
    app.stop().await;
}

#[each_database]
async fn coordinates_are_read_as_they_are(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import");
    let file = "Date,Payee,Amount,Latitude,Longitude\n2026-02-01,Shop,-1.00,47.3769123,-8.5417\n\
        2026-02-02,Shop,-2.00,,\n";
    for (report, expected) in [("?income=import", [2, 0]), ("", [0, 2])] {
        let report = ada.upload(&format!("{path}{report}"), file).await.expect(200);
        assert_eq!([&report["created"], &report["duplicates"]], expected);
    }
    let rows = ada.all(&format!("{home}/expenses"), "?sort=spent_on").await;
    let places: Vec<_> =
        rows.iter().map(|row| (row["latitude"].clone(), row["longitude"].clone())).collect();
    assert_eq!(places, [(json!(47.376_912_3), json!(-8.5417)), (Value::Null, Value::Null)]);
    // In the background, too.
    let many: String = (1..=150).map(|n| format!("2026-03-01,{n},47.{n},8\n")).collect();
    let query = "date=d&amount=a&latitude=y&longitude=x&sign=debit_positive";
    let run = app.import(&ada, &format!("{path}?{query}"), format!("d,a,y,x\n{many}")).await;
    assert_eq!(run["created"], 150);
    let near = ada.all(&format!("{home}/expenses"), "?near=47.15,8&within=10").await;
    let mut near: Vec<_> = near.iter().filter_map(|row| row["amount_minor"].as_i64()).collect();
    near.sort_unstable();
    assert_eq!(near, [1500, 15_000], "47.15 and 47.150");
    for bad in ["91,0", "0,181", "1,", ",1", "47.12345678,8", "x,y"] {
        let file = format!("d,a,y,x\n2026-04-01,1,{bad}\n");
        let refused = ada.upload(&format!("{path}?{query}"), file).await;
        let problem = refused.expect_problem(422, "import_failed");
        assert_eq!(problem["errors"][0]["code"], "coordinates", "{bad}");
    }
    app.stop().await;
}

/// Of amounts without a sign nobody knows whether they were spent.
#[each_database]
async fn amounts_that_may_be_income_are_not_booked_as_spending(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import?date=Date&amount=Amount");
    let salary =
        "Date,Payee,Amount\n2026-02-01,Salary ACME,2000.00\n2026-03-01,Salary ACME,2000.00\n";
    let other = "Date,Payee,Amount\n2026-02-01,ACME,2000.00\n";
    for (file, more) in [(salary, ""), (salary, "&on_error=skip"), (other, "&on_error=skip")] {
        let refused = ada.upload(&format!("{path}{more}"), file).await;
        assert_eq!(refused.expect_violations(), ["?sign"], "{file} {more}");
    }
    let report = ada.upload(&format!("{path}&sign=debit_negative&on_error=skip"), salary).await;
    let report = report.expect(200);
    assert_eq!([&report["created"], &report["ignored_income"]], [0, 2]);
    let report = ada.upload(&format!("{path}&sign=debit_positive"), other).await.expect(200);
    assert_eq!(report["created"], 1);
    app.stop().await;
}
