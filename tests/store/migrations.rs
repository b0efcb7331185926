//! Every change of the schema has a way back, and the way forth again leads to the same schema.

use service::store::Options;
use tests::{Database, each_database, schema};

/// Migrations that change rows and not the schema. What they do has tests of its own (`platform::upgrade`).
const ROWS_ALONE: &[&str] =
    &["rename_changed_events", "compare_texts_in_nfc", "count_attachments_of_documents"];

#[each_database]
async fn every_migration_goes_down_and_up_again(database: Database) {
    let store = database.store(Options::default()).await;
    let migrations = store.migrations().await.unwrap();
    assert!(migrations.iter().all(|(_, applied)| *applied), "{migrations:?}");
    let full = schema::parts(&store).await;
    let mut before = full.clone();
    for steps in 1..=u32::try_from(migrations.len()).unwrap() {
        store.migrate_down(steps).await.unwrap();
        let below = schema::parts(&store).await;
        let (name, _) = &migrations[migrations.len() - usize::try_from(steps).unwrap()];
        let rows_alone = ROWS_ALONE.iter().any(|it| name.ends_with(it));
        assert_eq!(below == before, rows_alone, "{name} down");
        let applied = store.migrations().await.unwrap().into_iter().filter(|(_, done)| *done);
        assert_eq!(applied.count(), migrations.len() - usize::try_from(steps).unwrap());
        store.migrate().await.unwrap();
        assert_eq!(schema::parts(&store).await, full, "after {steps} steps down and up");
        before = below;
    }
    assert!(before.is_empty(), "the first migration leaves nothing behind: {before:?}");
    store.close().await.unwrap();
}

#[each_database]
async fn migrating_twice_changes_nothing(database: Database) {
    let store = database.store(Options::default()).await;
    let once = (schema::parts(&store).await, store.migrations().await.unwrap());
    store.migrate().await.unwrap();
    assert_eq!((schema::parts(&store).await, store.migrations().await.unwrap()), once);
    store.close().await.unwrap();
}
