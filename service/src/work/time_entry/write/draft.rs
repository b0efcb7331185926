//! Entries on their way: those of which it is still to be seen whether they are made.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{New, Written, segments::weeks};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::Tx,
    work::{
        project,
        time_entry::{
            TimeEntryInput,
            days::{self, DaySegment},
            repository,
        },
        timecard::Week,
    },
};

/// An entry on its way.
pub(super) struct Draft {
    pub(super) index: usize,
    pub(super) id: Uuid,
    pub(super) member_id: Uuid,
    pub(super) input: TimeEntryInput,
    pub(super) import_key: Option<String>,
    pub(super) segments: Vec<DaySegment>,
}

impl Draft {
    pub(super) fn weeks(&self) -> impl Iterator<Item = Week> + '_ {
        weeks(self.member_id, &self.segments)
    }
}

pub(super) fn member_of(input: &TimeEntryInput) -> Result<Uuid> {
    input.member_id.ok_or_else(|| Error::invalid("/member_id", "required", "is required"))
}

/// With the projects of their tasks, where they name none themselves.
pub(super) async fn drafts(tx: &Tx, actor: &Actor, news: Vec<New>) -> Result<Vec<Draft>> {
    let tasks: BTreeSet<Uuid> = news.iter().filter_map(|new| new.input.task_id).collect();
    let projects = projects_of_tasks(tx, actor, tasks).await?;
    let drafts = news.into_iter().enumerate().map(|(index, New { id, mut input, import_key })| {
        let of_task = input.task_id.and_then(|task| projects.get(&task).copied().flatten());
        input.project_id = input.project_id.or(of_task);
        let member_id = member_of(&input)?;
        let segments = days::of(&actor.settings, &input);
        Ok(Draft { index, id, member_id, input, import_key, segments })
    });
    drafts.collect()
}

/// The projects of tasks that are there, all of them.
pub(super) async fn projects_of_tasks(
    tx: &Tx,
    actor: &Actor,
    tasks: BTreeSet<Uuid>,
) -> Result<HashMap<Uuid, Option<Uuid>>> {
    if tasks.is_empty() {
        return Ok(HashMap::new());
    }
    let asked = tasks.len();
    let found = repository::projects_of_tasks(tx, actor.organization_id, tasks).await?;
    if found.len() == asked { Ok(found) } else { Err(Error::Reference) }
}

/// Takes out what names a project that takes nothing new.
pub(super) async fn refuse_archived(
    tx: &Tx,
    actor: &Actor,
    drafts: &mut Vec<Draft>,
    written: &mut Written,
) -> Result<()> {
    let projects: BTreeSet<Uuid> = drafts.iter().filter_map(|it| it.input.project_id).collect();
    match project::ensure_all_accept_new(tx, actor.organization_id, projects.iter().copied()).await
    {
        Ok(()) => return Ok(()),
        Err(Error::State { .. }) => {}
        Err(other) => return Err(other),
    }
    for id in projects {
        if let Err(error) =
            project::ensure_accepts_new(tx, actor.organization_id, None, Some(id)).await
        {
            let Error::State { code, detail, .. } = error else { return Err(error) };
            let named = drafts.extract_if(.., |draft| draft.input.project_id == Some(id));
            let refused = named.map(|draft| (draft.index, Error::state(code, detail.clone())));
            written.refused.extend(refused);
        }
    }
    Ok(())
}

/// Takes out what an import has brought before, or brings twice.
pub(super) async fn skip_known(
    tx: &Tx,
    actor: &Actor,
    drafts: &mut Vec<Draft>,
    written: &mut Written,
) -> Result<()> {
    let keys: Vec<&str> = drafts.iter().filter_map(|draft| draft.import_key.as_deref()).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let mut known = repository::known_keys(tx, actor.organization_id, keys).await?;
    let is_known =
        |draft: &mut Draft| draft.import_key.as_ref().is_some_and(|key| !known.insert(key.clone()));
    written.known.extend(drafts.extract_if(.., is_known).map(|draft| draft.index));
    Ok(())
}
