use super::{Edit, EditResult, Outcome, SyncInput, SyncReport, kinds};
use crate::{
    actor::Actor,
    document::document::{self, Document},
    error::Result,
    idempotency::WriteOnce,
    resource::Resource,
    store::Tx,
};

/// Makes the changes of a client, one after the other and each by itself: what is refused leaves
/// nothing, and the others go on. All of them are one transaction, with the role and the settings of
/// its beginning.
pub async fn sync(
    store: WriteOnce<'_, SyncReport>,
    actor: &Actor,
    input: SyncInput,
) -> Result<SyncReport> {
    let actor = actor.clone();
    store
        .write(async move |tx| {
            let changes = input.changes.iter();
            let documents = changes.filter(|edit| edit.entity == Document::ENTITY);
            let documents: Vec<_> = documents.map(|edit| edit.id).collect();
            document::repository::prepare(tx, actor.organization_id, &documents).await?;
            let mut results = Vec::with_capacity(input.changes.len());
            for edit in &input.changes {
                let outcome = outcome(tx, &actor, edit).await?;
                results.push(EditResult { entity: edit.entity.clone(), id: edit.id, outcome });
            }
            Ok(SyncReport { results })
        })
        .await
}

/// # Errors
/// What ends the whole: the database is away, say.
async fn outcome(tx: &Tx, actor: &Actor, edit: &Edit) -> Result<Outcome> {
    match kinds::apply(tx, actor, edit).await {
        Ok(outcome) => Ok(outcome),
        Err(error) => Outcome::of_error(error),
    }
}
