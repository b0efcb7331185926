use std::collections::BTreeSet;

use entity::project;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{Project, ProjectInput, Status, repository, rules};
use crate::{
    actor::Actor,
    attachment::{self, ParentKind},
    details,
    error::{Error, Result},
    event::Verb,
    geo,
    resource::{Crud, Resource, versioned},
    role::Permission,
    store::{Tx, stored::StoredWord},
    text::{fold, lower},
};

versioned!(Project);

impl Resource for Project {
    const ENTITY: &'static str = "project";
    const READ: Permission = Permission::ReadWork;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
}

impl Crud for Project {
    type Input = ProjectInput;
    const WRITE: Permission = Permission::ManageProjects;
    const IN_USE: &'static str =
        "other resources refer to the project; archive the project instead";

    fn input(&self) -> ProjectInput {
        ProjectInput {
            job_number: self.job_number.clone(),
            name: self.name.clone(),
            client: self.client.clone(),
            status: self.status,
            starts_on: self.starts_on,
            ends_on: self.ends_on,
            budget_minor: self.budget_minor,
            currency: Some(self.currency.clone()),
            address: self.address.clone(),
            latitude: self.latitude,
            longitude: self.longitude,
            note: self.note.clone(),
            details: self.details.clone(),
        }
    }

    fn with_defaults(actor: &Actor, mut input: ProjectInput) -> ProjectInput {
        input.currency.get_or_insert_with(|| actor.settings.currency.clone());
        input
    }

    async fn before_delete(tx: &Tx, actor: &Actor, current: &Self) -> Result<()> {
        attachment::delete_all(tx, actor, ParentKind::Project, current.id).await
    }

    fn columns(_: &Actor, input: ProjectInput) -> Result<project::ActiveModel> {
        let ProjectInput {
            job_number,
            name,
            client,
            status,
            starts_on,
            ends_on,
            budget_minor,
            currency,
            address,
            latitude,
            longitude,
            note,
            details,
        } = input;
        let currency =
            currency.ok_or_else(|| Error::invalid("/currency", "required", "is required"))?;
        let searched = [job_number.as_deref(), Some(&*name), client.as_deref()];
        let searched: Vec<_> = searched.into_iter().flatten().map(lower).collect();
        Ok(project::ActiveModel {
            search_key: Set(searched.join("\n")),
            job_number_key: Set(job_number.as_deref().map(fold)),
            job_number: Set(job_number),
            name_key: Set(fold(&name)),
            name: Set(name),
            client: Set(client),
            status: Set(status.as_str().to_owned()),
            starts_on: Set(starts_on),
            ends_on: Set(ends_on),
            budget_minor: Set(budget_minor),
            currency: Set(currency),
            address: Set(address),
            latitude_e7: Set(latitude.map(geo::to_e7)),
            longitude_e7: Set(longitude.map(geo::to_e7)),
            note: Set(note),
            details: Set(details.map(details::kept)),
            ..Default::default()
        })
    }

    async fn check(_: &Tx, _: &Actor, current: Option<&Self>, input: &ProjectInput) -> Result<()> {
        current.map_or(Ok(()), |current| rules::check_transition(current.status, input.status))
    }
}

/// Whether a project takes something new, which names it from now on and did not before. What named it
/// already may go on to.
///
/// # Errors
/// [`Error::State`] where it is archived; [`Error::Reference`] where there is none.
pub(crate) async fn ensure_accepts_new(
    tx: &Tx,
    organization_id: Uuid,
    before: Option<Uuid>,
    after: Option<Uuid>,
) -> Result<()> {
    ensure_all_accept_new(tx, organization_id, after.filter(|id| before != Some(*id))).await
}

/// [`ensure_accepts_new`] for several projects at once, in one statement; in none for none.
pub(crate) async fn ensure_all_accept_new(
    tx: &Tx,
    organization_id: Uuid,
    projects: impl IntoIterator<Item = Uuid>,
) -> Result<()> {
    let projects: BTreeSet<Uuid> = projects.into_iter().collect();
    if projects.is_empty() {
        return Ok(());
    }
    let statuses = repository::statuses(tx, organization_id, projects.iter().copied()).await?;
    for id in &projects {
        let status: Status = statuses.get(id).copied().ok_or(Error::Reference)?;
        rules::ensure_accepts_new(status)?;
    }
    Ok(())
}
