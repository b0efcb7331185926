//! Tasks that come again, and whose turn it is.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join;
use serde_json::{Value, json};
use service::{clock::Clock, store::Options};
use tests::{App, AppOptions, Client, Database, at, each_database, id, keyring};

use crate::work::time_entry::crew;

/// steward on the 21st of November 2026, a Saturday.
async fn start(database: &Database) -> App {
    let now: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().unwrap();
    let clock = Clock::stepping(now, TimeDelta::milliseconds(1));
    let store = Options { clock, keyring: keyring(), ..Options::default() };
    App::start_with(database, AppOptions { store, ..AppOptions::default() }).await
}

async fn members(client: &Client, company: &str, names: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for name in names {
        let member = client.make(&format!("{company}/members"), json!({ "name": name })).await;
        ids.push(id(&member).to_owned());
    }
    ids
}

/// Changes the status of a task.
async fn to(client: &Client, tasks: &str, task: &Value, status: &str) -> Value {
    let to = json!({ "version": task["version"], "status": status });
    client.patch(&at(tasks, task), to).await.expect(200)
}

/// The one that follows.
async fn next(client: &Client, tasks: &str, closed: &Value) -> Value {
    client.read(&format!("{tasks}/{}", closed["next_task_id"].as_str().unwrap())).await
}

fn counts(task: &Value) -> BTreeMap<String, i64> {
    let turns = task["turns"].as_array().unwrap().iter();
    let turn = |turn: &Value| {
        (turn["member_id"].as_str().unwrap().to_owned(), turn["turns"].as_i64().unwrap())
    };
    turns.map(turn).collect()
}

#[each_database]
async fn finishing_makes_the_next_at_the_same_local_time(database: Database) {
    let app = start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    let new = json!({ "title": "Sweep", "note": "all", "priority": "high", "tags": ["a"],
        "estimate_minutes": 5, "metadata": { "x": 1 }, "assignee_role": "manager",
        "due_at": "2027-03-27T01:30:00Z", "recurrence": "FREQ=DAILY" });
    let mut task = bob.make(&tasks, new.clone()).await;
    assert_eq!(task["recurs_from"], "DTSTART;TZID=Europe/Zurich:20270327T023000");
    // The clock is put forward in the night of the 28th: half past two is left out.
    for due in ["2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z", "2027-03-30T00:30:00Z"] {
        let done = to(&bob, &tasks, &task, "done").await;
        let following = next(&bob, &tasks, &done).await;
        assert_eq!(following["due_at"], due);
        assert_eq!(following["previous_task_id"], done["id"]);
        assert_eq!((&following["status"], &following["version"]), (&json!("pending"), &json!(1)));
        for name in [
            "title",
            "note",
            "priority",
            "tags",
            "estimate_minutes",
            "metadata",
            "assignee_role",
            "recurrence",
            "recurs_from",
        ] {
            assert_eq!(following[name], task[name], "{name}");
        }
        task = following;
    }
    assert_eq!(bob.all(&tasks, "?tag=a&open=true").await.len(), 1);

    // A late one goes on after today; COUNT and UNTIL bring it to its end.
    let weekly =
        json!({ "title": "x", "due_on": "2026-11-02", "recurrence": "FREQ=WEEKLY;COUNT=4" });
    let weekly = bob.make(&tasks, weekly).await;
    assert_eq!(weekly["recurs_from"], "DTSTART;VALUE=DATE:20261102");
    let second = next(&bob, &tasks, &to(&bob, &tasks, &weekly, "done").await).await;
    assert_eq!(second["due_on"], "2026-11-23");
    let last = to(&bob, &tasks, &second, "done").await;
    assert_eq!(last["next_task_id"], Value::Null, "four Mondays are over");
    // Put off, the series stays where it was.
    let day = json!({ "title": "x", "due_on": "2026-11-23", "recurrence": "FREQ=WEEKLY" });
    let first = to(&bob, &tasks, &bob.make(&tasks, day).await, "done").await;
    let second = next(&bob, &tasks, &first).await;
    let later = json!({ "version": 1, "due_on": "2026-12-02" });
    let later = bob.patch(&at(&tasks, &second), later).await.expect(200);
    let third = next(&bob, &tasks, &to(&bob, &tasks, &later, "done").await).await;
    assert_eq!(third["due_on"], "2026-12-07");
    app.stop().await;
}

#[each_database]
async fn the_last_weekdays_of_a_year_and_of_a_month_recur(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    // Of the years with 53 Fridays, and the months with five Mondays: RFC 5545, section 3.3.10.
    for (rule, due_on, then) in [
        ("FREQ=YEARLY;BYDAY=-53FR", "2027-01-01", "2032-01-02"),
        ("FREQ=MONTHLY;BYDAY=-5MO", "2026-11-02", "2027-03-01"),
    ] {
        let new = json!({ "title": "x", "due_on": due_on, "recurrence": rule });
        let done = to(&bob, &tasks, &bob.make(&tasks, new).await, "done").await;
        assert_eq!(next(&bob, &tasks, &done).await["due_on"], then, "{rule}");
    }
    app.stop().await;
}

#[each_database]
async fn turns_are_counted_for_whose_they_are(database: Database) {
    let app = start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    let who = members(&ada, &company, &["Al", "Barb", "Curt"]).await;
    let new = json!({ "title": "Bins", "due_on": "2026-11-23", "recurrence": "FREQ=WEEKLY",
        "rotation": who });
    let mut task = bob.make(&tasks, new).await;
    for turn in 0..7 {
        assert_eq!(task["assignee_member_id"], json!(who[turn % 3]), "turn {turn}");
        let done = to(&bob, &tasks, &task, "done").await;
        assert_eq!(counts(&done)[&who[turn % 3]], turn as i64 / 3 + 1);
        task = next(&bob, &tasks, &done).await;
        assert_eq!(counts(&task), counts(&done));
    }
    // It is Barb's, and nobody takes it who has had more turns; somebody else may stand in.
    let give = |task: &Value, member: &str| json!({ "version": task["version"], "assignee_member_id": member });
    let refused = bob.patch(&at(&tasks, &task), give(&task, &who[0])).await;
    assert_eq!(refused.expect_violations(), ["/assignee_member_id"]);
    let dora = members(&ada, &company, &["Dora"]).await.remove(0);
    let given = bob.patch(&at(&tasks, &task), give(&task, &dora)).await.expect(200);
    let done = to(&bob, &tasks, &given, "done").await;
    assert_eq!(counts(&done), counts(&task), "who stands in has no turn");
    task = next(&bob, &tasks, &done).await;
    assert_eq!(task["assignee_member_id"], json!(who[1]));

    // Called off: the next, and no turn.
    let off = to(&bob, &tasks, &task, "cancelled").await;
    assert_eq!(counts(&off), counts(&task));
    task = next(&bob, &tasks, &off).await;
    assert_eq!(task["assignee_member_id"], json!(who[1]));

    // Who joins begins with the fewest; who leaves is followed by another.
    let change = json!({ "version": 1, "rotation": [who[0], who[2], dora] });
    task = bob.patch(&at(&tasks, &task), change).await.expect(200);
    assert_eq!(
        counts(&task),
        BTreeMap::from([(who[0].clone(), 3), (who[2].clone(), 2), (dora.clone(), 2)])
    );
    assert_eq!(task["assignee_member_id"], json!(who[2]));
    // Who is away is passed over.
    let leave = json!({ "version": 1, "active": false });
    ada.patch(&format!("{company}/members/{dora}"), leave).await.expect(200);
    task = next(&bob, &tasks, &to(&bob, &tasks, &task, "done").await).await;
    assert_eq!(task["assignee_member_id"], json!(who[0]));
    assert_eq!(counts(&task)[&dora], 3, "and has nothing to catch up with");
    app.stop().await;
}

#[each_database]
async fn finishing_is_undone_while_nobody_has_touched_the_next(database: Database) {
    let app = start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    let who = members(&ada, &company, &["Al", "Barb"]).await;
    let new = json!({ "title": "Bins", "due_on": "2026-11-23", "recurrence": "FREQ=WEEKLY",
        "rotation": who, "tags": ["a"] });
    let task = bob.make(&tasks, new).await;
    let done = to(&bob, &tasks, &task, "done").await;
    let following = next(&bob, &tasks, &done).await;
    let undone = to(&bob, &tasks, &done, "in_progress").await;
    assert_eq!((&undone["next_task_id"], &undone["finished_at"]), (&Value::Null, &Value::Null));
    assert_eq!(counts(&undone), counts(&task));
    assert_eq!(undone["assignee_member_id"], json!(who[0]));
    assert_eq!(bob.get(&at(&tasks, &following)).await.status, 404);
    assert_eq!(bob.all(&tasks, "?tag=a").await.len(), 1);

    let done = to(&bob, &tasks, &undone, "done").await;
    // What it was made from stays, while it is closed.
    let moved = json!({ "version": done["version"], "due_on": "2026-11-24" });
    bob.patch(&at(&tasks, &done), moved).await.expect_problem(409, "wrong_status");
    let noted = json!({ "version": done["version"], "note": "well" });
    let done = bob.patch(&at(&tasks, &done), noted).await.expect(200);
    let following = next(&bob, &tasks, &done).await;
    let entry = json!({ "day": "2026-11-16", "minutes": 5, "task_id": following["id"] });
    let entries = format!("{company}/time-entries");
    let entry = bob.make(&entries, entry).await;
    let undo = json!({ "version": done["version"], "status": "pending" });
    bob.patch(&at(&tasks, &done), undo.clone()).await.expect_problem(409, "next_started");
    bob.delete(&format!("{}?version=1", at(&entries, &entry))).await.expect(204);
    let touched = json!({ "version": 1, "note": "mine" });
    bob.patch(&at(&tasks, &following), touched).await.expect(200);
    bob.patch(&at(&tasks, &done), undo.clone()).await.expect_problem(409, "next_started");
    assert_eq!(bob.read(&at(&tasks, &done)).await, done, "nothing of it was written");
    bob.delete(&format!("{}?version=2", at(&tasks, &following))).await.expect(204);
    bob.patch(&at(&tasks, &done), undo).await.expect(200);
    app.stop().await;
}

#[each_database]
async fn a_sync_and_a_revert_do_the_same(database: Database) {
    let app = start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    let who = members(&ada, &company, &["Al", "Barb"]).await;
    let data = json!({ "title": "Bins", "due_on": "2026-11-23", "recurrence": "FREQ=WEEKLY",
        "rotation": who });
    let chosen = uuid::Uuid::from_u128(7);
    let create = json!({ "entity": "task", "op": "create", "id": chosen, "data": data });
    let finish = json!({ "entity": "task", "op": "update", "id": chosen, "version": 1,
        "data": { "status": "done" } });
    let sync = format!("{company}/sync");
    let both = json!({ "changes": [create, finish] });
    let answer = bob.post(&sync, both).await.expect(200);
    assert!(
        answer["results"].as_array().unwrap().iter().all(|one| one["status"] == "applied"),
        "{answer}"
    );
    // What was made already is not made again.
    let again = json!({ "changes": [finish] });
    let answer = bob.post(&sync, again).await.expect(200);
    assert_eq!(answer["results"][0]["status"], "conflict", "{answer}");
    let path = format!("{tasks}/{chosen}");
    let done = bob.read(&path).await;
    assert_eq!(next(&bob, &tasks, &done).await["assignee_member_id"], json!(who[1]));
    let back = json!({ "version": 2, "to_version": 1 });
    let back = bob.post(&format!("{path}/revert"), back).await.expect(200);
    assert_eq!((&back["status"], &back["next_task_id"]), (&json!("pending"), &Value::Null));
    assert_eq!(counts(&back).values().sum::<i64>(), 0);
    let again = json!({ "version": 3, "to_version": 2 });
    let again = bob.post(&format!("{path}/revert"), again).await.expect(200);
    assert_eq!(counts(&next(&bob, &tasks, &again).await)[&who[0]], 1);
    assert_eq!(bob.all(&tasks, "").await.len(), 2);
    app.stop().await;
}

/// How often two finish the same task at once.
const ROUNDS: usize = 50;

#[each_database]
async fn of_two_who_finish_at_once_one_does(database: Database) {
    let app = start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    let who = members(&ada, &company, &["Al", "Barb", "Curt"]).await;
    let new = json!({ "title": "Bins", "due_on": "2026-11-23", "recurrence": "FREQ=DAILY",
        "rotation": who });
    let mut task = bob.make(&tasks, new).await;
    for round in 0..ROUNDS {
        assert_eq!(task["assignee_member_id"], json!(who[round % 3]), "round {round}");
        let path = at(&tasks, &task);
        let done = json!({ "version": task["version"], "status": "done" });
        let answers = join(ada.patch(&path, done.clone()), bob.patch(&path, done)).await;
        let mut statuses = [answers.0.status.as_u16(), answers.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "round {round}: {answers:?}");
        let done = bob.read(&path).await;
        task = next(&bob, &tasks, &done).await;
        assert_eq!(counts(&task).values().sum::<i64>(), round as i64 + 1);
        let apart = counts(&task).values().max().unwrap() - counts(&task).values().min().unwrap();
        assert!(apart <= 1, "round {round}: {task}");
        // One undoes it, and another does so or goes on: the next is never there twice.
        if round % 5 == 0 {
            let undo = json!({ "version": done["version"], "status": "pending" });
            let start = json!({ "version": 1, "status": "in_progress" });
            let answers = join(ada.patch(&path, undo), bob.patch(&at(&tasks, &task), start)).await;
            let (undone, started) = (answers.0.status.as_u16(), answers.1.status.as_u16());
            match undone {
                200 => {
                    assert_eq!(started, 404, "round {round}");
                    let undone = bob.read(&path).await;
                    task = next(&bob, &tasks, &to(&bob, &tasks, &undone, "done").await).await;
                }
                _ => {
                    answers.0.expect_problem(409, "next_started");
                    assert_eq!(started, 200, "round {round}");
                    task = bob.read(&at(&tasks, &task)).await;
                }
            }
        }
        assert_eq!(bob.all(&tasks, "").await.len(), round + 2);
    }
    app.stop().await;
}
