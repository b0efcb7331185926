//! One of everything in an organization, and for each route a request that succeeds on it.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Answer, Client, PASSWORD, id,
    route::{ORGANIZATION, Request, Route},
};

/// An organization with one of everything.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its owner.
    pub owner: Client,
    /// A manager, who has recorded and submits what the owner decides: nobody decides what they had a hand in.
    pub clerk: Client,
    /// Its path.
    pub organization: String,
    values: Values,
}

/// Who logs in where a route is about that.
const LOGIN: &str = "login@example.org";

/// What fills the variables of paths, and the ids of rows that no path names.
type Values = BTreeMap<&'static str, String>;

/// What a resource needs to be under guard: which variable of paths its row fills, the path of its collection, and the
/// body of the sample's row, which has the number 0, and of any other, which has another. The rows refer to none of
/// the others, so that each can be removed.
type Row = (&'static str, &'static str, fn(&Values, usize) -> Value);

const ROWS: &[Row] = &[
    ("member_id", "members", |_, _| json!({ "name": "Grace", "hourly_rate_minor": 5000 })),
    ("invitation_id", "invitations", |_, _| json!({ "role": "member" })),
    ("api_key_id", "api-keys", key),
    ("category_id", "categories", |_, number| json!({ "name": format!("Food {number}") })),
    ("budget_id", "budgets", budget),
    ("expense_id", "expenses", expense),
    ("project_id", "projects", |_, _| json!({ "name": "Roof" })),
    ("time_entry_id", TIMER, timer),
    ("timecard_id", "timecards", timecard),
    ("daily_report_id", "daily-reports", daily_report),
    ("incident_id", "incidents", incident),
    ("rate_id", "rates", rate),
    ("rule_id", "rules", rule),
    ("task_id", "tasks", task),
    ("webhook_id", "webhooks", webhook),
    ("collection_id", "collections", |_, number| json!({ "name": format!("notes-{number}") })),
    ("document_id", DOCUMENTS, document),
    ("account_id", "accounts", |_, _| json!({ "name": "Bank", "kind": "asset" })),
    ("meter_id", "meters", |_, _| json!({ "name": "Water", "unit": "m3", "kind": "counter" })),
    ("journal_entry_id", "journal-entries", journal_entry),
];

/// What rows refer to, and no path names.
fn references() -> [(&'static str, &'static str, Value); 6] {
    let meter = json!({ "name": "Power", "unit": "kW.h", "kind": "counter", "precision": 1 });
    [
        ("meter", "meters", meter),
        ("collection", "collections", json!({ "name": "recipes", "title": "Recipes" })),
        ("payer", "members", json!({ "name": "Edsger" })),
        ("site", "projects", json!({ "name": "Site" })),
        ("debit", "accounts", json!({ "name": "debit", "kind": "expense" })),
        ("credit", "accounts", json!({ "name": "credit", "kind": "equity" })),
    ]
}

/// The collections of what the clerk records, so that the owner may decide it.
const DECIDED: [&str; 2] = ["expenses", "daily-reports"];

/// When the meter that no path of its own names was read, and exchanged for another one.
const READ_AT: &str = "2026-11-02T09:30:00Z";

/// Before, and then.
fn readings() -> Value {
    json!({ "items": [
        { "at": "2026-11-02T08:10:00Z", "value": 4711.5 }, { "at": READ_AT, "value": 12.5 },
    ] })
}

/// Where a timer is started, which then runs: the owner's, and another one's.
const TIMER: &str = "time-entries/start";

fn timer(values: &Values, number: usize) -> Value {
    if number == 0 { json!({}) } else { json!({ "member_id": values["payer"] }) }
}

/// The documents of a collection that no path names but theirs.
const DOCUMENTS: &str = "collections/{collection}/documents";

/// Of a key that no other organization has.
fn document(values: &Values, number: usize) -> Value {
    let key = format!("pancakes-{number}-{}", values["organization_id"]);
    json!({ "id": key, "body": { "servings": 4, "flour": [0.25, "kg"] } })
}

/// The path of a collection of resources.
fn collection_path(organization: &str, collection: &str, values: &Values) -> String {
    format!("{organization}/{}", collection.replace("{collection}", &values["collection"]))
}

fn time_entry() -> Value {
    json!({ "day": "2026-11-02", "minutes": 90, "tags": ["roof"] })
}

/// Of one of the weeks of a year when nobody worked: the payer's, and others of who asks.
fn timecard(values: &Values, number: usize) -> Value {
    let monday = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + Days::new(7 * number as u64);
    of_payer(json!({ "week_starts_on": monday }), values, number)
}

/// The first is the payer's, others of who asks.
fn of_payer(mut new: Value, values: &Values, number: usize) -> Value {
    if number == 0 {
        new["member_id"] = json!(values["payer"]);
    }
    new
}

fn budget(_: &Values, _: usize) -> Value {
    json!({ "name": "Food", "period": "month", "amount_minor": 50_000, "starts_on": "2026-01-01" })
}

/// That recurs, and that the members take no turns at: they can be removed.
fn task(_: &Values, _: usize) -> Value {
    json!({ "title": "Sweep", "due_on": "2026-11-02", "tags": ["yard"],
        "recurrence": "FREQ=WEEKLY;BYDAY=MO" })
}

/// It may send more than anybody does here.
fn key(_: &Values, _: usize) -> Value {
    json!({ "name": "till", "role": "viewer", "requests_per_minute": 6_000_000 })
}

/// To where nobody listens, and nothing may be sent.
fn webhook(_: &Values, _: usize) -> Value {
    json!({ "url": "http://127.0.0.1:9/", "kinds": ["expense.*"] })
}

fn expense(values: &Values, number: usize) -> Value {
    let lines = [("Bread", 450), ("Cheese", 800)];
    let items = lines.map(|(name, amount)| json!({ "name": name, "amount_minor": amount }));
    let new = json!({ "spent_on": "2026-11-02", "amount_minor": 1250, "merchant": "Café",
        "items": items });
    of_payer(new, values, number)
}

fn rule(_: &Values, _: usize) -> Value {
    let condition = json!({ "field": "merchant", "op": "contains", "value": "café" });
    json!({ "name": "Coffee", "when": { "kind": "expense.created", "condition": condition },
        "then": [{ "add_tag": "coffee" }] })
}

/// Of a project that no path names, with a crew: of a day, and of days before.
fn daily_report(values: &Values, number: usize) -> Value {
    let day = NaiveDate::from_ymd_opt(2026, 11, 2).unwrap() - Days::new(number as u64);
    json!({ "project_id": values["site"], "day": day, "summary": "Dry",
        "weather": { "temperature_low_tenths": -25 },
        "items": [{ "kind": "work", "text": "Rafters", "quantity_milli": 12_000, "unit": "m" },
            { "kind": "delay", "text": "Crane", "minutes": 45 }],
        "crew": [{ "trade": "Masons", "count": 3, "seconds": 86_400 },
            { "member_id": values["payer"], "seconds": 28_800 }] })
}

fn incident(values: &Values, _: usize) -> Value {
    json!({ "member_id": values["payer"], "occurred_at": "2026-11-02T09:30:00Z",
        "body_part": "left hand", "narrative": "The saw slipped.", "witnesses": ["Grace"],
        "recordable": true, "classification": "days_away", "injury_type": "injury",
        "days_away": 3 })
}

/// Of the payer: from a day on, and from days after.
fn rate(values: &Values, number: usize) -> Value {
    let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(number as u64);
    json!({ "member_id": values["payer"], "starts_on": day, "hourly_rate_minor": 4000 + number })
}

/// Between two accounts that no path names.
fn journal_entry(values: &Values, _: usize) -> Value {
    json!({ "occurred_on": "2026-11-02", "transfers": [{ "debit_account_id": values["debit"],
        "credit_account_id": values["credit"], "amount_minor": 1250, "currency": "EUR" }] })
}

/// Begins to pay somebody back, and gives the id of the saga.
async fn saga(owner: &Client, clerk: &Client, organization: &str, payer: &str) -> String {
    let new = json!({ "spent_on": "2026-11-02", "amount_minor": 700, "member_id": payer });
    let mut expense = clerk.make(&format!("{organization}/expenses"), new).await;
    for (by, verb) in [(clerk, "submit"), (owner, "approve"), (owner, "pay")] {
        let path = format!("{organization}/expenses/{}/{verb}", id(&expense));
        expense = by.post(&path, json!({ "version": expense["version"] })).await.expect(200);
    }
    expense["payout_saga_id"].as_str().unwrap().to_owned()
}

/// Adds a file to a project that no path names, and gives its id.
async fn attach(owner: &Client, organization: &str, values: &Values, number: usize) -> String {
    let project = format!("{organization}/projects/{}", values["site"]);
    let made = owner.attach(&project, "plan.txt", format!("plan {number}\n")).await.expect(201);
    id(&made["items"][0]).to_owned()
}

impl Sample {
    /// Makes a user and a sample of theirs.
    pub async fn make(anonymous: &Client) -> Self {
        Self::of(&anonymous.sign_up("Ada").await).await
    }

    /// Makes a sample that belongs to a user. It is a company, where expenses take approval, and
    /// the expense is somebody else's and recorded by the clerk, so that the owner may decide it.
    ///
    /// # Panics
    /// If something cannot be made.
    pub async fn of(owner: &Client) -> Self {
        let organization = owner.found("company").await;
        let organization_id = organization.rsplit('/').next().unwrap().to_owned();
        let email = format!("clerk-{organization_id}@example.org");
        let clerk = owner.invite_as(&organization, "manager", &email).await;
        let mut values = BTreeMap::from([("organization_id", organization_id)]);
        for (name, collection, new) in references() {
            let made = owner.make(&format!("{organization}/{collection}"), new).await;
            values.insert(name, id(&made).to_owned());
        }
        for (variable, collection, new) in ROWS {
            let by = if DECIDED.contains(collection) { &clerk } else { owner };
            let path = collection_path(&organization, collection, &values);
            let made = by.make(&path, new(&values, 0)).await;
            values.insert(variable, id(&made).to_owned());
            if *collection == "invitations" {
                values.insert("token", made["token"].as_str().unwrap().to_owned());
            }
        }
        let file = attach(owner, &organization, &values, 0).await;
        values.insert("attachment_id", file);
        let meter = format!("{organization}/meters/{}", values["meter"]);
        owner.post(&format!("{meter}/readings"), readings()).await.expect(200);
        let exchange = json!({ "kind": "exchange", "before": 4712 });
        let entered = format!("{meter}/exchanges/{READ_AT}");
        owner.send(Method::PUT, &entered, Some(exchange)).await.expect(200);
        values.insert("at", READ_AT.to_owned());
        let test = format!("{organization}/webhooks/{}/test", values["webhook_id"]);
        values.insert("delivery_id", id(&owner.make(&test, json!({})).await).to_owned());
        let ours = json!({ "version": 1, "payout_url": "http://127.0.0.1:9/payouts" });
        owner.patch(&organization, ours).await.expect(200);
        values.insert("saga_id", saga(owner, &clerk, &organization, &values["payer"]).await);
        let import =
            format!("{organization}/expenses/import?date=date&amount=amount&background=true");
        let import = owner.upload(&import, "date,amount\n2026-11-04,1.25\n").await.expect(202);
        values.insert("import_id", id(&import).to_owned());
        let sessions = owner.all("/v1/sessions", "").await;
        values.insert("session_id", id(&sessions[0]).to_owned());
        Self { owner: owner.clone(), clerk, organization, values }
    }

    /// Adds one more of each.
    pub async fn add_rows(&self) {
        for (_, collection, new) in ROWS {
            let path = collection_path(&self.organization, collection, &self.values);
            if *collection == TIMER {
                let entries = path.replace(TIMER, "time-entries");
                self.owner.make(&entries, time_entry()).await;
                continue;
            }
            let count = self.owner.all(&path, "").await.len();
            self.owner.make(&path, new(&self.values, count + 1)).await;
        }
        attach(&self.owner, &self.organization, &self.values, 1).await;
        saga(&self.owner, &self.clerk, &self.organization, self.value("payer")).await;
    }

    /// The same with another value for one variable.
    #[must_use]
    pub fn with(&self, variable: &'static str, value: impl Into<String>) -> Self {
        let mut other = self.clone();
        other.values.insert(variable, value.into());
        other
    }

    /// The value of a variable.
    ///
    /// # Panics
    /// If the sample has none.
    #[track_caller]
    pub fn value(&self, variable: &str) -> &str {
        self.values.get(variable).unwrap_or_else(|| {
            panic!("nothing for {{{variable}}}: add a row of it to `ROWS` in tests/src/sample.rs")
        })
    }

    /// The variables of rows of an organization, with their values.
    pub fn rows(&self) -> Vec<(&'static str, &str)> {
        let made = ROWS.iter().map(|(variable, ..)| *variable);
        let further =
            ["attachment_id", "collection", "meter", "delivery_id", "import_id", "saga_id"];
        let made = made.chain(further);
        made.map(|variable| (variable, self.value(variable))).collect()
    }

    fn timecard(&self) -> String {
        format!("{}/timecards/{}", self.organization, self.value("timecard_id"))
    }

    /// The path of a route, with this sample's values.
    #[track_caller]
    pub fn path(&self, route: &Route) -> String {
        let variables = route.variables().into_iter();
        variables.fold(route.path.clone(), |path, variable| {
            path.replace(&format!("{{{variable}}}"), self.value(variable))
        })
    }

    /// A request of a route, with the query that it cannot do without.
    #[track_caller]
    pub fn request<'a>(&self, route: &'a Route) -> Request<'a> {
        let parameter = |name| match name {
            "member_id" | "project_id" => format!("{name}={}", self.value(name)),
            _ => parameter(name),
        };
        let query: Vec<_> = route.required_query().into_iter().map(parameter).collect();
        route.request(self.path(route)).query(&query.join("&"))
    }

    /// The resource that a versioned route changes, as it is now.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn current(&self, route: &Route) -> Value {
        let path = self.path(route);
        // A transition's path is the row's and a verb.
        let path = match (&route.method, path.rsplit_once('/')) {
            (&Method::POST, Some((row, _))) => row.to_owned(),
            _ => path,
        };
        self.owner.read(&path).await
    }

    /// Brings the rows to where a route succeeds.
    ///
    /// # Panics
    /// If they do not get there.
    pub async fn prepare(&self, route: &Route) {
        if route.name() == "POST /v1/sessions" {
            self.owner.sign_up_as("Login", LOGIN).await;
        }
        if route.path.ends_with("/timecards/decide") {
            let card = self.timecard();
            let version = self.owner.read(&card).await["version"].clone();
            let submit = format!("{card}/submit");
            self.clerk.post(&submit, json!({ "version": version })).await.expect(200);
        }
        let before: &[&str] = match route.path.rsplit('/').next() {
            Some("approve" | "reject" | "amend" | "reopen") => &["submit"],
            Some("reimburse" | "pay") => &["submit", "approve"],
            _ => &[],
        };
        for verb in before {
            let by = if *verb == "submit" { &self.clerk } else { &self.owner };
            let path = self.path(route);
            let (row, _) = path.rsplit_once('/').unwrap();
            let version = self.current(route).await["version"].clone();
            let transition = format!("{row}/{verb}");
            by.post(&transition, json!({ "version": version })).await.expect(200);
        }
    }

    /// A request of a route that succeeds on rows that are prepared for it.
    ///
    /// # Panics
    /// If the body that succeeds is not said below.
    pub async fn valid<'a>(&self, route: &'a Route) -> Request<'a> {
        let request = self.request(route);
        match route.takes() {
            Some("application/json") => request.json(&self.body(route).await),
            Some("text/csv") => request.body("text/csv", file(route)),
            Some(bytes @ "application/octet-stream") => request.body(bytes, "a receipt\n"),
            _ if route.is_versioned() => request.version(self.version(route).await),
            _ => request,
        }
    }

    /// A body of JSON that succeeds.
    ///
    /// # Panics
    /// If it is not said below.
    pub async fn body(&self, route: &Route) -> Value {
        if !route.is_versioned() {
            let mut new = new(route, &self.values);
            if route.path.ends_with("/timecards/decide") {
                let card = self.owner.read(&self.timecard()).await;
                new["items"][0]["id"] = card["id"].clone();
                new["items"][0]["version"] = card["version"].clone();
            }
            return new;
        }
        let mut version = json!({ "version": self.version(route).await });
        if route.fields().contains(&"to_version") {
            version["to_version"] = json!(1);
        }
        if route.path.ends_with("/reopen") {
            version["reason"] = json!("told late");
        }
        if route.path.ends_with("/amend") {
            version["reason"] = json!("told late");
            version["changes"] = json!({ "summary": "changed" });
        }
        if route.method == Method::PUT {
            version["body"] = json!({ "changed": true });
        }
        if route.method == Method::PATCH { patch(route, version) } else { version }
    }

    /// The version that a versioned route succeeds with.
    ///
    /// # Panics
    /// If the resource cannot be read.
    pub async fn version(&self, route: &Route) -> i64 {
        self.current(route).await["version"].as_i64().unwrap()
    }

    /// Everything that the owner can see of the sample, as it is: every GET.
    ///
    /// # Panics
    /// If something cannot be read.
    pub async fn state(&self) -> BTreeMap<String, Answer> {
        let mut state = BTreeMap::new();
        for route in Route::all().iter().filter(|route| route.method == Method::GET) {
            if !route.is_public() {
                let answer = self.request(route).send(&self.owner).await;
                assert_eq!(answer.status, 200, "{}: {}", route.name(), answer.text);
                state.insert(self.path(route), answer);
            }
        }
        state
    }

    /// Asserts that the owner sees what they saw before.
    ///
    /// # Panics
    /// If something has changed.
    pub async fn assert_unchanged(&self, before: &BTreeMap<String, Answer>) {
        for (path, now) in self.state().await {
            assert_eq!(before[&path].text, now.text, "{path} has changed");
        }
    }
}

/// A value for a query parameter that is required.
fn parameter(name: &str) -> String {
    let value = match name {
        "from" => "2026-01-01",
        "to" => "2026-12-31",
        "on" => "2026-11-21",
        "year" => "2026",
        "group_by" => "project",
        "week" => "2026-11-16",
        "date" => "date",
        "amount" => "amount",
        "kind" => "exchange",
        _ => panic!("nothing for ?{name}: add a value to `parameter` in tests/src/sample.rs"),
    };
    format!("{name}={value}")
}

/// A file that an import takes.
fn file(route: &Route) -> &'static str {
    if route.path.ends_with("/time-entries/import") {
        return "Start date,Start time,Duration\n2026-11-03,05:00,0:30\n";
    }
    "date,amount\n2026-11-03,-12.50\n"
}

/// A change that a PATCH takes, with its version.
fn patch(route: &Route, mut version: Value) -> Value {
    let names = [
        "name",
        "display_name",
        "note",
        "description",
        "summary",
        "narrative",
        "hourly_rate_minor",
        "body",
    ];
    let name = names.iter().find(|name| route.fields().contains(name)).unwrap_or_else(|| {
        panic!("{}: add a field to `patch` in tests/src/sample.rs", route.name())
    });
    version[*name] = match *name {
        "hourly_rate_minor" => json!(1),
        "body" => json!({ "changed": true }),
        _ => json!("changed"),
    };
    version
}

/// A body that a POST to a collection takes.
fn new(route: &Route, values: &Values) -> Value {
    let within = route.path.strip_prefix(ORGANIZATION).and_then(|path| path.strip_prefix('/'));
    if let Some((.., new)) = ROWS.iter().find(|(_, collection, _)| within == Some(collection)) {
        return new(values, 1);
    }
    let expense = || expense(values, 1);
    match route.path.rsplit('/').next().unwrap_or_default() {
        "organizations" => json!({ "kind": "household", "name": "Ours", "currency": "EUR" }),
        "dry-run" => match route.has_row() {
            true => json!({ "limit": 10 }),
            false => {
                let rule = rule(values, 1);
                json!({ "when": rule["when"], "then": rule["then"] })
            }
        },
        "time-entries" => time_entry(),
        "batch" if route.path.ends_with("time-entries/batch") => {
            json!({ "items": [time_entry(), time_entry()] })
        }
        "bulk" => json!({ "items": [{ "op": "create", "body": { "servings": 2 } }] }),
        "check-schema" => json!({ "schema": { "type": "object" } }),
        "decide" => json!({ "items": [{ "decision": "approve" }] }),
        "batch" => json!({ "items": [expense(), expense()] }),
        "readings" => {
            json!({ "items": [{ "at": "2026-11-02T10:00:00Z", "value": 14 }] })
        }
        "{at}" if route.path.contains("/exchanges/") => {
            json!({ "kind": "exchange", "before": 4713, "after": 2 })
        }
        "{at}" => json!({ "value": 13 }),
        "query" | "explain" => {
            json!({ "selector": { "servings": { "$gte": 1 } }, "fields": ["flour"] })
        }
        "aggregate" => {
            json!({ "group_by": ["servings"], "measures": { "recipes": { "count": "_id" } } })
        }
        "sync" => json!({ "changes": [
            { "entity": "category", "op": "create", "id": Uuid::from_u128(1), "data": { "name": "Fuel" } },
            { "entity": "expense", "op": "create", "id": Uuid::from_u128(2), "data": expense() },
        ] }),
        "users" => {
            json!({ "email": "new@example.org", "display_name": "New", "password": PASSWORD })
        }
        "sessions" => json!({ "email": LOGIN, "password": PASSWORD }),
        "password" => json!({ "current_password": PASSWORD, "new_password": "another long one" }),
        _ => panic!("{}: add a body to `new` in tests/src/sample.rs", route.name()),
    }
}
