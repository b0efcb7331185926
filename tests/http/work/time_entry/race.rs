//! Time that is written at once: one timer, no overlap, and nothing in a week that was submitted before.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Answer, App, Client, Database, at, each_lasting_database};

use crate::work::{
    time_entry::{crew, span},
    timecard::{card_of, go},
};

const ROUNDS: u32 = 50;

/// The days from a Monday on, as many weeks later as there were rounds.
fn day(round: u32, later: u64) -> String {
    let first = chrono::NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    (first + chrono::Days::new(u64::from(round) * 7 + later)).to_string()
}

/// Sends all at once, and gives their answers in order.
async fn at_once(client: &Client, posts: Vec<(String, Value)>) -> Vec<Answer> {
    let sent = posts.into_iter().map(|(path, body)| {
        let client = client.clone();
        tokio::spawn(async move { client.post(&path, body).await })
    });
    join_all(sent).await.into_iter().map(|answer| answer.expect("answered")).collect()
}

/// One was made, and the others were told of it.
fn assert_one(answers: Vec<Answer>, code: &str) -> Value {
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1, "{made:?}");
    let made = made.into_iter().next().unwrap().expect(201);
    for answer in refused {
        assert_eq!(answer.expect_problem(409, code)["conflicting_id"], made["id"]);
    }
    made
}

#[each_lasting_database(flavor = "multi_thread")]
async fn of_timers_that_start_at_once_one_runs(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    for round in 0..ROUNDS {
        let starts = (0..3).map(|_| (format!("{entries}/start"), json!({})));
        let timer = assert_one(at_once(&bob, starts.collect()).await, "timer_running");
        assert_eq!(
            bob.all(&entries, "?running=true").await,
            std::slice::from_ref(&timer),
            "{round}"
        );
        let stop = format!("{}/stop", at(&entries, &timer));
        bob.post(&stop, json!({ "version": 1 })).await.expect(200);
    }
    app.stop().await;
}

/// The timer begins in the week before that of the entry: they share no timecard.
#[each_lasting_database(flavor = "multi_thread")]
async fn of_times_that_overlap_one_is_written(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    // From the last week on, so that no timer meets what an earlier round has left.
    for round in (0..ROUNDS).rev() {
        let timer = json!({ "started_at": format!("{}T08:00:00Z", day(round, 6)) });
        let entry =
            span(&format!("{}T08:00:00Z", day(round, 7)), &format!("{}T09:00:00Z", day(round, 7)));
        let posts = vec![(entries.clone(), timer), (entries.clone(), entry)];
        let made = assert_one(at_once(&bob, posts).await, "overlap");
        bob.delete(&format!("{}?version=1", at(&entries, &made))).await.expect(204);
    }
    app.stop().await;
}

/// More than there are tries of a transaction that runs again.
#[each_lasting_database(flavor = "multi_thread")]
async fn many_who_write_one_members_time_wait_for_each_other(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let new = |n: u32| {
        (entries.clone(), json!({ "day": day(n % 3, u64::from(n % 7)), "minutes": n + 1 }))
    };
    for answer in at_once(&bob, (0..24).map(new).collect()).await {
        answer.expect(201);
    }
    assert_eq!(bob.all(&entries, "").await.len(), 24);
    app.stop().await;
}

/// What is written of a week while it is submitted: a new entry, one that moves in, a timer and one that goes.
async fn write_all(client: &Client, entries: &str, round: u32, rows: [Value; 2]) -> Vec<Answer> {
    let new = json!({ "day": day(round, 2), "minutes": 7 });
    let inside = json!({ "version": 1, "day": day(round, 3) });
    let [moved, gone] = rows.map(|row| at(entries, &row));
    let gone = format!("{gone}?version=1");
    let timer = json!({ "started_at": format!("{}T08:00:00Z", day(round, 4)) });
    let (new, moved, gone, timer) = tokio::join!(
        client.post(entries, new.clone()),
        client.patch(&moved, inside.clone()),
        client.delete(&gone),
        client.post(entries, timer.clone()),
    );
    vec![new, moved, gone, timer]
}

/// Submits a week, and gives what is in it then. A timer that is in the way is removed.
async fn submit(client: &Client, path: &str, entries: &str) -> Value {
    loop {
        let answer = go(client, path, "submit", json!({})).await;
        if answer.status == 200 {
            return client.read(&format!("{path}/totals")).await;
        }
        let timer = answer.expect_problem(409, "timer_running")["conflicting_id"].clone();
        let timer = format!("{entries}/{}?version=1", timer.as_str().unwrap());
        client.delete(&timer).await.expect(204);
    }
}

#[each_lasting_database(flavor = "multi_thread")]
async fn nothing_comes_into_a_week_once_its_submission_was_answered(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let entries = format!("{company}/time-entries");
    let mut counts = (0, 0);
    for round in 0..ROUNDS {
        let gone = bob.make(&entries, json!({ "day": day(round, 0), "minutes": 11 })).await;
        let outside = json!({ "day": format!("2024-01-{:02}", round % 28 + 1), "minutes": 13 });
        let outside = bob.make(&entries, outside).await;
        let card = card_of(&bob, &company, &gone["member_id"], &day(round, 0)).await;
        let path = at(&format!("{company}/timecards"), &card);
        let (written, then) = tokio::join!(
            write_all(&bob, &entries, round, [outside, gone]),
            submit(&bob, &path, &entries),
        );
        for answer in written {
            if answer.status.is_success() {
                counts.0 += 1;
            } else {
                answer.expect_problem(409, "week_locked");
                counts.1 += 1;
            }
        }
        assert_eq!(ada.read(&format!("{path}/totals")).await, then, "{round}");
        let query = format!("?from={}&to={}", day(round, 0), day(round, 6));
        let entries = ada.all(&entries, &query).await;
        let seconds: i64 = entries.iter().map(|entry| entry["seconds"].as_i64().unwrap()).sum();
        assert_eq!(then["seconds"], seconds, "{round}");
    }
    assert!(counts.0 > 0 || counts.1 > 0, "{counts:?}");
    app.stop().await;
}
