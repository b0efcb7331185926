//! Documents in CouchDB: a real server's protocol, and servers that fail in every way.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use service::{
    Error,
    document::engine::{
        Engine, Outcome, Precondition,
        couchdb::{CouchDb, TIMEOUT},
    },
};
use tests::PouchDbServer;

use super::{
    failures::{SECRET, all_are, are_credentials, is_503_and_tells_nothing, is_unavailable},
    fake::{Fake, Reply},
    keeps_its_promises,
    room::{Room, SOME, put},
};

/// How long the clients of these tests wait.
const PATIENCE: Duration = Duration::from_secs(1);

fn client(url: &str) -> Arc<dyn Engine> {
    Arc::new(CouchDb::new(url, PATIENCE).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn couchdb_keeps_its_promises() {
    let Some(server) = PouchDbServer::start().await else { return };
    keeps_its_promises(Arc::new(CouchDb::new(&server.url("steward"), TIMEOUT).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clients_see_what_the_other_has_written() {
    let Some(server) = PouchDbServer::start().await else { return };
    let connect = || Arc::new(CouchDb::new(&server.url("steward"), TIMEOUT).unwrap());
    let (one, other): (Arc<dyn Engine>, Arc<dyn Engine>) = (connect(), connect());
    let room = Room::new(&one);
    let created = room.create("a", SOME).await;
    assert_eq!(other.get(room.collection, "a").await.unwrap(), Some(created));
    let update = put(Precondition::Version(1), SOME);
    let updated = other.put(room.collection, "a", &update).await.unwrap();
    let late = one.put(room.collection, "a", &put(Precondition::Version(1), SOME)).await.unwrap();
    let Outcome::Written(updated) = updated else { panic!("{updated:?}") };
    assert_eq!(late, Outcome::Conflict(Some(updated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_another_prefix_are_apart() {
    let Some(server) = PouchDbServer::start().await else { return };
    let connect = |prefix| Arc::new(CouchDb::new(&server.url(prefix), TIMEOUT).unwrap());
    let (one, other): (Arc<dyn Engine>, Arc<dyn Engine>) = (connect("one"), connect("other"));
    let room = Room::new(&one);
    room.create("a", SOME).await;
    assert_eq!(other.get(room.collection, "a").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_unavailable() {
    let Some(mut server) = PouchDbServer::start().await else { return };
    let engine = client(&server.url("steward"));
    let room = Room::new(&engine);
    room.create("a", SOME).await;
    server.kill();
    all_are(&engine, is_unavailable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_to_the_operator() {
    let Some(server) = PouchDbServer::start_with_password("st@w", "right").await else { return };
    let engine = |password| {
        let address = format!("couchdb://st%40w:{password}@");
        client(&server.url("steward").replace("couchdb://", &address))
    };
    Room::new(&engine("right")).create("a", SOME).await;
    all_are(&engine("s3cr3t"), are_credentials).await;
}

#[tokio::test]
async fn where_nobody_listens_all_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("couchdb://{}/steward", listener.local_addr().unwrap());
    drop(listener);
    all_are(&client(&url), is_unavailable).await;
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_unavailable() {
    all_are(&client("couchdb://nowhere.invalid/steward"), is_unavailable).await;
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let server = Fake::start(|_, _| Reply::Silence).await;
    let begun = Instant::now();
    all_are(&client(&server.url()), is_unavailable).await;
    assert!(begun.elapsed() < PATIENCE * 20, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_not_waited_for() {
    let server = Fake::start(|_, _| Reply::Half("{\"docs\":[")).await;
    all_are(&client(&server.url()), is_unavailable).await;
}

#[tokio::test]
async fn a_refusal_of_the_credentials_is_told_to_the_operator() {
    for status in [401, 403] {
        let server = Fake::start(move |_, _| Reply::Answer(status, SECRET)).await;
        all_are(&client(&server.url()), are_credentials).await;
    }
}

#[tokio::test]
async fn a_refusal_of_one_write_is_told_to_the_operator() {
    for refusal in [r#"[{"error":"forbidden","reason":"s3cr3t"}]"#, r#"[{"error":"unauthorized"}]"#]
    {
        let server = Fake::start(move |_, path| match path {
            path if path.ends_with("/_bulk_docs") => Reply::Answer(201, refusal),
            _ => Reply::Answer(404, "{}"),
        })
        .await;
        let room = Room::new(&client(&server.url()));
        let refused = room.engine.put(room.collection, "a", &put(Precondition::Absent, SOME)).await;
        are_credentials(&refused.unwrap_err());
    }
}

#[tokio::test]
async fn what_a_server_says_is_not_passed_on() {
    for (status, said) in [
        (500, SECRET),
        (502, "<html>s3cr3t</html>"),
        (503, r#"{"error":"s3cr3t"}"#),
        (302, SECRET),
        (429, SECRET),
        (400, SECRET),
        (200, SECRET),
        (200, r#"{"s3cr3t":1}"#),
        (200, ""),
    ] {
        let server = Fake::start(move |_, _| Reply::Answer(status, said)).await;
        all_are(&client(&server.url()), is_unavailable).await;
    }
}

#[tokio::test]
async fn of_a_write_without_an_answer_the_outcome_is_unknown() {
    for reply in [
        Reply::Silence,
        Reply::Cut,
        Reply::Answer(500, SECRET),
        Reply::Answer(202, "[]"),
        Reply::Answer(201, "[]"),
        Reply::Answer(201, SECRET),
        Reply::Answer(201, r#"[{"error":"s3cr3t"}]"#),
    ] {
        let server = Fake::start(move |_, path| match path {
            path if path.ends_with("/_bulk_docs") => reply,
            _ => Reply::Answer(404, "{}"),
        })
        .await;
        let room = Room::new(&client(&server.url()));
        let put = put(Precondition::Absent, SOME);
        let error = room.engine.put(room.collection, "a", &put).await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown(_)), "{reply:?}: {error:?}");
        is_503_and_tells_nothing(&error);
    }
}

#[tokio::test]
async fn what_is_too_large_for_the_server_is_invalid() {
    let server = Fake::start(|_, path| match path {
        path if path.ends_with("/_bulk_docs") => Reply::Answer(413, SECRET),
        _ => Reply::Answer(404, "{}"),
    })
    .await;
    let room = Room::new(&client(&server.url()));
    let refused = room.engine.put(room.collection, "a", &put(Precondition::Absent, SOME)).await;
    let error = refused.unwrap_err();
    assert_eq!(error.violations()[0].pointer, "/body", "{error:?}");
    assert_eq!(error.violations()[0].code, "too_large");
}

#[tokio::test]
async fn the_credentials_of_the_url_are_sent_and_not_shown() {
    let url = |server: &Fake| server.url().replace("couchdb://", "couchdb://st%40w:s3cr3t@");
    let server = Fake::start(|head, _| match head {
        // st@w:s3cr3t
        head if head.contains("authorization: Basic c3RAdzpzM2NyM3Q=") => Reply::Answer(404, "{}"),
        _ => Reply::Answer(401, "{}"),
    })
    .await;
    let engine = client(&url(&server));
    assert_eq!(Room::new(&engine).get("a").await, None);
    assert!(!format!("{engine:?}").contains(SECRET));
    let error = CouchDb::new("couchdb://:s3cr3t@host", TIMEOUT).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(SECRET));
}
