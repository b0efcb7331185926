//! The same `Idempotency-Key` many times at once: one effect, and one answer for all.

use std::time::Duration;

use entity::event;
use futures_util::future::join_all;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use service::store::{Engine, Options};
use tests::{Answer, App, Client, Database, each_lasting_database};

const KEYS: usize = 200;
/// How often each key is sent at once.
const TIMES: usize = 50;
/// How many keys are under way at once.
const ABREAST: usize = 4;

fn category(number: usize) -> Value {
    json!({ "name": format!("Category {number}") })
}

/// Sends until there is an answer, as a good client does. Gives also how often it had to wait.
async fn send(client: Client, path: String, new: Value, seed: u64) -> (Answer, u32) {
    let mut waited = 0;
    loop {
        let answer = client.post(&path, new.clone()).await;
        if answer.json["code"] != "idempotency_in_progress" {
            return (answer, waited);
        }
        assert_eq!(answer.headers["retry-after"], "1");
        answer.expect_problem(409, "idempotency_in_progress");
        waited += 1;
        // Longer than a write takes, each for another time.
        tokio::time::sleep(Duration::from_millis(20 + seed % TIMES as u64)).await;
    }
}

/// Sends one key many times at once, to one node or to several in turn. Gives how often somebody had
/// to wait.
async fn one_effect(nodes: Vec<Client>, path: String, number: usize) -> u32 {
    let sent = (0..TIMES).map(|time| {
        let client = nodes[time % nodes.len()].keyed(&format!("key-{number}"));
        tokio::spawn(send(client, path.clone(), category(number), time as u64))
    });
    let answers: Vec<_> = join_all(sent).await.into_iter().map(|it| it.expect("sent")).collect();
    let (first, _) = &answers[0];
    for (answer, _) in &answers {
        assert_eq!((answer.status.as_u16(), &answer.text), (201, &first.text));
        assert_eq!(answer.headers["location"], first.headers["location"]);
        assert_eq!(answer.headers["etag"], first.headers["etag"]);
    }
    let done = answers.iter().filter(|(answer, _)| !answer.is_replayed()).count();
    assert_eq!(done, 1, "{}", first.text);
    answers.iter().map(|(_, waited)| waited).sum()
}

/// Sends every key, some at once, and looks at what it came to.
async fn each_has_one_effect(app: &App, nodes: &[Client], home: &str, keys: usize) -> u32 {
    let path = format!("{home}/categories");
    let mut waited = 0;
    for wave in (0..keys).collect::<Vec<_>>().chunks(ABREAST) {
        let wave = wave
            .iter()
            .map(|number| tokio::spawn(one_effect(nodes.to_vec(), path.clone(), *number)));
        waited += join_all(wave).await.into_iter().map(|it| it.expect("sent")).sum::<u32>();
    }
    assert_eq!(nodes[0].all(&path, "?limit=500").await.len(), keys);
    let created = event::Entity::find().filter(event::Column::Kind.eq("category.created"));
    let created = created.count(app.store.read()).await.expect("the log can be read");
    assert_eq!(created, keys as u64);
    waited
}

#[each_lasting_database(flavor = "multi_thread")]
async fn fifty_times_at_once_is_once(database: Database) {
    let app = App::start(&database).await;
    let (ada, home) = app.owner_of("household").await;
    let nodes = [ada];
    let all = each_has_one_effect(&app, &nodes, &home, KEYS);
    let waited = tokio::time::timeout(Duration::from_secs(120), all).await.expect("in time");
    assert!(waited > 0, "nobody was in anybody's way: this has tested nothing");
    app.stop().await;
}

/// Each node knows only what it is at itself: the database sees to the rest. On SQLite, whose file
/// belongs to one node, two servers stand over one store.
#[each_lasting_database(flavor = "multi_thread")]
async fn two_nodes_do_it_once(database: Database) {
    let app = App::start(&database).await;
    let store = match database.engine {
        Engine::Sqlite => app.store.clone(),
        Engine::Postgres => {
            let options = Options { keyring: tests::keyring(), ..Options::default() };
            database.store(options).await
        }
    };
    let second = App::over(store, Default::default());
    let (ada, home) = app.owner_of("household").await;
    let nodes = [ada.clone(), ada.at(&second.base)];
    each_has_one_effect(&app, &nodes, &home, 40).await;
    second.stop().await;
    app.stop().await;
}
