//! Bad input is a problem that says what is wrong and where, and nothing is written.

use serde_json::{Value, json};
use tests::{Answer, App, AppOptions, Database, Route, Sample, each_database};

/// The places in a body where something is wrong, with the code of what it is.
#[track_caller]
fn violations(answer: Answer) -> Vec<(String, String)> {
    let problem = answer.expect_problem(422, "invalid");
    let violations = problem["violations"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    violations.map(|it| (text(&it["pointer"]), text(&it["code"]))).collect()
}

#[each_database]
async fn what_is_no_json_is_a_400_and_what_no_resource_can_be_a_422(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let before = sample.state().await;
    for route in Route::with_json() {
        let send = async |body: &[u8]| {
            let request = sample.request(&route).body("application/json", body);
            request.send(&sample.owner).await
        };
        // Deeper than any parser goes, and no larger than strangers' bodies may be.
        let deep = "[".repeat(10_000);
        for text in [r#"{"a":"#, "{} {}", "nonsense", "\u{feff}{}"] {
            send(text.as_bytes()).await.expect_problem(400, "malformed");
        }
        send(b"{\"a\":\"\xff\"}").await.expect_problem(400, "malformed");
        for text in ["[]", "null", "1", r#""text""#] {
            let found = violations(send(text.as_bytes()).await);
            assert_eq!(found, [("".into(), "type".into())], "{}: {text}", route.name());
        }
        // JSON, but more than is read of it.
        let found = violations(send(br#"{"a":[1e999]}"#).await);
        assert_eq!(found, [("/a/0".into(), "range".into())], "{}", route.name());
        let found = violations(send(deep.as_bytes()).await);
        assert_eq!(found[0].1, "depth", "{}", route.name());
        // Texts that no database keeps, wherever they stand.
        for (text, code) in [(r#"x\u0000"#, "nul"), (r#"\ud800"#, "surrogate")] {
            let body = format!(r#"{{"nonsense":[{{"text":"{text}"}}]}}"#);
            let found = violations(send(body.as_bytes()).await);
            assert_eq!(found, [("/nonsense/0/text".into(), code.into())], "{}", route.name());
        }
    }
    sample.assert_unchanged(&before).await;
    app.stop().await;
}

#[each_database]
async fn a_field_that_nobody_knows_is_refused(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let before = sample.state().await;
    for route in Route::with_json() {
        let mut body = sample.body(&route).await;
        body["non/sense"] = json!(1);
        let answer = sample.request(&route).json(&body).send(&sample.owner).await;
        let expected = [("/non~1sense".to_owned(), "unknown_field".to_owned())];
        assert_eq!(violations(answer), expected, "{}", route.name());
    }
    sample.assert_unchanged(&before).await;
    app.stop().await;
}

#[each_database]
async fn a_field_of_another_type_is_refused(database: Database) {
    let app = App::start(&database).await;
    let sample = Sample::make(&app.anonymous()).await;
    let before = sample.state().await;
    for route in Route::with_json() {
        for field in route.fields() {
            let mut body = sample.body(&route).await;
            // No field is a list of lists.
            body[field] = json!([[]]);
            let answer = sample.request(&route).json(&body).send(&sample.owner).await;
            let at = violations(answer).into_iter().map(|(pointer, _)| pointer);
            let inside = format!("/{field}");
            assert!(at.into_iter().all(|at| at.starts_with(&inside)), "{} {field}", route.name());
        }
    }
    sample.assert_unchanged(&before).await;
    app.stop().await;
}

#[each_database]
async fn a_body_of_another_type_or_size_is_refused(database: Database) {
    let mut options = AppOptions::default();
    options.settings.limits.body_bytes = 4096;
    options.settings.limits.upload_bytes = 4096;
    options.settings.attachments.max_size = 4096;
    let app = App::start_with(&database, options).await;
    let sample = Sample::make(&app.anonymous()).await;
    let before = sample.state().await;
    for route in Route::all() {
        let Some(media_type) = route.takes() else { continue };
        // A file may be anything.
        let is_file = media_type == "application/octet-stream";
        for other in ["text/plain", "application/xml", "nonsense", ""] {
            if is_file {
                continue;
            }
            let request = sample.request(&route).body(other, "{}");
            let answer = request.send(&sample.owner).await;
            answer.expect_problem(415, "unsupported_media_type");
        }
        let request = sample.request(&route).body(media_type, " ".repeat(4097));
        request.send(&sample.owner).await.expect_problem(413, "too_large");
    }
    sample.assert_unchanged(&before).await;
    app.stop().await;
}
