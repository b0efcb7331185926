//! Limits of several nodes: together where they share a Redis, each for itself while it is away.

use std::time::{Duration, Instant};

use api::{config::Settings, limit::LimitSettings};
use serde_json::json;
use service::{
    clock::Clock,
    limit::{Counts, Limiter, Policy, Quota, Subject},
    redis::Redis,
    store::{Engine, Options},
};
use tests::{
    Answer, App, AppOptions, Client, Database, PASSWORD, RedisFault, RedisServer,
    each_lasting_database,
};

use super::field;

const ADA: &str = "ada@example.org";

/// Two nodes on one database, which share a Redis. On SQLite, whose file belongs to one node, two servers stand over
/// one store.
async fn two_nodes(
    database: &Database,
    redis: &RedisServer,
    set: impl FnOnce(&mut LimitSettings),
) -> [App; 2] {
    let mut settings = Settings { redis_url: Some((&*redis.url()).into()), ..Settings::default() };
    set(&mut settings.rates);
    let options = AppOptions { settings: settings.clone(), ..AppOptions::default() };
    let first = App::start_with(database, options).await;
    let store = match database.engine {
        Engine::Sqlite => first.store.clone(),
        Engine::Postgres => {
            let options = Options { keyring: tests::keyring(), ..Options::default() };
            database.store(options).await
        }
    };
    let second = App::over(store, settings);
    [first, second]
}

async fn stop([first, second]: [App; 2]) {
    second.stop().await;
    first.stop().await;
}

/// How many of these are so, one after the other, by turns at each of the nodes.
async fn count(times: usize, status: u16, ask: impl AsyncFn(usize) -> Answer) -> usize {
    let mut count = 0;
    for number in 0..times {
        count += usize::from(ask(number).await.status == status);
    }
    count
}

#[each_lasting_database(flavor = "multi_thread")]
async fn nodes_count_together(database: Database) {
    let Some(redis) = RedisServer::start().await else { return };
    let nodes = two_nodes(&database, &redis, |limits| {
        limits.limit_reads = "20/1h".parse().unwrap();
        limits.limit_anonymous = "10/1h".parse().unwrap();
        limits.limit_attempts = "5/1h".parse().unwrap();
    })
    .await;
    let ada = nodes[0].anonymous().sign_up_as("Ada", ADA).await;
    let home = ada.found("household").await;
    let at = |client: &Client, number: usize| client.at(&nodes[number % 2].base);
    let first = at(&ada, 1).get(&home).await;
    assert_eq!(field(&first, "ratelimit"), "\"reads\";r=19;t=180");
    assert_eq!(count(40, 200, async |number| at(&ada, number).get(&home).await).await, 19);
    let anybody = nodes[0].anonymous();
    // Who registered is one of them.
    assert_eq!(count(40, 401, async |number| at(&anybody, number).get(&home).await).await, 9);
    let guess = async |number| at(&anybody, number).log_in(ADA, "a guess").await;
    assert_eq!(count(20, 401, guess).await, 5);
    let refused = at(&anybody, 1).log_in(ADA, PASSWORD).await;
    refused.expect_problem(429, "too_many_attempts");
    at(&anybody.from_address("127.0.0.2"), 1).log_in(ADA, PASSWORD).await.expect(201);
    stop(nodes).await;
}

/// Of a small limit, each check asks Redis; of a large one, few do.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_check_costs_where_nodes_share_a_redis() {
    let Some(server) = RedisServer::start().await else { return };
    let redis = Redis::new(&server.url()).unwrap();
    let limiter = Limiter::new(Clock::system(), Some(redis));
    let policy = Policy::new("figure", Counts::Requests, 100, Duration::from_secs(60));
    for (part, count, checks) in [(0, 199, 190), (1, 3_000_000, 100_000)] {
        let (subject, quota) = (Subject::new(1).in_part(part), Quota::new(count, 60).unwrap());
        let begun = Instant::now();
        for _ in 0..checks {
            limiter.take(&policy, subject, quota).await.expect("below the limit");
        }
        let each = begun.elapsed() / checks;
        println!("of {count}: {} ns a check with Redis", each.as_nanos());
        assert!(each < Duration::from_millis(50), "{each:?}: far more than a request can bear");
    }
}

/// A right password at one node forgives what failed at the other, and is known there.
#[each_lasting_database(flavor = "multi_thread")]
async fn what_is_right_at_one_node_is_so_at_the_other(database: Database) {
    let Some(redis) = RedisServer::start().await else { return };
    let nodes = two_nodes(&database, &redis, |limits| {
        limits.limit_network_attempts = "6/1h".parse().unwrap();
    })
    .await;
    let [here, there] = [0, 1].map(|number: usize| nodes[number].anonymous());
    here.sign_up_as("Ada", ADA).await;
    for _ in 0..3 {
        assert_eq!(count(4, 401, async |_| here.log_in(ADA, "a guess").await).await, 4);
        there.log_in(ADA, PASSWORD).await.expect(201);
    }
    let name = |number| format!("person{number}@example.org");
    let others = count(20, 401, async |number| here.log_in(&name(number), "a guess").await).await;
    assert_eq!(others, 6);
    there.log_in("eve@example.org", PASSWORD).await.expect_problem(429, "too_many_attempts");
    // She has logged in from here, wherever that was.
    here.log_in(ADA, PASSWORD).await.expect(201);
    stop(nodes).await;
}

/// Nothing is refused because Redis is away. Who guesses gets half as far, on top of what was seen before.
#[each_lasting_database(flavor = "multi_thread")]
async fn without_redis_work_goes_on_and_guesses_get_fewer(database: Database) {
    let Some(mut redis) = RedisServer::start().await else { return };
    let nodes = two_nodes(&database, &redis, |limits| {
        limits.limit_reads = "10/1h".parse().unwrap();
        limits.limit_attempts = "6/1h".parse().unwrap();
    })
    .await;
    let ada = nodes[0].anonymous().sign_up_as("Ada", ADA).await;
    let home = ada.found("household").await;
    let [here, there] = [0, 1].map(|number: usize| nodes[number].anonymous());
    assert_eq!(count(1, 401, async |_| here.log_in(ADA, "a guess").await).await, 1);
    redis.suffer(RedisFault::Killed).await;
    for client in [&ada, &ada.at(&nodes[1].base)] {
        assert_eq!(count(20, 200, async |_| client.get(&home).await).await, 10);
        client.post(&format!("{home}/tasks"), json!({ "title": "Bins" })).await.expect(201);
    }
    // One of the three is counted already.
    assert_eq!(count(20, 401, async |_| here.log_in(ADA, "a guess").await).await, 2);
    assert_eq!(count(20, 401, async |_| there.log_in(ADA, "a guess").await).await, 3);
    let operator = here.from_address("127.0.0.2");
    operator.log_in(ADA, PASSWORD).await.expect(201);
    let metrics = here.get("/metrics").await.text;
    for policy in ["reads", "attempts"] {
        let line = format!("steward_limit_alone_total{{policy=\"{policy}\"}}");
        assert!(metrics.contains(&line), "{line} is not there");
    }
    redis.mend().await;
    tests::log::wait_until("nodes count together again", async || {
        here.log_in("eve@example.org", PASSWORD).await;
        redis.keys("steward:limit:*").await > 0
    })
    .await;
    stop(nodes).await;
}
