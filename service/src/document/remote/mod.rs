//! Where the documents of an installation are kept, as its configuration says: in its own database, or in an engine
//! that stands for [`Remote`].

mod copy;
mod url;

use std::{fmt, sync::Arc};

use futures_util::{StreamExt, future::BoxFuture, stream};
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

/// How many documents are read at once.
const READS_AT_ONCE: usize = 16;
/// After how many bytes of bodies a reading ends.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Documents in an engine.
pub struct Documents(Arc<dyn Engine>);

impl Documents {
    /// Those of an engine.
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self(engine)
    }

    async fn one(&self, store: &Store, part: &Part) -> Result<(Uuid, Kept)> {
        let stored = self.0.get(collection(part), &part.key).await?;
        match stored.filter(|stored| stored.version >= part.version) {
            Some(stored) => Ok((part.id, kept(stored))),
            None => Ok((part.id, of_log(store, part).await?)),
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
            let reads: Vec<_> = parts.iter().map(|part| self.one(store, part)).collect();
            let mut reads = stream::iter(reads).buffered(READS_AT_ONCE);
            let (mut found, mut bytes) = (Vec::with_capacity(parts.len()), 0);
            while let Some(read) = reads.next().await {
                let (id, kept) = read?;
                bytes += kept.text.as_ref().map_or(0, String::len);
                found.push((id, kept));
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
