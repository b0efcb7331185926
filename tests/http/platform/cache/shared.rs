//! What one node has computed, another finds in Redis; and a Redis that is not there, or has something else, changes
//! no answer.

use std::time::{Duration, Instant};

use tests::{
    App, Database, RedisFault, RedisServer, each_database, log::wait_until, on_postgresql,
};

use super::{is_kept, reports, spend, tag, with_redis};

#[on_postgresql(flavor = "multi_thread")]
async fn what_one_node_has_computed_another_finds(database: Database) {
    let Some(redis) = RedisServer::start().await else { return };
    let (one, other) = (
        App::start_with(&database, with_redis(&redis.url())).await,
        App::start_with(&database, with_redis(&redis.url())).await,
    );
    let (ada, home) = one.owner_of("company").await;
    let kept = format!("steward:*:{}:*", home.rsplit('/').next().unwrap());
    for (n, report) in reports(&ada, &home).await.iter().enumerate() {
        spend(&ada, &home, 5).await;
        one.wait_until_sequenced().await;
        let computed = ada.get(report).await;
        let is_there = async || redis.keys(&kept).await > n as u64;
        wait_until("the report is in Redis", is_there).await;
        let found = ada.at(&other.base).get(report).await;
        assert!(is_kept(&found), "{report}: {:?}", found.headers);
        assert_eq!((&found.text, tag(&found)), (&computed.text, tag(&computed)), "{report}");
    }
    let metrics = ada.get("/metrics").await.text;
    for part in [
        "\nsteward_redis_request_seconds_bucket{result=\"ok\"",
        "\nsteward_redis_circuit_open ",
        "layer=\"redis\",entity=\"spending_report\",result=\"hit\"",
        "layer=\"memory\",entity=\"principal\",result=\"hit\"",
    ] {
        assert!(metrics.contains(part), "{part} is not in\n{metrics}");
    }
    one.stop().await;
    other.stop().await;
}

/// A Redis that hangs is not waited for again and again.
#[each_database(flavor = "multi_thread")]
async fn a_redis_that_says_nothing_delays_few(database: Database) {
    let Some(mut redis) = RedisServer::start().await else { return };
    let mut options = with_redis(&redis.url());
    options.settings.cache_bytes = 0;
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let report = format!("{home}/reports/budgets?on=2026-11-30");
    app.wait_until_sequenced().await;
    let right = ada.get(&report).await;
    redis.suffer(RedisFault::Stopped).await;
    let mut delayed = 0;
    for _ in 0..40 {
        let begun = Instant::now();
        let answer = ada.get(&report).await;
        delayed += u32::from(begun.elapsed() >= Duration::from_millis(100));
        assert_eq!((answer.status.as_u16(), &answer.text), (200, &right.text));
    }
    // Five open the circuit, and one more each second is a trial. The rest of what is slow is the machine's.
    assert!(delayed < 30, "{delayed} of 40");
    redis.mend().await;
    wait_until("Redis is asked again", async || is_kept(&ada.get(&report).await)).await;
    app.stop().await;
}

#[each_database]
async fn a_redis_that_is_not_there_changes_no_answer(database: Database) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("redis://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let app = App::start_with(&database, with_redis(&url)).await;
    let (ada, home) = app.owner_of("company").await;
    for report in reports(&ada, &home).await {
        for _ in 0..3 {
            let answer = ada.get(&report).await;
            assert_eq!(answer.text, ada.get_anew(&report).await.text, "{report}");
            answer.expect(200);
        }
    }
    app.stop().await;
}
