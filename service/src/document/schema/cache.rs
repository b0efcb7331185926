//! Compiled schemas, by the state of the collection that has them: compiling takes as long as many checks.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Schema;
use crate::error::Result;

/// How large the schemas that are kept may be in all, by [`weight`].
const MAX_WEIGHT: u64 = 64 << 20;
/// How many times the bytes that are written the compiled schema takes, about.
const BYTES_PER_BYTE: usize = 16;
/// What a compiled pattern takes, about.
const BYTES_PER_PATTERN: usize = 16 << 10;

/// A state of a collection, which has one schema, on whichever node it is read. A database that is restored to an
/// earlier time counts versions again, which are written at other times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The collection.
    pub(crate) collection_id: Uuid,
    /// Its version.
    pub(crate) version: i64,
    /// When that was written.
    pub(crate) updated_at: DateTime<Utc>,
}

/// The schema that a collection has in a state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared<'a> {
    /// The state.
    pub(crate) state: State,
    /// What is written.
    pub(crate) schema: &'a Map<String, Value>,
}

/// A schema, and how many bytes are written of it.
type Entry = (usize, Arc<Schema>);

static COMPILED: LazyLock<Cache<State, Entry>> = LazyLock::new(|| {
    let weigher = |_: &State, (bytes, schema): &Entry| weight(*bytes, schema);
    Cache::builder().max_capacity(MAX_WEIGHT).weigher(weigher).build()
});

fn weight(bytes: usize, schema: &Schema) -> u32 {
    let weight = bytes * BYTES_PER_BYTE + schema.outline.patterns * BYTES_PER_PATTERN;
    u32::try_from(weight).unwrap_or(u32::MAX)
}

/// The schema that a collection has, compiled.
///
/// # Errors
/// As [`Schema::compile`].
pub(super) fn compiled(declared: Declared<'_>) -> Result<Arc<Schema>> {
    if let Some((_, schema)) = COMPILED.get(&declared.state) {
        return Ok(schema);
    }
    let value = Value::Object(declared.schema.clone());
    let schema = Arc::new(Schema::compile(&value)?);
    COMPILED.insert(declared.state, (value.to_string().len(), schema.clone()));
    Ok(schema)
}
