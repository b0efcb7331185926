use super::{Edit, EditResult, Outcome, Refusal, SyncInput, SyncReport, kinds};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{Store, Tx},
};

/// Makes the changes of a client, one after the other and each by itself: what is refused leaves
/// nothing, and the others go on. All of them are one transaction, with the role and the settings of
/// its beginning.
pub async fn sync(store: &Store, actor: &Actor, input: SyncInput) -> Result<SyncReport> {
    store
        .write((actor.clone(), input), |tx, (actor, input)| {
            Box::pin(async move {
                let mut results = Vec::with_capacity(input.changes.len());
                for edit in &input.changes {
                    let outcome = outcome(tx, actor, edit).await?;
                    results.push(EditResult { entity: edit.entity.clone(), id: edit.id, outcome });
                }
                Ok(SyncReport { results })
            })
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

impl Outcome {
    /// What is told of a change that was refused.
    ///
    /// # Errors
    /// What concerns more than this one change.
    pub(crate) fn of_error(error: Error) -> Result<Self> {
        let (code, violations) = (error.code(), error.violations());
        let conflicting_id = match &error {
            Error::State { conflicting_id, .. } => *conflicting_id,
            _ => None,
        };
        let refusal = |detail| Refusal { code, detail, violations, conflicting_id };
        match error {
            Error::NotFound(what) => {
                Ok(Self::NotFound(refusal(Some(format!("there is no such {what}")))))
            }
            Error::Forbidden { detail, .. } => Ok(Self::Forbidden(refusal(Some(detail.into())))),
            Error::State { detail, .. } => Ok(Self::Invalid(refusal(Some(detail.into())))),
            Error::InUse(what) => Ok(Self::Invalid(refusal(Some(what.into())))),
            Error::NotConfigured { detail, .. } => Ok(Self::Invalid(refusal(Some(detail.into())))),
            Error::VersionRequired
            | Error::Duplicate { .. }
            | Error::Reference
            | Error::Invalid(_) => Ok(Self::Invalid(refusal(None))),
            other => Err(other),
        }
    }
}
