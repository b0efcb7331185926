//! What the references of entries are, where the database has refused one.

use entity::{member, project, task};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    store::references::References,
    work::time_entry::TimeEntryInput,
};

/// After a reference was refused: which ones they are. Each input comes with the pointer to it.
pub(in crate::work::time_entry) async fn unknown_references<'a>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    inputs: impl IntoIterator<Item = (String, &'a TimeEntryInput)>,
) -> Result<Error> {
    let (mut members, mut projects, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
    for (at, input) in inputs {
        members.extend(input.member_id.map(|id| (format!("{at}/member_id"), id)));
        projects.extend(input.project_id.map(|id| (format!("{at}/project_id"), id)));
        tasks.extend(input.task_id.map(|id| (format!("{at}/task_id"), id)));
    }
    let mut references = References::new(connection, organization_id);
    references.check::<member::Entity>(members).await?;
    references.check::<project::Entity>(projects).await?;
    references.check::<task::Entity>(tasks).await?;
    Ok(references.explain())
}
