//! What is sealed: nowhere to be read but in answers, and only with its key.

use entity::event;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, Statement,
};
use serde_json::{Value, json};
use service::{
    Store,
    event::verify::{Findings, verify},
    key_rotation::{self, rotate},
    random::Random,
    seal::Keyring,
    store::Engine,
};
use tests::{
    App, AppOptions, Client, Database, Route, at, each_database, each_lasting_database, schema,
};

use crate::work::incident::Site;

const CANARIES: [&str; 6] =
    ["left thumb", "laceration", "a saw", "five stitches", "The guard was off", "Edsger"];

fn keys(ids: &[(&str, u64)]) -> Keyring {
    let keys: Vec<_> =
        ids.iter().map(|(id, seed)| Keyring::new_key(id, &Random::seeded(*seed))).collect();
    keys.join(",").parse().unwrap()
}

async fn start(database: &Database, keyring: Keyring) -> App {
    let mut options = AppOptions::default();
    options.store.keyring = keyring;
    options.settings.outbound_allow = "127.0.0.1".parse().unwrap();
    App::start_with(database, options).await
}

/// Every value of every column, as text.
async fn dump(store: &Store) -> String {
    let mut dump = String::new();
    for (table, columns) in schema::columns(store).await {
        for column in columns {
            let (backend, text) = match store.engine() {
                Engine::Sqlite => (DbBackend::Sqlite, "CAST(\"{}\" AS TEXT)"),
                Engine::Postgres => (DbBackend::Postgres, "\"{}\"::text"),
            };
            let text = text.replace("{}", &column);
            let sql = format!("SELECT COALESCE({text}, '') FROM \"{table}\"");
            let rows = store.read().query_all_raw(Statement::from_string(backend, sql)).await;
            for row in rows.unwrap() {
                // SQLite keeps ids as bytes, which are no text.
                dump += &row.try_get_by_index::<String>(0).unwrap_or_default();
                dump.push('\n');
            }
        }
    }
    dump
}

#[track_caller]
fn holds_none(text: &str, what: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{canary} is in {what}");
    }
}

/// A report that goes into the log of the year.
fn recorded(site: &Site) -> Value {
    let mut report = site.report();
    report["recordable"] = json!(true);
    (report["classification"], report["injury_type"]) = (json!("days_away"), json!("injury"));
    report
}

/// An incident with a past, a kept answer and a webhook that has heard of it.
async fn tell(app: &App) -> (Site, Value) {
    let site = Site::of(app).await;
    let hook = json!({ "url": "http://127.0.0.1:9/", "kinds": ["*"] });
    site.ada.make(&format!("{}/webhooks", site.home), hook).await;
    let made = site.ada.keyed("once").post(&site.incidents, recorded(&site)).await.expect(201);
    let path = at(&site.incidents, &made);
    site.ada.patch(&path, json!({ "version": 1, "days_away": 2 })).await.expect(200);
    let back = json!({ "version": 2, "to_version": 1 });
    let back = site.ada.keyed("back").post(&format!("{path}/revert"), back).await.expect(200);
    let bad = json!({ "version": 3, "narrative": "The guard was off", "days_away": "a saw" });
    site.ada.patch(&path, bad).await.expect(422);
    app.run_until_idle().await;
    (site, back)
}

#[each_lasting_database]
async fn nothing_of_it_is_in_the_database(database: Database) {
    let app = start(&database, keys(&[("k1", 1)])).await;
    let (site, now) = tell(&app).await;
    let dump = dump(&app.store).await;
    holds_none(&dump, "the database");
    // The dump is one: what is not sealed is there, and so is what is.
    assert!(
        dump.contains("Carpenter") && dump.contains("k1:") && dump.contains("incident.created")
    );
    holds_none(&app.anonymous().get("/metrics").await.text, "the metrics");
    assert_eq!(site.ada.read(&at(&site.incidents, &now)).await, now);
    app.stop().await;
    if let Some(file) = database.url.strip_prefix("sqlite://") {
        for file in [file.to_owned(), format!("{file}-wal")] {
            let bytes = std::fs::read(file).unwrap_or_default();
            holds_none(&String::from_utf8_lossy(&bytes), "the files");
        }
    }
}

/// The incident's answers, each of which opens something.
async fn read_all(client: &Client, site: &Site, now: &Value) -> Vec<(String, u16, Value)> {
    let (path, home) = (at(&site.incidents, now), &site.home);
    let then = now["updated_at"].as_str().unwrap();
    let mut answers = Vec::new();
    for path in [
        site.incidents.clone(),
        path.clone(),
        format!("{path}/history"),
        format!("{path}?as_of={then}"),
        format!("{}/osha-300?year=2026", site.incidents),
        format!("{home}/events"),
        format!("{home}/changes"),
        format!("{home}/members"),
    ] {
        let answer = client.get(&path).await;
        let mut json = answer.json;
        if let Some(fields) = json.as_object_mut() {
            fields.remove("request_id");
            fields.remove("instance");
        }
        answers.push((path, answer.status.as_u16(), json));
    }
    answers
}

async fn faults(store: &Store) -> (Vec<String>, u64) {
    let found = verify(store).await.unwrap();
    let undecryptable = found.iter().map(|it| it.undecryptable).sum();
    (found.into_iter().flat_map(|Findings { faults, .. }| faults).collect(), undecryptable)
}

#[each_lasting_database]
async fn after_a_rotation_the_old_key_may_go_and_nothing_has_changed(database: Database) {
    let app = start(&database, keys(&[("old", 1)])).await;
    let (site, now) = tell(&app).await;
    let before = read_all(&site.ada, &site, &now).await;
    assert!(before.iter().all(|(_, status, _)| *status == 200));
    assert_eq!(faults(&app.store).await, (vec![], 0));
    app.stop().await;

    let app = start(&database, keys(&[("new", 2), ("old", 1)])).await;
    let ada = site.ada.at(&app.base);
    assert_eq!(read_all(&ada, &site, &now).await, before);
    let values = key_rotation::count(&app.store).await.unwrap();
    let told = std::sync::atomic::AtomicU64::new(0);
    let told_of = |some| _ = told.fetch_add(some, std::sync::atomic::Ordering::Relaxed);
    let rotated = rotate(&app.store, told_of).await.unwrap();
    // Three events, six fields, a secret, and the answers to four POSTs with no key of their own.
    assert!(values >= 12 && rotated.values == values, "{values}: {rotated:?}");
    assert_eq!(told.into_inner(), values);
    assert_eq!((rotated.undecryptable, rotated.usage.other_than("new").count()), (0, 0));
    let again = rotate(&app.store, |_| {}).await.unwrap();
    assert_eq!((again.values, again.usage), (0, rotated.usage));
    app.stop().await;

    let app = start(&database, keys(&[("new", 2)])).await;
    let ada = site.ada.at(&app.base);
    assert_eq!(read_all(&ada, &site, &now).await, before);
    assert_eq!(faults(&app.store).await, (vec![], 0));
    let replay = ada.keyed("once").post(&site.incidents, recorded(&site)).await;
    assert!(replay.is_replayed() && replay.status == 201, "{}", replay.text);
    let hook = &ada.all(&format!("{}/webhooks", site.home), "").await[0];
    let secret = format!("{}/rotate-secret", at(&format!("{}/webhooks", site.home), hook));
    ada.post(&secret, json!({ "version": hook["version"] })).await.expect(200);
    let patch = json!({ "version": 3, "narrative": "again" });
    ada.patch(&at(&site.incidents, &now), patch).await.expect(200);
    app.stop().await;
}

#[each_lasting_database]
async fn a_key_that_is_missing_or_another_is_named_and_stops_nothing_else(database: Database) {
    let app = start(&database, keys(&[("old", 1)])).await;
    let (site, now) = tell(&app).await;
    app.stop().await;
    for (keyring, code) in [
        (keys(&[("new", 2)]), "encryption_key_missing"),
        (keys(&[("new", 2), ("old", 3)]), "encryption_key_wrong"),
        (Keyring::default(), "encryption_not_configured"),
    ] {
        let named = code != "encryption_not_configured";
        let app = start(&database, keyring).await;
        let ada = site.ada.at(&app.base);
        let (mut refused, mut answered) = (0, 0);
        for (path, status, answer) in read_all(&ada, &site, &now).await {
            holds_none(&answer.to_string(), &path);
            if path.contains("/incidents") {
                assert_eq!((status, &answer["code"]), (503, &json!(code)), "{path}");
                let detail = answer["detail"].as_str().unwrap();
                assert_eq!(detail.contains("the key old"), named, "{detail}");
                refused += 1;
            } else {
                assert_eq!(status, 200, "{path}: {answer}");
                answered += 1;
            }
        }
        assert_eq!((refused, answered), (5, 3));
        let page = ada.read(&format!("{}/events?entity=incident", site.home)).await;
        let data = page["items"][0]["data"].as_object().unwrap();
        assert_eq!(data["job_title"], "Carpenter");
        assert!(!data.contains_key("narrative") && !data.contains_key("sealed"));
        let path = at(&site.incidents, &now);
        let patch = ada.patch(&path, json!({ "version": 3, "days_away": 9 })).await;
        patch.expect_problem(503, code);
        ada.delete(&format!("{path}?version=3")).await.expect_problem(503, code);
        ada.make(&format!("{}/categories", site.home), json!({ "name": code })).await;
        assert_eq!(
            faults(&app.store).await.0.len(),
            if code == "encryption_key_wrong" { 3 } else { 0 }
        );
        if named {
            let rotated = rotate(&app.store, |_| {}).await.unwrap();
            let left: Vec<_> = rotated.usage.other_than("new").collect();
            assert_eq!((rotated.values, left), (0, vec![("old", rotated.undecryptable)]));
        }
        app.stop().await;
    }
    let app = start(&database, keys(&[("old", 1)])).await;
    assert_eq!(site.ada.at(&app.base).read(&at(&site.incidents, &now)).await, now);
    app.stop().await;
}

#[each_database]
async fn without_a_key_there_are_no_incidents_and_all_else_goes_on(database: Database) {
    let app = start(&database, Keyring::default()).await;
    let site = Site::of(&app).await;
    let manager = site.ada.invite(&site.home, "manager").await;
    let id = uuid::Uuid::from_u128(9).to_string();
    let path = |route: &Route| {
        let organization = site.home.rsplit('/').next().unwrap();
        let path = route.path.replace("{organization_id}", organization);
        path.replace("{incident_id}", &id)
            + if route.query().contains(&"year") { "?year=2026" } else { "" }
    };
    let mut routes = 0;
    for route in Route::of_organization() {
        if route.permission() != Some("incident:manage") {
            continue;
        }
        // Files belong to an incident, and there is none.
        if route.path.ends_with("/attachments") {
            site.ada.get(&path(&route)).await.expect_problem(404, "not_found");
            continue;
        }
        let body = match (route.method.as_str(), route.path.ends_with("/revert")) {
            ("POST", true) => Some(json!({ "version": 1, "to_version": 1 })),
            ("POST", false) => Some(site.report()),
            ("PATCH", _) => Some(json!({ "version": 1 })),
            _ => None,
        };
        let send = async |client: &Client| {
            client.send(route.method.clone(), &path(&route), body.clone()).await
        };
        send(&site.ada).await.expect_problem(503, "encryption_not_configured");
        send(&manager).await.expect_problem(404, "not_found");
        let keyed = site.ada.keyed(&format!("key{routes}"));
        send(&keyed).await.expect_problem(503, "encryption_not_configured");
        send(&app.anonymous()).await.expect_problem(401, "unauthenticated");
        routes += 1;
    }
    assert_eq!(routes, 9);
    let edits = json!({ "changes": [
        { "entity": "incident", "op": "create", "id": id, "data": site.report() },
        { "entity": "category", "op": "create", "id": id, "data": { "name": "Food" } },
    ] });
    let report = site.ada.post(&format!("{}/sync", site.home), edits).await.expect(200);
    assert_eq!(report["results"][0]["code"], "encryption_not_configured");
    assert_eq!(report["results"][1]["status"], "applied");
    for path in ["events", "changes", "changes?entities=incident", "members"] {
        site.ada.read(&format!("{}/{path}", site.home)).await;
    }
    app.stop().await;
}

/// The events of the incident, by position.
async fn told(store: &Store) -> Vec<event::Model> {
    let events = event::Entity::find().filter(event::COLUMN.entity.eq("incident"));
    events.order_by_asc(event::Column::Position).all(store.read()).await.unwrap()
}

#[each_database]
async fn what_is_sealed_in_the_log_cannot_be_changed_unseen(database: Database) {
    let app = start(&database, keys(&[("k1", 1)])).await;
    let (site, now) = tell(&app).await;
    let events = told(&app.store).await;
    let set = async |at: usize, sealed: Option<String>| {
        let event = events[at].clone();
        let set = app.store.write(async move |tx| {
            let row = event::ActiveModel { sealed: Set(sealed.clone()), ..Default::default() };
            let rows = event::Entity::update_many().set(row);
            let rows = rows.filter(event::COLUMN.organization_id.eq(event.organization_id));
            rows.filter(event::COLUMN.id.eq(event.id)).exec(tx).await?;
            Ok(())
        });
        set.await.unwrap();
    };
    // The same words under two digests: nobody can tell that they are the same, nor try others.
    let digests: Vec<_> =
        events.iter().map(|it| it.data.as_ref().unwrap()["sealed"].clone()).collect();
    assert!(digests[0] != digests[1] && digests[0] != digests[2]);
    set(0, events[1].sealed.clone()).await;
    let (found, _) = faults(&app.store).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("what is sealed at position"), "{found:?}");
    set(0, events[0].sealed.clone()).await;
    assert_eq!(faults(&app.store).await, (vec![], 0));
    // What is sealed can be erased, and the chain holds.
    set(1, None).await;
    assert_eq!(faults(&app.store).await, (vec![], 0));
    let history = site.ada.all(&format!("{}/history", at(&site.incidents, &now)), "").await;
    let narratives: Vec<_> = history.iter().map(|it| it["data"].get("narrative")).collect();
    let known = Some(&now["narrative"]);
    assert_eq!(narratives, [known, None, known]);
    assert!(history[1]["data"].get("sealed").is_none());
    app.stop().await;
}

#[each_lasting_database]
async fn a_change_meanwhile_is_not_lost(database: Database) {
    let app = start(&database, keys(&[("old", 1)])).await;
    let site = Site::of(&app).await;
    let mut made = Vec::new();
    for _ in 0..20 {
        made.push(site.ada.make(&site.incidents, site.report()).await);
    }
    app.stop().await;
    let app = start(&database, keys(&[("new", 2), ("old", 1)])).await;
    let ada = site.ada.at(&app.base);
    let writes = async {
        for round in 1..=3 {
            for row in &made {
                let patch = json!({ "version": round, "narrative": format!("round {round}") });
                ada.patch(&at(&site.incidents, row), patch).await.expect(200);
            }
        }
    };
    let rotates = async {
        let mut values = 0;
        for _ in 0..10 {
            values += rotate(&app.store, |_| {}).await.unwrap().values;
        }
        values
    };
    let ((), values) = futures_util::future::join(writes, rotates).await;
    assert!(values > 0);
    for row in &made {
        let now = ada.read(&at(&site.incidents, row)).await;
        assert_eq!((&now["narrative"], &now["version"]), (&json!("round 3"), &json!(4)));
        assert_eq!(now["treatment"], row["treatment"]);
    }
    let usage = rotate(&app.store, |_| {}).await.unwrap().usage;
    assert_eq!(usage.other_than("new").count(), 0);
    app.stop().await;
}
