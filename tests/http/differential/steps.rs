//! Which call comes next.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Client, PASSWORD};

use super::{
    bodies,
    choice::Choice,
    documents, ledger, meters, past, queries,
    script::{Call, Caller, Organization, Person, Row, Script},
    sync,
    texts::TEXTS,
    work,
};

/// The collections of people and money.
pub(super) const COLLECTIONS: &[&str] = &[
    "members",
    "invitations",
    "api-keys",
    "categories",
    "budgets",
    "rules",
    "expenses",
    "webhooks",
];
/// Those of which rows are changed, as often as they stand here.
pub(super) const CHANGED: &[&str] = &[
    "members",
    "categories",
    "budgets",
    "rules",
    "expenses",
    "expenses",
    "organizations",
    "webhooks",
];

/// A kind of step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Register,
    LogIn,
    Own,
    Found,
    Create,
    Change,
    Remove,
    Transition,
    Read,
    List,
    Follow,
    Past,
    Told,
    Report,
    Import,
    Ledger,
    Batch,
    Try,
    Accept,
    Hook,
    Changes,
    Sync,
    Nonsense,
    Work,
    Documents,
    Meters,
}

/// How often each kind of step comes, among all.
pub(super) type Weights = &'static [(u64, Step)];

/// A script of people and money.
pub(super) const MONEY: Weights = &[
    (2, Step::Register),
    (3, Step::LogIn),
    (5, Step::Own),
    (1, Step::Found),
    (24, Step::Create),
    (14, Step::Change),
    (6, Step::Remove),
    (16, Step::Transition),
    (6, Step::Read),
    (10, Step::List),
    (5, Step::Follow),
    (9, Step::Past),
    (4, Step::Told),
    (5, Step::Report),
    (3, Step::Import),
    (24, Step::Ledger),
    (2, Step::Batch),
    (3, Step::Try),
    (2, Step::Accept),
    (8, Step::Hook),
    (4, Step::Changes),
    (4, Step::Sync),
    (2, Step::Nonsense),
    (12, Step::Documents),
];

/// A script of work: people are there for it.
pub(super) const WORK: Weights = &[
    (1, Step::Register),
    (1, Step::LogIn),
    (1, Step::Found),
    (8, Step::Create),
    (2, Step::Change),
    (2, Step::Read),
    (3, Step::Follow),
    (2, Step::Past),
    (2, Step::Told),
    (1, Step::Accept),
    (3, Step::Changes),
    (2, Step::Sync),
    (80, Step::Work),
    (16, Step::Meters),
];

impl Step {
    fn of(choice: &mut Choice, weights: Weights) -> Self {
        let mut left = choice.below(weights.iter().map(|(weight, _)| weight).sum());
        for (weight, step) in weights {
            if left < *weight {
                return *step;
            }
            left -= weight;
        }
        Self::Read
    }
}

impl Script {
    /// Makes the next call. The first ones make what the others need.
    pub(super) async fn step(&mut self) {
        let step = Step::of(&mut self.choice, self.weights);
        let Some(person) = self.someone() else {
            return if self.people.is_empty() {
                self.register().await
            } else {
                self.log_in().await
            };
        };
        match step {
            Step::Register => self.register().await,
            Step::LogIn => self.log_in().await,
            Step::Own => self.own(person).await,
            Step::Found => self.found_one(person).await,
            _ if self.organizations.is_empty() => self.found_one(person).await,
            step => self.step_in(step).await,
        }
    }

    async fn step_in(&mut self, step: Step) {
        // Most happens in few organizations, so that much comes together there.
        let at = (self.choice.below(self.organizations.len() as u64) as usize)
            .min(self.choice.below(3) as usize);
        let organization = self.organizations[at].clone();
        let client = self.somebody(&organization);
        let call = match step {
            Step::Create => create(&mut self.choice, &organization),
            Step::Change => change(&mut self.choice, &organization),
            // The first organizations, where most happens, stay.
            Step::Remove => remove(&mut self.choice, &organization, at > 1),
            Step::Transition => transition(&mut self.choice, &organization),
            Step::List => {
                let collection = self.choice.of(COLLECTIONS);
                let collection = if self.choice.chance(60) { "expenses" } else { collection };
                queries::list(&mut self.choice, &organization, collection)
            }
            Step::Past => past::of_row(&mut self.choice, &organization),
            Step::Told => past::told(&mut self.choice, &organization),
            Step::Follow => follow(&mut self.choice, &organization),
            Step::Report => queries::report(&mut self.choice, &organization),
            Step::Import => self.import(at, &organization),
            Step::Hook => hook(&mut self.choice, &organization),
            Step::Ledger => ledger::call(&mut self.choice, &organization),
            Step::Batch => batch(&mut self.choice, &organization),
            Step::Try => try_rule(&mut self.choice, &organization),
            Step::Accept => return self.accept(&organization, at).await,
            Step::Changes => sync::changes(&mut self.choice, &organization),
            Step::Sync => self.sync(at, &organization),
            Step::Documents => documents::call(&mut self.choice, &organization),
            Step::Meters => meters::call(&mut self.choice, &organization),
            Step::Work => work::call(&mut self.choice, &organization),
            Step::Nonsense => nonsense(&mut self.choice, &organization),
            _ => read(&mut self.choice, &organization),
        };
        self.call_in(at, &client, call).await;
    }

    /// Someone who is logged in.
    fn someone(&mut self) -> Option<usize> {
        let people: Vec<usize> =
            (0..self.people.len()).filter(|at| !self.people[*at].sessions.is_empty()).collect();
        self.choice.maybe_of(&people)
    }

    /// Mostly the owner, else a member or a key, rarely somebody who has no business here.
    fn somebody(&mut self, organization: &Organization) -> Client {
        match self.choice.below(100) {
            0..3 => self.anonymous.with_token("stw_s_nonsense"),
            3..6 => match self.someone() {
                Some(at) => self.people[at].sessions[0].clone(),
                None => self.anonymous.clone(),
            },
            6..25 => {
                let caller = self.choice.of(&organization.callers);
                self.client_of(&caller)
            }
            _ => self.client_of(&organization.callers[0]),
        }
    }

    async fn register(&mut self) {
        let number = self.people.len();
        let long = format!("a@{}{}.example", "İ.".repeat(120), "x");
        let emails = [
            format!("person{number}@example.org"),
            format!("PERSON{number}@Example.ORG"),
            format!("person{number}@bücher.example"),
            "person0@EXAMPLE.org".to_owned(),
            "\u{212a}@example.org".to_owned(),
            "no address".to_owned(),
            long,
        ];
        let at = self.choice.of(&[0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
        let email = emails[at].clone();
        let mut body = bodies::user(&mut self.choice, &email);
        if self.choice.chance(10) {
            bodies::spoil(&mut self.choice, &mut body);
        }
        let client = self.anonymous.clone();
        let answer = self.call(&client, Call::post("/v1/users", &body)).await;
        if answer.status == 201 {
            self.people.push(Person { email, version: 1, sessions: vec![] });
        }
    }

    async fn log_in(&mut self) {
        let at = self.choice.below(self.people.len() as u64) as usize;
        let body = bodies::session(&mut self.choice, &self.people[at].email);
        let client = self.anonymous.clone();
        let answer = self.call(&client, Call::post("/v1/sessions", &body)).await;
        if let Some(token) = answer.json["token"].as_str() {
            self.people[at].sessions.push(self.anonymous.with_token(token));
        }
    }

    /// What a user does with what is theirs.
    async fn own(&mut self, at: usize) {
        let Person { email, version, sessions } = self.people[at].clone();
        let client = self.choice.of(&sessions);
        let call = match self.choice.below(12) {
            9..12 => return self.own_past(at, &client).await,
            0 => Call::get("/v1/users/me"),
            1 => Call::get("/v1/sessions?limit=1"),
            2 => Call::get("/v1/organizations?limit=2"),
            3 | 4 if sessions.len() > 1 => return self.log_out(at).await,
            5 => return self.change_password(at, &client).await,
            _ => {
                let body = bodies::profile(&mut self.choice, &email);
                let row = Row::at("/v1/users/me", version);
                versioned(&mut self.choice, Method::PATCH, &row, body)
            }
        };
        let answer = self.call(&client, call).await;
        if answer.json["email"].is_string() {
            self.people[at].version = answer.json["version"].as_i64().unwrap_or(version);
        }
    }

    /// Ends the last of somebody's sessions, from within or from another.
    async fn log_out(&mut self, at: usize) {
        let Some(last) = self.people[at].sessions.pop() else { return };
        let path = if self.choice.chance(50) {
            "/v1/sessions/current".to_owned()
        } else {
            let sessions = self.call(&last, Call::get("/v1/sessions")).await;
            let mut sessions = sessions.json["items"].as_array().cloned().unwrap_or_default();
            sessions.retain(|session| session["current"] == true);
            format!("/v1/sessions/{}", sessions[0]["id"].as_str().unwrap())
        };
        let client =
            if path.ends_with("current") { last } else { self.people[at].sessions[0].clone() };
        self.call(&client, Call::new(Method::DELETE, path)).await;
    }

    /// Changes a password into itself, which ends all other sessions.
    async fn change_password(&mut self, at: usize, client: &Client) {
        let wrong = self.choice.chance(30);
        let current = if wrong { "not the password" } else { PASSWORD };
        let body = json!({ "current_password": current, "new_password": PASSWORD });
        let answer = self.call(client, Call::post("/v1/users/me/password", &body)).await;
        if answer.status == 204 {
            let person = &mut self.people[at];
            person.version += 1;
            person.sessions = vec![client.clone()];
        }
    }

    async fn found_one(&mut self, at: usize) {
        let mut body = bodies::organization(&mut self.choice);
        if self.choice.chance(10) {
            bodies::spoil(&mut self.choice, &mut body);
        }
        self.found(at, &body).await;
    }

    /// A new import, or one for the second time.
    fn import(&mut self, at: usize, organization: &Organization) -> Call {
        if self.choice.chance(35)
            && let Some(again) = self.choice.maybe_of(&organization.imports)
        {
            return again;
        }
        let call = queries::import(&mut self.choice, organization);
        self.organizations[at].imports.push(call.clone());
        call
    }

    /// A new sync, or one whose answer was lost.
    fn sync(&mut self, at: usize, organization: &Organization) -> Call {
        if self.choice.chance(15)
            && let Some(again) = self.choice.maybe_of(&organization.syncs)
        {
            return again;
        }
        let call = sync::sync(&mut self.choice, organization);
        self.organizations[at].syncs.push(call.clone());
        call
    }

    /// Somebody accepts an invitation, and is a caller from then on.
    async fn accept(&mut self, organization: &Organization, at: usize) {
        let Some(person) = self.someone() else { return };
        let client = self.people[person].sessions[0].clone();
        let token = self.choice.maybe_of(&organization.invitations);
        let token = token.unwrap_or_else(|| "stw_i_nonsense".to_owned());
        let path = format!("/v1/invitations/{token}/accept");
        let answer = self.call(&client, Call::post(path, &json!({}))).await;
        if answer.status == 201 {
            self.organizations[at].callers.push(Caller::Person(person));
        }
    }
}

/// Any of the rows, of a kind or of all; the organization itself where there are none.
pub(super) fn row(
    choice: &mut Choice,
    organization: &Organization,
    collection: Option<&str>,
) -> Row {
    let collection = collection.unwrap_or(choice.of(COLLECTIONS));
    let row = choice.maybe_of(organization.of(collection));
    row.unwrap_or_else(|| organization.of("organizations")[0].clone())
}

/// A request that names the version that was seen last; sometimes another, or none, or by If-Match.
pub(super) fn versioned(choice: &mut Choice, method: Method, row: &Row, body: Value) -> Call {
    let version = if choice.chance(8) { row.version + 1 } else { row.version };
    let mut call = Call::new(method.clone(), row.path.clone());
    let mut body = body;
    let how = choice.below(20);
    if how > 2 && method == Method::DELETE {
        call.path += &format!("?version={version}");
    } else if how > 2 {
        body["version"] = json!(version);
    }
    match how {
        1 | 3 => call.headers.push(("if-match", format!("\"{version}\""))),
        2 => call.headers.push(("if-match", format!("W/\"{version}\""))),
        4 => call.headers.push(("if-match", "\"77\"".into())),
        _ => {}
    }
    if method != Method::DELETE {
        call.body = Some(body.to_string().into_bytes());
    }
    call
}

fn create(choice: &mut Choice, organization: &Organization) -> Call {
    let collection = choice.of(COLLECTIONS);
    let collection = if choice.chance(60) { "expenses" } else { collection };
    bodies::create(choice, organization, collection)
}

fn change(choice: &mut Choice, organization: &Organization) -> Call {
    let collection = choice.of(CHANGED);
    let row = row(choice, organization, Some(collection));
    let whole = bodies::new(choice, organization, row.collection());
    let mut body = bodies::patch(choice, whole);
    if choice.chance(10) {
        bodies::spoil(choice, &mut body);
    }
    versioned(choice, Method::PATCH, &row, body)
}

fn remove(choice: &mut Choice, organization: &Organization, spare: bool) -> Call {
    let whole = spare && choice.chance(30);
    let mut row = row(choice, organization, whole.then_some("organizations"));
    // Nothing refers to the newest (`bodies::reference`).
    if let Some(newest) = organization.of(row.collection()).last() {
        row = newest.clone();
    }
    let stays = row.collection() == "organizations" && !whole;
    let row = if stays { Row { version: 77, ..row } } else { row };
    versioned(choice, Method::DELETE, &row, json!({}))
}

fn transition(choice: &mut Choice, organization: &Organization) -> Call {
    let mut row = row(choice, organization, Some("expenses"));
    let under_way = |row: &&Row| ["submitted", "approved"].contains(&&*row.status);
    let under_way: Vec<_> = organization.of("expenses").iter().filter(under_way).collect();
    if choice.chance(60)
        && let Some(other) = choice.maybe_of(&under_way)
    {
        row = other.clone();
    }
    let verb = match &*row.status {
        "draft" if choice.chance(80) => "submit",
        "submitted" if choice.chance(80) => choice.of(&["approve", "approve", "reject"]),
        "approved" if choice.chance(80) => choice.of(&["reimburse", "pay", "pay"]),
        _ => choice.of(&["submit", "approve", "reject", "reimburse", "pay"]),
    };
    let body = if choice.chance(40) { json!({ "note": choice.of(TEXTS) }) } else { json!({}) };
    let path = format!("{}/{verb}", row.path);
    versioned(choice, Method::POST, &Row { path, ..row }, body)
}

fn read(choice: &mut Choice, organization: &Organization) -> Call {
    let row = row(choice, organization, None);
    let mut call = Call::get(row.path);
    if choice.chance(20) {
        call.headers.push(("if-none-match", format!("\"{}\"", row.version)));
    }
    call
}

fn follow(choice: &mut Choice, organization: &Organization) -> Call {
    match choice.maybe_of(&organization.links) {
        Some(link) => Call::get(link),
        None => queries::list(choice, organization, "expenses"),
    }
}

fn batch(choice: &mut Choice, organization: &Organization) -> Call {
    let count = choice.below(5) + 1;
    let mut items: Vec<Value> = (0..count).map(|_| bodies::expense(choice, organization)).collect();
    if choice.chance(15) {
        bodies::spoil(choice, &mut items[0]);
    }
    Call::post(format!("{}/expenses/batch", organization.path), &json!({ "items": items }))
}

/// What a rule would have done: one that there is, or another.
fn try_rule(choice: &mut Choice, organization: &Organization) -> Call {
    let mut body = if choice.chance(50) { json!({ "limit": choice.below(30) }) } else { json!({}) };
    if choice.chance(30) {
        body["from"] = json!(choice.of(&["2026-11-21", "2026-11-22", "x"]));
    }
    if choice.chance(30) {
        body["to"] = json!(choice.of(&["2026-11-21", "2026-11-20"]));
    }
    if choice.chance(50)
        && let Some(row) = choice.maybe_of(organization.of("rules"))
    {
        return Call::post(format!("{}/dry-run", row.path), &body);
    }
    let rule = bodies::new(choice, organization, "rules");
    body["when"] = rule["when"].clone();
    body["then"] = rule["then"].clone();
    Call::post(format!("{}/rules/dry-run", organization.path), &body)
}

/// What is done with webhooks besides. Nothing is sent: no work is done in the background.
fn hook(choice: &mut Choice, organization: &Organization) -> Call {
    if organization.of("webhooks").is_empty() {
        return bodies::create(choice, organization, "webhooks");
    }
    let webhook = row(choice, organization, Some("webhooks"));
    let delivery = row(choice, organization, Some("deliveries"));
    match choice.below(6) {
        0 => {
            let hours = json!({ "overlap_hours": choice.of(&[0, 1, 24, 720, 721, -1]) });
            let path = format!("{}/rotate-secret", webhook.path);
            versioned(choice, Method::POST, &Row { path, ..webhook }, hours)
        }
        1 | 2 => Call::post(format!("{}/test", webhook.path), &json!({})),
        3 => {
            let state = choice.of(&["", "&state=pending", "&state=failed", "&state=nonsense"]);
            Call::get(format!("{}/deliveries?limit=2{state}", webhook.path))
        }
        4 => Call::get(delivery.path),
        _ => Call::post(format!("{}/resend", delivery.path), &json!({})),
    }
}

/// What no client should send.
fn nonsense(choice: &mut Choice, organization: &Organization) -> Call {
    let path = &organization.path;
    let raw = |path: String, body: &[u8]| Call {
        body: Some(body.to_vec()),
        ..Call::new(Method::POST, path)
    };
    match choice.below(9) {
        0 => Call::get(format!("{path}/nonsense")),
        1 => Call::new(Method::PUT, format!("{path}/expenses")),
        2 => raw(format!("{path}/expenses"), b"{\"spent_on\":"),
        3 => raw(format!("{path}/expenses"), br#"{"note":"\ud800"}"#),
        4 => raw(format!("{path}/members"), "[".repeat(5000).as_bytes()),
        5 => Call { content_type: "text/plain", ..raw(format!("{path}/members"), b"{}") },
        6 => Call::get(format!("{path}/members/{}", choice.of(&["x", "%00", "%ff", "0"]))),
        7 => Call::get(format!("{path}/expenses?q=%00&limit=1")),
        _ => Call::get(format!("{path}/expenses?q=%ff")),
    }
}
