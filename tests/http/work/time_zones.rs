//! The clock of the world: its rules are those of today, and what was written with others is found.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::{event, task, time_entry, time_entry_day};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use service::{
    clock::Clock,
    store::Options,
    work::redating::{self, Difference, Field, Outcome},
};
use tests::{App, AppOptions, Client, Database, at, each_database, id, keyring};
use uuid::Uuid;

use crate::work::time_entry::{crew, span};

/// steward on the 9th of November 2026, a Monday.
async fn start(database: &Database) -> App {
    let now: DateTime<Utc> = "2026-11-09T15:30:00Z".parse().unwrap();
    let clock = Clock::stepping(now, TimeDelta::milliseconds(1));
    let store = Options { clock, keyring: keyring(), ..Options::default() };
    App::start_with(database, AppOptions { store, ..AppOptions::default() }).await
}

async fn moves_to(client: &Client, company: &str, zone: &str) {
    let version = client.read(company).await["version"].clone();
    let change = json!({ "version": version, "time_zone": zone });
    client.patch(company, change).await.expect(200);
}

/// With the rules of 2025, each of these is an hour off, and the first hour of a Monday is in the week before.
#[each_database]
async fn the_rules_are_those_of_today(database: Database) {
    let app = start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let path = format!("{company}/time-entries");
    for (zone, day, expected) in [
        ("Africa/Casablanca", "2026-09-21", "2026-09-21T08:00:00Z"),
        ("Africa/El_Aaiun", "2026-09-22", "2026-09-22T08:00:00Z"),
        ("America/Vancouver", "2026-11-16", "2026-11-16T15:00:00Z"),
        ("America/Edmonton", "2026-11-17", "2026-11-17T14:00:00Z"),
        ("America/Winnipeg", "2026-11-18", "2026-11-18T13:00:00Z"),
        ("America/Inuvik", "2026-11-19", "2026-11-19T14:00:00Z"),
        ("America/Havana", "2026-11-20", "2026-11-20T12:00:00Z"),
    ] {
        let file = format!("Start date,Start time,Duration\n{day},08:00,0:30\n");
        let query = format!("{path}/import?time_zone={zone}");
        assert_eq!(ada.upload(&query, file).await.expect(200)["created"], 1, "{zone}");
        let rows = ada.all(&path, &format!("?from={day}&to={day}")).await;
        assert_eq!(rows[0]["started_at"], expected, "{zone}");
    }
    moves_to(&ada, &company, "America/Vancouver").await;
    let monday = span("2026-11-30T07:15:00Z", "2026-11-30T07:45:00Z");
    let made = ada.make(&path, monday).await;
    assert_eq!(made["starts_on"], "2026-11-30");
    let cards = ada.all(&format!("{company}/timecards"), "").await;
    let weeks: Vec<_> = cards.iter().map(|card| card["week_starts_on"].as_str()).collect();
    assert!(weeks.contains(&Some("2026-11-30")) && !weeks.contains(&Some("2026-11-23")));
    // A series counts on the same clock.
    let tasks = format!("{company}/tasks");
    let new = json!({ "title": "Open", "due_at": "2026-10-26T15:00:00Z",
        "recurrence": "FREQ=WEEKLY" });
    let task = ada.make(&tasks, new).await;
    assert_eq!(task["recurs_from"], "DTSTART;TZID=America/Vancouver:20261026T080000");
    let done = json!({ "version": 1, "status": "done" });
    let done = ada.patch(&at(&tasks, &task), done).await.expect(200);
    let next = ada.read(&format!("{tasks}/{}", done["next_task_id"].as_str().unwrap())).await;
    assert_eq!(next["due_at"], "2026-11-16T15:00:00Z");
    app.stop().await;
}

fn uuid(row: &Value) -> Uuid {
    id(row).parse().unwrap()
}

/// Puts an entry of one day on another day, as other rules would have.
async fn put_on(app: &App, entry: &Value, day: &str, card: &Value) {
    let day: NaiveDate = day.parse().unwrap();
    let id = uuid(entry);
    let card = uuid(card);
    app.store
        .write(async move |tx| {
            time_entry::Entity::update_many()
                .col_expr(time_entry::Column::Day, Expr::val(day))
                .filter(time_entry::Column::Id.eq(id))
                .exec(tx)
                .await?;
            time_entry_day::Entity::update_many()
                .col_expr(time_entry_day::Column::Day, Expr::val(day))
                .col_expr(time_entry_day::Column::TimecardId, Expr::val(card))
                .filter(time_entry_day::Column::TimeEntryId.eq(id))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
        .unwrap();
}

/// Has a series have made a task for another instant.
async fn put_at(app: &App, made: &Value, due_at: &'static str) {
    let id = uuid(made);
    app.store
        .write(async move |tx| {
            let due: DateTime<Utc> = due_at.parse().unwrap();
            let row = event::Entity::find()
                .filter(event::Column::EntityId.eq(id))
                .filter(event::Column::EntityVersion.eq(1))
                .one(tx)
                .await?
                .unwrap();
            let mut data = row.data.clone().unwrap();
            data["due_at"] = json!(&due_at);
            event::Entity::update_many()
                .col_expr(event::Column::Data, Expr::val(data))
                .filter(event::Column::Id.eq(row.id))
                .exec(tx)
                .await?;
            task::Entity::update_many()
                .col_expr(task::Column::DueAt, Expr::val(due.fixed_offset()))
                .filter(task::Column::Id.eq(id))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
        .unwrap();
}

async fn verify(app: &App, redate: bool) -> Vec<Difference> {
    let mut found = Vec::new();
    let told = |difference: &Difference| found.push(difference.clone());
    let summary = redating::verify(&app.store, redate, told).await.unwrap();
    assert_eq!(summary.found, found.len() as u64);
    found
}

#[each_database]
async fn what_was_written_with_other_rules_is_found_and_redated(database: Database) {
    let app = start(&database).await;
    let (ada, company, _) = crew(&app).await;
    let (path, cards) = (format!("{company}/time-entries"), format!("{company}/timecards"));
    let tasks = format!("{company}/tasks");
    // Written in another time zone, and right there.
    let before = span("2026-11-02T23:15:00Z", "2026-11-02T23:45:00Z");
    assert_eq!(ada.make(&path, before).await["starts_on"], "2026-11-03");
    moves_to(&ada, &company, "America/Vancouver").await;
    let monday = ada.make(&path, span("2026-11-16T07:15:00Z", "2026-11-16T07:45:00Z")).await;
    let locked = ada.make(&path, span("2026-11-24T07:15:00Z", "2026-11-24T07:45:00Z")).await;
    let day = ada.make(&path, json!({ "day": "2026-11-17", "minutes": 60 })).await;
    let new = json!({ "title": "Open", "due_at": "2026-10-26T15:00:00Z",
        "recurrence": "FREQ=WEEKLY" });
    let first = ada.make(&tasks, new).await;
    let done = json!({ "version": 1, "status": "done" });
    let done = ada.patch(&at(&tasks, &first), done).await.expect(200);
    let next = ada.read(&format!("{tasks}/{}", done["next_task_id"].as_str().unwrap())).await;
    assert_eq!(verify(&app, false).await, []);

    let earlier = ada.make(&cards, json!({ "week_starts_on": "2026-11-09" })).await;
    let all = ada.all(&cards, "").await;
    let of_week = |week: &str| all.iter().find(|card| card["week_starts_on"] == week).unwrap();
    put_on(&app, &monday, "2026-11-15", &earlier).await;
    put_on(&app, &locked, "2026-11-23", of_week("2026-11-23")).await;
    put_at(&app, &next, "2026-11-16T16:00:00Z").await;
    let card = of_week("2026-11-23");
    let submit = json!({ "version": card["version"] });
    ada.post(&format!("{}/submit", at(&cards, card)), submit).await.expect(200);

    let found = verify(&app, false).await;
    let told: Vec<_> = found.iter().map(|it| (it.id, it.field, it.right.as_str())).collect();
    let expected = [
        (uuid(&monday), Field::Days, "2026-11-16 1800s"),
        (uuid(&locked), Field::Days, "2026-11-24 1800s"),
        (uuid(&next), Field::DueAt, "2026-11-16T15:00:00+00:00"),
    ];
    assert_eq!(told, expected);
    assert_eq!(found[0].stored, "2026-11-15 1800s");
    assert!(found.iter().all(|it| it.outcome == Outcome::Found));

    let redated = verify(&app, true).await;
    let outcomes: Vec<_> = redated.iter().map(|it| it.outcome.clone()).collect();
    let why = "the timecard of the week of 2026-11-23 is submitted";
    assert_eq!(outcomes[0], Outcome::Redated);
    assert!(matches!(&outcomes[1], Outcome::Kept(kept) if kept.contains(why)), "{outcomes:?}");
    assert_eq!(outcomes[2], Outcome::Redated);
    let left = verify(&app, true).await;
    assert_eq!(left.iter().map(|it| it.id).collect::<Vec<_>>(), [uuid(&locked)]);

    let monday = ada.read(&at(&path, &monday)).await;
    assert_eq!((&monday["starts_on"], &monday["version"]), (&json!("2026-11-16"), &json!(2)));
    let history = ada.all(&format!("{}/history", at(&path, &monday)), "").await;
    assert_eq!(history[0]["kind"], "time_entry.updated");
    assert_eq!(history[0]["author"]["kind"], "operator");
    assert_eq!(ada.read(&at(&path, &day)).await["version"], 1);
    let next = ada.read(&at(&tasks, &next)).await;
    assert_eq!(next["due_at"], "2026-11-16T15:00:00Z");
    assert_eq!(next["recurs_from"], "DTSTART;TZID=America/Vancouver:20261026T080000");
    let week = ada.all(&path, "?from=2026-11-15&to=2026-11-15").await;
    assert_eq!(week, Vec::<Value>::new());
    app.stop().await;
}
