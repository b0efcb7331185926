//! What is asked of the work of a crew: projects, tasks, time, timecards, daily reports, and what is made
//! of them.

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    bodies::{self, CURRENCIES, PRIORITIES, ROLES, maybe, reference},
    choice::Choice,
    described,
    queries::query,
    script::{Call, Organization, Row},
    steps::versioned,
    texts::{BAD_DAYS, TEXTS, details},
};

/// The collections that this makes rows of, as often as they stand here.
pub(super) const COLLECTIONS: &[&str] = &[
    "projects",
    "tasks",
    "tasks",
    "time-entries",
    "time-entries",
    "time-entries",
    "timecards",
    "daily-reports",
    "incidents",
    "meters",
    "expenses",
    ATTACHMENTS,
];
/// Files, which are added to rows of these.
const ATTACHMENTS: &str = "attachments";
const WITH_ATTACHMENTS: &[&str] =
    &["tasks", "tasks", "projects", "expenses", "daily-reports", "incidents", "members"];

/// Those, and what no script names.
pub(super) fn collections() -> Vec<&'static str> {
    [COLLECTIONS, &described::collections()].concat()
}

/// Where timers are started.
pub(super) const TIMERS: &str = "time-entries/start";
const STATUSES: &[&str] = &[
    "planned",
    "active",
    "on_hold",
    "completed",
    "archived",
    "pending",
    "in_progress",
    "done",
    "cancelled",
    "open",
    "submitted",
    "approved",
    "rejected",
    "draft",
    "closed",
    "nonsense",
];

/// A day of a few weeks, in which a clock was put back in Europe, and one in America: much falls together.
pub(super) fn day(choice: &mut Choice) -> NaiveDate {
    let first = NaiveDate::from_ymd_opt(2026, 10, 19).unwrap();
    first + Duration::days(i64::try_from(choice.below(21)).unwrap())
}

fn week(choice: &mut Choice) -> NaiveDate {
    let day = day(choice);
    day - Duration::days(i64::from(day.weekday().num_days_from_monday()))
}

pub(super) fn instant(choice: &mut Choice) -> DateTime<Utc> {
    let minutes = Duration::minutes(i64::try_from(choice.below(96)).unwrap() * 15);
    day(choice).and_hms_opt(0, 0, 0).unwrap().and_utc() + minutes
}

/// A call about work.
pub(super) fn call(choice: &mut Choice, organization: &Organization) -> Call {
    let collection = choice.of(&collections());
    let path = format!("{}/{collection}", organization.path);
    let row = choice.maybe_of(organization.of(collection));
    match (choice.below(100), row) {
        (0..8, _) => report(choice, organization),
        (8..30, _) | (76.., _) | (_, None) if collection == ATTACHMENTS => {
            attachments(choice, organization)
        }
        (8..22, _) => list(choice, organization, &path),
        (22..25, _) => import(choice, organization),
        (25..30, _) => bodies::create(choice, organization, TIMERS),
        (30..45, Some(row)) => change(choice, organization, collection, &row),
        (45..52, Some(row)) => versioned(choice, Method::DELETE, &row, json!({})),
        (52..70, Some(row)) => act(choice, collection, &row),
        (70..76, Some(row)) => Call::get(below(choice, collection, &row)),
        _ => bodies::create(choice, organization, collection),
    }
}

/// Adds a file to a row, or lists those that it has. Few contents, so that many have the same.
fn attachments(choice: &mut Choice, organization: &Organization) -> Call {
    let of = choice.of(WITH_ATTACHMENTS);
    let row = choice.maybe_of(organization.of(of));
    let row = row.unwrap_or_else(|| organization.of("organizations")[0].clone());
    let path = format!("{}/attachments", row.path);
    if choice.chance(30) {
        return Call::get(format!("{path}?limit={}", choice.of(&["1", "2", "50", "0"])));
    }
    let content = choice.of(&["", "one\n", "two\n", "%PDF-1.7\n", "<svg/>", "\u{0}\u{1}"]);
    let name = choice.of(&["a.txt", "../b.pdf", "c", "%", "NUL.txt"]);
    let disposition = format!("attachment; filename=\"{name}\"");
    Call {
        content_type: "application/octet-stream",
        body: Some(content.as_bytes().to_vec()),
        headers: vec![("content-disposition", disposition)],
        ..Call::new(Method::POST, path)
    }
}

/// What is read of a row besides itself.
fn below(choice: &mut Choice, collection: &str, row: &Row) -> String {
    let more: &[&str] = match collection {
        "timecards" => &["/totals", "/totals", "/history"],
        "daily-reports" => &["/crew-hours", "/crew-hours", "/amendments?limit=2", "/history"],
        ATTACHMENTS => &["", "/content", "/content", "/history?limit=2"],
        _ => &["", "/history?limit=2"],
    };
    format!("{}{}", row.path, choice.of(more))
}

/// The body of a new row of a collection of work.
pub(super) fn new(choice: &mut Choice, organization: &Organization, collection: &str) -> Value {
    match collection {
        "projects" => project(choice),
        "tasks" => task(choice, organization),
        "timecards" => json!({ "member_id": reference(choice, organization, "members"),
            "week_starts_on": week(choice) }),
        "daily-reports" => daily_report(choice, organization),
        "incidents" => incident(choice, organization),
        ATTACHMENTS => json!({ "name": choice.of(TEXTS) }),
        "meters" => meter(choice, organization),
        "time-entries" => time_entry(choice, organization),
        TIMERS => timer(choice, organization),
        _ => described::new(choice, organization, collection),
    }
}

fn meter(choice: &mut Choice, organization: &Organization) -> Value {
    let units = ["kW.h", "m3", "Cel", "%", "{cycles}", "kWh"];
    let kind = choice.of(&["gauge", "counter", "counter", "delta"]);
    let mut body = json!({ "name": choice.of(TEXTS), "unit": choice.of(&units), "kind": kind });
    let project = reference(choice, organization, "projects");
    maybe(choice, &mut body, "project_id", project);
    let place = choice.of(TEXTS);
    maybe(choice, &mut body, "place", json!(place));
    let source = choice.of(TEXTS);
    maybe(choice, &mut body, "source", json!(source));
    let seconds = choice.of(&[0, 1, 900, 31_622_400]);
    maybe(choice, &mut body, "interval_seconds", json!(seconds));
    let precision = choice.of(&[0, 1, 3, 9, 10]);
    maybe(choice, &mut body, "precision", json!(precision));
    let rule = choice.of(&["rollover", "reset", "ask"]);
    maybe(choice, &mut body, "on_drop", json!(rule));
    if kind == "counter" || choice.chance(5) {
        body["rollover_at"] = json!(choice.of(&[100_000.0, 999.5, 0.0]));
    }
    let rule = choice.of(&["reject", "replace"]);
    maybe(choice, &mut body, "on_conflict", json!(rule));
    for (name, values) in
        [("low", [-1.5, 0.0, 5.0]), ("high", [5.0, 20.0, 99.5]), ("hysteresis", [0.0, 0.5, -1.0])]
    {
        let value = choice.of(&values);
        maybe(choice, &mut body, name, json!(value));
    }
    body
}

fn project(choice: &mut Choice) -> Value {
    let mut body = json!({ "name": choice.of(TEXTS) });
    let texts = ["job_number", "client", "address", "note"];
    for name in texts {
        let text = choice.of(TEXTS);
        maybe(choice, &mut body, name, json!(text));
    }
    let status = choice.of(&["planned", "active", "active", "on_hold", "completed"]);
    maybe(choice, &mut body, "status", json!(status));
    let budget = choice.below(10_000_000);
    maybe(choice, &mut body, "budget_minor", json!(budget));
    let currency = choice.of(CURRENCIES);
    maybe(choice, &mut body, "currency", json!(currency));
    if choice.chance(30) {
        let first = day(choice);
        body["starts_on"] = json!(first);
        body["ends_on"] = json!(first + Duration::days(choice.of(&[0, 1, 90, 90, -1])));
    }
    if choice.chance(30) {
        body["details"] = details(choice);
    }
    if choice.chance(30) {
        let places = [(47.376_886_6, 8.541_694), (-90.0, 180.0), (-0.0, 1e-7), (0.1, 0.000_000_01)];
        let (latitude, longitude) = choice.of(&places);
        body["latitude"] = json!(latitude);
        body["longitude"] = json!(longitude);
    }
    body
}

fn task(choice: &mut Choice, organization: &Organization) -> Value {
    let mut body = json!({ "title": choice.of(TEXTS) });
    let priority = choice.of(PRIORITIES);
    maybe(choice, &mut body, "priority", json!(priority));
    let note = choice.of(TEXTS);
    maybe(choice, &mut body, "note", json!(note));
    let estimate = choice.of(&[1, 90, 1_000_000]);
    maybe(choice, &mut body, "estimate_minutes", json!(estimate));
    if choice.chance(20) {
        body["assignee_role"] = json!(choice.of(ROLES));
    }
    if choice.chance(20) {
        body["metadata"] = details(choice);
    }
    if choice.chance(10) {
        body["status"] = json!(choice.of(&["pending", "in_progress", "done", "cancelled"]));
    }
    match choice.below(3) {
        0 => body["due_on"] = json!(day(choice)),
        1 => body["due_at"] = json!(instant(choice)),
        _ => {}
    }
    for (name, collection) in [("assignee_member_id", "members"), ("project_id", "projects")] {
        let id = reference(choice, organization, collection);
        maybe(choice, &mut body, name, id);
    }
    if choice.chance(30) {
        body["tags"] = json!([choice.of(TEXTS), choice.of(TEXTS)]);
    }
    if choice.chance(35) {
        let rules = [
            "FREQ=DAILY",
            "FREQ=WEEKLY;BYDAY=MO,TH",
            "FREQ=MONTHLY;BYMONTHDAY=31",
            "FREQ=DAILY;COUNT=2",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "nonsense",
        ];
        let at = choice.of(&[0, 0, 1, 1, 2, 3, 4, 5]);
        body["recurrence"] = json!(rules[at]);
        let some = [(); 2].map(|()| reference(choice, organization, "members"));
        maybe(choice, &mut body, "rotation", json!(some));
    }
    body
}

fn time_entry(choice: &mut Choice, organization: &Organization) -> Value {
    let mut body = json!({});
    if choice.chance(65) {
        let start = instant(choice);
        body["started_at"] = json!(start);
        let minutes = choice.of(&[1, 15, 60, 60, 240, 480, 700, 1500, 3000, 60_000]);
        body["ended_at"] = json!(start + Duration::minutes(minutes));
        if choice.chance(20) {
            let pause = |from, to| {
                json!({ "started_at": start + Duration::minutes(from),
                "ended_at": start + Duration::minutes(to) })
            };
            body["breaks"] = json!([pause(5, 10), pause(choice.of(&[10, 9]), 14)]);
        }
    } else {
        body["day"] = json!(day(choice));
        body["minutes"] = json!(choice.of(&[1, 30, 90, 480, 1440, 1441]));
    }
    for (name, collection) in
        [("member_id", "members"), ("project_id", "projects"), ("task_id", "tasks")]
    {
        let id = reference(choice, organization, collection);
        maybe(choice, &mut body, name, id);
    }
    for name in ["note", "cost_code"] {
        let text = choice.of(TEXTS);
        maybe(choice, &mut body, name, json!(text));
    }
    let billable = choice.chance(50);
    maybe(choice, &mut body, "billable", json!(billable));
    if choice.chance(30) {
        body["tags"] = json!([choice.of(TEXTS)]);
    }
    body
}

fn daily_report(choice: &mut Choice, organization: &Organization) -> Value {
    let mut body = json!({ "project_id": reference(choice, organization, "projects"),
        "day": day(choice) });
    let summary = choice.of(TEXTS);
    maybe(choice, &mut body, "summary", json!(summary));
    let (low, high) = (choice.below(400), choice.below(400));
    let weather = json!({ "conditions": choice.of(TEXTS), "temperature_low_tenths": low,
        "temperature_high_tenths": low + high - 2, "precipitation_tenths": choice.below(500),
        "wind_kmh": choice.below(120) });
    maybe(choice, &mut body, "weather", weather);
    let member = reference(choice, organization, "members");
    let crew = json!([{ "trade": choice.of(TEXTS), "count": choice.below(9) + 1, "seconds": 7 },
        { "member_id": member, "seconds": choice.below(50_000) }]);
    maybe(choice, &mut body, "crew", crew);
    let items: Vec<Value> = (0..choice.below(4)).map(|_| daily_report_item(choice)).collect();
    maybe(choice, &mut body, "items", json!(items));
    body
}

fn daily_report_item(choice: &mut Choice) -> Value {
    let kinds = ["work", "delay", "delivery", "safety", "visitor", "equipment"];
    let kind = choice.of(&kinds);
    let mut item = json!({ "kind": kind, "text": choice.of(TEXTS) });
    let quantity = choice.of(&[1, 1500, 9_007_199_254_740_991_i64]);
    maybe(choice, &mut item, "quantity_milli", json!(quantity));
    maybe(choice, &mut item, "unit", json!("m³"));
    if kind == "delay" || choice.chance(3) {
        item["minutes"] = json!(choice.of(&[1, 45, 1500]));
    }
    item
}

fn incident(choice: &mut Choice, organization: &Organization) -> Value {
    let mut body = json!({ "member_id": reference(choice, organization, "members"),
        "occurred_at": instant(choice) });
    let texts = [
        "place",
        "body_part",
        "nature",
        "cause",
        "treatment",
        "narrative",
        "insurer",
        "claim_number",
        "job_title",
    ];
    for name in texts {
        let text = choice.of(TEXTS);
        maybe(choice, &mut body, name, json!(text));
    }
    for name in ["days_away", "days_restricted"] {
        let days = choice.below(200);
        maybe(choice, &mut body, name, json!(days));
    }
    if choice.chance(20) {
        body["status"] = json!(choice.of(&["reported", "open", "closed"]));
    }
    let project = reference(choice, organization, "projects");
    maybe(choice, &mut body, "project_id", project);
    if choice.chance(60) {
        let came = choice.of(&["death", "days_away", "restricted", "other_recordable", "nonsense"]);
        let kind = choice.of(&["injury", "skin_disorder", "poisoning", "other_illness"]);
        (body["classification"], body["injury_type"]) = (json!(came), json!(kind));
        body["recordable"] = json!(choice.chance(80));
        body["privacy_case"] = json!(choice.chance(20));
    }
    if choice.chance(30) {
        body["witnesses"] = json!([choice.of(TEXTS), choice.of(TEXTS)]);
    }
    body
}

fn change(choice: &mut Choice, organization: &Organization, collection: &str, row: &Row) -> Call {
    let whole = bodies::new(choice, organization, collection);
    let mut body = bodies::patch(choice, whole);
    let statuses: &[&str] = match collection {
        "projects" => &["planned", "active", "on_hold", "completed", "archived"],
        "tasks" => &["pending", "in_progress", "done", "done", "done", "cancelled"],
        "incidents" => &["reported", "open", "closed"],
        _ => &[],
    };
    if !statuses.is_empty() && choice.chance(60) {
        body["status"] = json!(choice.of(statuses));
    }
    if choice.chance(8) {
        bodies::spoil(choice, &mut body);
    }
    versioned(choice, Method::PATCH, row, body)
}

/// What else is done with a row.
fn act(choice: &mut Choice, collection: &str, row: &Row) -> Call {
    let verbs: &[&str] = match collection {
        "timecards" => &["submit", "submit", "approve", "reject", "reopen"],
        "daily-reports" => &["submit", "submit", "approve", "amend", "take-hours"],
        "time-entries" => &["stop", "revert"],
        "expenses" => &["submit", "submit", "approve"],
        _ => &["revert"],
    };
    let verb = choice.of(verbs);
    let mut body = match verb {
        "revert" => json!({ "to_version": choice.below(3) + 1 }),
        "reopen" => json!({ "reason": choice.of(TEXTS) }),
        "amend" => {
            json!({ "reason": choice.of(TEXTS), "changes": { "summary": choice.of(TEXTS) } })
        }
        _ => json!({}),
    };
    if choice.chance(15) && ["approve", "reject"].contains(&verb) {
        body["note"] = json!(choice.of(TEXTS));
    }
    let path = format!("{}/{verb}", row.path);
    versioned(choice, Method::POST, &Row { path, ..row.clone() }, body)
}

/// A timer; what it starts at is now, or some time ago.
fn timer(choice: &mut Choice, organization: &Organization) -> Value {
    let mut body = json!({});
    for (name, collection) in [("member_id", "members"), ("project_id", "projects")] {
        let id = reference(choice, organization, collection);
        maybe(choice, &mut body, name, id);
    }
    if choice.chance(30) {
        body["started_at"] = json!(instant(choice));
    }
    if choice.chance(20) {
        body["task_id"] = reference(choice, organization, "tasks");
    }
    for name in ["note", "cost_code"] {
        let text = choice.of(TEXTS);
        maybe(choice, &mut body, name, json!(text));
    }
    let billable = choice.chance(50);
    maybe(choice, &mut body, "billable", json!(billable));
    if choice.chance(30) {
        body["tags"] = json!([choice.of(TEXTS)]);
    }
    body
}

fn list(choice: &mut Choice, organization: &Organization, path: &str) -> Call {
    let id = |choice: &mut Choice, collection| {
        choice.maybe_of(organization.of(collection)).map(|row| row.id()).unwrap_or_default()
    };
    let mut pairs = vec![
        ("member_id", id(choice, "members")),
        ("assignee_member_id", id(choice, "members")),
        ("project_id", id(choice, "projects")),
        ("task_id", id(choice, "tasks")),
        ("status", choice.of(STATUSES).to_owned()),
        ("priority", choice.of(&["low", "high"]).to_owned()),
        ("open", choice.of(&["true", "false"]).to_owned()),
        ("pressing", choice.of(&["true", "false"]).to_owned()),
        ("billable", choice.of(&["true", "false"]).to_owned()),
        ("running", choice.of(&["true", "false"]).to_owned()),
        ("tag", choice.of(TEXTS).to_owned()),
        ("q", choice.of(TEXTS).to_owned()),
        ("from", day(choice).to_string()),
        ("to", day(choice).to_string()),
        ("due_from", day(choice).to_string()),
        ("due_to", day(choice).to_string()),
        ("from", choice.of(BAD_DAYS).to_owned()),
    ];
    // Not each of them is known to each list: what is not is refused.
    pairs.retain(|_| choice.chance(6));
    pairs.push(("limit", choice.of(&["1", "2", "10", "500"]).to_owned()));
    Call::get(format!("{path}?{}", query(&pairs)))
}

fn report(choice: &mut Choice, organization: &Organization) -> Call {
    let path = format!("{}/reports", organization.path);
    let id = |choice: &mut Choice, collection| {
        choice.maybe_of(organization.of(collection)).map(|row| row.id()).unwrap_or_default()
    };
    match choice.below(5) {
        4 => {
            let group_by = choice.of(&["project", "project", "category", "member"]).to_owned();
            let (from, to) = ("1000-01-01".to_owned(), "9999-12-31".to_owned());
            let mut pairs = vec![("group_by", group_by), ("from", from), ("to", to)];
            if choice.chance(50) {
                pairs.push(("project_id", id(choice, "projects")));
            }
            Call::get(format!("{path}/spending?{}", query(&pairs)))
        }
        3 => {
            let form = choice.of(&["osha-300", "osha-300a"]);
            Call::get(format!("{}/incidents/{form}?year=2026", organization.path))
        }
        0 => {
            let group_by = choice.of(&["project", "member", "week", "task", "day"]).to_owned();
            let (from, to) = ("2026-10-01".to_owned(), day(choice).to_string());
            let pairs = [("group_by", group_by), ("from", from), ("to", to)];
            Call::get(format!("{path}/hours?{}", query(&pairs)))
        }
        1 => {
            let pairs = [("member_id", id(choice, "members")), ("week", week(choice).to_string())];
            Call::get(format!("{path}/timesheet?{}", query(&pairs)))
        }
        _ => {
            let period = choice.of(&["day", "week"]).to_owned();
            let pairs = [("project_id", id(choice, "projects")), ("period", period)];
            Call::get(format!("{path}/job-cost?{}", query(&pairs)))
        }
    }
}

/// A few rows as a tracker of time exports them.
fn import(choice: &mut Choice, organization: &Organization) -> Call {
    let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut csv =
        "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags\n"
            .to_owned();
    for _ in 0..=choice.below(4) {
        let (user, project) = (cell(choice.of(TEXTS)), cell(choice.of(TEXTS)));
        let (task, note) = (cell(choice.of(TEXTS)), cell(choice.of(TEXTS)));
        let day = day(choice);
        let hour = choice.below(23);
        csv += &format!(
            "{user},,,{project},{task},{note},Yes,{day},{hour:02}:15:00,{day},{hour:02}:45:00,00:30:00,\n"
        );
    }
    let pairs = [
        ("create_projects", "true".to_owned()),
        ("create_tasks", "true".to_owned()),
        ("create_members", "true".to_owned()),
        ("on_error", choice.of(&["skip", "abort"]).to_owned()),
        ("dry_run", choice.of(&["false", "false", "true"]).to_owned()),
        ("time_zone", choice.of(&["Europe/Zurich", "America/New_York", "x"]).to_owned()),
        ("restore", choice.of(&["true", "false"]).to_owned()),
    ];
    let mut some = pairs.to_vec();
    some.retain(|_| choice.chance(75));
    let path = format!("{}/time-entries/import?{}", organization.path, query(&some));
    let content_type = "text/csv";
    Call { content_type, body: Some(csv.into()), ..Call::new(Method::POST, path) }
}
