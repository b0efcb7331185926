//! Documents in MongoDB: a server of somebody's own, if there is one, and none.

use std::{env, net::TcpListener, sync::Arc, time::Duration};

use service::document::engine::{
    Engine,
    mongodb::{MongoDb, TIMEOUT},
};

use super::{
    failures::{SECRET, all_are, is_unavailable},
    keeps_its_promises,
};

/// How long the clients of these tests wait.
const PATIENCE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn mongodb_keeps_its_promises() {
    let Ok(url) = env::var("TEST_MONGODB_URL") else {
        eprintln!("skipped: TEST_MONGODB_URL is not set");
        return;
    };
    keeps_its_promises(Arc::new(MongoDb::new(&url, TIMEOUT).unwrap())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_all_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mongodb://{}/steward", listener.local_addr().unwrap());
    drop(listener);
    let engine: Arc<dyn Engine> = Arc::new(MongoDb::new(&url, PATIENCE).unwrap());
    all_are(&engine, is_unavailable).await;
}

#[tokio::test]
async fn the_password_of_the_url_is_not_shown() {
    let engine = MongoDb::new("mongodb://steward:s3cr3t@localhost/steward", PATIENCE).unwrap();
    assert!(!format!("{engine:?}").contains(SECRET));
    let error = MongoDb::new("mongodb://steward:s3cr3t@localhost", TIMEOUT).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(SECRET));
}
