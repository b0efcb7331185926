//! Compiled schemas, by the hash of what is written: compiling takes as long as many checks.

use std::sync::{Arc, LazyLock};

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use super::Schema;
use crate::error::{Error, Result};

/// How large the schemas that are kept may be in all, by [`weight`].
const MAX_WEIGHT: u64 = 64 << 20;
/// How many times the bytes that are written the compiled schema takes, about.
const BYTES_PER_BYTE: usize = 16;
/// What a compiled pattern takes, about.
const BYTES_PER_PATTERN: usize = 16 << 10;

/// A schema, and how many bytes are written of it.
type Entry = (usize, Arc<Schema>);

/// What a text compiles to depends on nothing else, so that it may be shared by all.
static COMPILED: LazyLock<Cache<[u8; 32], Entry>> = LazyLock::new(|| {
    let weigher = |_: &[u8; 32], (bytes, schema): &Entry| weight(*bytes, schema);
    Cache::builder().max_capacity(MAX_WEIGHT).weigher(weigher).build()
});

fn weight(bytes: usize, schema: &Schema) -> u32 {
    let weight = bytes * BYTES_PER_BYTE + schema.outline.patterns * BYTES_PER_PATTERN;
    u32::try_from(weight).unwrap_or(u32::MAX)
}

/// The schema that a collection has, as it is written.
///
/// # Errors
/// As [`Schema::compile`], and [`Error::Internal`] where it is no JSON.
pub fn compiled(text: &str) -> Result<Arc<Schema>> {
    let key = Sha256::digest(text).into();
    if let Some((_, schema)) = COMPILED.get(&key) {
        return Ok(schema);
    }
    let value = serde_json::from_str(text)
        .map_err(|error| Error::Internal(format!("a schema is no JSON: {error}")))?;
    let schema = Arc::new(Schema::compile(&value)?);
    COMPILED.insert(key, (text.len(), schema.clone()));
    Ok(schema)
}
