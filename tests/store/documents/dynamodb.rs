//! Documents in DynamoDB: a real server's protocol, and servers that fail.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use service::document::engine::{
    Engine,
    dynamodb::{DynamoDb, TIMEOUT},
};
use tests::MotoServer;

use super::{
    failures::{SECRET, all_are, are_credentials, is_unavailable},
    fake::{Fake, Reply},
    keeps_its_promises,
    room::{Room, SOME},
};

/// How long the clients of these tests wait.
const PATIENCE: Duration = Duration::from_secs(1);

fn client(url: &str) -> Arc<dyn Engine> {
    Arc::new(DynamoDb::new(url, PATIENCE).unwrap())
}

fn url_of(fake: &Fake) -> String {
    let address = fake.url().replace("couchdb://", "").replace("/steward", "");
    format!("dynamodb://AKIDTEST:s3cr3t@eu-central-1/steward?endpoint=http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_keeps_its_promises() {
    let Some(server) = MotoServer::start().await else { return };
    keeps_its_promises(Arc::new(DynamoDb::new(&server.url("steward"), TIMEOUT).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_apart() {
    let Some(server) = MotoServer::start().await else { return };
    let connect = |table| Arc::new(DynamoDb::new(&server.url(table), TIMEOUT).unwrap());
    let (one, other): (Arc<dyn Engine>, Arc<dyn Engine>) = (connect("one"), connect("other"));
    let room = Room::new(&one);
    room.create("a", SOME).await;
    assert_eq!(other.get(room.collection, "a").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_unavailable() {
    let Some(mut server) = MotoServer::start().await else { return };
    let engine = client(&server.url("steward"));
    // The first request makes moto load what it needs.
    Room::new(&(Arc::new(DynamoDb::new(&server.url("steward"), TIMEOUT).unwrap()) as Arc<_>))
        .create("a", SOME)
        .await;
    server.kill();
    all_are(&engine, is_unavailable).await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let server = Fake::start(|_, _| Reply::Silence).await;
    let begun = Instant::now();
    all_are(&client(&url_of(&server)), is_unavailable).await;
    assert!(begun.elapsed() < PATIENCE * 20, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_refusal_of_the_credentials_is_told_to_the_operator() {
    for refusal in [
        r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"s3cr3t"}"#,
        r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"s3cr3t"}"#,
        r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"s3cr3t"}"#,
    ] {
        let server = Fake::start(move |_, _| Reply::Answer(400, refusal)).await;
        all_are(&client(&url_of(&server)), are_credentials).await;
    }
}

#[tokio::test]
async fn what_a_server_says_is_not_passed_on() {
    for (status, said) in [
        (500, SECRET),
        (503, r#"{"__type":"s3cr3t"}"#),
        (
            400,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"s3cr3t"}"#,
        ),
        (
            400,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"s3cr3t"}"#,
        ),
        (200, SECRET),
    ] {
        let server = Fake::start(move |_, _| Reply::Answer(status, said)).await;
        all_are(&client(&url_of(&server)), is_unavailable).await;
    }
}

#[tokio::test]
async fn the_secret_of_the_url_is_not_shown() {
    let engine = client("dynamodb://AKIDTEST:s3cr3t@eu-central-1/steward");
    assert!(!format!("{engine:?}").contains(SECRET));
    let error = DynamoDb::new("dynamodb://AKIDTEST:s3cr3t@eu-central-1", TIMEOUT).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(SECRET));
}
