//! Several entries at once, all or none.

use super::{
    TimeEntry, TimeEntryBatch, TimeEntryBatchResult, TimeEntryInput,
    commands::settled,
    repository,
    write::{self, New},
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    idempotency::WriteOnce,
    input::{Create, batch},
    store::{Tx, log},
};

/// Records several entries, all or none.
pub async fn create_many(
    store: WriteOnce<'_, TimeEntryBatchResult>,
    actor: &Actor,
    batch: TimeEntryBatch,
) -> Result<TimeEntryBatchResult> {
    let news: Vec<Create<TimeEntryInput>> = batch::read(batch.items)?;
    let connection = store.read();
    let written = {
        let (actor, news) = (actor.clone(), news.clone());
        store
            .read_committed()
            .write(async move |tx| {
                Ok(TimeEntryBatchResult { items: make(tx, &actor, &news).await? })
            })
            .await
    };
    match written {
        Err(Error::Reference) => {
            let inputs = news.iter().enumerate();
            let inputs = inputs.map(|(index, new)| (format!("/items/{index}"), &new.input));
            let organization_id = actor.organization_id;
            Err(repository::unknown_references(connection, organization_id, inputs).await?)
        }
        other => other,
    }
}

async fn make(tx: &Tx, actor: &Actor, news: &[Create<TimeEntryInput>]) -> Result<Vec<TimeEntry>> {
    let chosen: Vec<_> = news.iter().map(|new| new.id).collect();
    let ids = log::new_ids::<TimeEntry>(tx, actor.organization_id, &chosen).await?;
    let ids = ids.map_err(batch::taken)?;
    let mut entries = Vec::with_capacity(news.len());
    for (index, (id, new)) in ids.into_iter().zip(news).enumerate() {
        let input = settled(actor, &new.input).map_err(|error| error.at_index(index))?;
        entries.push(New { id, input, import_key: None });
    }
    let written = write::insert(tx, actor, entries).await?;
    if let Some((index, error)) = written.refused.into_iter().next() {
        return Err(error.at_index(index));
    }
    Ok(written.made.into_iter().map(|(_, made)| made).collect())
}
