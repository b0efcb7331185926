//! What projects cost.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use serde_json::{Value, json};
use tests::{App, Client, Database, at, each_database, for_all, id};

/// A household, where nobody decides, with a project and two members without a login.
struct Job {
    ada: Client,
    home: String,
    roof: Value,
    kim: Value,
    bob: Value,
}

impl Job {
    async fn new(app: &App, project: Value) -> Self {
        let (ada, home) = app.owner_of("household").await;
        let roof = ada.make(&format!("{home}/projects"), project).await;
        let members = format!("{home}/members");
        let kim = ada.make(&members, json!({ "name": "Kim" })).await;
        let bob = ada.make(&members, json!({ "name": "bob" })).await;
        Self { ada, home, roof, kim, bob }
    }

    async fn rate(&self, member: &Value, from: &str, amount: Option<i64>) {
        let new = json!({ "member_id": member["id"], "starts_on": from,
            "hourly_rate_minor": amount });
        self.ada.make(&format!("{}/rates", self.home), new).await;
    }

    /// Time on a day, for the project.
    async fn work(&self, member: &Value, day: &str, minutes: i64) {
        let new = json!({ "member_id": member["id"], "project_id": self.roof["id"],
            "day": day, "minutes": minutes });
        self.ada.make(&format!("{}/time-entries", self.home), new).await;
    }

    /// Submits every week, which approves it here.
    async fn approve_all(&self) {
        let cards = format!("{}/timecards", self.home);
        for card in self.ada.all(&cards, "").await {
            let version = json!({ "version": card["version"] });
            self.ada.post(&format!("{}/submit", at(&cards, &card)), version).await.expect(200);
        }
    }

    async fn spend(&self, more: Value) -> Value {
        let mut new = json!({ "spent_on": "2026-11-10", "project_id": self.roof["id"],
            "member_id": self.kim["id"] });
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ada.make(&format!("{}/expenses", self.home), new).await
    }

    async fn cost(&self, period: &str) -> Value {
        let query = format!("project_id={}&period={period}", id(&self.roof));
        self.ada.read(&format!("{}/reports/job-cost?{query}", self.home)).await
    }
}

/// Label and amount of each row.
fn rows(rows: &Value) -> Vec<(&str, i64)> {
    let row = |row: &'_ Value| row["amount_minor"].as_i64().expect("an amount");
    let all = rows.as_array().expect("rows").iter();
    all.map(|each| (each["label"].as_str().expect("a label"), row(each))).collect()
}

#[each_database]
async fn a_raise_does_not_rewrite_the_past(database: Database) {
    let app = App::start(&database).await;
    let job = Job::new(&app, json!({ "name": "Roof", "budget_minor": 50_000 })).await;
    job.rate(&job.kim, "2026-01-01", Some(6000)).await;
    job.work(&job.kim, "2026-03-03", 60).await;
    job.work(&job.kim, "2026-03-04", 30).await;
    job.work(&job.bob, "2026-03-04", 15).await;
    let before = job.cost("day").await;
    assert_eq!(
        (&before["cost_minor"], &before["labour"]["pending_seconds"]),
        (&json!(0), &json!(6300))
    );
    job.approve_all().await;
    let approved = job.cost("day").await;
    let labour = &approved["labour"];
    assert_eq!(labour["seconds"], 6300);
    assert_eq!((&labour["unrated_seconds"], &labour["pending_seconds"]), (&json!(900), &json!(0)));
    assert_eq!(labour["amount_minor"], 9000);
    assert_eq!(rows(&labour["members"]), [("bob", 0), ("Kim", 9000)]);
    assert_eq!(rows(&labour["periods"]), [("2026-03-03", 6000), ("2026-03-04", 3000)]);

    job.rate(&job.kim, "2026-03-04", Some(8000)).await;
    job.rate(&job.bob, "2026-03-05", Some(9900)).await;
    let raised = job.cost("week").await;
    assert_eq!(rows(&raised["labour"]["periods"]), [("2026-03-02", 10_000)]);
    assert_eq!(raised["labour"]["unrated_seconds"], 900, "Bob's begins later");
    assert_eq!(
        (&raised["cost_minor"], &raised["remaining_minor"]),
        (&json!(10_000), &json!(40_000))
    );
    let kim = at(&format!("{}/members", job.home), &job.kim);
    let now = job.ada.read(&kim).await;
    let raise = json!({ "version": now["version"], "hourly_rate_minor": 99_999 });
    job.ada.patch(&kim, raise).await.expect(200);
    assert_eq!(job.cost("week").await, raised, "what is set now holds from now on");
    app.stop().await;
}

#[each_database]
async fn expenses_count_in_the_projects_currency_and_others_apart(database: Database) {
    let app = App::start(&database).await;
    let job = Job::new(&app, json!({ "name": "Roof" })).await;
    let wood = json!({ "name": "wood" });
    let wood = job.ada.make(&format!("{}/categories", job.home), wood).await;
    let barn = json!({ "name": "Barn" });
    let barn = job.ada.make(&format!("{}/projects", job.home), barn).await;
    job.spend(json!({ "amount_minor": 1000, "category_id": wood["id"] })).await;
    let lines = json!([
        { "name": "a", "amount_minor": 300 },
        { "name": "b", "amount_minor": 200, "category_id": wood["id"] },
        { "name": "c", "amount_minor": 7777, "project_id": barn["id"] },
    ]);
    job.spend(json!({ "amount_minor": 8277, "items": lines, "member_id": job.bob["id"] })).await;
    job.spend(json!({ "amount_minor": 50, "kind": "refund", "spent_on": "2026-11-20" })).await;
    job.spend(json!({ "amount_minor": 999, "currency": "USD" })).await;
    job.spend(json!({ "amount_minor": 11, "currency": "CHF", "kind": "refund" })).await;
    let taken = json!({ "version": 1, "approval_required": true });
    job.ada.patch(&job.home, taken).await.expect(200);
    job.spend(json!({ "amount_minor": 123_456 })).await;

    let cost = job.cost("week").await;
    let spent = &cost["expenses"];
    assert_eq!(spent["amount_minor"], 1450, "drafts are not in it");
    assert_eq!(rows(&spent["categories"]), [("No category", 250), ("wood", 1200)]);
    assert_eq!(rows(&spent["members"]), [("bob", 500), ("Kim", 950)]);
    assert_eq!(rows(&spent["periods"]), [("2026-11-09", 1500), ("2026-11-16", -50)]);
    let others = json!([
        { "currency": "CHF", "amount_minor": -11 },
        { "currency": "USD", "amount_minor": 999 },
    ]);
    assert_eq!(spent["other_currencies"], others);
    assert_eq!((&cost["cost_minor"], &cost["remaining_minor"]), (&json!(1450), &Value::Null));
    let daily = job.cost("day").await;
    assert_eq!(rows(&daily["expenses"]["periods"]), [("2026-11-10", 1500), ("2026-11-20", -50)]);
    app.stop().await;
}

#[each_database]
async fn labour_in_another_currency_is_told_apart(database: Database) {
    let app = App::start(&database).await;
    let project = json!({ "name": "Roof", "currency": "USD", "budget_minor": 100 });
    let job = Job::new(&app, project).await;
    job.rate(&job.kim, "2026-01-01", Some(6000)).await;
    job.work(&job.kim, "2026-03-03", 60).await;
    job.approve_all().await;
    job.spend(json!({ "amount_minor": 30, "currency": "USD" })).await;
    let cost = job.cost("week").await;
    let labour = &cost["labour"];
    assert_eq!(
        (&labour["counted"], &labour["currency"], &labour["amount_minor"]),
        (&json!(false), &json!("EUR"), &json!(6000))
    );
    assert_eq!((&cost["cost_minor"], &cost["remaining_minor"]), (&json!(30), &json!(70)));
    app.stop().await;
}

#[each_database]
async fn what_a_project_costs_is_for_those_who_manage_it(database: Database) {
    let app = App::start(&database).await;
    let job = Job::new(&app, json!({ "name": "Roof" })).await;
    let path = format!("{}/reports/job-cost?project_id={}", job.home, id(&job.roof));
    let member = job.ada.invite(&job.home, "member").await;
    member.get(&path).await.expect_problem(403, "role_insufficient");
    let manager = job.ada.invite(&job.home, "manager").await;
    manager.get(&path).await.expect(200);
    let unknown = format!("{}/reports/job-cost?project_id={}", job.home, id(&job.kim));
    assert_eq!(job.ada.get(&unknown).await.expect_violations(), ["?project_id"]);
    app.stop().await;
}

/// Who works (the first or the second), on which day of some weeks, for how many minutes.
fn work() -> impl Strategy<Value = Vec<(bool, u64, i64)>> {
    prop::collection::vec((any::<bool>(), 0_u64..20, 1_i64..200), 1..12)
}

#[each_database(flavor = "multi_thread")]
async fn the_parts_of_what_labour_costs_always_sum_to_the_whole(database: Database) {
    let app = App::start(&database).await;
    for_all(8, &(work(), 1_i64..20_000, 1_i64..20_000), async |(work, kims, bobs)| {
        let job = Job::new(&app, json!({ "name": "Roof" })).await;
        job.rate(&job.kim, "2026-01-01", Some(kims)).await;
        job.rate(&job.bob, "2026-01-01", Some(bobs)).await;
        job.rate(&job.bob, "2026-02-10", Some(bobs + 7)).await;
        let first = NaiveDate::from_ymd_opt(2026, 2, 2).unwrap();
        let mut exact = 0;
        for (kim, later, minutes) in &work {
            let raised = if *later >= 8 { 7 } else { 0 };
            let (member, rate) = if *kim { (&job.kim, kims) } else { (&job.bob, bobs + raised) };
            exact += minutes * rate;
            job.work(member, &(first + Days::new(*later)).to_string(), *minutes).await;
        }
        job.approve_all().await;
        for period in ["day", "week"] {
            let cost = job.cost(period).await;
            let labour = &cost["labour"];
            let whole = labour["amount_minor"].as_i64().unwrap();
            assert_eq!(whole, (exact + 30).div_euclid(60), "rounded once, half up");
            for breakdown in ["members", "periods"] {
                let sum: i64 = rows(&labour[breakdown]).iter().map(|row| row.1).sum();
                assert_eq!(sum, whole, "{breakdown} by {period}");
            }
        }
    });
    app.stop().await;
}
