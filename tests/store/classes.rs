//! Every column says how sensitive it is.

use std::collections::{BTreeMap, BTreeSet};

use entity::VERSIONED_TABLES;
use migration::CLASSES;
use service::store::Options;
use tests::{Database, each_database, schema};

#[each_database]
async fn every_column_has_a_class_and_every_class_a_column(database: Database) {
    let classified: BTreeMap<String, BTreeSet<String>> = CLASSES
        .iter()
        .map(|table| {
            let columns = [table.public, table.personal, table.secret].concat();
            (table.table.to_owned(), columns.into_iter().map(str::to_owned).collect())
        })
        .collect();
    let store = database.store(Options::default()).await;
    assert_eq!(schema::columns(&store).await, classified);
    store.close().await.unwrap();
}

#[test]
fn no_column_has_two_classes_and_no_table_two_rows() {
    let mut tables = BTreeSet::new();
    for table in CLASSES {
        assert!(tables.insert(table.table), "{} stands there twice", table.table);
        let mut columns = BTreeSet::new();
        for column in [table.public, table.personal, table.secret].concat() {
            assert!(columns.insert(column), "{}.{column} has two classes", table.table);
        }
    }
}

#[each_database]
async fn a_table_is_versioned_if_it_has_a_version(database: Database) {
    let store = database.store(Options::default()).await;
    let columns = schema::columns(&store).await.into_iter();
    let with_version = columns.filter(|(_, columns)| columns.contains("version"));
    let with_version: BTreeSet<String> = with_version.map(|(table, _)| table).collect();
    let versioned: BTreeSet<_> = VERSIONED_TABLES.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(with_version, versioned);
    store.close().await.unwrap();
}

/// What is called a hash is one, and what a name or an address is in is about a person.
#[test]
fn hashes_are_secret_and_texts_of_people_are_personal() {
    for table in CLASSES {
        for column in table.public.iter().chain(table.personal) {
            assert!(!column.contains("hash"), "{}.{column} is secret", table.table);
        }
        let told = ["name", "email", "note", "amount_minor", "merchant", "search_key"];
        for column in table.public {
            assert!(!told.contains(column), "{}.{column} is personal", table.table);
        }
    }
}
