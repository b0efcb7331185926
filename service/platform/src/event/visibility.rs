//! Whose events somebody may see, beyond the permission that their kind of resource takes.
//!
//! A resource may belong to a scope, which says who may read what is in it, and may say otherwise tomorrow
//! ([`Resource::scope`]). An event keeps the scope of its resource. Only rows that have passed a [`Visibility`] become
//! [`Event`](super::Event)s: there is no other way to a [`VisibleRow`].

use std::{collections::HashSet, ops::Deref};

use entity::event;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, QueryFilter, QuerySelect, Select,
    sea_query::SelectStatement,
};
use uuid::Uuid;

use crate::{
    actor::Actor,
    error::Result,
    resource::Resource,
    role::Role,
    store::{
        ReadableScopes, Store, Tx,
        page::{Page, PageQuery, Sort, page},
        rows, versioned,
    },
};

/// Which scopes somebody may see.
#[derive(Debug, Clone)]
pub struct Visibility(Scopes);

#[derive(Debug, Clone)]
enum Scopes {
    /// Every one, those included that are gone.
    All,
    /// None: only what is in no scope.
    None,
    /// Those that are found now.
    Found(Box<SelectStatement>),
}

/// The row of an event that may be shown.
#[derive(Debug, Clone)]
pub struct VisibleRow(event::Model);

impl VisibleRow {
    pub(super) fn into_inner(self) -> event::Model {
        self.0
    }
}

impl Deref for VisibleRow {
    type Target = event::Model;

    fn deref(&self) -> &event::Model {
        &self.0
    }
}

impl Visibility {
    /// Of who may see every scope: an organization's owner, and tests.
    pub fn all() -> Self {
        Self(Scopes::All)
    }

    /// Of what is in no scope.
    pub fn unscoped() -> Self {
        Self(Scopes::None)
    }

    fn of(organization_id: Uuid, role: Role, readable: ReadableScopes) -> Self {
        if role == Role::Owner {
            return Self::all();
        }
        Self(Scopes::Found(Box::new(readable(organization_id, role))))
    }

    /// Adds to a query of events that they may be seen.
    pub(super) fn filter(&self, events: Select<event::Entity>) -> Select<event::Entity> {
        let unscoped = event::COLUMN.scope_id.is_null();
        match &self.0 {
            Scopes::All => events,
            Scopes::None => events.filter(unscoped),
            Scopes::Found(scopes) => {
                let readable = event::Column::ScopeId.in_subquery((**scopes).clone());
                events.filter(Condition::any().add(unscoped).add(readable))
            }
        }
    }

    /// Those of the events of a query that may be seen.
    pub async fn rows(
        &self,
        connection: &impl ConnectionTrait,
        events: Select<event::Entity>,
    ) -> Result<Vec<VisibleRow>> {
        let rows = rows::all(connection, self.filter(events)).await?;
        Ok(rows.into_iter().map(VisibleRow).collect())
    }

    /// A page of those of the events of a query that may be seen.
    pub async fn page(
        &self,
        connection: &impl ConnectionTrait,
        events: Select<event::Entity>,
        sort: Sort<event::Column>,
        query: &PageQuery,
    ) -> Result<Page<VisibleRow>> {
        Ok(page(connection, self.filter(events), sort, query).await?.map(VisibleRow))
    }

    /// Those of some events of one organization that may be seen. Asks the database only where one is in a scope.
    pub async fn screen(
        &self,
        connection: &impl ConnectionTrait,
        events: Vec<event::Model>,
    ) -> Result<Vec<VisibleRow>> {
        let scoped = events.iter().filter(|event| event.scope_id.is_some());
        let scoped: Vec<(Uuid, Uuid)> =
            scoped.map(|event| (event.organization_id, event.id)).collect();
        let hidden = match (&self.0, scoped.first()) {
            (Scopes::All, _) | (_, None) => HashSet::new(),
            (_, Some((log, _))) => {
                let ids: HashSet<Uuid> = scoped.iter().map(|(_, id)| *id).collect();
                let of_log = versioned::find_in_organization::<event::Entity>(*log)
                    .filter(event::Column::Id.is_in(ids.iter().copied()));
                let visible = self.filter(of_log).select_only().column(event::Column::Id);
                let visible: Vec<Uuid> = visible.into_tuple().all(connection).await?;
                let visible: HashSet<Uuid> = visible.into_iter().collect();
                ids.difference(&visible).copied().collect()
            }
        };
        Ok(events.into_iter().filter(|event| !hidden.contains(&event.id)).map(VisibleRow).collect())
    }
}

impl Store {
    /// Which scopes an actor may see.
    pub fn visibility(&self, actor: &Actor) -> Visibility {
        let readable = self.catalogue().readable_scopes;
        Visibility::of(actor.organization_id, actor.role, readable)
    }

    /// Which scopes an actor may see of the events of one kind of resource.
    pub(super) fn visibility_of<R: Resource>(&self, actor: &Actor) -> Visibility {
        if R::SCOPED { self.visibility(actor) } else { Visibility::unscoped() }
    }
}

impl Tx {
    /// Which scopes a role may see.
    pub fn visibility(&self, organization_id: Uuid, role: Role) -> Visibility {
        Visibility::of(organization_id, role, self.catalogue().readable_scopes)
    }

    /// Which scopes an actor may see of the events of one kind of resource.
    pub fn visibility_of<R: Resource>(&self, actor: &Actor) -> Visibility {
        if !R::SCOPED {
            return Visibility::unscoped();
        }
        self.visibility(actor.organization_id, actor.role)
    }
}
