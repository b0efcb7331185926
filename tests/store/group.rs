//! Writes of one commit: each stands or falls by itself.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use service::{
    Actor, Error, Store,
    error::Result,
    event::verify::{Findings, verify},
    input::{Create, FromBody},
    money::category::Category,
    resource::Writable,
    store::{Tx, versioned::Expected},
};
use tests::{App, Database, each_lasting_database};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::savepoint::{add, logged, names, owner, refused};

/// Runs writes while another one holds SQLite's writer, so that they share a commit. PostgreSQL runs them beside
/// each other.
async fn at_once<T>(store: &Store, writes: impl IntoIterator<Item: Future<Output = T>>) -> Vec<T> {
    let gate = Arc::new(Semaphore::new(0));
    let holder = {
        let gate = gate.clone();
        store.write(async move |_| {
            let _ = gate.acquire().await.expect("it is open");
            Ok(())
        })
    };
    let release = async { gate.add_permits(1) };
    // Polled in this order.
    let (held, done, ()) = tokio::join!(biased; holder, join_all(writes), release);
    held.expect("nothing was written");
    done
}

/// How a write ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Stands,
    StandsAfterAttempt,
    FailsBefore,
    FailsAfter,
    FailsInStatement,
    RollbackOnly,
}

const WAYS: [Way; 6] = [
    Way::Stands,
    Way::StandsAfterAttempt,
    Way::FailsBefore,
    Way::FailsAfter,
    Way::FailsInStatement,
    Way::RollbackOnly,
];

async fn write(store: &Store, actor: &Actor, way: Way, name: String) -> Result<()> {
    let actor = actor.clone();
    let work = store.write(async move |tx| {
        match &way {
            Way::Stands => {}
            Way::StandsAfterAttempt => {
                let lost = tx.savepoint(async |tx| {
                    add(tx, &actor, &format!("{name} lost")).await?;
                    Err::<(), _>(refused())
                });
                assert!(lost.await?.is_err());
            }
            Way::FailsBefore => return Err(refused()),
            Way::FailsInStatement => drop(add(tx, &actor, "taken").await?),
            Way::FailsAfter => {
                add(tx, &actor, &name).await?;
                return Err(refused());
            }
            Way::RollbackOnly => tx.set_rollback_only(),
        }
        add(tx, &actor, &name).await.map(drop)
    });
    work.await
}

async fn faults(store: &Store) -> Vec<String> {
    let findings = verify(store).await.expect("the log can be verified");
    findings.into_iter().flat_map(|Findings { faults, .. }| faults).collect()
}

#[each_lasting_database]
async fn each_write_of_a_commit_stands_or_falls_by_itself(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, actor) = owner(&app).await;
    let taken = write(&app.store, &actor, Way::Stands, "taken".into()).await;
    taken.expect("it is free");
    let ways: Vec<_> = WAYS.iter().copied().cycle().take(8 * WAYS.len()).enumerate().collect();
    let writes =
        ways.iter().map(|(number, way)| write(&app.store, &actor, *way, format!("{number:02}")));
    let done = at_once(&app.store, writes).await;
    let mut standing = vec![json!("taken")];
    for ((number, way), done) in ways.iter().zip(done) {
        match way {
            Way::Stands | Way::StandsAfterAttempt => {
                done.expect("it stands");
                standing.push(json!(format!("{number:02}")));
            }
            Way::RollbackOnly => done.expect("its result is given"),
            Way::FailsInStatement => {
                assert!(matches!(done, Err(Error::Duplicate { .. })), "{done:?}");
            }
            Way::FailsBefore | Way::FailsAfter => {
                assert!(matches!(done, Err(Error::State { code: "refused", .. })), "{done:?}");
            }
        }
    }
    let mut there = names(&ada, &home).await;
    let mut events = logged(&app.store, &actor).await;
    for names in [&mut standing, &mut there, &mut events] {
        names.sort_unstable_by_key(ToString::to_string);
    }
    assert_eq!(there, standing);
    assert_eq!(events, standing, "each is in the log, and nothing else");
    app.run_until_idle().await;
    assert_eq!(faults(&app.store).await, Vec::<String>::new());
    app.stop().await;
}

async fn make(tx: &Tx, actor: &Actor, id: Uuid, name: &str) -> Result<Category> {
    let body = json!({ "id": id, "name": name });
    Category::create(tx, actor, &Create::from_body(body)?).await
}

/// Makes something of an id, and maybe removes it again.
async fn take(store: &Store, actor: &Actor, id: Uuid, removes: bool) -> Result<()> {
    let actor = actor.clone();
    let work = store.write(async move |tx| {
        let made = make(tx, &actor, id, &format!("{id}")).await?;
        if removes {
            Category::delete(tx, &actor, id, Expected::Version(made.version)).await?;
        }
        Ok(())
    });
    work.await
}

/// What is recorded is written at the end of a commit on SQLite, and found before. On PostgreSQL one
/// transaction may not see that another has made and removed the same.
#[each_lasting_database]
async fn of_those_who_take_an_id_at_once_one_has_it(database: Database) {
    let app = App::start(&database).await;
    let (_, _, actor) = owner(&app).await;
    for number in 1..=20 {
        let id = Uuid::from_u128(number);
        let takes = [true, true, true, false];
        let takes = takes.map(|removes| take(&app.store, &actor, id, removes));
        let (have, refused): (Vec<_>, Vec<_>) =
            at_once(&app.store, takes).await.into_iter().partition(Result::is_ok);
        assert_eq!(have.len(), 1);
        for refused in refused {
            let is_taken = |pointer: &str| pointer == "/id";
            assert!(
                matches!(&refused, Err(Error::Duplicate { pointer }) if is_taken(pointer)),
                "{refused:?}"
            );
        }
    }
    app.run_until_idle().await;
    assert_eq!(faults(&app.store).await, Vec::<String>::new());
    app.stop().await;
}
