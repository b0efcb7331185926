//! A duplicate that a request causes says which property is taken.

use service::store::{DUPLICATE_POINTERS, Options};
use tests::{Database, each_database, schema};

/// The unique indexes that no request violates, with the reason.
const NEVER_VIOLATED: &[(&str, &str)] = &[
    ("unq-account-purpose-currency", "steward opens these accounts, and retries if there is one"),
    ("unq-api_key-token_hash", "the token is random"),
    ("unq-event-position", "the sequencer assigns it"),
    ("unq-expense-import_key", "an import skips the rows whose key is there"),
    ("unq-expense_item-expense_id-position", "it is the place in the list"),
    ("unq-incident-case_number", "it is the next number, under a lock of the organization"),
    ("unq-invitation-token_hash", "the token is random"),
    ("unq-journal_entry-reverses_id", "an entry that is reversed is not reversed again"),
    ("unq-parked_event-consumer-event_id", "a consumer passes an event that it parks"),
    ("unq-session-token_hash", "the token is random"),
    ("unq-stored_object-sha256", "an upload of the same content refers to it"),
    ("unq-task-previous_task_id", "a task that is closed is not closed again"),
    ("unq-transfer-entry_id-position", "it is the place in the list"),
];

#[each_database]
async fn a_unique_index_has_a_pointer_or_is_never_violated(database: Database) {
    let store = database.store(Options::default()).await;
    let indexes = schema::unique_indexes(&store).await;
    assert!(indexes.len() > NEVER_VIOLATED.len(), "{indexes:?}");
    for (index, columns) in &indexes {
        let column = columns.last().unwrap();
        let named = index.rsplit('-').next().unwrap();
        assert_eq!(
            named, column,
            "{index} must end with its last column: PostgreSQL tells no other"
        );
        let has_pointer = DUPLICATE_POINTERS.iter().any(|(known, _)| known == column);
        let is_never_violated = NEVER_VIOLATED.iter().any(|(known, _)| known == index);
        assert!(
            has_pointer != is_never_violated,
            "{index}: say the property of {column} in `DUPLICATE_POINTERS`, or the index in `NEVER_VIOLATED`"
        );
    }
    for (column, _) in DUPLICATE_POINTERS.iter().filter(|(column, _)| *column != "id") {
        let mut last = indexes.values().filter_map(|columns| columns.last());
        assert!(last.any(|known| known == column), "no unique index ends with {column}");
    }
    for (index, _) in NEVER_VIOLATED {
        assert!(indexes.contains_key(*index), "there is no index {index}");
    }
    store.close().await.unwrap();
}
