//! Builds indexes that were declared for documents that are there, and removes the values of those that are no longer
//! declared: some in each transaction, so that nobody waits however many they are. Any node may do it.

use entity::{document, document_index};
use sea_orm::EntityTrait;
use uuid::Uuid;

use super::{Entry, State, entries, repository};
use crate::{
    error::Result,
    fault,
    store::{Store, Tx, children, stored},
};

/// How many documents one transaction indexes; fewer where they are large, or have many values.
const SLICE: u64 = 200;
/// How many documents are read at once, of at most a mebibyte each.
const ROWS_PER_QUERY: u64 = 20;
/// After how many bytes of bodies a transaction ends.
const MAX_BYTES: usize = 4 << 20;
/// After how many values.
const MAX_VALUES: usize = 2_000;
/// How many values one transaction removes.
const DROPPED: u64 = 1_000;

/// What a transaction has done.
struct Done {
    /// How much.
    count: u64,
    /// Which step of the work it was.
    step: &'static str,
}

/// Does some of it, and says how much; zero if there is nothing to do.
pub(crate) async fn run_once(store: &Store) -> Result<u64> {
    let Some(index) = repository::next(store.read()).await? else { return Ok(0) };
    fault::point(format_args!("index.begun"));
    let done = store.write(async move |tx| slice(tx, index).await).await?;
    fault::point(format_args!("index.{}.noted", done.step));
    Ok(done.count + 1)
}

async fn slice(tx: &Tx, index: (Uuid, Uuid)) -> Result<Done> {
    let index = document_index::Entity::find_by_id(index).one(tx).await?;
    let nothing = Done { count: 0, step: "nothing" };
    let Some(index) = index else { return Ok(nothing) };
    let done = match stored::word(document_index::Column::State, index.id, &index.state)? {
        State::Building => build(tx, &index).await?,
        // Another node was faster.
        State::Ready => nothing,
        State::Dropping => clear(tx, &index).await?,
    };
    fault::point(format_args!("index.{}.inside", done.step));
    Ok(done)
}

async fn clear(tx: &Tx, index: &document_index::Model) -> Result<Done> {
    let count = repository::drop_values(tx, index, DROPPED).await?;
    if count == DROPPED {
        return Ok(Done { count, step: "dropping" });
    }
    repository::delete_index(tx, index).await?;
    Ok(Done { count, step: "dropped" })
}

async fn build(tx: &Tx, index: &document_index::Model) -> Result<Done> {
    let (mut count, mut bytes, mut values) = (0, 0, 0);
    let mut built_to = index.built_to.clone();
    loop {
        let after = built_to.as_deref();
        let documents = repository::next_documents(tx, index, after, ROWS_PER_QUERY).await?;
        count += documents.len() as u64;
        bytes += documents.iter().map(|document| document.body.len()).sum::<usize>();
        values += write(tx, index, &documents).await?;
        if (documents.len() as u64) < ROWS_PER_QUERY {
            repository::set_built(tx, index, None).await?;
            return Ok(Done { count, step: "built" });
        }
        built_to = documents.into_iter().next_back().map(|last| last.key);
        if count >= SLICE || bytes >= MAX_BYTES || values >= MAX_VALUES {
            repository::set_built(tx, index, built_to.as_deref()).await?;
            return Ok(Done { count, step: "building" });
        }
    }
}

/// Writes what an index has of documents, and says how many values.
async fn write(
    tx: &Tx,
    index: &document_index::Model,
    documents: &[document::Model],
) -> Result<usize> {
    if documents.is_empty() {
        return Ok(0);
    }
    // Those that were written meanwhile are in it.
    repository::delete_values(tx, index, documents).await?;
    let mut rows = Vec::new();
    for document in documents {
        let body = stored::exact_object(document::Column::Body, document.id, &document.body)?;
        let entry = Entry { id: document.id, key: &document.key, body: &body };
        let points = entries(&index.pointer, &body);
        rows.extend(repository::rows((index.organization_id, index.id), entry, points));
    }
    let count = rows.len();
    children::insert(tx, rows).await?;
    Ok(count)
}
