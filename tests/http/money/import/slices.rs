//! Large imports: slice after slice, all of them or none.

use std::sync::atomic::{AtomicBool, Ordering};

use entity::{import as table, import_slice};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};
use service::import::ImportRun;
use tests::{App, Client, Database, at, each_database, id};

use crate::work::time_entry::{crew, span};

/// Some slices, and a part of one.
const ROWS: i64 = 1010;

fn file() -> String {
    let row = |n: i64| format!("2026-11-{:02},{n},shop {n},Food {},Job\n", n % 28 + 1, n % 3);
    std::iter::once("d,a,m,c,p\n".to_owned()).chain((1..=ROWS).map(row)).collect()
}

fn path(organization: &str, more: &str) -> String {
    let columns = "date=d&amount=a&merchant=m&category=c&create_categories=true";
    format!("{organization}/expenses/import?{columns}{more}")
}

fn counts(import: &Value) -> [i64; 3] {
    ["created", "duplicates", "failed"].map(|name| import[name].as_i64().expect("a count"))
}

/// Uploads a file that is imported after the answer, and says where that shows.
async fn begin(client: &Client, path: &str, file: String) -> String {
    let answer = client.upload(path, file).await;
    let location = answer.headers["location"].to_str().expect("text").to_owned();
    assert_eq!(client.read(&location).await, answer.expect(202));
    location
}

/// Imports until at least this much is written, and at most one slice further, which may be under way.
async fn go_on(app: &App, location: &str, created: i64) {
    let (enough, wake) = (AtomicBool::new(false), tokio::sync::Notify::new());
    let progress = |run: &ImportRun| {
        if run.created >= created {
            enough.store(true, Ordering::Relaxed);
            wake.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = wake.notified() => {}
        () = app.finish_import(location, progress) => {}
    }
    assert!(enough.load(Ordering::Relaxed));
}

/// Imports to the end.
async fn finish(app: &App, location: &str) {
    app.finish_import(location, |_| {}).await;
}

/// What is left of what was brought in.
async fn staged(app: &App) -> u64 {
    import_slice::Entity::find().count(app.store.read()).await.expect("the database")
}

#[each_database]
async fn a_large_file_is_imported_after_the_answer_while_others_write(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let bob = ada.invite(&home, "member").await;
    let location = begin(&ada, &path(&home, ""), file()).await;
    let import = ada.read(&location).await;
    assert_eq!((&import["kind"], &import["state"]), (&json!("expenses"), &json!("running")));
    assert_eq!((&import["total"], counts(&import)), (&json!(ROWS), [0; 3]));
    assert!(ada.all(&format!("{home}/expenses"), "").await.is_empty());
    bob.get(&location).await.expect_problem(403, "role_insufficient");
    go_on(&app, &location, 1).await;
    assert!(counts(&ada.read(&location).await)[0] < ROWS);
    let mine = json!({ "spent_on": "2026-11-01", "amount_minor": 5 });
    bob.make(&format!("{home}/expenses"), mine).await;
    finish(&app, &location).await;
    let import = ada.read(&location).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("completed"), [ROWS, 0, 0]));
    assert_eq!((&import["created_categories"], &import["errors"]), (&json!(3), &json!([])));
    let rows = ada.all(&format!("{home}/expenses"), "?limit=500").await;
    assert_eq!(rows.len() as i64, ROWS + 1);
    let food = rows.iter().filter(|row| !row["category_id"].is_null()).count();
    assert_eq!(food as i64, ROWS);
    assert_eq!(staged(&app).await, 0, "nothing is left of the file");
    // Who has uploaded the file has made what it holds.
    let member = ada.member_in(&home).await;
    let row = rows.iter().find(|row| row["merchant"] == "shop 700").expect("a row");
    let history = format!("{}/history", at(&format!("{home}/expenses"), row));
    let author = ada.all(&history, "").await[0]["author"].clone();
    assert_eq!(author, json!({ "kind": "member", "id": id(&member) }));
    ada.post(&format!("{location}/cancel"), json!({})).await.expect_problem(409, "import_ended");
    // There is nothing new in it: that is told at once.
    let again = ada.upload(&path(&home, ""), file()).await.expect(200);
    assert_eq!(counts(&again), [0, ROWS, 0]);
    let all = ada.all(&format!("{home}/imports"), "?kind=expenses").await;
    assert_eq!(all, [import]);
    app.stop().await;
}

#[each_database]
async fn an_import_that_is_called_off_is_taken_back(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    for created in [0, 1] {
        let location = begin(&ada, &path(&home, ""), file()).await;
        go_on(&app, &location, created).await;
        let rows = ada.all(&format!("{home}/expenses"), "?limit=500").await;
        assert!(rows.len() as i64 >= created && (rows.len() as i64) < ROWS);
        let touched = created == 1;
        if touched {
            let change = json!({ "version": 1, "note": "mine" });
            ada.patch(&at(&format!("{home}/expenses"), &rows[7]), change).await.expect(200);
        }
        let off = ada.post(&format!("{location}/cancel"), json!({})).await.expect(200);
        assert_eq!(off["state"], "compensating");
        let twice = ada.post(&format!("{location}/cancel"), json!({})).await.expect(200);
        assert_eq!(twice["state"], "compensating");
        finish(&app, &location).await;
        let import = ada.read(&location).await;
        let left = i64::from(touched);
        assert_eq!((&import["state"], counts(&import)), (&json!("compensated"), [left, 0, 0]));
        // What somebody has changed stays, and what that needs.
        assert_eq!(import["created_categories"], left);
        assert_eq!(ada.all(&format!("{home}/expenses"), "").await.len() as i64, left);
        assert_eq!(ada.all(&format!("{home}/categories"), "").await.len() as i64, left);
        assert_eq!(staged(&app).await, 0);
    }
    // What was taken back was never imported; what stays is known.
    let again = app.import(&ada, &path(&home, ""), file()).await;
    assert_eq!((counts(&again), &again["deleted_before"]), ([ROWS - 1, 1, 0], &json!(0)));
    app.stop().await;
}

/// A project that is archived while its file is imported: with `abort` nothing stays, with `skip` its rows are bad.
#[each_database]
async fn what_is_refused_midway_aborts_the_import_unless_bad_rows_are_skipped(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let projects = format!("{home}/projects");
    let job = ada.make(&projects, json!({ "name": "Job" })).await;
    let job = at(&projects, &job);
    let status = async |status: &str| {
        let version = ada.read(&job).await["version"].clone();
        ada.patch(&job, json!({ "version": version, "status": status })).await.expect(200);
    };
    for (on_error, state, failed) in
        [("abort", "compensated", 1..=500), ("skip", "completed", 1..=ROWS)]
    {
        let more = format!("&project=p&on_error={on_error}&sign=debit_positive");
        let location = begin(&ada, &path(&home, &more), file()).await;
        go_on(&app, &location, 1).await;
        status("completed").await;
        status("archived").await;
        finish(&app, &location).await;
        let import = ada.read(&location).await;
        let [created, _, bad] = counts(&import);
        assert_eq!(import["state"], state);
        assert!(failed.contains(&bad), "{import}");
        assert_eq!(import["errors"][0]["code"], "project_archived");
        let rows = ada.all(&format!("{home}/expenses"), "?limit=500").await.len() as i64;
        assert_eq!(rows, created);
        match on_error {
            "abort" => {
                assert_eq!(created, 0);
                let reason = import["reason"].as_str().expect("a reason");
                assert!(reason.starts_with("line "), "{reason}");
            }
            _ => assert_eq!(created + bad, ROWS),
        }
        status("completed").await;
    }
    app.stop().await;
}

#[each_database]
async fn a_large_import_that_is_sent_again_with_its_key_is_one(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let keyed = ada.keyed("once");
    let first = keyed.upload(&path(&home, ""), file()).await;
    let again = keyed.upload(&path(&home, ""), file()).await;
    assert_eq!((first.status.as_u16(), again.is_replayed()), (202, true));
    assert_eq!(first.headers["location"], again.headers["location"]);
    assert_eq!(first.text, again.text);
    let location = first.headers["location"].to_str().expect("text");
    finish(&app, location).await;
    let last = keyed.upload(&path(&home, ""), file()).await;
    assert_eq!((last.is_replayed(), &last.text), (true, &first.text));
    assert_eq!(ada.all(&format!("{home}/expenses"), "?limit=500").await.len() as i64, ROWS);
    let imports = table::Entity::find().count(app.store.read()).await.expect("the database");
    assert_eq!((imports, staged(&app).await), (1, 0));
    app.stop().await;
}

const HEADER: &str = "User,Start date,Start time,Duration,Project,Task\n";

fn sheet() -> String {
    let row = |n: i64| {
        let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 5).expect("a day");
        let day = day + chrono::TimeDelta::days(n / 10);
        format!("Kim {},{day},{:02}:00,0:30,Roof,Tiles\n", n % 2, n % 10 + 10)
    };
    std::iter::once(HEADER.to_owned()).chain((0..ROWS).map(row)).collect()
}

const MAKING: &str = "create_projects=true&create_tasks=true&create_members=true";

#[each_database]
async fn a_large_file_of_time_is_imported_after_the_answer_or_taken_back(database: Database) {
    let app = App::start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let members = ada.all(&format!("{company}/members"), "").await.len();
    let entries = format!("{company}/time-entries");
    let path = format!("{entries}/import?{MAKING}");
    // Found before anything is written, though the two rows lie in different slices.
    let twice = format!("{}Kim 0,2026-01-05,10:10,1:00,Roof,Tiles\n", sheet());
    let problem = ada.upload(&path, twice).await.expect_problem(422, "import_failed");
    assert_eq!((&problem["failed"], &problem["errors"][0]["code"]), (&json!(1), &json!("overlap")));
    assert!(ada.all(&format!("{company}/projects"), "").await.is_empty());
    // Called off halfway.
    let location = begin(&ada, &path, sheet()).await;
    go_on(&app, &location, 1).await;
    ada.post(&format!("{location}/cancel"), json!({})).await.expect(200);
    finish(&app, &location).await;
    let import = ada.read(&location).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("compensated"), [0; 3]));
    assert!(ada.all(&entries, "").await.is_empty());
    assert!(ada.all(&format!("{company}/projects"), "").await.is_empty());
    // Somebody writes time meanwhile where a row would go.
    let location = begin(&ada, &path, sheet()).await;
    go_on(&app, &location, 1).await;
    let kim = ada.all(&format!("{company}/members"), "").await;
    let kim = kim.iter().find(|member| member["name"] == "Kim 1").expect("a member");
    let mut own = span("2026-04-15T17:10:00Z", "2026-04-15T17:20:00Z");
    own["member_id"] = kim["id"].clone();
    let own = ada.make(&entries, own).await;
    finish(&app, &location).await;
    let import = ada.read(&location).await;
    assert_eq!(import["state"], "compensated", "{import}");
    assert_eq!(import["errors"][0]["code"], "overlap");
    let left = ada.all(&entries, "").await;
    assert_eq!(left, [ada.read(&at(&entries, &own)).await]);
    let import = app.import(&ada, &format!("{path}&on_error=skip"), sheet()).await;
    assert_eq!((&import["state"], counts(&import)), (&json!("completed"), [ROWS - 1, 0, 1]));
    assert_eq!(ada.all(&entries, "?limit=500").await.len() as i64, ROWS);
    let now = ada.all(&format!("{company}/members"), "").await.len();
    assert_eq!(now, members + 2);
    app.stop().await;
}

/// Whoever brings a file in may end at any place: what is left of it goes.
#[each_database]
async fn what_nobody_brings_in_is_swept(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let location = begin(&ada, &path(&home, ""), file()).await;
    let abandoned = table::ActiveModel {
        staging_until: sea_orm::ActiveValue::Set(Some(app.store.now().fixed_offset())),
        ..Default::default()
    };
    let abandon = table::Entity::update_many().set(abandoned);
    app.store
        .write(async move |tx| {
            abandon.clone().exec(tx).await?;
            entity::saga::Entity::delete_many().exec(tx).await?;
            Ok(())
        })
        .await
        .expect("it is written");
    ada.get(&location).await.expect_problem(404, "not_found");
    assert_ne!(staged(&app).await, 0);
    app.run_until_idle().await;
    assert_eq!(staged(&app).await, 0);
    assert_eq!(table::Entity::find().count(app.store.read()).await.expect("the database"), 0);
    app.stop().await;
}
