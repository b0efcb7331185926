//! A database that an earlier release has left is migrated, and answers as it did. `tests/fixtures` has one of each
//! release and engine; RELEASING.md says how they are made.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use api::config::Settings;
use reqwest::Method;
use serde_json::{Value, json};
use service::{
    Store,
    catalogue::CATALOGUE,
    clock::Clock,
    event,
    meter::reading,
    money::{expense::spending, journal_entry},
    store::{Engine, Options},
};
use tests::{
    Answer, App, AppOptions, Database, PASSWORD, Route, Sample, at, each_lasting_database, keyring,
};

const OWNER: &str = "ada@example.org";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The clock stands, so that what depends on the time is answered alike.
fn options() -> Options {
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    Options { clock: Clock::by_hand(now, Arc::default()), keyring: keyring(), ..Options::default() }
}

/// The files of a release: the statements that make its database, and what it answered.
fn files(release: &Path, engine: Engine) -> [PathBuf; 2] {
    ["sql", "json"].map(|extension| release.join(engine.as_str()).with_extension(extension))
}

/// The body as JSON; a text as a string.
fn body(answer: Answer) -> Value {
    if answer.json.is_null() { json!(answer.text) } else { answer.json }
}

/// What the owner of a sample reads of the organization.
async fn answers(sample: &Sample) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    for route in Route::of_organization() {
        if route.method == Method::GET && !route.streams() {
            let request = sample.request(&route);
            let path = request.path().to_owned();
            let answer = request.send(&sample.owner).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            answers.insert(path, body(answer));
        }
    }
    answers
}

/// What a later release calls by another word: where it stands, the word before and the word since.
const RENAMED: &[(&str, &str, &str)] = &[(" pace status", "on_track", "under_pace")];

/// Whether something is the same by another word.
fn is_renamed(at: &str, before: &Value, now: &Value) -> bool {
    let same =
        |(place, was, is): &(&str, &str, &str)| at.ends_with(place) && before == was && now == is;
    RENAMED.iter().any(same)
}

/// What was answered is answered still; a later release may say more.
fn assert_kept(at: &str, before: &Value, now: &Value) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (name, value) in before {
                let now = now.get(name).unwrap_or(&Value::Null);
                assert_kept(&format!("{at} {name}"), value, now);
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (index, (before, now)) in before.iter().zip(now).enumerate() {
                assert_kept(&format!("{at} {index}"), before, now);
            }
        }
        _ if is_renamed(at, before, now) => {}
        _ => assert_eq!(now, before, "{at}"),
    }
}

async fn verify(store: &Store) {
    let logs = event::verify::verify(store).await.unwrap().into_iter().map(|it| it.faults);
    let ledgers = journal_entry::verify::verify(store).await.unwrap().into_iter();
    let spending = spending::verify::verify(store).await.unwrap().into_iter();
    let meters = reading::verify::verify(store).await.unwrap().into_iter();
    let logs = logs.chain(meters.map(|it| it.faults));
    let faults = logs.chain(ledgers.map(|it| it.faults)).chain(spending.map(|it| it.faults));
    assert_eq!(faults.flatten().collect::<Vec<String>>(), Vec::<String>::new());
}

#[each_lasting_database]
async fn a_database_of_every_release_is_migrated_and_answers_as_it_did(database: Database) {
    let releases = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let releases: Vec<PathBuf> = releases.filter(|path| path.is_dir()).collect();
    assert!(!releases.is_empty(), "no database of a release to migrate");
    for release in releases {
        eprintln!("{}", release.display());
        let [sql, json] = files(&release, database.engine);
        database.restore(&fs::read_to_string(sql).unwrap()).await;
        let store = Store::connect(&database.url, options(), &CATALOGUE).await.unwrap();
        store.migrate().await.unwrap();
        verify(&store).await;
        let app = App::over(store, Settings::default());
        let session = app.anonymous().log_in(OWNER, PASSWORD).await.expect(201);
        let owner = app.anonymous().with_token(session["token"].as_str().unwrap());
        let before: BTreeMap<String, Value> =
            serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
        assert!(!before.is_empty());
        for (path, before) in before {
            let answer = owner.get(&path).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            assert_kept(&path, &before, &body(answer));
        }
        let organization = at("/v1/organizations", &owner.all("/v1/organizations", "").await[0]);
        owner.make(&format!("{organization}/categories"), json!({ "name": "Since" })).await;
        app.run_until_idle().await;
        verify(&app.store).await;
        app.stop().await;
    }
}

/// `just fixture RELEASE`: writes the database of a sample, and what is answered of it.
#[each_lasting_database]
async fn the_fixture_of_this_release_is_written(database: Database) {
    let Some(release) = env::var_os("WRITE_FIXTURE") else {
        eprintln!("skipped: WRITE_FIXTURE is not set");
        return;
    };
    let options = AppOptions { store: options(), ..AppOptions::default() };
    let app = App::start_with(&database, options).await;
    let sample = Sample::of(&app.anonymous().sign_up_as("Ada", OWNER).await).await;
    app.run_until_idle().await;
    let answers = serde_json::to_string_pretty(&answers(&sample).await).unwrap();
    app.stop().await;
    let release = fixtures().join(release);
    fs::create_dir_all(&release).unwrap();
    let [sql, json] = files(&release, database.engine);
    fs::write(sql, database.dump().await).unwrap();
    fs::write(json, answers + "\n").unwrap();
}
