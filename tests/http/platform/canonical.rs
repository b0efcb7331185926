//! Texts that Unicode has for equal are one, what shows nothing is no name, and no integer is rounded.

use reqwest::Method;
use serde_json::json;
use tests::{App, Database, PASSWORD, at, each_database};

/// The same name, composed and not.
const FORMS: [&str; 2] = ["Caf\u{e9}", "Cafe\u{301}"];

#[each_database]
async fn names_that_are_canonically_equal_are_one_where_they_are_unique(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let (categories, projects) = (format!("{home}/categories"), format!("{home}/projects"));
    let expenses = format!("{home}/expenses");
    for (path, field) in [(&categories, "name"), (&projects, "job_number")] {
        let named = |name: &str| {
            let mut new = json!({ "name": "x" });
            new[field] = json!(name);
            new
        };
        let made = ada.make(path, named(FORMS[1])).await;
        assert_eq!(made[field], FORMS[1], "as it was written");
        let refused = ada.post(path, named(FORMS[0])).await.expect_problem(409, "duplicate");
        assert_eq!(refused["violations"][0]["pointer"], format!("/{field}"));
        let other = ada.make(path, named("Other")).await;
        let mut rename = named(&FORMS[0].to_uppercase());
        rename["version"] = json!(1);
        ada.patch(&at(path, &other), rename).await.expect_problem(409, "duplicate");
    }
    let new = |tags: &[&str]| {
        json!({ "spent_on": "2026-11-01", "amount_minor": 5,
        "merchant": FORMS[1], "tags": tags })
    };
    let refused = ada.post(&expenses, new(&FORMS)).await;
    assert_eq!(refused.expect_violations(), ["/tags/1"]);
    ada.make(&expenses, new(&[FORMS[0]])).await;
    for form in FORMS {
        for query in [format!("?tag={form}"), format!("?q={form}")] {
            assert_eq!(ada.all(&expenses, &query).await.len(), 1, "{query:?}");
        }
    }
    app.stop().await;
}

#[each_database]
async fn an_address_is_one_however_its_domain_is_written(database: Database) {
    let app = App::start(&database).await;
    let anybody = app.anonymous();
    let spellings = ["ada@b\u{fc}ro.example", "ada@bu\u{308}ro.example", "Ada@XN--BRO-HOA.example"];
    let ada = anybody.sign_up_as("Ada", spellings[0]).await;
    let bob = anybody.sign_up_as("Bob", "bob@example.org").await;
    for address in spellings {
        let session = anybody.log_in(address, PASSWORD).await.expect(201);
        assert!(session["token"].is_string());
        let taken = json!({ "version": 1, "email": address });
        bob.patch("/v1/users/me", taken).await.expect_problem(409, "duplicate");
    }
    assert_eq!(ada.read("/v1/users/me").await["email"], spellings[0]);
    app.stop().await;
}

#[each_database]
async fn a_name_of_what_nobody_sees_is_blank(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for name in ["\u{200b}", "\u{2060}\u{feff} ", "\u{3164}", "\u{ad}\t"] {
        for (path, field) in [
            ("categories", "name"),
            ("members", "name"),
            ("projects", "name"),
            ("tasks", "title"),
            ("accounts", "name"),
        ] {
            let mut new = json!({ field: name });
            if path == "accounts" {
                new["kind"] = json!("asset");
            }
            let refused = ada.post(&format!("{home}/{path}"), new).await;
            assert_eq!(refused.expect_violations(), [format!("/{field}")], "{path} {name:?}");
        }
    }
    // They may stand in a name: writing needs them.
    let joined = "\u{645}\u{6cc}\u{200c}\u{62e}";
    ada.make(&format!("{home}/categories"), json!({ "name": joined })).await;
    app.stop().await;
}

#[each_database]
async fn an_integer_is_kept_exactly_or_refused(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let expenses = format!("{home}/expenses");
    let post = async |number: &str| {
        let body = format!(
            r#"{{"spent_on": "2026-11-01", "amount_minor": 5, "details": {{"n": [{number}]}}}}"#
        );
        ada.send_bytes(Method::POST, &expenses, "application/json", Some(body.into_bytes()), &[])
            .await
    };
    for number in ["9007199254740993", "-9223372036854775808", "18446744073709551615"] {
        let made = post(number).await.expect(201);
        assert_eq!(made["details"]["n"][0].to_string(), number);
        let read = ada.read(&at(&expenses, &made)).await;
        assert_eq!(read["details"]["n"][0].to_string(), number);
    }
    for number in ["18446744073709551617", "-9223372036854775809", "9007199254740993.0"] {
        let problem = post(number).await.expect_problem(422, "invalid");
        let violation = &problem["violations"][0];
        assert_eq!(violation["pointer"], "/details/n/0", "{number}");
        assert_eq!(violation["code"], "precision", "{number}");
    }
    assert_eq!(ada.all(&expenses, "").await.len(), 3);
    app.stop().await;
}
