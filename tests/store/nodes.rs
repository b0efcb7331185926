use futures_util::future::join_all;
use service::{Store, catalogue::CATALOGUE, store::Options};
use tests::{Database, on_postgresql};

/// A SQLite file belongs to one node, so this is about PostgreSQL.
#[on_postgresql]
async fn nodes_that_start_at_once_migrate_once(database: Database) {
    let empty = database.store(Options::default()).await;
    let all = empty.migrations().await.unwrap().len();
    empty.migrate_down(u32::try_from(all).unwrap()).await.unwrap();

    let nodes = join_all((0..4).map(|_| {
        let one_connection = Options { max_connections: 1, ..Options::default() };
        Store::connect(&database.url, one_connection, &CATALOGUE)
    }));
    let nodes: Vec<Store> = nodes.await.into_iter().collect::<Result<_, _>>().unwrap();
    for migrated in join_all(nodes.iter().map(Store::migrate)).await {
        migrated.unwrap();
    }

    let migrations = empty.migrations().await.unwrap();
    assert_eq!(migrations.len(), all);
    assert!(migrations.iter().all(|(_, applied)| *applied));
    for store in nodes.into_iter().chain([empty]) {
        store.close().await.unwrap();
    }
}
