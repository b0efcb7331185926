//! Exports as banks write them: read without settings where the file says enough, and asked where not.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{App, Client, Database, each_database};
use url::form_urlencoded::Serializer;

/// A file, the currency that it is in, and what it says: how many rows are money that went out and that came
/// in, and the sum of what went out.
struct Export {
    name: &'static str,
    file: Vec<u8>,
    currency: &'static str,
    outflows: u64,
    inflows: u64,
    spending_minor: i64,
}

fn export(
    name: &'static str,
    file: impl Into<Vec<u8>>,
    currency: &'static str,
    (outflows, inflows, spending_minor): (u64, u64, i64),
) -> Export {
    Export { name, file: file.into(), currency, outflows, inflows, spending_minor }
}

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Dialects that are read without any setting.
fn exports() -> Vec<Export> {
    vec![
        export(
            "a minus for spending",
            "Date,Payee,Amount\n2026-01-01,Shop,-12.00\n2026-01-02,Salary,2000.00\n",
            "EUR",
            (1, 1, 1200),
        ),
        export(
            "German: Windows, lines before the header, a total",
            &b"\"Konto:\";\"DE00\";\n\"Zeitraum:\";\"10.2026\";\n\n\
                \"Buchungstag\";\"Empf\xe4nger\";\"Betrag (EUR)\"\n\
                \"02.10.2026\";\"B\xe4cker\";\"-4,80\"\n\"05.10.2026\";\"Miete\";\"-1.250,00\"\n\
                \"28.10.2026\";\"Gehalt\";\"3.100,55\"\n\"31.10.2026\";\"Saldo\";\"1.845,75\"\n"[..],
            "EUR",
            (2, 1, 125_480),
        ),
        export(
            "Belgian: a column for each way, with a minus",
            "Datum;Omschrijving;debet;credit\n03/04/2026;Winkel;-3,40;\n04/04/2026;Loon;;16,52\n",
            "EUR",
            (1, 1, 340),
        ),
        export(
            "Swiss: apostrophes, dashes, a delimiter at the end of rows",
            &b"Datum;Text;D\xe9bit;Cr\xe9dit;Solde\n01.07.2026;Loyer;1'450.00;-;3'000.00;\n\
                02.07.2026;Salaire;-;5'200.00;8'200.00;\n"[..],
            "CHF",
            (1, 1, 145_000),
        ),
        export(
            "Dutch: sep=, days without marks, words for the way",
            "sep=;\nDatum;Tekst;Bedrag;Af Bij\n20260401;Winkel;12,34;Af\n20260402;Loon;2.500,00;Bij\n",
            "EUR",
            (1, 1, 1234),
        ),
        export(
            "Hungarian: words and signs",
            "\u{feff}Date,Partner,Amount,In/Out\n2026.02.01.,Power,-350,outflow\n\
                2026.02.02.,Salary,450000,inflow\n",
            "HUF",
            (1, 1, 35_000),
        ),
        export(
            "US: parentheses, dollars, names of months",
            "Date,Description,Amount\n\"Jan 2, 2026\",Lunch,$(57.92)\n\"Jan 3, 2026\",Tools,\"($1,030.00)\"\n\
                \"Jan 4, 2026\",Refund,$+15.00\n\"Jan 5, 2026\",Parking,-$2.50\n",
            "USD",
            (3, 1, 109_042),
        ),
        export(
            "a card: spending has no sign",
            "Date,Description,Amount\n2026-02-03,Coffee,4.50\n2026-02-04,PAYMENT - THANK YOU,-200.00\n",
            "USD",
            (1, 1, 450),
        ),
        export(
            "Indian: groups of two, rupees",
            "Date,Narration,Withdrawal Amt.,Deposit Amt.\n01/04/26,Rent,\"₹1,00,000.00\",\n\
                02/04/26,Interest,,\"Rs. 2,345.50\"\n",
            "INR",
            (1, 1, 10_000_000),
        ),
        export(
            "British: pounds, CR",
            "Date,Details,Amount\n03 Feb 2026,Shop,£12.00\n14 Feb 2026,Refund,£5.00 CR\n",
            "GBP",
            (1, 1, 1200),
        ),
        export(
            "without a header: the balance says what the sign means",
            "2026-05-01,Grocer,-20.00,980.00\n2026-05-02,Pension,800.00,1780.00\n",
            "EUR",
            (1, 1, 2000),
        ),
        export(
            "every minus, and spaces that group",
            "Date,Payee,Amount\n2026-06-01,A,\u{2212}12.00\n2026-06-02,B,8.00-\n2026-06-03,C,5.00 DR\n\
                2026-06-04,D,7.00 CR\n2026-06-05,E,-1\u{202f}000.00\n2026-06-06,F,-1\u{a0}000.00\n",
            "EUR",
            (5, 1, 202_500),
        ),
        export(
            "UTF-16 with tabs",
            utf16("Date\tText\tAmount\n2026-03-01\tCafé Zoë\t-7,00\n2026-03-02\tMiete\t-700,00\n"),
            "EUR",
            (2, 0, 70_700),
        ),
        export(
            "Polish: Windows, a currency beside the amount",
            &b"#Data operacji;#Opis operacji;#Kwota;\n2026-02-01;\x8fABKA;-1 023,45 PLN;\n\
                2026-02-02;P\xb3aca;3 000,00 PLN;\n"[..],
            "PLN",
            (1, 1, 102_345),
        ),
        export(
            "Norwegian: a column for each way",
            "\"Dato\";\"Forklaring\";\"Ut fra konto\";\"Inn på konto\"\n\
                \"01.02.2026\";\"Rema\";\"123,50\";\"\"\n\
                \"02.02.2026\";\"Lønn\";\"\";\"20.000,00\"\n",
            "NOK",
            (1, 1, 12_350),
        ),
        export(
            "Brazilian: vertical bars",
            "Data|Histórico|Valor (R$)|Saldo (R$)\n01/02/2026|PIX|-12,50|100,00\n\
                02/02/2026|SALARIO|1.000,00|1.100,00\n",
            "BRL",
            (1, 1, 1250),
        ),
        export(
            "Czech: a time after the day, a column of the currency",
            "Datum;Částka;Měna;Název protiúčtu\n1.2.2026 10:15;-500,00;CZK;Nájem\n\
                2.2.2026 9:00;20 000,00;CZK;Firma\n",
            "CZK",
            (1, 1, 50_000),
        ),
        export(
            "Japanese: Shift_JIS, no decimals",
            &b"\x93\xfa\x95t,\x93E\x97v,\x8fo\x8b\xe0,\x93\xfc\x8b\xe0,\x8ec\x8d\x82\n\
                2026/2/1,\x83R\x83\x93\x83r\x83j,\"1,200\",,\"98,800\"\n\
                2026/2/2,\x8b\x8b\x97\xbf,,\"250,000\",\"348,800\"\n"[..],
            "JPY",
            (1, 1, 1200),
        ),
    ]
}

async fn household(client: &Client, currency: &str) -> String {
    let new = json!({ "kind": "household", "name": "Ours", "currency": currency });
    let organization = client.post("/v1/organizations", new).await.expect(201);
    format!("/v1/organizations/{}", organization["id"].as_str().expect("an id"))
}

fn query(settings: &Value) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in settings.as_object().expect("settings") {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        query.append_pair(name, &value);
    }
    query.finish()
}

/// How many expenses there are of a kind, and their sum.
async fn booked(client: &Client, home: &str, kind: &str) -> (usize, i64) {
    let rows = client.all(&format!("{home}/expenses"), "?limit=500").await;
    let rows: Vec<_> = rows.iter().filter(|row| row["kind"] == kind).collect();
    (rows.len(), rows.iter().filter_map(|row| row["amount_minor"].as_i64()).sum())
}

#[each_database]
async fn the_dialects_of_banks_are_read_without_settings(database: Database) {
    let app = App::start(&database).await;
    let ada = app.anonymous().sign_up("Ada").await;
    for Export { name, file, currency, outflows, inflows, spending_minor } in exports() {
        let home = household(&ada, currency).await;
        let path = format!("{home}/expenses/import");
        let preview = ada.upload(&format!("{path}/preview"), file.clone()).await.expect(200);
        let found = [&preview["outflows"], &preview["inflows"], &preview["failed"]];
        assert_eq!(found, [&json!(outflows), &json!(inflows), &json!(0)], "{name}: {preview}");
        let sum = &preview["sums"][0];
        assert_eq!(
            (&sum["currency"], &sum["spending_minor"]),
            (&json!(currency), &json!(spending_minor)),
            "{name}"
        );
        let asked = preview["uncertain"].as_array().expect("a list").iter();
        assert_eq!(asked.filter(|it| it["required"] == true).count(), 0, "{name}: {preview}");
        assert_eq!(booked(&ada, &home, "purchase").await.0, 0, "{name}: nothing is written");

        let report = ada.upload(&path, file.clone()).await.expect(200);
        let counts = [&report["created"], &report["ignored_income"], &report["failed"]];
        assert_eq!(counts, [&json!(outflows), &json!(inflows), &json!(0)], "{name}: {report}");
        let rows = usize::try_from(outflows).expect("few");
        assert_eq!(booked(&ada, &home, "purchase").await, (rows, spending_minor), "{name}");
        assert_eq!(booked(&ada, &home, "refund").await, (0, 0), "{name}");

        // The settings of the preview are the import's, and say the same.
        let path = format!("{path}?{}", query(&preview["settings"]));
        let again = ada.upload(&path, file).await.expect(200);
        assert_eq!(
            (&again["created"], &again["duplicates"]),
            (&json!(0), &json!(outflows)),
            "{name}"
        );
    }
    app.stop().await;
}

#[each_database]
async fn what_nothing_in_the_file_says_is_asked(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import");
    for (file, asked, answer) in [
        ("Date,Payee,Amount\n2026-02-01,Shop,12.50\n", "sign", "debit_positive"),
        ("Date,Payee,Amount\n03/04/2026,Shop,-12.50\n", "date_format", "%d/%m/%Y"),
        ("Date,Payee,Amount\n2026-02-01,Shop,-1.250\n", "decimal_separator", ","),
        ("Date,Payee,Amount\n2026-02-01T23:30:00Z,Shop,-1.25\n", "ignore_time", "true"),
        ("Date,Payee,Amount,Dr/Cr\n2026-02-02,Shop,12.50,raus\n", "direction_debit", "raus"),
    ] {
        for more in ["", "?on_error=skip"] {
            let refused = ada.upload(&format!("{path}{more}"), file).await;
            assert_eq!(refused.expect_violations(), [format!("?{asked}")], "{file}");
        }
        let preview = ada.upload(&format!("{path}/preview"), file).await.expect(200);
        let uncertain = preview["uncertain"].as_array().expect("a list").iter();
        let uncertain: Vec<_> = uncertain.filter(|it| it["required"] == true).collect();
        assert_eq!(uncertain.len(), 1, "{preview}");
        assert_eq!(uncertain[0]["parameter"], asked, "{preview}");
        let mut settings = preview["settings"].clone();
        settings[asked] = json!(answer);
        let report = ada.upload(&format!("{path}?{}", query(&settings)), file).await.expect(200);
        assert_eq!(report["created"], 1, "{file}: {report}");
    }
    let (rows, sum) = booked(&ada, &home, "purchase").await;
    assert_eq!((rows, sum), (5, 1250 + 1250 + 125_000 + 125 + 1250));
    app.stop().await;
}

/// A row that contradicts itself is bad, and with `skip` is booked neither way.
#[each_database]
async fn a_row_whose_direction_is_not_sure_is_never_booked(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import?income=import&on_error=skip");
    for (file, created, lines) in [
        (
            "Date,Payee,Amount,In/Out\n2026-02-01,A,-1.00,out\n2026-02-02,B,2.00,out\n2026-02-03,C,3.00,in\n",
            2,
            [3],
        ),
        (
            "Date,Payee,Amount,In/Out\n2026-02-04,A,1.00,out\n2026-02-05,B,2.00,\n2026-02-06,C,3.00,in\n",
            2,
            [3],
        ),
        (
            "Date,Payee,Debit,Credit\n2026-02-07,A,1.00,\n2026-02-08,B,1.00,2.00\n2026-02-09,C,,3.00\n",
            2,
            [3],
        ),
        (
            "Date,Payee,Debit,Credit\n2026-02-10,A,1.00,\n2026-02-11,B,2.00,\n2026-02-12,C,-3.00,\n",
            2,
            [4],
        ),
    ] {
        let report = ada.upload(&path, file).await.expect(200);
        assert_eq!(
            (&report["created"], &report["failed"]),
            (&json!(created), &json!(1)),
            "{report}"
        );
        let errors = report["errors"].as_array().expect("errors");
        let found: Vec<_> = errors.iter().map(|it| it["line"].clone()).collect();
        assert_eq!(found, lines);
        assert_eq!(report["errors"][0]["code"], "direction", "{file}");
    }
    app.stop().await;
}

#[each_database]
async fn money_that_came_in_is_counted_or_imported_as_refunds(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let file = "Date,Payee,Amount\n2026-01-01,Shop,-12.00\n2026-01-01,Shop,12.00\n2026-01-02,Salary,2000.00\n";
    let path = format!("{home}/expenses/import");
    let report = ada.upload(&path, file).await.expect(200);
    assert_eq!([&report["created"], &report["ignored"], &report["ignored_income"]], [1, 2, 2]);
    assert_eq!(
        report["reasons"],
        json!([{ "code": "income", "count": 2,
        "message": report["reasons"][0]["message"] }])
    );
    let report = ada.upload(&format!("{path}?income=import"), file).await.expect(200);
    assert_eq!([&report["created"], &report["duplicates"], &report["ignored"]], [2, 1, 0]);
    assert_eq!(booked(&ada, &home, "purchase").await, (1, 1200));
    assert_eq!(booked(&ada, &home, "refund").await, (2, 201_200));
    // In the background, the import tells the same.
    let rows: String =
        (1..=150).map(|n| format!("2026-03-01,s{n},-{n}.00\n2026-03-02,s{n},{n}.00\n")).collect();
    let run = app.import(&ada, &path, format!("Date,Payee,Amount\n{rows}")).await;
    assert_eq!([&run["created"], &run["ignored"], &run["ignored_income"]], [150, 150, 150]);
    assert_eq!(run["reasons"][0]["count"], 150);
    app.stop().await;
}

#[each_database]
async fn an_encoding_is_that_of_the_mark_the_query_or_the_header(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import?date=d&amount=a&merchant=m&sign=debit_positive");
    let file = b"d,a,m\n2026-02-01,1,\x8a\xe8k\n".to_vec();
    let mut expected = Vec::new();
    for (day, more, content_type, merchant) in [
        (1, "", "text/csv; charset=windows-1250", "Ščk"),
        (2, "", "text/csv; charset=\"windows-1251\"", "Љиk"),
        (3, "&encoding=macintosh", "text/csv; charset=utf-8", "äËk"),
        (4, "&encoding=cp850", "text/csv", "èÞk"),
        (5, "", "text/csv; charset=ibm437", "èΦk"),
    ] {
        let mut file = file.clone();
        file[15] = b'0' + day;
        let merchant = merchant.to_owned();
        let path = format!("{path}{more}");
        ada.send_bytes(Method::POST, &path, content_type, Some(file), &[]).await.expect(200);
        expected.push(json!(merchant));
    }
    let rows = ada.all(&format!("{home}/expenses"), "?sort=spent_on").await;
    let found: Vec<_> = rows.iter().map(|row| row["merchant"].clone()).collect();
    assert_eq!(found, expected);
    app.stop().await;
}

#[each_database]
async fn columns_are_named_by_their_positions_too(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import");
    let report = |more: &str| format!("{path}?sign=debit_positive&{more}");
    let bare = "2026-02-01,1.00,x\n2026-02-02,2.00,y\ntotal,3.00,\n";
    let named = "header=false&date=1&amount=2&merchant=3&skip_last=1";
    assert_eq!(ada.upload(&report(named), bare).await.expect(200)["created"], 2);
    let twice = "ignored\n\nday,sum,sum,\n2026-02-03,1.00,2.00,x\n";
    let by_place = "skip_rows=2&date=day&amount=%233&merchant=%234";
    assert_eq!(ada.upload(&report(by_place), twice).await.expect(200)["created"], 1);
    assert_eq!(booked(&ada, &home, "purchase").await, (3, 500));
    let wide = "d,a\n2026-02-04,1.00,,\n2026-02-05,1.00,,x\n";
    let refused = ada.upload(&report("date=d&amount=a"), wide).await;
    let problem = refused.expect_problem(422, "import_failed");
    assert_eq!((&problem["failed"], &problem["errors"][0]["line"]), (&json!(1), &json!(3)));
    app.stop().await;
}

#[each_database]
async fn a_preview_shows_the_first_rows_as_they_would_become(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let path = format!("{home}/expenses/import/preview");
    let rows: String = (1..=28).map(|n| format!("2026-02-{n:02},s{n},-{n}.50\n")).collect();
    let file = format!("Date,Payee,Amount\n2026-01-31,Salary,20.00\n2026-01-31,?,-1.005\n{rows}");
    let preview = ada.upload(&path, file.as_str()).await.expect(200);
    let rows = preview["rows"].as_array().expect("rows");
    assert_eq!((rows.len(), &preview["total"]), (20, &json!(30)));
    let nothing = Value::Null;
    assert_eq!(
        rows[0],
        json!({ "line": 2, "kind": null, "direction": "in", "spent_on": "2026-01-31",
        "amount_minor": 2000, "currency": "EUR", "merchant": "Salary", "note": null, "reason": "income",
        "message": null })
    );
    assert_eq!((&rows[1]["line"], &rows[1]["reason"]), (&json!(3), &json!("amount_precision")));
    assert_eq!((&rows[2]["kind"], &rows[2]["reason"]), (&json!("purchase"), &nothing));
    let own = &ada.all(&format!("{home}/members"), "").await[0];
    let settings = json!({ "encoding": "utf-8", "delimiter": ",", "header": true, "skip_rows": 0,
        "skip_last": 0, "date": "Date", "date_format": "%Y-%m-%d", "amount": "Amount",
        "decimal_separator": ".", "sign": "debit_negative", "income": "ignore", "currency": "EUR",
        "merchant": "Payee", "create_categories": false, "restore": false, "member_id": own["id"] });
    assert_eq!(preview["settings"], settings);
    assert_eq!(preview["columns"], json!(["Date", "Payee", "Amount"]));
    // Of a file that says nothing, too.
    let preview = ada.upload(&path, "a,b\nx,y\n").await.expect(200);
    let asked: Vec<_> = preview["uncertain"].as_array().expect("a list").iter().collect();
    assert_eq!(
        (&asked[0]["parameter"], &asked[1]["parameter"]),
        (&json!("date"), &json!("amount"))
    );
    assert_eq!(ada.all(&format!("{home}/expenses"), "").await, Vec::<Value>::new());
    let bob = ada.invite(&home, "viewer").await;
    bob.upload(&path, "a,b\n").await.expect_problem(403, "role_insufficient");
    app.stop().await;
}
