//! Encrypting again, with the first key, whatever was encrypted with another one.
//!
//! A rotation goes through every column of [`SEALED`] in the order of the keys of its rows, some rows a
//! transaction. A value is replaced only while it is what was read, so what a server writes meanwhile stays;
//! nothing else of the row is touched: what a value means has not changed, so there is no version and no event
//! of it. It can end anywhere, and the next one goes over what is done.

use std::{collections::BTreeMap, time::Instant};

use sea_orm::{
    ConnectionTrait, ExprTrait, Order,
    sea_query::{Expr, Func, Query},
};
use uuid::Uuid;

use crate::{
    error::Result,
    fault,
    seal::{SEALED, Sealed, key_of},
    store::{Store, Tx},
};

/// How many rows one look goes through.
const ROWS_PER_QUERY: u64 = 1_000;
/// How many values one transaction encrypts.
const BATCH_SIZE: usize = 50;
/// How often a rotation begins again because others have written with another key meanwhile.
const MAX_PASSES: usize = 5;

/// A value, and where it is.
type Value = (Uuid, Uuid, String);

/// By which keys the values of a database are encrypted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyUsage {
    /// How many values each key has encrypted.
    pub keys: BTreeMap<String, u64>,
}

/// What a rotation has done, and how it leaves the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotated {
    /// How many values were encrypted again.
    pub values: u64,
    /// How many could not be: their key is not there, or is another one than then.
    pub undecryptable: u64,
    /// By which keys the values are encrypted now.
    pub usage: KeyUsage,
}

impl KeyUsage {
    /// How many values need another key than this one, by that key.
    pub fn other_than(&self, first: &str) -> impl Iterator<Item = (&str, u64)> {
        let others = self.keys.iter().filter(move |(id, _)| *id != first);
        others.map(|(id, count)| (&**id, *count))
    }
}

/// How many values there are to go through.
pub async fn count(store: &Store) -> Result<u64> {
    let mut count = 0;
    for Sealed { table, column } in SEALED {
        let values = Query::select().expr(Func::count(Expr::col(*column))).from(*table).to_owned();
        let row = store.read().query_one(&values).await?;
        let values: i64 = row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or_default();
        count += u64::try_from(values).unwrap_or_default();
    }
    Ok(count)
}

/// By which keys the values are encrypted. Values that a client's key has encrypted are none of these: they
/// last a day, and nobody else can open them.
pub async fn key_usage(store: &Store) -> Result<KeyUsage> {
    let mut usage = KeyUsage::default();
    for column in SEALED {
        let mut after = (Uuid::nil(), Uuid::nil());
        while let Some((values, last)) = next_rows(store, *column, after).await? {
            for id in values.iter().filter_map(|(.., sealed)| key_of(sealed)) {
                *usage.keys.entry(id.to_owned()).or_default() += 1;
            }
            after = last;
        }
    }
    Ok(usage)
}

/// Encrypts again what another key than the first has encrypted. `progress` is told how many values were
/// gone through since it was told last.
///
/// # Errors
/// [`crate::Error::NotConfigured`] where there is no key.
pub async fn rotate(store: &Store, progress: impl Fn(u64)) -> Result<Rotated> {
    store.keyring().require()?;
    let first = store.keyring().first().unwrap_or_default().to_owned();
    let mut rotated = Rotated::default();
    for pass in 0..MAX_PASSES {
        let silent = |_| {};
        let done = if pass == 0 {
            reencrypt_all(store, &first, &progress).await?
        } else {
            reencrypt_all(store, &first, &silent).await?
        };
        rotated.values += done.values;
        rotated.undecryptable = done.undecryptable;
        rotated.usage = key_usage(store).await?;
        // What is left then was written meanwhile, by a server with other keys.
        if rotated.usage.other_than(&first).map(|(_, count)| count).sum::<u64>()
            == done.undecryptable
        {
            break;
        }
    }
    Ok(rotated)
}

async fn reencrypt_all(store: &Store, first: &str, progress: &impl Fn(u64)) -> Result<Rotated> {
    let mut rotated = Rotated::default();
    for column in SEALED {
        let mut after = (Uuid::nil(), Uuid::nil());
        while let Some((values, last)) = next_rows(store, *column, after).await? {
            let seen = values.len() as u64;
            let old = |sealed: &str| key_of(sealed).is_some_and(|id| id != first);
            let old: Vec<Value> = values.into_iter().filter(|(.., value)| old(value)).collect();
            let mut waiting = seen;
            for some in old.chunks(BATCH_SIZE) {
                let began = Instant::now();
                // An update goes on from what others have just written, and finds it another value.
                let column = *column;
                let (done, undecryptable) = {
                    let some = some.to_vec();
                    store
                        .read_committed()
                        .write(async move |tx| reencrypt(tx, column, &some).await)
                        .await?
                };
                rotated.values += done;
                rotated.undecryptable += undecryptable;
                fault::point(format_args!("rotated {}.{}", column.table, column.column));
                progress(some.len() as u64);
                waiting = waiting.saturating_sub(some.len() as u64);
                // A request that has met a batch on its row tries again between two: without that, it would meet
                // the next one on another column of the same row.
                tokio::time::sleep(began.elapsed()).await;
            }
            progress(waiting);
            after = last;
        }
    }
    Ok(rotated)
}

/// The values of the next rows of a table, and the key of the last row; none at its end. The rows are
/// counted that have no value, too: of a long log, few have one.
async fn next_rows(
    store: &Store,
    Sealed { table, column }: Sealed,
    (organization_id, id): (Uuid, Uuid),
) -> Result<Option<(Vec<Value>, (Uuid, Uuid))>> {
    let here = Expr::tuple([Expr::col("organization_id"), Expr::col("id")]);
    let there = Expr::tuple([Expr::val(organization_id), Expr::val(id)]);
    let rows = Query::select()
        .columns(["organization_id", "id", column])
        .from(table)
        .and_where(here.gt(there))
        .order_by("organization_id", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(ROWS_PER_QUERY)
        .to_owned();
    let (mut values, mut last) = (Vec::new(), None);
    for row in store.read().query_all(&rows).await? {
        let (organization_id, id): (Uuid, Uuid) =
            (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        last = Some((organization_id, id));
        let value: Option<String> = row.try_get_by_index(2)?;
        values.extend(value.map(|value| (organization_id, id, value)));
    }
    Ok(last.map(|last| (values, last)))
}

/// Gives how many values were encrypted again, and how many do not open.
async fn reencrypt(tx: &Tx, target: Sealed, values: &[Value]) -> Result<(u64, u64)> {
    let (mut replaced, mut undecryptable) = (0, 0);
    let Sealed { table, column } = target;
    for (organization_id, id, sealed) in values {
        let at = target.at(*organization_id, *id);
        let Ok(plain) = tx.keyring().open(&at, sealed) else {
            undecryptable += 1;
            continue;
        };
        let again = tx.keyring().seal(tx.random(), &at, &plain)?;
        let update = Query::update()
            .table(table)
            .value(column, again)
            .and_where(Expr::col("organization_id").eq(*organization_id))
            .and_where(Expr::col("id").eq(*id))
            .and_where(Expr::col(column).eq(&**sealed))
            .to_owned();
        replaced += tx.execute(&update).await?.rows_affected();
    }
    Ok((replaced, undecryptable))
}
