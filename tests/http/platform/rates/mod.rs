//! How often: requests of users, of roles, of API keys and of strangers.

mod shared;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use api::{config::Settings, limit::LimitSettings};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use service::{
    clock::Clock,
    limit::{Counts, Limiter, Policy, Quota, Subject},
};
use tests::{Answer, App, AppOptions, Client, Database, PASSWORD, at, each_database};

/// A stopwatch that somebody sets: with it, waits are over when a test says so.
#[derive(Clone, Default)]
struct Stopwatch(Arc<AtomicU64>);

impl Stopwatch {
    fn set(&self, milliseconds: u64) {
        self.0.store(milliseconds * 1000, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        Clock::system().timed_by_hand(self.0.clone())
    }
}

/// steward with these limits, and its stopwatch.
async fn start(database: &Database, set: impl FnOnce(&mut LimitSettings)) -> (App, Stopwatch) {
    let stopwatch = Stopwatch::default();
    let mut options = AppOptions::default();
    options.store.clock = stopwatch.clock();
    set(&mut options.settings.rates);
    (App::start_with(database, options).await, stopwatch)
}

fn field<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// That an answer is a 429 of this policy which says how many seconds to wait, in all of its places.
#[track_caller]
fn expect_refused(answer: Answer, policy: &str, quota: &str, seconds: u64) {
    assert_eq!(answer.retry_after(), seconds, "{}", answer.text);
    assert_eq!(field(&answer, "ratelimit-policy"), format!("\"{policy}\";{quota}"));
    assert_eq!(field(&answer, "ratelimit"), format!("\"{policy}\";r=0;t={seconds}"));
    let problem = answer.expect_problem(429, "too_many_requests");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(policy) && detail.contains(&format!("{seconds} s")), "{detail}");
}

#[each_database]
async fn who_asks_too_often_waits_as_long_as_they_are_told(database: Database) {
    let (app, stopwatch) =
        start(&database, |limits| limits.limit_reads = "5/50s".parse().unwrap()).await;
    let (ada, home) = app.owner_of("household").await;
    let bob = ada.invite(&home, "member").await;
    for left in [4, 3, 2, 1] {
        let answer = ada.get(&home).await;
        assert_eq!(field(&answer, "ratelimit-policy"), "\"reads\";q=5;w=50");
        assert_eq!(
            field(&answer, "ratelimit"),
            format!("\"reads\";r={left};t={}", (5 - left) * 10)
        );
        answer.expect(200);
    }
    // What is not found is counted as well.
    let last = ada.get(&format!("{home}/expenses/{}", home.rsplit('/').next().unwrap())).await;
    assert_eq!(field(&last, "ratelimit"), "\"reads\";r=0;t=10");
    last.expect_problem(404, "not_found");
    for method in [Method::GET, Method::HEAD] {
        let refused = ada.send(method, &home, None).await;
        assert_eq!((refused.status.as_u16(), refused.retry_after()), (429, 10));
    }
    expect_refused(ada.get(&home).await, "reads", "q=5;w=50", 10);
    bob.read(&home).await;
    ada.make(&format!("{home}/categories"), json!({ "name": "Food" })).await;
    stopwatch.set(9_001);
    expect_refused(ada.get(&home).await, "reads", "q=5;w=50", 1);
    stopwatch.set(9_999);
    expect_refused(ada.get(&home).await, "reads", "q=5;w=50", 1);
    stopwatch.set(10_000);
    ada.read(&home).await;
    expect_refused(ada.get(&home).await, "reads", "q=5;w=50", 10);
    app.stop().await;
}

/// The answer that says that nothing has changed says where the client stands, too.
#[each_database]
async fn every_answer_says_where_the_client_stands(database: Database) {
    let (app, _) = start(&database, |_| {}).await;
    let (ada, home) = app.owner_of("household").await;
    let categories = format!("{home}/categories");
    let category = ada.make(&categories, json!({ "name": "Food" })).await;
    let path = at(&categories, &category);
    let unchanged = [("if-none-match", "\"1\"")];
    let answers = [
        (ada.get("/v1/users/me").await, 200, "reads"),
        (ada.get(&path).await, 200, "reads"),
        (ada.send_bytes(Method::GET, &path, "", None, &unchanged).await, 304, "reads"),
        (ada.send(Method::HEAD, &path, None).await, 200, "reads"),
        (ada.post(&categories, json!({ "name": "Food" })).await, 409, "writes"),
        (ada.patch(&path, json!({ "name": "x" })).await, 428, "writes"),
        (ada.delete(&format!("{path}?version=1")).await, 204, "writes"),
        (app.anonymous().get(&home).await, 401, "anonymous"),
    ];
    for (answer, status, policy) in answers {
        assert_eq!(answer.status, status, "{}", answer.text);
        for name in ["ratelimit", "ratelimit-policy"] {
            let value = field(&answer, name);
            assert!(value.starts_with(&format!("\"{policy}\";")), "{status}: {name}: {value}");
        }
    }
    for path in ["/health", "/ready", "/metrics", "/openapi.json"] {
        assert_eq!(field(&app.anonymous().get(path).await, "ratelimit"), "", "{path}");
    }
    app.stop().await;
}

#[each_database]
async fn roles_have_limits_of_their_own_and_some_have_none(database: Database) {
    let (app, _) = start(&database, |limits| {
        limits.limit_reads = "3/1m,viewer=1/1m,owner=off".parse().unwrap();
        limits.limit_writes = "off".parse().unwrap();
    })
    .await;
    let (ada, company) = app.owner_of("company").await;
    let viewer = ada.invite(&company, "viewer").await;
    let member = ada.invite(&company, "member").await;
    for _ in 0..10 {
        assert_eq!(field(&ada.get(&company).await, "ratelimit-policy"), "");
        ada.make(&format!("{company}/tasks"), json!({ "title": "Bins" })).await;
    }
    viewer.read(&company).await;
    expect_refused(viewer.get(&company).await, "reads", "q=1;w=60", 60);
    for _ in 0..3 {
        member.read(&company).await;
    }
    expect_refused(member.get(&company).await, "reads", "q=3;w=60", 20);
    // Outside of organizations nobody has a role, and who is nothing in one is counted there.
    for path in ["/v1/users/me", "/v1/organizations"] {
        viewer.read(path).await;
    }
    let elsewhere = ada.found("household").await;
    viewer.get(&elsewhere).await.expect_problem(404, "not_found");
    for path in [&elsewhere, "/v1/users/me"] {
        expect_refused(viewer.get(path).await, "reads", "q=3;w=60", 20);
    }
    app.stop().await;
}

/// A new key with so many requests in a minute.
async fn limited_key(client: &Client, home: &str, requests: u32) -> Client {
    let new = json!({ "name": "till", "role": "admin", "requests_per_minute": requests });
    let key = client.make(&format!("{home}/api-keys"), new).await;
    assert_eq!(key["requests_per_minute"], requests);
    client.with_token(key["token"].as_str().unwrap())
}

#[each_database]
async fn a_key_can_have_a_limit_of_its_own(database: Database) {
    let (app, stopwatch) =
        start(&database, |limits| limits.limit_reads = "20/10s".parse().unwrap()).await;
    let (ada, home) = app.owner_of("household").await;
    let key = limited_key(&ada, &home, 6).await;
    let other = ada.with_key(&home, "admin").await;
    let first = key.get(&home).await;
    assert_eq!(field(&first, "ratelimit-policy"), "\"key\";q=6;w=60, \"reads\";q=20;w=10");
    assert_eq!(field(&first, "ratelimit"), "\"key\";r=5;t=10, \"reads\";r=19;t=1");
    for _ in 0..3 {
        key.read(&home).await;
    }
    for _ in 0..2 {
        key.make(&format!("{home}/tasks"), json!({ "title": "Bins" })).await;
    }
    for _ in 0..30 {
        let refused = key.get(&home).await;
        expect_refused(refused, "key", "q=6;w=60", 10);
    }
    // What was refused took nothing from the other keys of the member, which are counted together.
    for _ in 0..16 {
        other.read(&home).await;
    }
    expect_refused(other.get(&home).await, "reads", "q=20;w=10", 1);
    ada.read(&home).await;
    stopwatch.set(10_000);
    key.read(&home).await;
    expect_refused(key.get(&home).await, "key", "q=6;w=60", 10);
    app.stop().await;
}

#[each_database]
async fn what_a_key_makes_may_not_send_more_than_itself(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let keys = format!("{home}/api-keys");
    let new = |requests| json!({ "name": "x", "role": "viewer", "requests_per_minute": requests });
    for requests in [0, -1, 6_000_001] {
        let refused = ada.post(&keys, new(json!(requests))).await;
        assert_eq!(refused.expect_violations(), ["/requests_per_minute"]);
    }
    assert_eq!(ada.make(&keys, new(json!(6_000_000))).await["requests_per_minute"], 6_000_000);
    assert!(ada.make(&keys, new(json!(null))).await["requests_per_minute"].is_null());
    let first = limited_key(&ada, &home, 100).await;
    first.post(&keys, new(json!(101))).await.expect_problem(403, "limit_above_own");
    assert_eq!(first.make(&keys, new(json!(100))).await["requests_per_minute"], 100);
    let second = first.make(&keys, json!({ "name": "x", "role": "viewer" })).await;
    assert_eq!(second["requests_per_minute"], 100, "that of the key that made it");
    let history = ada.all(&format!("{}/history", at(&keys, &second)), "").await;
    assert_eq!(history[0]["data"]["requests_per_minute"], 100);
    app.stop().await;
}

/// Neither a network without a token nor a user keeps others there from logging in and working.
#[each_database]
async fn who_has_no_token_is_counted_by_network_and_may_still_log_in(database: Database) {
    let (app, stopwatch) =
        start(&database, |limits| limits.limit_anonymous = "6/1m".parse().unwrap()).await;
    let here = app.anonymous();
    let ada = here.sign_up_as("Ada", "ada@example.org").await;
    let home = ada.found("household").await;
    let nonsense = here.with_token("stw_s_nonsense");
    for client in [&here, &nonsense, &here, &nonsense, &here] {
        let answer = client.get(&home).await;
        assert_eq!(field(&answer, "ratelimit-policy"), "\"anonymous\";q=6;w=60");
        answer.expect_problem(401, "unauthenticated");
    }
    for client in [&here, &nonsense] {
        expect_refused(client.get(&home).await, "anonymous", "q=6;w=60", 10);
    }
    let user = json!({ "email": "eve@example.org", "display_name": "Eve", "password": PASSWORD });
    expect_refused(here.post("/v1/users", user.clone()).await, "anonymous", "q=6;w=60", 10);
    ada.read(&home).await;
    here.log_in("ada@example.org", PASSWORD).await.expect(201);
    here.from_address("127.0.0.2").get(&home).await.expect_problem(401, "unauthenticated");
    stopwatch.set(10_000);
    here.post("/v1/users", user).await.expect(201);
    app.stop().await;
}

#[each_database]
async fn the_wait_of_who_guesses_is_true(database: Database) {
    let (app, stopwatch) = start(&database, |_| {}).await;
    let here = app.anonymous();
    here.sign_up_as("Ada", "ada@example.org").await;
    let guess = async || here.log_in("ada@example.org", "a guess").await;
    for _ in 0..5 {
        guess().await.expect_problem(401, "unauthenticated");
    }
    const SUSTAINED: &str = "attempts-sustained";
    let mut now = 0;
    let waits = [(4, "attempts"); 7].into_iter();
    for (wait, policy) in waits.chain([(872, SUSTAINED), (900, SUSTAINED), (900, SUSTAINED)]) {
        let refused = guess().await;
        assert_eq!(refused.retry_after(), wait, "{policy} after {now} ms");
        assert!(field(&refused, "ratelimit-policy").starts_with(&format!("\"{policy}\";q=")));
        refused.expect_problem(429, "too_many_attempts");
        now += wait * 1000;
        stopwatch.set(now - 1);
        assert_eq!(guess().await.retry_after(), 1);
        stopwatch.set(now);
        guess().await.expect_problem(401, "unauthenticated");
    }
    app.stop().await;
}

#[each_database]
async fn operators_see_what_limits_refuse(database: Database) {
    let (app, _) = start(&database, |limits| limits.limit_reads = "2/1m".parse().unwrap()).await;
    let (ada, home) = app.owner_of("household").await;
    for _ in 0..4 {
        ada.get(&home).await;
    }
    let metrics = app.anonymous().get("/metrics").await.text;
    for outcome in ["outcome=\"allowed\"", "outcome=\"refused\""] {
        let parts = ["steward_limit_decisions_total", "policy=\"reads\"", outcome];
        let line = metrics.lines().find(|line| parts.iter().all(|part| line.contains(part)));
        let count: u64 = line.and_then(|it| it.rsplit(' ').next()?.parse().ok()).unwrap_or(0);
        assert!(count >= 2, "{outcome}: {line:?}");
    }
    app.stop().await;
}

/// However many ask at once, what passes is all of the limit and what has come back since.
#[each_database(flavor = "multi_thread")]
async fn no_more_passes_than_the_limit(database: Database) {
    let mut options = AppOptions::default();
    options.settings.rates.limit_reads = "100/1s".parse().unwrap();
    let app = App::start_with(&database, options).await;
    let (ada, home) = app.owner_of("household").await;
    let begun = Instant::now();
    let ask = async || {
        let (mut passed, mut refused) = (0_u32, 0_u32);
        while begun.elapsed() < Duration::from_millis(1500) {
            match ada.get(&home).await.status.as_u16() {
                200 => passed += 1,
                429 => refused += 1,
                status => panic!("{status}"),
            }
        }
        (passed, refused)
    };
    let counts = join_all((0..8).map(|_| ask())).await;
    let seconds = begun.elapsed().as_secs_f64();
    let passed: u32 = counts.iter().map(|(passed, _)| passed).sum();
    let refused: u32 = counts.iter().map(|(_, refused)| refused).sum();
    println!("100/1s: {passed} of {} requests passed in {seconds:.1} s", passed + refused);
    assert!(f64::from(passed) <= 101.0 + 100.0 * seconds, "{passed} passed in {seconds} s");
    assert!(passed >= 100 || refused == 0, "{passed} passed, and {refused} did not");
    app.stop().await;
}

/// What a check costs here, and how many requests the limits by default let pass: `just limits` shows it.
#[tokio::test]
async fn what_a_check_costs() {
    const CHECKS: u32 = 200_000;
    let limiter = Limiter::new(Clock::system(), None);
    let policy = Policy::new("figure", Counts::Requests, 50_000, Duration::from_secs(60));
    let quota = Quota::new(3_000_000, 60).unwrap();
    for subjects in [1, 10_000] {
        let begun = Instant::now();
        for number in 0..CHECKS {
            let subject = Subject::new(u128::from(number % subjects));
            limiter.take(&policy, subject, quota).await.expect("far below the limit");
        }
        let each = begun.elapsed() / CHECKS;
        println!("{subjects} callers: {} ns a check", each.as_nanos());
        assert!(each < Duration::from_micros(50), "{each:?}: far more than a request can bear");
    }
    let LimitSettings { limit_reads, limit_writes, limit_anonymous, .. } =
        Settings::default().rates;
    let limits = [
        ("reads", limit_reads.quota(None)),
        ("writes", limit_writes.quota(None)),
        ("anonymous", limit_anonymous.0),
    ];
    for (policy, quota) in limits {
        let quota = quota.expect("limits are on by default");
        println!("{policy}: {} a second by default", quota.count() / quota.seconds());
    }
}
