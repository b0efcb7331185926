//! The hours of a daily report's crew, beside the time that was recorded.

use chrono::{Datelike, Days, NaiveDate};
use entity::{time_entry, time_entry_day, timecard};
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use tests::{App, Client, at, each_database, id};
use uuid::Uuid;

/// Time that a member worked on a project on a day.
#[derive(Debug, Clone, Copy)]
struct Time {
    organization_id: Uuid,
    member_id: Uuid,
    project_id: Option<Uuid>,
    day: NaiveDate,
    seconds: i64,
}

/// Puts time where reports look for it.
async fn record(app: &App, time: Time) {
    let written = app.store.write(time, |tx, time| {
        Box::pin(async move {
            let Time { organization_id, member_id, project_id, day, seconds } = *time;
            let now = tx.now().fixed_offset();
            let into_week = u64::from(day.weekday().num_days_from_monday());
            let week = day.checked_sub_days(Days::new(into_week)).unwrap();
            let card = timecard::Entity::find()
                .filter(timecard::COLUMN.organization_id.eq(organization_id))
                .filter(timecard::COLUMN.member_id.eq(member_id))
                .filter(timecard::COLUMN.week_starts_on.eq(week));
            let timecard_id = match card.one(tx).await? {
                Some(card) => card.id,
                None => {
                    let card = timecard::ActiveModel {
                        organization_id: Set(organization_id),
                        id: Set(tx.new_id()),
                        version: Set(1),
                        created_at: Set(now),
                        updated_at: Set(now),
                        member_id: Set(member_id),
                        week_starts_on: Set(week),
                        status: Set("open".into()),
                        ..Default::default()
                    };
                    let id = card.id.clone().unwrap();
                    timecard::Entity::insert(card).exec_without_returning(tx).await?;
                    id
                }
            };
            let entry_id = tx.new_id();
            let entry = time_entry::ActiveModel {
                organization_id: Set(organization_id),
                id: Set(entry_id),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
                member_id: Set(member_id),
                project_id: Set(project_id),
                timed: Set(false),
                started_at: Set(day.and_time(Default::default()).and_utc().fixed_offset()),
                day: Set(day),
                seconds: Set(seconds),
                billable: Set(true),
                search_key: Set(String::new()),
                ..Default::default()
            };
            time_entry::Entity::insert(entry).exec_without_returning(tx).await?;
            let part = time_entry_day::ActiveModel {
                organization_id: Set(organization_id),
                time_entry_id: Set(entry_id),
                day: Set(day),
                timecard_id: Set(timecard_id),
                member_id: Set(member_id),
                project_id: Set(project_id),
                task_id: Set(None),
                billable: Set(true),
                seconds: Set(seconds),
            };
            time_entry_day::Entity::insert(part).exec_without_returning(tx).await?;
            Ok(())
        })
    });
    written.await.unwrap();
}

fn uuid(row: &Value) -> Uuid {
    id(row).parse().unwrap()
}

async fn member(ada: &Client, company: &str, name: &str) -> Value {
    ada.make(&format!("{company}/members"), json!({ "name": name })).await
}

#[tokio::test]
async fn a_report_says_where_its_hours_differ_and_takes_those_that_were_recorded() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let (ada, company) = app.owner_of("company").await;
        let projects = format!("{company}/projects");
        let roof = ada.make(&projects, json!({ "name": "Roof" })).await;
        let attic = ada.make(&projects, json!({ "name": "Attic" })).await;
        let grace = member(&ada, &company, "Grace").await;
        let edsger = member(&ada, &company, "Edsger").await;
        let barbara = member(&ada, &company, "Barbara").await;
        let day: NaiveDate = "2026-11-20".parse().unwrap();
        let organization_id = company.rsplit('/').next().unwrap().parse().unwrap();
        for (member, project, day, seconds) in [
            (&grace, Some(&roof), day, 14_400),
            (&grace, Some(&roof), day, 10_800),
            (&barbara, Some(&roof), day, 28_800),
            // Not of this project, or not of this day.
            (&grace, Some(&attic), day, 3600),
            (&edsger, None, day, 3600),
            (&edsger, Some(&roof), day.succ_opt().unwrap(), 3600),
        ] {
            let (member_id, project_id) = (uuid(member), project.map(uuid));
            record(&app, Time { organization_id, member_id, project_id, day, seconds }).await;
        }
        let masons = json!({ "member_id": null, "trade": "Masons", "count": 3, "seconds": 86_400 });
        let line = |member: &Value, seconds: i64| {
            json!({ "member_id": member["id"], "trade": null, "count": 1, "seconds": seconds })
        };
        let reports = format!("{company}/daily-reports");
        let new = json!({ "project_id": roof["id"], "day": day,
            "crew": [line(&grace, 28_800), masons, line(&edsger, 7200)] });
        let path = at(&reports, &ada.make(&reports, new).await);
        let compared = format!("{path}/crew-hours");
        let hours = |member: &Value, reported: Option<i64>, recorded: Option<i64>| {
            json!({ "member_id": member["id"], "reported_seconds": reported,
                "recorded_seconds": recorded,
                "difference_seconds": reported.unwrap_or(0) - recorded.unwrap_or(0) })
        };
        let differing = ada.read(&compared).await;
        let expected = json!({
            "daily_report_id": path.rsplit('/').next().unwrap(), "project_id": roof["id"],
            "day": day, "agrees": false,
            "reported_seconds": 36_000, "recorded_seconds": 54_000, "trade_seconds": 86_400,
            "members": [
                hours(&grace, Some(28_800), Some(25_200)),
                hours(&edsger, Some(7200), None),
                hours(&barbara, None, Some(28_800)),
            ],
        });
        // By id, which are in the order in which they were made.
        assert_eq!(differing, expected);
        let take = json!({ "version": 1 });
        let taken = ada.post(&format!("{path}/take-hours"), take.clone()).await.expect(200);
        assert_eq!(taken["version"], 2);
        assert_eq!(taken["crew"], json!([line(&grace, 25_200), masons, line(&barbara, 28_800)]));
        assert_eq!(ada.read(&path).await, taken);
        let same = ada.read(&compared).await;
        assert_eq!((&same["agrees"], &same["trade_seconds"]), (&json!(true), &json!(86_400)));
        ada.post(&format!("{path}/take-hours"), take).await.expect_problem(409, "version_conflict");
        // What is recorded later shows, and the report is as it was.
        let member_id = uuid(&edsger);
        let project_id = Some(uuid(&roof));
        record(&app, Time { organization_id, member_id, project_id, day, seconds: 60 }).await;
        let later = ada.read(&compared).await;
        assert_eq!((&later["agrees"], &later["recorded_seconds"]), (&json!(false), &json!(54_060)));
        assert_eq!(ada.read(&path).await, taken);
        app.stop().await;
    })
    .await;
}

#[tokio::test]
async fn more_members_than_a_report_holds_are_not_taken() {
    each_database(async |database| {
        let app = App::start(&database).await;
        let (ada, company) = app.owner_of("company").await;
        let roof = ada.make(&format!("{company}/projects"), json!({ "name": "Roof" })).await;
        let grace = member(&ada, &company, "Grace").await;
        let day: NaiveDate = "2026-11-20".parse().unwrap();
        let organization_id = company.rsplit('/').next().unwrap().parse().unwrap();
        let (member_id, project_id) = (uuid(&grace), Some(uuid(&roof)));
        record(&app, Time { organization_id, member_id, project_id, day, seconds: 60 }).await;
        let reports = format!("{company}/daily-reports");
        let crew = vec![json!({ "trade": "Masons", "seconds": 60 }); 200];
        let new = json!({ "project_id": roof["id"], "day": day, "crew": crew });
        let made = ada.make(&reports, new).await;
        let path = at(&reports, &made);
        let refused = ada.post(&format!("{path}/take-hours"), json!({ "version": 1 })).await;
        refused.expect_problem(409, "crew_too_large");
        assert_eq!(ada.read(&path).await, made);
        app.stop().await;
    })
    .await;
}
