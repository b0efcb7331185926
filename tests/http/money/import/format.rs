//! How files may be written: days, amounts, quotes, line ends, bytes.

use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, each_database};

/// Uploads a file with the columns `d`, `a` and `m`.
async fn import(client: &Client, home: &str, more: &str, file: impl Into<Vec<u8>>) -> Answer {
    let path = format!("{home}/expenses/import?date=d&amount=a&merchant=m{more}");
    client.upload(&path, file).await
}

/// What stands in one field of all expenses, in order of their day.
async fn all(client: &Client, home: &str, field: &str) -> Vec<Value> {
    let rows = client.all(&format!("{home}/expenses"), "?sort=spent_on").await;
    rows.into_iter().map(|row| row[field].clone()).collect()
}

/// A new household in which the file has been imported.
async fn imported(client: &Client, more: &str, file: impl Into<Vec<u8>>) -> String {
    let home = client.found("household").await;
    let report = import(client, &home, more, file).await.expect(200);
    assert_eq!(report["failed"], 0);
    home
}

#[each_database]
async fn days_as_the_format_says(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    for (format, day) in [
        ("", "2026-02-03"),
        ("&date_format=%25m/%25d/%25Y", "02/03/2026"),
        ("&date_format=%25d.%25m.%25y", " 3.2.26 "),
        ("&date_format=%25e %25B %25Y", "3 February 2026"),
        ("&date_format=%25Y-%25m-%25dT%25H:%25M:%25SZ", "2026-02-03T23:59:59Z"),
    ] {
        let home = imported(&ada, format, format!("d,a,m\n{day},1,\n")).await;
        assert_eq!(all(&ada, &home, "spent_on").await, ["2026-02-03"], "{format}");
    }
    let home = ada.found("household").await;
    for day in ["2026-02-29", "0999-01-01", "2026-02-03x", "", "３-2-2026"] {
        let refused = import(&ada, &home, "", format!("d,a,m\n{day},1,\n")).await;
        let problem = refused.expect_problem(422, "import_failed");
        assert_eq!(problem["errors"][0]["code"], "date", "{day:?}");
    }
    app.stop().await;
}

#[each_database]
async fn amounts_to_the_last_decimal_of_their_currency(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    for (more, amount, minor) in [
        ("", "1,247.44", 124_744),
        ("&decimal_separator=,", "\"1.247,4\"", 124_740),
        ("&decimal_separator=,", "1'247", 124_700),
        ("&currency=JPY", "1247", 1247),
        ("&currency=JPY", "\"1,247.00\"", 1247),
        ("&currency=KWD", "1.247", 1247),
        ("&currency=BHD", "1.2", 1200),
        ("&currency=KWD", "9007199254740.991", 9_007_199_254_740_991_i64),
    ] {
        let amount = if amount.contains('"') { amount.into() } else { format!("\"{amount}\"") };
        let home = imported(&ada, more, format!("d,a,m\n2026-11-01,{amount},\n")).await;
        assert_eq!(all(&ada, &home, "amount_minor").await, [minor], "{more} {amount}");
    }
    let home = ada.found("household").await;
    for (more, amount, code) in [
        ("&decimal_separator=.", "1.005", "amount_precision"),
        ("&currency=JPY", "1.5", "amount_precision"),
        ("&currency=BHD", "1.0001", "amount_precision"),
        ("&currency=KWD", "9007199254740.992", "amount_range"),
        ("", "\"1,24.00\"", "amount"),
        ("&decimal_separator=,", "1.5", "amount"),
        ("&currency=EUR", "$5", "currency"),
        ("", "5 pieces", "amount"),
        ("", "", "amount"),
    ] {
        let refused = import(&ada, &home, more, format!("d,a,m\n2026-11-01,{amount},\n")).await;
        let problem = refused.expect_problem(422, "import_failed");
        assert_eq!(problem["errors"][0]["code"], code, "{more} {amount}");
    }
    app.stop().await;
}

#[each_database]
async fn a_currency_for_each_row(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    let file = "d,a,m,c\n2026-11-01,1,,jpy\n2026-11-02,1,,\n2026-11-03,1,, KWD \n";
    let home = imported(&ada, "&currency_column=c", file).await;
    assert_eq!(all(&ada, &home, "currency").await, ["JPY", "EUR", "KWD"]);
    assert_eq!(all(&ada, &home, "amount_minor").await, [1, 100, 1000]);
    let file = "d,a,m,c\n2026-11-01,1,,XXX\n2026-11-01,1,,euro\n";
    let refused = import(&ada, &home, "&currency_column=c", file).await;
    let problem = refused.expect_problem(422, "import_failed");
    assert_eq!(
        (&problem["errors"][0]["code"], &problem["failed"]),
        (&json!("currency"), &json!(2))
    );
    app.stop().await;
}

/// The same rows, however the file is written.
#[each_database]
async fn line_ends_delimiters_quotes_and_marks(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    for (more, file) in [
        ("", "d,a,m\n2026-11-01,1,x\n2026-11-02,2,y"),
        ("", "d,a,m\r\n2026-11-01,1,x\r\n2026-11-02,2,y\r\n"),
        ("", "d,a,m\r2026-11-01,1,x\r2026-11-02,2,y\r"),
        ("", "\u{feff}d,a,m\n2026-11-01,1,x\n2026-11-02,2,y\n"),
        ("", "\u{feff}\"d\",\"a\",\"m\"\r\n\"2026-11-01\",\"1\",\"x\"\r\n2026-11-02,2,\"y\"\r\n"),
        ("", "d,a,m\n\n2026-11-01,1,x\n\n\n2026-11-02,2,y\n\n"),
        ("&delimiter=;", "d;a;m\n2026-11-01;1;x\n2026-11-02;2;y\n"),
        ("&delimiter=%09", "d\ta\tm\n2026-11-01\t1\tx\n2026-11-02\t2\ty\n"),
        ("", "m, D ,A\nx,2026-11-01,1\ny,2026-11-02,2\n"),
    ] {
        let home = imported(&ada, more, file).await;
        assert_eq!(all(&ada, &home, "merchant").await, ["x", "y"], "{file:?}");
        assert_eq!(all(&ada, &home, "amount_minor").await, [100, 200], "{file:?}");
    }
    let file = "d,a,m\n2026-11-01,1,\" a \"\"b\"\",\r\n c\"\n";
    let home = imported(&ada, "", file).await;
    assert_eq!(all(&ada, &home, "merchant").await, [" a \"b\",\r\n c"], "to the byte");
    app.stop().await;
}

/// A line is counted as an editor counts it, and a row begins on the first of its own.
#[each_database]
async fn a_bad_row_is_told_by_the_line_it_begins_on(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let rows = "2026-11-01,1,x\nbad,1,x\n2026-11-01,1,\"two\nlines\"\n\nbad,1,\"t\nw\no\"\nbad,1,x";
    for (end, lines) in [("\n", [3, 7, 10]), ("\r\n", [3, 7, 10])] {
        for last in ["", end] {
            let file = format!("d,a,m\n{rows}").replace('\n', end) + last;
            let refused = import(&ada, &home, "", file.clone()).await;
            let problem = refused.expect_problem(422, "import_failed");
            let errors = problem["errors"].as_array().expect("errors");
            let found: Vec<_> = errors.iter().map(|error| error["line"].clone()).collect();
            assert_eq!(found, lines, "{file:?}");
        }
    }
    app.stop().await;
}

#[each_database]
async fn bytes_that_are_no_text_are_a_bad_row(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let long = "x".repeat(201);
    for (merchant, code) in [
        (&b"caf\xe9"[..], "encoding"),
        (b"\xff\xfe", "encoding"),
        (b"a\0b", "nul"),
        (long.as_bytes(), "length"),
    ] {
        let file = [b"d,a,m,u\n2026-11-01,1,", merchant, b",u\n"].concat();
        let refused = import(&ada, &home, "&encoding=utf-8", file).await;
        let refused = refused.expect_problem(422, "import_failed");
        let error = json!([{ "line": 2, "column": "m", "code": code,
            "message": refused["errors"][0]["message"] }]);
        assert_eq!(refused["errors"], error);
    }
    // What nobody asked for is not looked at.
    let unused = [&b"d,a,m,\xff\n2026-11-01,1,x,"[..], b"\xff\0\n"].concat();
    import(&ada, &home, "", unused).await.expect(200);
    app.stop().await;
}

#[each_database]
async fn a_file_without_rows_is_imported_and_one_without_a_header_is_not(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for file in ["d,a,m", "d,a,m\n", "d,a,m\r\n\r\n"] {
        let report = import(&ada, &home, "", file).await.expect(200);
        let nothing = json!({ "created": 0, "duplicates": 0, "deleted_before": 0, "ignored": 0,
            "ignored_income": 0, "failed": 0, "reasons": [], "errors": [] });
        assert_eq!(report, nothing, "{file:?}");
    }
    for file in ["", "\n\n", "\u{feff}", "2026-11-01,1,x\n"] {
        let pointers = import(&ada, &home, "", file).await.expect_violations();
        assert_eq!(pointers, ["?date", "?amount", "?merchant"], "{file:?}");
    }
    let unclosed = import(&ada, &home, "", "d,a,m\n2026-11-01,1,\"x\n2026-11-02,1,y\n").await;
    let report = unclosed.expect(200);
    assert_eq!(report["created"], 1, "a quote that nobody closes goes to the end");
    app.stop().await;
}
