//! Savepoints: what fails in one leaves nothing, and the transaction goes on.

use entity::event;
use sea_orm::{EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use service::{
    Actor, Error, Store,
    error::Result,
    identity::access,
    input::{Create, FromBody},
    money::{category::Category, expense::Expense},
    resource::Writable,
    store::Tx,
};
use tests::{App, Client, Database, each_lasting_database};
use uuid::Uuid;

pub(crate) async fn add(tx: &Tx, actor: &Actor, name: &str) -> Result<Category> {
    Category::create(tx, actor, &Create::from_body(json!({ "name": name }))?).await
}

/// An expense of a category that is not there: PostgreSQL then refuses whatever comes next in the
/// transaction, up to the savepoint.
async fn add_to_nothing(tx: &Tx, actor: &Actor) -> Result<Expense> {
    let new = json!({ "spent_on": "2026-11-01", "amount_minor": 5, "category_id": Uuid::nil() });
    Expense::create(tx, actor, &Create::from_body(new)?).await
}

pub(crate) fn refused() -> Error {
    Error::state("refused", "by this test")
}

/// The owner of a new organization.
pub(crate) async fn owner(app: &App) -> (Client, String, Actor) {
    let (ada, home) = app.owner_of("household").await;
    let id = home.rsplit('/').next().and_then(|id| Uuid::try_parse(id).ok());
    let id = id.expect("an organization's path ends with its id");
    let own = ada.member_in(&home).await;
    let own = Uuid::try_parse(tests::id(&own)).expect("an id");
    let mut actor = access::operator(&app.store, id, None).await.expect("an actor");
    actor.member_id = Some(own);
    (ada, home, actor)
}

pub(crate) async fn names(ada: &Client, home: &str) -> Vec<Value> {
    let categories = ada.all(&format!("{home}/categories"), "?limit=500").await;
    categories.into_iter().map(|category| category["name"].clone()).collect()
}

/// The names of the categories whose events are in the log, in the order of their transaction.
pub(crate) async fn logged(store: &Store, actor: &Actor) -> Vec<Value> {
    let events = event::Entity::find()
        .filter(event::COLUMN.organization_id.eq(actor.organization_id))
        .filter(event::COLUMN.kind.is_not_in(["organization.created", "member.created"]));
    let events = events.order_by_asc(event::Column::Ordinal).all(store.read()).await;
    let events = events.expect("the log can be read").into_iter();
    events.map(|event| event.data.expect("data")["name"].clone()).collect()
}

#[each_lasting_database]
async fn what_fails_in_an_attempt_leaves_nothing_and_the_transaction_goes_on(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, actor) = owner(&app).await;
    let work = {
        let actor = actor.clone();
        app.store.write(async move |tx| {
            add(tx, &actor, "before").await?;
            let made = tx.savepoint(async |tx| add(tx, &actor, "kept").await).await?;
            assert_eq!(made.expect("it is made").name, "kept");
            let failed = tx
                .savepoint(async |tx| {
                    add(tx, &actor, "lost").await?;
                    Err::<(), _>(refused())
                })
                .await?;
            assert!(matches!(failed, Err(Error::State { code: "refused", .. })));
            let failed = tx.savepoint(async |tx| add_to_nothing(tx, &actor).await).await?;
            assert!(matches!(failed, Err(Error::Reference)), "{failed:?}");
            let failed = tx.savepoint(async |tx| add(tx, &actor, "KEPT").await).await?;
            assert!(matches!(failed, Err(Error::Duplicate { .. })), "{failed:?}");
            add(tx, &actor, "after").await?;
            Ok(())
        })
    };
    work.await.expect("the transaction goes on");
    assert_eq!(names(&ada, &home).await, ["after", "before", "kept"]);
    assert_eq!(logged(&app.store, &actor).await, ["before", "kept", "after"]);
    app.stop().await;
}

/// More events than are kept before they are written.
#[each_lasting_database]
async fn events_that_an_attempt_has_written_already_go_too(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, actor) = owner(&app).await;
    let work = {
        let actor = actor.clone();
        app.store.write(async move |tx| {
            add(tx, &actor, "before").await?;
            let failed = tx
                .savepoint(async |tx| {
                    for number in 0..250 {
                        add(tx, &actor, &format!("lost {number}")).await?;
                    }
                    let events = event::Entity::find()
                        .filter(event::COLUMN.entity.eq("category"))
                        .filter(event::COLUMN.organization_id.eq(actor.organization_id));
                    assert_eq!(events.all(tx).await?.len(), 251, "who reads the log finds them");
                    Err::<(), _>(refused())
                })
                .await?;
            assert!(failed.is_err());
            add(tx, &actor, "kept").await?;
            Ok(())
        })
    };
    work.await.expect("the transaction goes on");
    assert_eq!(names(&ada, &home).await, ["before", "kept"]);
    assert_eq!(logged(&app.store, &actor).await, ["before", "kept"]);
    app.stop().await;
}

#[each_lasting_database]
async fn an_attempt_within_an_attempt_ends_with_it(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, actor) = owner(&app).await;
    let work = {
        let actor = actor.clone();
        app.store.write(async move |tx| {
            let failed = tx
                .savepoint(async |tx| {
                    let inner = tx.savepoint(async |tx| add(tx, &actor, "lost").await).await?;
                    assert!(inner.is_ok());
                    Err::<(), _>(refused())
                })
                .await?;
            assert!(failed.is_err());
            let made = tx
                .savepoint(async |tx| {
                    add(tx, &actor, "kept").await?;
                    let inner = tx.savepoint(async |tx| add_to_nothing(tx, &actor).await).await?;
                    assert!(inner.is_err());
                    add(tx, &actor, "kept too").await
                })
                .await?;
            assert!(made.is_ok());
            Ok(())
        })
    };
    work.await.expect("the transaction goes on");
    assert_eq!(names(&ada, &home).await, ["kept", "kept too"]);
    assert_eq!(logged(&app.store, &actor).await, ["kept", "kept too"]);
    app.stop().await;
}

/// A database that is away fails everything: nobody is told that one part of it was refused.
#[each_lasting_database]
async fn what_loses_the_transaction_ends_the_whole(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, actor) = owner(&app).await;
    let work = {
        let actor = actor.clone();
        app.store.write(async move |tx| {
            add(tx, &actor, "before").await?;
            let away = async |_: &Tx| Err::<(), _>(Error::Unavailable("away".into()));
            let attempt = tx.savepoint(away).await?;
            panic!("the transaction goes on: {attempt:?}");
        })
    };
    let ended: Result<()> = work.await;
    assert!(matches!(ended, Err(Error::Unavailable(_))), "{ended:?}");
    assert!(names(&ada, &home).await.is_empty());
    assert!(logged(&app.store, &actor).await.is_empty());
    app.stop().await;
}

/// PostgreSQL answers the COMMIT of a transaction that has failed with ROLLBACK, and with no error.
#[each_lasting_database]
async fn a_failed_statement_that_nobody_hears_of_is_never_committed(database: Database) {
    let app = App::start(&database).await;
    let (ada, home, actor) = owner(&app).await;
    let work = {
        let actor = actor.clone();
        app.store.write(async move |tx| {
            add(tx, &actor, "before").await?;
            let swallowed = add_to_nothing(tx, &actor).await;
            assert!(matches!(swallowed, Err(Error::Reference)), "{swallowed:?}");
            Ok(())
        })
    };
    let ended: Result<()> = work.await;
    assert!(matches!(ended, Err(Error::Internal(_))), "{ended:?}");
    assert!(names(&ada, &home).await.is_empty());
    let actor = actor.clone();
    let work = app.store.write(async move |tx| {
        let _ = add_to_nothing(tx, &actor).await;
        add(tx, &actor, "after").await.map(drop)
    });
    let ended: Result<()> = work.await;
    assert!(matches!(ended, Err(Error::Internal(_))), "{ended:?}");
    assert!(names(&ada, &home).await.is_empty());
    app.stop().await;
}
