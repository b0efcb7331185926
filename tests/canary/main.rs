//! Nothing about a person, and no secret, reaches the log, the metrics, or a problem that somebody
//! else reads. A test binary of its own: the log is the whole process'.

// A test that cannot go on has failed: there is nothing better to do than to panic.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::{
    io::{self, Write},
    sync::Mutex,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use service::store::Options;
use tests::{Answer, App, AppOptions, Client, at, database::run_in_turn};
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// How long a worker may take to ask for the plan of a slow statement.
const LONGEST: Duration = Duration::from_secs(20);

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().expect("no writer panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// More than an operator would ever turn on, and the spans of traces.
const FILTER: &str = "info,platform=trace,service=trace,api=trace,sqlx=debug,sea_orm=debug,actix_server=debug,\
                      steward::trace=trace";

const EMAIL: &str = "canary.address@example.org";
const PASSWORD: &str = "canary password 7c1e";
const CANARIES: [&str; 17] = [
    "canary.address",
    "canary password",
    "Canary Person",
    "Canary Merchant",
    "canary note",
    "canary place",
    "canary detail",
    "Canary Category",
    "Canary Budget",
    "canary-external-4711",
    "canary cell",
    "canary agent",
    "canary-hook",
    "canary narrative",
    "canary thumb",
    "canary-key",
    "canary body",
];

/// Ada's requests, and what may be shown to her alone.
struct Story {
    client: Client,
    home: String,
    secrets: Vec<String>,
    problems: Vec<String>,
}

impl Story {
    async fn begin(app: &App) -> Self {
        let anybody = app.anonymous();
        let user = json!({ "email": EMAIL, "display_name": "Canary Person", "password": PASSWORD });
        anybody.make("/v1/users", user.clone()).await;
        let mut story = Self {
            client: anybody.clone(),
            home: String::new(),
            secrets: vec![PASSWORD.to_owned(), "$argon2".to_owned()],
            problems: Vec::new(),
        };
        let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string().into_bytes();
        let headers = [("user-agent", "canary agent")];
        let login = anybody.send_bytes(
            Method::POST,
            "/v1/sessions",
            "application/json",
            Some(body),
            &headers,
        );
        let session = login.await.expect(201);
        story.client = anybody.with_token(&story.secret(&session));
        story.home = story.client.found("company").await;
        // Not told that it is taken, and nothing comes of it.
        anybody.make("/v1/users", user).await;
        let other = anybody.sign_up("Other").await;
        let taken = json!({ "version": 1, "email": EMAIL });
        story.refused(other.patch("/v1/users/me", taken).await, 409);
        story.refused(anybody.log_in(EMAIL, "canary password wrong").await, 401);
        story.refused(anybody.with_token("stw_s_canary password").get("/v1/users/me").await, 401);
        story
    }

    /// Remembers a token that is shown this once.
    fn secret(&mut self, issued: &Value) -> String {
        let token = issued.get("token").or(issued.get("secret"));
        let token = token.and_then(Value::as_str).expect("a token").to_owned();
        self.secrets.push(token.clone());
        token
    }

    fn refused(&mut self, answer: Answer, status: u16) {
        assert_eq!(answer.status, status, "{}", answer.text);
        self.problems.push(answer.text);
    }

    async fn people(&mut self) {
        let (client, home) = (self.client.clone(), self.home.clone());
        let invitation = json!({ "role": "member", "email": EMAIL });
        let invitation = client.make(&format!("{home}/invitations"), invitation).await;
        let token = self.secret(&invitation);
        let accept = format!("/v1/invitations/{token}/accept");
        self.refused(client.post(&accept, json!({})).await, 409);
        let key = json!({ "name": "canary note", "role": "viewer" });
        let key = client.make(&format!("{home}/api-keys"), key).await;
        let program = client.with_token(&self.secret(&key));
        let member = json!({ "name": "Canary Person", "external_ref": "canary-external-4711" });
        client.make(&format!("{home}/members"), member.clone()).await;
        self.refused(program.post(&format!("{home}/members"), member).await, 403);
        let wrong = json!({ "current_password": "canary password no", "new_password": "canary password yes" });
        self.refused(client.post("/v1/users/me/password", wrong).await, 422);
    }

    async fn money(&mut self) {
        let (client, home) = (self.client.clone(), self.home.clone());
        let categories = format!("{home}/categories");
        let category = json!({ "name": "Canary Category" });
        client.make(&categories, category.clone()).await;
        self.refused(client.post(&categories, category).await, 409);
        let budget = json!({ "name": "Canary Budget", "period": "month", "amount_minor": 5,
            "starts_on": "2026-01-01" });
        client.make(&format!("{home}/budgets"), budget).await;
        let expenses = format!("{home}/expenses");
        let expense = json!({ "spent_on": "2026-11-01", "amount_minor": 5, "place": "canary place",
            "merchant": "Canary Merchant", "note": "canary note",
            "details": { "canary detail": "canary detail" },
            "id": "0199aaaa-0000-7000-8000-00000000000a" });
        let made = client.make(&expenses, expense.clone()).await;
        self.refused(client.post(&expenses, expense.clone()).await, 409);
        let stale = json!({ "version": 7, "note": "canary note" });
        self.refused(client.patch(&at(&expenses, &made), stale).await, 409);
        for (name, value) in [
            ("merchant", json!("Canary Merchant".repeat(20))),
            ("category_id", json!("canary note")),
            ("member_id", json!("0199aaaa-0000-7000-8000-00000000000b")),
            ("note", json!("canary note\u{0}")),
            ("canary detail", json!(1)),
        ] {
            let mut bad = expense.clone();
            bad.as_object_mut().expect("an object").remove("id");
            bad[name] = value;
            self.refused(client.post(&expenses, bad).await, 422);
        }
        let found = client.all(&expenses, "?q=canary%20note").await;
        assert_eq!(found.len(), 1);
        self.refused(client.get(&format!("{expenses}?status=canary%20note")).await, 422);
        let malformed = client.send_bytes(
            Method::POST,
            &expenses,
            "application/json",
            Some(b"{canary note".to_vec()),
            &[],
        );
        self.refused(malformed.await, 400);
    }

    async fn import(&mut self) {
        let path = format!("{}/expenses/import?date=d&amount=a&merchant=m", self.home);
        let good = "d,a,m\n2026-11-01,1,canary cell\n";
        self.client.upload(&path, good).await.expect(200);
        let bad = "d,a,m\ncanary cell,canary cell,canary cell\n";
        let refused = self.client.upload(&path, bad).await;
        self.refused(refused, 422);
        let refused = self.client.upload(&path, "canary cell\n").await;
        self.refused(refused, 422);
    }

    async fn documents(&mut self) {
        let (client, collections) = (self.client.clone(), format!("{}/collections", self.home));
        let collection = json!({ "name": "notes", "title": "canary note",
            "schema": { "title": "canary note" } });
        client.make(&collections, collection).await;
        let documents = format!("{collections}/notes/documents");
        let document = json!({ "id": "canary-key", "body": { "canary body": "canary body" } });
        client.make(&documents, document.clone()).await;
        self.refused(client.post(&documents, document).await, 409);
        let path = format!("{documents}/canary-key");
        self.refused(client.patch(&path, json!({ "version": 7, "body": {} })).await, 409);
        let bad = json!({ "version": 1, "body": { "canary body": "canary body\u{0}" } });
        self.refused(client.patch(&path, bad).await, 422);
        self.refused(client.post(&documents, json!({ "canary body": 1 })).await, 422);
        client.read(&format!("{documents}?prefix=canary-key")).await;
    }

    /// To where nothing may be sent, so that it fails.
    async fn webhooks(&mut self, app: &App) {
        let (client, webhooks) = (self.client.clone(), format!("{}/webhooks", self.home));
        let webhook = json!({ "url": "http://127.0.0.1:9/canary-hook?canary-hook", "kinds": ["*"],
            "description": "canary note" });
        let webhook = client.make(&webhooks, webhook).await;
        self.secret(&webhook);
        let path = at(&webhooks, &webhook);
        let delivery = client.make(&format!("{path}/test"), json!({})).await;
        app.run_until_idle().await;
        let rotate = format!("{path}/rotate-secret");
        let rotated = client.post(&rotate, json!({ "version": 1 })).await.expect(200);
        self.secret(&rotated);
        let delivery = client.read(&at(&format!("{}/deliveries", self.home), &delivery)).await;
        assert_eq!(delivery["attempts"][0]["error"], "refused_address");
        self.refused(
            client.post(&webhooks, json!({ "url": "canary-hook", "kinds": [] })).await,
            422,
        );
    }

    /// Also what is refused of one, and what is to be done with it while the server works in the back.
    async fn incidents(&mut self, app: &App) {
        let (client, incidents) = (self.client.clone(), format!("{}/incidents", self.home));
        let member = client.member_in(&self.home).await["id"].clone();
        let incident = json!({ "member_id": member, "occurred_at": "2026-11-02T09:30:00Z",
            "narrative": "canary narrative", "body_part": "canary thumb",
            "witnesses": ["Canary Person"], "place": "canary place" });
        let made = client.keyed("canary").post(&incidents, incident.clone()).await.expect(201);
        let path = at(&incidents, &made);
        self.refused(client.patch(&path, json!({ "narrative": "canary narrative" })).await, 428);
        self.refused(
            client.patch(&path, json!({ "version": 9, "cause": "canary thumb" })).await,
            409,
        );
        for (name, value) in [
            ("classification", json!("canary thumb")),
            ("witnesses", json!("canary narrative")),
            ("narrative", json!("canary narrative\u{0}")),
            ("canary thumb", json!(1)),
        ] {
            let mut bad = incident.clone();
            bad[name] = value;
            self.refused(client.post(&incidents, bad).await, 422);
        }
        let invited = client.invite(&self.home, "manager").await;
        let edit = json!({ "entity": "incident", "op": "update", "id": made["id"], "version": 1,
            "data": { "narrative": "canary narrative" } });
        let sync = format!("{}/sync", self.home);
        let report = invited.post(&sync, json!({ "changes": [edit] })).await;
        holds_none(&report.text, CANARIES, "what a manager is told");
        self.refused(invited.get(&path).await, 404);
        app.run_until_idle().await;
    }

    /// What Ada is answered later on.
    async fn look_back(&self) -> Vec<String> {
        let home = &self.home;
        let mut answers = self.problems.clone();
        for path in [
            "/v1/users/me".to_owned(),
            "/v1/sessions".to_owned(),
            "/v1/organizations".to_owned(),
            home.clone(),
            format!("{home}/members"),
            format!("{home}/invitations"),
            format!("{home}/api-keys"),
            format!("{home}/expenses"),
            format!("{home}/webhooks"),
        ] {
            let answer = self.client.get(&path).await;
            assert_eq!(answer.status, 200, "{path}");
            answers.push(answer.text);
        }
        answers
    }
}

#[track_caller]
fn holds_none(text: &str, of: impl IntoIterator<Item = impl AsRef<str>>, what: &str) {
    for canary in of {
        let canary = canary.as_ref();
        let line = text.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is in {what}");
    }
}

/// The report of the database, once a worker has asked for the plan of a slow statement.
async fn report_with_plans(app: &App) -> String {
    let began = Instant::now();
    loop {
        let report = app.anonymous().get("/v1/operations/database").await.text;
        if report.contains("\"plan\":") || began.elapsed() > LONGEST {
            return report;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_is_nobodys_business_is_told_to_nobody() {
    let filter = EnvFilter::try_new(FILTER).expect("a filter");
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Log);
    log.with_span_events(FmtSpan::CLOSE).with_ansi(false).init();
    // In one test: the log is of the process, and what it may not hold is the same for both.
    run_in_turn(async |database| {
        let options = AppOptions::default();
        // Every statement is slow, so that each is logged with its plan.
        let store = Options { slow_statement: Duration::ZERO, ..options.store };
        let app = App::start_with(&database, AppOptions { store, ..options }).await;
        let mut story = Story::begin(&app).await;
        story.people().await;
        story.money().await;
        story.import().await;
        story.documents().await;
        story.webhooks(&app).await;
        story.incidents(&app).await;
        for answer in story.look_back().await {
            holds_none(&answer, &story.secrets, "an answer");
        }
        let eve = app.anonymous().sign_up("Eve").await;
        let expenses = format!("{}/expenses", story.home);
        for path in [&story.home, &expenses] {
            holds_none(&eve.get(path).await.text, CANARIES, "somebody else's problem");
        }
        let request = eve.get("/v1/nowhere").await.expect(404)["request_id"].clone();
        let metrics = app.anonymous().get("/metrics").await.text;
        let report = report_with_plans(&app).await;
        app.stop().await;
        let log = String::from_utf8_lossy(&LOG.lock().expect("no writer panics")).into_owned();
        assert!(
            log.contains(request.as_str().expect("an id")),
            "a problem's request is in the log"
        );
        assert!(log.contains("db.query.text"), "the statements of traces are in the log");
        assert!(log.contains("a statement was slow"), "slow statements are in the log");
        assert!(report.contains("\"plan\":"), "plans are in the report");
        for (text, what) in
            [(&log, "the log"), (&metrics, "the metrics"), (&report, "the report of the database")]
        {
            holds_none(text, CANARIES, what);
            holds_none(text, &story.secrets, what);
        }
    })
    .await;
}
