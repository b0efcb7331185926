//! What no webhook may be, and where none may lead.

use serde_json::json;
use service::seal::Keyring;
use tests::{App, AppOptions, Database, Receiver, each_database};

use crate::automation::webhook::{Subscribed, options};

#[each_database]
async fn what_could_never_be_called_is_refused_at_once(database: Database) {
    let app = App::start_with(&database, options()).await;
    let (ada, home) = app.owner_of("household").await;
    let webhooks = format!("{home}/webhooks");
    for url in ["", "x", "/x", "ftp://a.example", "file:///etc/passwd", "http://u:p@a.example"] {
        let refused = ada.post(&webhooks, json!({ "url": url, "kinds": ["*"] })).await;
        assert_eq!(refused.expect_violations(), ["/url"], "{url}");
    }
    for kinds in [json!([]), json!(["expense"]), json!(["expense.flown"]), json!(["*.*"])] {
        let new = json!({ "url": "https://a.example", "kinds": kinds });
        assert_eq!(ada.post(&webhooks, new).await.expect_violations(), ["/kinds"], "{kinds}");
    }
    let viewer = ada.invite(&home, "manager").await;
    viewer.get(&webhooks).await.expect_problem(403, "role_insufficient");
    app.stop().await;
}

#[each_database]
async fn without_a_key_there_are_no_secrets(database: Database) {
    let mut options = options();
    options.store.keyring = Keyring::default();
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let new = json!({ "url": "https://a.example", "kinds": ["*"] });
    let refused = ada.post(&format!("{home}/webhooks"), new).await;
    refused.expect_problem(503, "encryption_not_configured");
    app.stop().await;
}

#[each_database]
async fn nothing_is_sent_to_where_only_this_machine_can_reach(database: Database) {
    let mut strict = options();
    strict.settings = AppOptions::default().settings;
    strict.settings.webhooks.retries = "0".parse().unwrap();
    let app = App::start_with(&database, strict).await;
    let receiver = Receiver::answering(200);
    let port = receiver.url.rsplit(':').next().unwrap().to_owned();
    let (ada, home) = app.owner_of("household").await;
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.1.1",
        "[fd00::1]",
        "100.64.0.1",
    ] {
        let webhooks = format!("{home}/webhooks");
        let new = json!({ "url": format!("http://{host}:{port}/"), "kinds": ["*"] });
        let webhook = ada.make(&webhooks, new).await;
        let path = tests::at(&webhooks, &webhook);
        let sent = ada.make(&format!("{path}/test"), json!({})).await;
        app.run_until_idle().await;
        let secret = String::new();
        let hook = Subscribed { ada: ada.clone(), home: home.clone(), path, secret };
        let delivery = hook.delivery(&sent).await;
        assert_eq!(delivery["state"], "failed", "{host}");
        assert_eq!(delivery["attempts"][0]["error"], "refused_address", "{host}");
    }
    assert_eq!(receiver.count(), 0);
    app.stop().await;
}

#[each_database]
async fn a_redirect_is_a_failure(database: Database) {
    let app = App::start_with(&database, options()).await;
    let inner = Receiver::answering(200);
    let location = inner.url.clone();
    let receiver = Receiver::start(move |_| tests::Reply {
        header: Some(("location", location.clone())),
        ..tests::Reply::from(302)
    });
    let hook = crate::automation::webhook::subscribe(&app, &receiver, &["expense.created"]).await;
    hook.expense().await;
    app.run_until_idle().await;
    let delivery = hook.delivery(&hook.deliveries().await[0]).await;
    assert_eq!(delivery["attempts"][0]["error"], "redirected");
    assert_eq!((receiver.count(), inner.count()), (3, 0));
    app.stop().await;
}
