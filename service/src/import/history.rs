//! Which rows of files were imported before: also those of which what was made is gone.

use std::collections::{HashMap, HashSet, VecDeque};

use entity::{TenantEntity, imported_row};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::OnConflict,
};
use uuid::Uuid;

use crate::{
    csv::Identity,
    error::Result,
    store::{Tx, versioned},
};

/// How many keys one statement looks up, or rows it writes: SQLite takes 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 3000;

/// What has become of a row before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was never imported.
    New,
    /// What was made of it is there.
    There,
    /// What was made of it was deleted.
    Deleted,
}

/// How the rows of a kind of file are known again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rule {
    /// Whose all rows are, where their earlier keys do not say.
    pub(crate) member_id: Option<Uuid>,
    /// Of how many of the first texts rows that were read with other columns share one.
    pub(crate) needed_texts: usize,
}

/// What was imported before of the rows of one file, which is asked for some rows at a time, in their order. Each of
/// what was imported is known again in one row.
///
/// It keeps those rows that were imported with other columns and may be rows of this file: none of a new file, and of
/// one that was imported before at most those that share day, amount and account with a row of it.
#[derive(Debug)]
pub(crate) struct History {
    rule: Rule,
    buckets: HashMap<String, VecDeque<imported_row::Model>>,
}

impl History {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, buckets: HashMap::new() }
    }

    /// What has become of rows of which things of `E` are made. One that was imported takes the key that it had then.
    pub(crate) async fn fates<E: TenantEntity>(
        &mut self,
        connection: &impl ConnectionTrait,
        organization_id: Uuid,
        mut rows: Vec<&mut Identity>,
    ) -> Result<Vec<Fate>> {
        let keys = rows.iter().flat_map(|row| [&*row.key, &*row.earlier_key]);
        let by_key = find(connection, organization_id, imported_row::Column::ImportKey, keys);
        let by_key = by_key.await?.into_iter().map(|row| (row.import_key.clone(), row));
        let by_key: HashMap<String, imported_row::Model> = by_key.collect();
        let earlier = |row: &Identity| {
            let known = by_key.get(&row.earlier_key)?;
            let of_another = known.member_id.is_some() && known.member_id != self.rule.member_id;
            (!of_another).then_some(known)
        };
        let exact = rows.iter().map(|row| by_key.get(&row.key).or_else(|| earlier(row)).cloned());
        let mut found: Vec<Option<imported_row::Model>> = exact.collect();
        let others = rows.iter().zip(&found).filter(|(_, found)| found.is_none());
        let buckets = others.filter_map(|(row, _)| row.bucket.as_deref());
        self.read_buckets(connection, organization_id, buckets.collect()).await?;
        for (row, found) in rows.iter().zip(&mut found) {
            if found.is_none() {
                *found = self.take_similar(row);
            }
        }
        let ids: HashSet<Uuid> = found.iter().flatten().map(|known| known.row_id).collect();
        let ids = ids.into_iter().collect();
        let gone = versioned::find_missing_ids::<E>(connection, organization_id, ids).await?;
        let gone: HashSet<Uuid> = gone.into_iter().collect();
        let fates = rows.iter_mut().zip(found).map(|(row, found)| match found {
            None => Fate::New,
            Some(known) => {
                row.key = known.import_key;
                if gone.contains(&known.row_id) { Fate::Deleted } else { Fate::There }
            }
        });
        Ok(fates.collect())
    }

    /// Reads what was imported of these buckets, in the order of the ids that it was given.
    async fn read_buckets(
        &mut self,
        connection: &impl ConnectionTrait,
        organization_id: Uuid,
        buckets: Vec<&str>,
    ) -> Result<()> {
        let unread: HashSet<&str> =
            buckets.into_iter().filter(|bucket| !self.buckets.contains_key(*bucket)).collect();
        let column = imported_row::Column::Bucket;
        let known = find(connection, organization_id, column, unread.into_iter()).await?;
        // One of which nothing was imported is not kept: a file may have as many as rows.
        for row in known {
            if let Some(bucket) = row.bucket.clone() {
                self.buckets.entry(bucket).or_default().push_back(row);
            }
        }
        Ok(())
    }

    /// What was imported of the same row when the file was read with other columns.
    fn take_similar(&mut self, row: &Identity) -> Option<imported_row::Model> {
        let bucket = self.buckets.get_mut(row.bucket.as_deref()?)?;
        let is_same = |known: &imported_row::Model| {
            let texts = known.texts.as_deref();
            texts.is_some_and(|texts| row.is_same(texts, self.rule.needed_texts))
        };
        let at = bucket.iter().position(is_same)?;
        bucket.remove(at)
    }
}

/// What was imported with one of these texts in a column, in the order of its ids.
async fn find(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    column: imported_row::Column,
    texts: impl Iterator<Item = &str>,
) -> Result<Vec<imported_row::Model>> {
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    let mut found = Vec::new();
    for chunk in texts.chunks(ROWS_PER_STATEMENT) {
        let rows = imported_row::Entity::find()
            .filter(imported_row::COLUMN.organization_id.eq(organization_id))
            .filter(column.is_in(chunk.iter().copied()))
            .order_by_asc(imported_row::Column::RowId)
            .all(connection)
            .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// Notes of which rows of a file these were made.
pub(crate) async fn record<'a>(
    tx: &Tx,
    organization_id: Uuid,
    made: impl IntoIterator<Item = (Uuid, &'a Identity)>,
) -> Result<()> {
    let rows: Vec<_> = made
        .into_iter()
        .map(|(id, row)| imported_row::ActiveModel {
            organization_id: Set(organization_id),
            import_key: Set(row.key.clone()),
            bucket: Set(row.bucket.clone()),
            texts: Set(row.texts.clone()),
            row_id: Set(id),
            member_id: Set(None),
        })
        .collect();
    let known = [imported_row::Column::OrganizationId, imported_row::Column::ImportKey];
    let again = OnConflict::columns(known).update_column(imported_row::Column::RowId).to_owned();
    for chunk in rows.chunks(ROWS_PER_STATEMENT) {
        imported_row::Entity::insert_many(chunk.to_vec())
            .on_conflict(again.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// Forgets the rows of a file of which these were made, as if it had never been imported.
pub(crate) async fn forget(tx: &Tx, organization_id: Uuid, ids: Vec<Uuid>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    imported_row::Entity::delete_many()
        .filter(imported_row::COLUMN.organization_id.eq(organization_id))
        .filter(imported_row::Column::RowId.is_in(ids))
        .exec(tx)
        .await?;
    Ok(())
}
