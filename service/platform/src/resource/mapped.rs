//! How a resource that is one row is read.

use entity::{TenantEntity, Versioned};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Select};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use uuid::Uuid;
use validator::Validate;

use super::{Readable, Resource};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{
        Store, Tx,
        page::{Page, Paged, Sort, page},
        parts::Rows,
        versioned,
    },
};

/// The row of a resource.
pub type Row<T> = <<T as Mapped>::Entity as EntityTrait>::Model;

/// A resource that is mapped to one row of its organization, by `TryFrom`. It is [`Readable`] by that.
pub trait Mapped:
    Resource + TryFrom<<<Self as Mapped>::Entity as EntityTrait>::Model, Error = Error>
{
    /// The table.
    type Entity: TenantEntity + Versioned<Model: Sync, ActiveModel: Send>;
    /// What a list can be asked for: [`PageQuery`], or the resource's own filters.
    ///
    /// [`PageQuery`]: crate::store::page::PageQuery
    type Query: Paged + DeserializeOwned + Validate + IntoParams + Clone + Sync + 'static;

    /// In which order a list is.
    fn sort(query: &Self::Query) -> Sort<<Self::Entity as EntityTrait>::Column>;

    /// Those of the organization's rows that the query asks for.
    fn filter(
        _backend: DbBackend,
        rows: Select<Self::Entity>,
        _query: &Self::Query,
    ) -> Rows<Self::Entity> {
        rows.into()
    }
}

impl<T: Mapped> Readable for T {
    type Query = <T as Mapped>::Query;

    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let row = versioned::get::<T::Entity>(store.read(), actor.organization_id, id).await?;
        T::try_from(row)
    }

    async fn list(
        store: &Store,
        actor: &Actor,
        query: &<T as Mapped>::Query,
    ) -> Result<Page<Self>> {
        let page = list_rows::<T>(store.read(), actor.organization_id, query).await?;
        page.try_map(T::try_from)
    }
}

/// A page of the rows that the query asks for.
pub async fn list_rows<T: Mapped>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    query: &<T as Mapped>::Query,
) -> Result<Page<Row<T>>> {
    let rows = versioned::find_in_organization::<T::Entity>(organization_id);
    let rows = T::filter(connection.get_database_backend(), rows, query);
    page(connection, rows, T::sort(query), &Paged::page(query)).await
}

/// A row in a transaction, and the resource that it is.
pub async fn find<T: Mapped>(tx: &Tx, actor: &Actor, id: Uuid) -> Result<(Row<T>, T)> {
    let row = versioned::get::<T::Entity>(tx, actor.organization_id, id).await?;
    let resource = T::try_from(row.clone())?;
    Ok((row, resource))
}
