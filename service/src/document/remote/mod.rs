//! Where the documents of an installation are kept, as its configuration says: in its own database, or in an engine
//! that stands for [`Remote`].

mod copy;
mod url;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use futures_util::future::BoxFuture;
use serde::Deserialize;
use uuid::Uuid;

pub use copy::{CollectionReport, CopyError, Report, Side, copy};
pub use url::{InvalidUrl, Location};

use super::{
    document::Document,
    engine::{CollectionId, Engine, Outcome, Stored},
};
use crate::{
    error::{Error, Result},
    event,
    identity::access,
    store::{Kept, Part, Remote, Store},
};

/// How many documents are asked for at once.
const PARTS_AT_ONCE: usize = 100;
/// After how many bytes of bodies a reading ends.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Documents in an engine.
pub struct Documents(Arc<dyn Engine>);

impl Documents {
    /// Those of an engine.
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self(engine)
    }

    /// Some documents of one collection.
    async fn some(&self, store: &Store, parts: &[&Part]) -> Result<Vec<(Uuid, Kept)>> {
        let Some(first) = parts.first() else { return Ok(Vec::new()) };
        let keys: Vec<&str> = parts.iter().map(|part| &*part.key).collect();
        let some = self.0.get_some(collection(first), &keys).await?;
        let mut some: HashMap<String, Stored> =
            some.into_iter().map(|stored| (stored.key.clone(), stored)).collect();
        let mut found = Vec::with_capacity(parts.len());
        for part in parts {
            let stored = some.remove(&part.key);
            found.push((part.id, self.or_else(store, part, stored).await?));
        }
        Ok(found)
    }

    /// What was read, unless it is missing or too old: then what else there is.
    async fn or_else(&self, store: &Store, part: &Part, read: Option<Stored>) -> Result<Kept> {
        if let Some(stored) = read.filter(|stored| stored.version >= part.version) {
            return Ok(kept(stored));
        }
        // It may be deleted.
        let stored = self.0.get(collection(part), &part.key).await?;
        match stored.filter(|stored| stored.version >= part.version) {
            Some(stored) => Ok(kept(stored)),
            None => of_log(store, part).await,
        }
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Documents").field(&self.0).finish()
    }
}

fn collection(part: &Part) -> CollectionId {
    CollectionId { organization_id: part.organization_id, collection_id: part.collection_id }
}

fn kept(stored: Stored) -> Kept {
    let Stored { key: _, version, body, created_at, updated_at, write_id } = stored;
    Kept { version, text: body, created_at, updated_at, write_id }
}

impl Remote for Documents {
    fn read<'a>(
        &'a self,
        store: &'a Store,
        parts: &'a [Part],
    ) -> BoxFuture<'a, Result<Vec<(Uuid, Kept)>>> {
        Box::pin(async move {
            let mut by_collection: BTreeMap<CollectionId, Vec<&Part>> = BTreeMap::new();
            for part in parts {
                by_collection.entry(collection(part)).or_default().push(part);
            }
            let (mut found, mut bytes) = (Vec::with_capacity(parts.len()), 0);
            for some in by_collection.values().flat_map(|parts| parts.chunks(PARTS_AT_ONCE)) {
                for (id, kept) in self.some(store, some).await? {
                    bytes += kept.text.as_ref().map_or(0, String::len);
                    found.push((id, kept));
                }
                if bytes > MAX_BYTES {
                    break;
                }
            }
            Ok(found)
        })
    }

    fn write<'a>(&'a self, part: &'a Part, kept: &'a Kept) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let Kept { version, text, created_at, updated_at, write_id } = kept.clone();
            let key = part.key.clone();
            let stored = Stored { key, version, body: text, created_at, updated_at, write_id };
            let outcome = self.0.restore(collection(part), &stored).await?;
            Ok(matches!(outcome, Outcome::Written(_)))
        })
    }
}

/// What the log has of a version.
#[derive(Deserialize)]
struct Logged {
    created_at: chrono::DateTime<chrono::Utc>,
    updated_at: chrono::DateTime<chrono::Utc>,
}

/// What an engine has lost, as the log has it: memory loses all that it has when its process ends.
async fn of_log(store: &Store, part: &Part) -> Result<Kept> {
    let lost = || Error::NotConfigured {
        code: "document_lost",
        detail: "the document store no longer has a document that it was given".into(),
    };
    metrics::counter!("steward_document_recoveries_total").increment(1);
    let actor = access::operator(store, part.organization_id, None).await?;
    let (id, version) = (part.id, part.version);
    let data = store
        .snapshot(async move |tx| event::of_version::<Document>(tx, &actor, id, version).await);
    let mut data = data.await?.ok_or_else(lost)?;
    let body = data.shift_remove("body").ok_or_else(lost)?;
    let Logged { created_at, updated_at } =
        serde_json::from_value(data.into()).map_err(|_| lost())?;
    let text = Some(body.to_string());
    Ok(Kept { version, text, created_at, updated_at, write_id: Uuid::nil() })
}
