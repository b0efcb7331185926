//! Documents in Firestore: a server of somebody's own, if there is one, and servers that fail.

use std::{env, sync::Arc, time::Duration};

use service::document::engine::{
    Engine,
    firestore::{Firestore, TIMEOUT},
};

use super::{
    failures::{SECRET, all_are, are_credentials, is_unavailable},
    fake::{Fake, Reply},
    keeps_its_promises,
};

/// How long the clients of these tests wait.
const PATIENCE: Duration = Duration::from_secs(1);

fn client(fake: &Fake) -> Arc<dyn Engine> {
    let address = fake.url().replace("couchdb://", "").replace("/steward", "");
    let url = format!("firestore://project/steward?emulator={address}");
    Arc::new(Firestore::new(&url, PATIENCE).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn firestore_keeps_its_promises() {
    let Ok(url) = env::var("TEST_FIRESTORE_URL") else {
        eprintln!("skipped: TEST_FIRESTORE_URL is not set");
        return;
    };
    keeps_its_promises(Arc::new(Firestore::new(&url, TIMEOUT).unwrap())).await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let server = Fake::start(|_, _| Reply::Silence).await;
    all_are(&client(&server), is_unavailable).await;
}

#[tokio::test]
async fn a_refusal_of_the_credentials_is_told_to_the_operator() {
    for status in [401, 403] {
        let server = Fake::start(move |_, _| Reply::Answer(status, SECRET)).await;
        all_are(&client(&server), are_credentials).await;
    }
}

#[tokio::test]
async fn what_a_server_says_is_not_passed_on() {
    for (status, said) in [
        (500, SECRET),
        (503, r#"{"error":{"status":"UNAVAILABLE","message":"s3cr3t"}}"#),
        (400, r#"{"error":{"status":"INVALID_ARGUMENT","message":"s3cr3t"}}"#),
        (429, SECRET),
        (302, SECRET),
        (200, SECRET),
        (200, r#"{"s3cr3t":1}"#),
    ] {
        let server = Fake::start(move |_, _| Reply::Answer(status, said)).await;
        all_are(&client(&server), is_unavailable).await;
    }
}
