//! Tasks: what they may be, how they move, and how they are found.

mod plan;
mod series;

use serde_json::{Value, json};
use service::{identity::access, work::task};
use tests::{App, Client, Database, at, each_database, id};

use crate::work::time_entry::crew;

/// The ids of a list.
async fn found(client: &Client, tasks: &str, query: &str) -> Vec<String> {
    let all = client.all(tasks, query).await;
    all.iter().map(|task| task["title"].as_str().unwrap().to_owned()).collect()
}

#[each_database]
async fn a_task_is_shown_as_it_was_written(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    let grace = ada.make(&format!("{company}/members"), json!({ "name": "Grace" })).await;
    let roof = ada.make(&format!("{company}/projects"), json!({ "name": "Roof" })).await;
    let new = json!({
        "title": " Fix \"it\" 👷", "note": "ß\\", "status": "in_progress", "priority": "urgent",
        "due_at": "2026-11-21T14:30:00.123456+01:00", "assignee_member_id": grace["id"],
        "assignee_role": "manager", "project_id": roof["id"], "tags": ["Süd", "roof"],
        "estimate_minutes": 90, "metadata": { "a": [1, 2.5, { "b": null }] },
    });
    let made = bob.make(&tasks, new.clone()).await;
    for (name, value) in new.as_object().unwrap() {
        if name != "due_at" {
            assert_eq!(&made[name], value, "{name}");
        }
    }
    assert_eq!(made["due_at"], "2026-11-21T13:30:00.123456Z");
    assert_eq!(bob.read(&at(&tasks, &made)).await, made);
    let plain = bob.make(&tasks, json!({ "title": "x" })).await;
    assert_eq!((&plain["status"], &plain["priority"]), (&json!("pending"), &json!("medium")));
    assert_eq!((&plain["turns"], &plain["rotation"]), (&json!([]), &json!([])));

    let day = json!({ "version": 1, "due_at": null, "due_on": "2026-11-30", "tags": ["süd"] });
    let changed = bob.patch(&at(&tasks, &made), day).await.expect(200);
    assert_eq!((&changed["due_at"], &changed["due_on"]), (&Value::Null, &json!("2026-11-30")));
    let back = json!({ "version": 2, "to_version": 1 });
    let back = bob.post(&format!("{}/revert", at(&tasks, &made)), back).await.expect(200);
    assert_eq!(back["due_at"], made["due_at"]);
    assert_eq!(found(&bob, &tasks, "?tag=ROOF").await, [" Fix \"it\" 👷"]);
    app.stop().await;
}

#[each_database]
async fn what_cannot_be_a_task_is_refused_and_says_where(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let (eve, elsewhere) = app.owner_of("household").await;
    let foreign = eve.make(&format!("{elsewhere}/members"), json!({ "name": "Eve" })).await;
    let grace = ada.make(&format!("{company}/members"), json!({ "name": "Grace" })).await;
    let grace = id(&grace);
    let away = json!({ "name": "Al", "active": false });
    let away = ada.make(&format!("{company}/members"), away).await;
    let tasks = format!("{company}/tasks");
    let weekly = json!({ "due_on": "2026-11-23", "recurrence": "FREQ=WEEKLY" });
    let with = |more: Value| {
        let mut new = weekly.clone();
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        new
    };
    for (bad, pointer) in [
        (json!({ "title": " " }), "/title"),
        (json!({ "status": "open" }), "/status"),
        (json!({ "priority": "asap" }), "/priority"),
        (json!({ "due_on": "2026-11-21", "due_at": "2026-11-21T10:00:00Z" }), "/due_at"),
        (json!({ "due_at": "2026-11-21T10:00:00.1234567Z" }), "/due_at"),
        (json!({ "due_at": "+12000-01-01T00:00:00Z" }), "/due_at"),
        (json!({ "due_on": "0999-01-01" }), "/due_on"),
        (json!({ "assignee_member_id": foreign["id"] }), "/assignee_member_id"),
        (json!({ "assignee_role": "boss" }), "/assignee_role"),
        (json!({ "project_id": foreign["id"] }), "/project_id"),
        (json!({ "estimate_minutes": 0 }), "/estimate_minutes"),
        (json!({ "estimate_minutes": 1.5 }), "/estimate_minutes"),
        (json!({ "tags": ["a", "A"] }), "/tags/1"),
        (json!({ "metadata": [] }), "/metadata"),
        (json!({ "metadata": { "x": "y".repeat(17_000) } }), "/metadata"),
        (json!({ "recurrence": "FREQ=DAILY" }), "/recurrence"),
        (json!({ "due_on": "2026-11-21", "recurrence": "daily" }), "/recurrence"),
        (json!({ "due_on": "2026-11-21", "recurrence": "FREQ=HOURLY" }), "/recurrence"),
        (
            json!({ "due_on": "2026-11-21", "recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" }),
            "/recurrence",
        ),
        (with(json!({ "recurrence": "FREQ=WEEKLY;BYDAY=1MO" })), "/recurrence"),
        (with(json!({ "recurrence": "FREQ=MONTHLY;BYMONTHDAY=0" })), "/recurrence"),
        (with(json!({ "recurrence": "FREQ=YEARLY;BYDAY=-54FR" })), "/recurrence"),
        (with(json!({ "recurrence": "FREQ=MONTHLY;BYDAY=-6MO" })), "/recurrence"),
        (json!({ "rotation": [grace] }), "/rotation"),
        (with(json!({ "rotation": [grace, grace] })), "/rotation/1"),
        (with(json!({ "rotation": [grace, foreign["id"]] })), "/rotation/1"),
        (with(json!({ "rotation": [grace, away["id"]] })), "/rotation/1"),
        (with(json!({ "status": "done" })), "/status"),
    ] {
        let mut new = bad.clone();
        new.as_object_mut().unwrap().entry("title").or_insert(json!("x"));
        let refused = bob.post(&tasks, new).await;
        assert_eq!(refused.expect_violations(), [pointer], "{bad}");
    }
    assert_eq!(found(&bob, &tasks, "").await, [""; 0]);
    let viewer = ada.invite(&company, "viewer").await;
    viewer.post(&tasks, json!({ "title": "x" })).await.expect_problem(403, "role_insufficient");
    assert_eq!(viewer.get(&tasks).await.status, 200);
    app.stop().await;
}

#[each_database]
async fn an_archived_project_takes_no_task(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let (tasks, projects) = (format!("{company}/tasks"), format!("{company}/projects"));
    let roof = ada.make(&projects, json!({ "name": "Roof" })).await;
    let weekly = json!({ "title": "Sweep", "project_id": roof["id"], "due_on": "2026-11-23",
        "recurrence": "FREQ=WEEKLY" });
    let sweep = ada.make(&tasks, weekly.clone()).await;
    let free = ada.make(&tasks, json!({ "title": "Free" })).await;
    for (version, status) in [(1, "completed"), (2, "archived")] {
        let to = json!({ "version": version, "status": status });
        ada.patch(&at(&projects, &roof), to).await.expect(200);
    }
    ada.post(&tasks, weekly).await.expect_problem(409, "project_archived");
    let into = json!({ "version": 1, "project_id": roof["id"] });
    ada.patch(&at(&tasks, &free), into).await.expect_problem(409, "project_archived");
    // What is there can be brought to its end, and then nothing follows.
    let done = json!({ "version": 1, "status": "done" });
    let done = ada.patch(&at(&tasks, &sweep), done).await.expect(200);
    assert_eq!(done["next_task_id"], Value::Null);
    app.stop().await;
}

#[each_database]
async fn a_task_moves_and_the_log_says_how(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    let task = at(&tasks, &bob.make(&tasks, json!({ "title": "x" })).await);
    let to = |version: i64, status: &str| json!({ "version": version, "status": status });
    let mut version = 1;
    for (status, refused) in [
        ("in_progress", &[][..]),
        ("done", &["cancelled"]),
        ("in_progress", &[]),
        ("cancelled", &["done", "in_progress"]),
        ("pending", &[]),
        ("done", &[]),
    ] {
        let moved = bob.patch(&task, to(version, status)).await.expect(200);
        version += 1;
        assert_eq!(moved["status"], status);
        assert_eq!(moved["finished_at"].is_string(), status == "done", "{moved}");
        for status in refused {
            let refused = bob.patch(&task, to(version, status)).await;
            refused.expect_problem(409, "wrong_status");
        }
    }
    let back = json!({ "version": version, "to_version": 1 });
    bob.post(&format!("{task}/revert"), back).await.expect(200);
    let history = bob.all(&format!("{task}/history"), "").await;
    let kinds: Vec<_> = history.iter().rev().map(|event| event["kind"].as_str().unwrap()).collect();
    let expected = [
        "created",
        "updated",
        "finished",
        "reopened",
        "cancelled",
        "reopened",
        "finished",
        "reverted",
    ];
    assert_eq!(kinds, expected.map(|verb| format!("task.{verb}")));
    app.stop().await;
}

#[each_database]
async fn a_task_for_which_time_was_recorded_stays(database: Database) {
    let app = App::start(&database).await;
    let (_, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    let task = bob.make(&tasks, json!({ "title": "x", "tags": ["a"] })).await;
    let entry = json!({ "day": "2026-11-16", "minutes": 5, "task_id": task["id"] });
    let entries = format!("{company}/time-entries");
    let entry = bob.make(&entries, entry).await;
    let path = format!("{}?version=1", at(&tasks, &task));
    bob.delete(&path).await.expect_problem(409, "in_use");
    bob.delete(&format!("{}?version=1", at(&entries, &entry))).await.expect(204);
    bob.delete(&path).await.expect(204);
    assert_eq!(bob.get(&at(&tasks, &task)).await.status, 404);
    assert_eq!(found(&bob, &tasks, "?tag=a").await, [""; 0]);
    app.stop().await;
}

#[each_database]
async fn tasks_are_found_by_what_is_asked_for_and_by_when_they_are_due(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, bob) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    let grace = ada.make(&format!("{company}/members"), json!({ "name": "Grace" })).await;
    let roof = ada.make(&format!("{company}/projects"), json!({ "name": "Roof" })).await;
    for (title, more) in [
        ("never", json!({ "note": "Süß", "tags": ["A"] })),
        ("day", json!({ "due_on": "2026-11-21", "assignee_member_id": grace["id"] })),
        (
            "late",
            json!({ "due_at": "2026-11-21T22:59:00Z", "tags": ["a", "b"], "priority": "high" }),
        ),
        ("early", json!({ "due_at": "2026-11-20T23:00:00Z", "project_id": roof["id"] })),
        ("eve", json!({ "due_on": "2026-11-20", "status": "done", "project_id": roof["id"] })),
        ("next", json!({ "due_at": "2026-11-21T23:00:00Z", "priority": "urgent", "tags": ["a"] })),
    ] {
        let mut new = more;
        new["title"] = json!(title);
        ada.make(&tasks, new).await;
    }
    let all = ["eve", "early", "late", "day", "next", "never"];
    assert_eq!(found(&bob, &tasks, "").await, all);
    assert_eq!(found(&bob, &tasks, "?limit=1").await, all);
    let mut reversed = all;
    reversed.reverse();
    assert_eq!(found(&bob, &tasks, "?sort=-due&limit=2").await, reversed);
    let (grace, roof) = (id(&grace), id(&roof));
    for (query, expected) in [
        ("?due_from=2026-11-21&due_to=2026-11-21", &["early", "late", "day"][..]),
        ("?due_from=2026-11-22", &["next"]),
        ("?due_to=2026-11-20", &["eve"]),
        ("?tag=A&limit=1", &["late", "next", "never"]),
        ("?tag=a&sort=-due&limit=1", &["never", "next", "late"]),
        ("?tag=a&due_from=2026-11-22", &["next"]),
        ("?tag=a&pressing=false", &["never"]),
        ("?tag=b,A&limit=1", &["late", "next", "never"]),
        ("?tag=a,b,c&sort=-due&limit=2", &["never", "next", "late"]),
        ("?tag=a,b&priority=high,urgent&limit=1", &["late", "next"]),
        ("?assignee_member_id=none&limit=1", &["eve", "early", "late", "next", "never"]),
        ("?project_id=none&sort=-due&limit=1", &["never", "next", "day", "late"]),
        ("?status=pending,done&project_id=none&tag=a", &["late", "next", "never"]),
        ("?priority=urgent,high&limit=1", &["late", "next"]),
        ("?pressing=true", &["late", "next"]),
        ("?priority=urgent", &["next"]),
        ("?status=done", &["eve"]),
        ("?open=false", &["eve"]),
        ("?open=true&limit=2", &["early", "late", "day", "next", "never"]),
        ("?q=S%C3%9C%C3%9F", &["never"]),
        (&format!("?assignee_member_id={grace}"), &["day"]),
        (&format!("?project_id={roof}"), &["eve", "early"]),
        (&format!("?project_id={roof}&open=true"), &["early"]),
        (&format!("?assignee_member_id={grace},none&project_id=none&limit=1"), &all[2..]),
    ] {
        assert_eq!(found(&bob, &tasks, query).await, expected, "{query}");
    }
    let cursor = bob.read(&format!("{tasks}?limit=1")).await["next_cursor"].clone();
    let elsewhere = format!("{tasks}?sort=-due&cursor={}", cursor.as_str().unwrap());
    assert_eq!(bob.get(&elsewhere).await.expect_violations(), ["?cursor"]);
    app.stop().await;
}

#[each_database]
async fn the_order_follows_the_clock_on_the_wall(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    for (title, due) in [
        ("instant", json!({ "due_at": "2026-11-21T23:30:00Z", "tags": ["x"] })),
        ("day", json!({ "due_on": "2026-11-21", "tags": ["x"] })),
    ] {
        let mut new = due;
        new["title"] = json!(title);
        ada.make(&tasks, new).await;
    }
    assert_eq!(found(&ada, &tasks, "").await, ["day", "instant"], "half past midnight in Zurich");
    let ours = ada.read(&company).await;
    let away = json!({ "version": ours["version"], "time_zone": "America/New_York" });
    ada.patch(&company, away).await.expect(200);
    for query in ["", "?tag=x"] {
        assert_eq!(found(&ada, &tasks, query).await, ["instant", "day"], "half past six{query}");
    }
    assert_eq!(found(&ada, &tasks, "?due_to=2026-11-21").await.len(), 2);
    let all = ada.all(&tasks, "").await;
    assert!(all.iter().all(|task| task["version"] == 1), "{all:?}");
    app.stop().await;
}

#[each_database]
async fn the_order_follows_the_clock_on_the_wall_however_many_there_are(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let tasks = format!("{company}/tasks");
    // Of every other one the day ends before, in Zurich, and after, in New York.
    let due = |n: u64| match n % 2 {
        0 => json!({ "title": format!("{n:03} day"), "due_on": "2026-11-21" }),
        _ => json!({ "title": format!("{n:03} instant"), "due_at": "2026-11-21T23:30:00Z" }),
    };
    let created = |n| {
        let id = uuid::Uuid::from_u128(u128::from(n) + 1);
        json!({ "entity": "task", "op": "create", "id": id, "data": due(n) })
    };
    let all: Vec<_> = (0..450).map(created).collect();
    ada.post(&format!("{company}/sync"), json!({ "changes": all })).await.expect(200);
    let days_and_instants = async || {
        let found = found(&ada, &tasks, "").await;
        let (first, second) = found.split_at(225);
        let are = |half: &[String], what| half.iter().all(|title| title.ends_with(what));
        assert!(are(first, "day") || are(first, "instant"), "{first:?}");
        assert!(are(second, "day") || are(second, "instant"), "{second:?}");
        first[0].rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(days_and_instants().await, "day");
    for (zone, first) in [("America/New_York", "instant"), ("Europe/Zurich", "day")] {
        let ours = ada.read(&company).await;
        let change = json!({ "version": ours["version"], "time_zone": zone });
        ada.patch(&company, change).await.expect(200);
        let sagas = ada.all(&format!("{company}/sagas"), "").await;
        assert_eq!(
            (&sagas[0]["kind"], &sagas[0]["state"], &sagas[0]["subject_id"]),
            (&json!("time_zone_change"), &json!("running"), &ours["id"])
        );
        let saga = at(&format!("{company}/sagas"), &sagas[0]);
        let undo = json!({ "version": sagas[0]["version"] });
        ada.post(&format!("{saga}/compensate"), undo).await.expect_problem(409, "not_undoable");
        app.run_until_idle().await;
        assert_eq!(ada.read(&saga).await["state"], "completed");
        assert_eq!(days_and_instants().await, first);
    }
    app.stop().await;
}

#[each_database]
async fn the_tasks_of_one_who_leaves_are_given_to_another(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let (tasks, members) = (format!("{company}/tasks"), format!("{company}/members"));
    let mut ids = Vec::new();
    for name in ["Al", "Barb", "Curt"] {
        ids.push(ada.make(&members, json!({ "name": name })).await["id"].clone());
    }
    let (al, barb, curt) = (&ids[0], &ids[1], &ids[2]);
    let many = (0..205).map(|n| {
        json!({ "entity": "task", "op": "create", "id": uuid::Uuid::from_u128(n + 1),
            "data": { "title": format!("{n}"), "assignee_member_id": al } })
    });
    let many: Vec<_> = many.collect();
    for some in many.chunks(100) {
        let applied = ada.post(&format!("{company}/sync"), json!({ "changes": some })).await;
        assert_eq!(applied.expect(200)["results"].as_array().unwrap().len(), some.len());
    }
    let done = json!({ "title": "done", "status": "done", "assignee_member_id": al });
    let done = ada.make(&tasks, done).await;
    let weekly = |rotation: Value| {
        json!({ "title": "turns", "due_on": "2026-11-23", "recurrence": "FREQ=WEEKLY",
            "rotation": rotation })
    };
    let theirs = ada.make(&tasks, weekly(json!([al, barb]))).await;
    let others = ada.make(&tasks, weekly(json!([barb, al]))).await;
    let alone = ada.make(&tasks, weekly(json!([al]))).await;
    let organization = company.rsplit('/').next().unwrap().parse().unwrap();
    let actor = access::operator(&app.store, organization, None).await.unwrap();
    let pair: (uuid::Uuid, uuid::Uuid) =
        (al.as_str().unwrap().parse().unwrap(), curt.as_str().unwrap().parse().unwrap());
    let (from, to) = pair;
    let changed = app.store.write(async move |tx| task::reassign(tx, &actor, from, Some(to)).await);
    assert_eq!(changed.await.unwrap(), 208);
    let of = |member: &Value| format!("?assignee_member_id={}", member.as_str().unwrap());
    assert_eq!(found(&ada, &tasks, &of(al)).await, ["done"]);
    assert_eq!(found(&ada, &tasks, &of(curt)).await.len(), 206, "all, and the one alone");
    assert_eq!(ada.read(&at(&tasks, &done)).await["version"], 1);
    for (task, rotation, assignee) in
        [(&theirs, json!([barb]), barb), (&others, json!([barb]), barb), (&alone, json!([]), curt)]
    {
        let now = ada.read(&at(&tasks, task)).await;
        assert_eq!((&now["rotation"], &now["assignee_member_id"]), (&rotation, assignee));
        assert_eq!(now["version"], 2);
    }
    app.stop().await;
}
