//! Trees of documents that no offline client has written: they follow from the log, one revision for each version.
//!
//! A version is named by its number and the digest of what was written. So a tree that is kept from some day on begins
//! with the names that clients have read before, and a database that was restored to an earlier time gives another
//! content another name.

use std::collections::HashMap;

use entity::event;
use sea_orm::{
    ColumnTrait, ConnectionTrait, ExprTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait,
    sea_query::{
        BinOper, Expr, IntoValueTuple, Query, SelectStatement, SubQueryStatement, TableRef,
        ValueTuple,
    },
};
use uuid::Uuid;

use super::{ENTITY, Leaf, Revision, repository::REVISIONS_PER_STATEMENT, tree::REVISIONS_KEPT};
use crate::{
    error::{Error, Result},
    event::Effect,
    store::{stored::StoredWord, versioned},
};

/// How many characters of the digest are the hash, which is as long then as those of CouchDB.
const HASH_CHARACTERS: usize = 32;

/// The revision that a version is.
fn named(version: i64, digest: &str) -> Result<Revision> {
    let hash = digest.get(..HASH_CHARACTERS).unwrap_or(digest);
    Revision::new(version, hash)
        .map_err(|_| Error::Internal("a version of a document names no revision".into()))
}

/// A version of a document.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// Which one.
    pub(super) number: i64,
    /// What it is called.
    pub(super) revision: Revision,
    /// Whether the document is deleted as of it.
    pub(super) deleted: bool,
}

impl Version {
    fn of((number, effect, digest): (i64, String, String)) -> Result<Self> {
        let deleted = effect == Effect::Removed.as_str();
        Ok(Self { number, revision: named(number, &digest)?, deleted })
    }
}

fn given(column: &'static str) -> Expr {
    Expr::col(("given", column))
}

fn given_list(values: Vec<ValueTuple>) -> TableRef {
    TableRef::ValuesList(values, "given".into())
}

/// The leaves of some documents, each the only one of its document.
pub(super) async fn leaves(
    connection: &impl ConnectionTrait,
    log: Uuid,
    documents: &[Uuid],
) -> Result<HashMap<Uuid, Leaf>> {
    let mut found = HashMap::new();
    for some in documents.chunks(REVISIONS_PER_STATEMENT) {
        let key =
            Expr::col((event::Entity, event::Column::Data)).binary(BinOper::Custom("->>"), "id");
        let rows: Vec<(Uuid, i64, String, String, Option<String>)> =
            versioned::find_in_organization::<event::Entity>(log)
                .select_only()
                .column(event::Column::EntityId)
                .column(event::Column::EntityVersion)
                .column(event::Column::Effect)
                .column(event::Column::DataDigest)
                .expr_as(key, "key")
                .filter(event::Column::Id.in_subquery(last_of(log, some)))
                .into_tuple()
                .all(connection)
                .await?;
        for (id, number, effect, digest, key) in rows {
            let Version { revision, deleted, .. } = Version::of((number, effect, digest))?;
            // What was erased is not shown.
            let leaf =
                key.map(|key| Leaf { revision, key, deleted, body: None, attachments: None });
            found.extend(leaf.map(|leaf| (id, leaf)));
        }
    }
    Ok(found)
}

/// The ids of the events that told the last version of some documents: one value for each, which is looked up by
/// `idx-event-history`.
fn last_of(log: Uuid, documents: &[Uuid]) -> SelectStatement {
    const OF_ONE: &str = "of_one";
    let column = |column| Expr::col((OF_ONE, column));
    let last = Query::select()
        .column((OF_ONE, event::Column::Id))
        .from_as(event::Entity, OF_ONE)
        .and_where(column(event::Column::OrganizationId).eq(log))
        .and_where(column(event::Column::EntityId).eq(given("column1")))
        .and_where(column(event::Column::Entity).eq(ENTITY))
        .and_where(column(event::Column::Effect).ne(Effect::None.as_str()))
        .order_by((OF_ONE, event::Column::EntityVersion), Order::Desc)
        .limit(1)
        .to_owned();
    let documents = documents.iter().map(|id| ValueTuple::One((*id).into()));
    Query::select()
        .expr(Expr::from(SubQueryStatement::from(last)))
        .from(given_list(documents.collect()))
        .to_owned()
}

/// The versions of a document before another, or all, the latest first, as many as a branch keeps.
pub(super) async fn versions(
    connection: &impl ConnectionTrait,
    (log, document): (Uuid, Uuid),
    before: Option<i64>,
) -> Result<Vec<Version>> {
    let rows: Vec<(i64, String, String)> = versioned::find_in_organization::<event::Entity>(log)
        .select_only()
        .column(event::Column::EntityVersion)
        .column(event::Column::Effect)
        .column(event::Column::DataDigest)
        .filter(event::COLUMN.entity_id.eq(document))
        .filter(event::COLUMN.entity.eq(ENTITY))
        .filter(event::COLUMN.effect.ne(Effect::None.as_str()))
        .apply_if(before, |rows, before| rows.filter(event::COLUMN.entity_version.lt(before)))
        .order_by_desc(event::Column::EntityVersion)
        .limit(REVISIONS_KEPT.unsigned_abs())
        .into_tuple()
        .all(connection)
        .await?;
    rows.into_iter().map(Version::of).collect()
}

/// Those of some revisions of documents that are versions of them.
pub(super) async fn known(
    connection: &impl ConnectionTrait,
    log: Uuid,
    asked: &[(Uuid, &Revision)],
) -> Result<Vec<(Uuid, Revision)>> {
    let mut found = Vec::new();
    for some in asked.chunks(REVISIONS_PER_STATEMENT) {
        let column = |column| Expr::col((event::Entity, column));
        let wanted =
            some.iter().map(|(id, it)| (*id, it.generation()).into_value_tuple()).collect();
        let statement = Query::select()
            .column((event::Entity, event::Column::EntityId))
            .column((event::Entity, event::Column::EntityVersion))
            .column((event::Entity, event::Column::DataDigest))
            .from(event::Entity)
            .inner_join(
                given_list(wanted),
                column(event::Column::EntityId)
                    .eq(given("column1"))
                    .and(column(event::Column::EntityVersion).eq(given("column2"))),
            )
            .and_where(column(event::Column::OrganizationId).eq(log))
            .and_where(column(event::Column::Entity).eq(ENTITY))
            .and_where(column(event::Column::Effect).ne(Effect::None.as_str()))
            .to_owned();
        for row in connection.query_all(&statement).await? {
            let id: Uuid = row.try_get_by_index(0)?;
            let digest: String = row.try_get_by_index(2)?;
            let revision = named(row.try_get_by_index(1)?, &digest)?;
            if some.contains(&(id, &revision)) {
                found.push((id, revision));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_its_number_and_content() {
        let digest = "917fa2381192822767f010b95b45325b0123456789abcdef0123456789abcdef";
        let version = |effect: &str| Version::of((3, effect.to_owned(), digest.to_owned()));
        let written = version("written").expect("a version");
        assert_eq!(written.revision.to_string(), "3-917fa2381192822767f010b95b45325b");
        assert!(!written.deleted && version("removed").expect("a version").deleted);
    }
}
