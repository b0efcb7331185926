//! What is removed with an organization.

use std::collections::BTreeSet;

use service::{purge::table_names, store::Options};
use tests::{Database, each_database, schema};

#[each_database]
async fn every_table_of_organizations_is_purged_and_after_those_that_refer_to_it(
    database: Database,
) {
    let store = database.store(Options::default()).await;
    let columns = schema::columns(&store).await.into_iter();
    let owned = columns.filter(|(_, columns)| columns.contains("organization_id"));
    let owned: BTreeSet<String> = owned.map(|(table, _)| table).collect();
    let names = table_names();
    let purged: BTreeSet<String> = names.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(purged, owned);
    let place = |table: &str| names.iter().position(|name| *name == table);
    let references = schema::references(&store).await;
    assert!(references.len() > names.len() / 2, "{references:?}");
    for (from, to) in references {
        if let (Some(from_place), Some(to_place)) = (place(&from), place(&to)) {
            assert!(from_place <= to_place, "{from} refers to {to}, and goes after it");
        }
    }
    store.close().await.unwrap();
}
