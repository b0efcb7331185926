//! A write, as a transaction.

use std::time::Duration;

use aws_sdk_dynamodb::{
    primitives::Blob,
    types::{
        AttributeValue, Delete as DeleteItem, Put as PutItem, ReturnValuesOnConditionCheckFailure,
        TransactWriteItem, builders::PutBuilder,
    },
};

use super::{
    super::{CollectionId, Entry, Outcome, Step, Stored, Write},
    DynamoDb,
    failure::Failure,
    item::{self, Item, Kept, key, number, text},
    keys,
    table::Committed,
};
use crate::error::{Error, Result};

/// How often a write begins again because others of the collection were faster.
const MAX_ATTEMPTS: u32 = 100;

impl DynamoDb {
    pub(super) async fn write(
        &self,
        id: CollectionId,
        name: &str,
        write: Write<'_>,
    ) -> Result<Outcome> {
        let mut current = self.kept(id, name).await.map_err(Failure::of_read)?;
        for attempt in 0..MAX_ATTEMPTS {
            let stored = match write.step(name, current.as_ref().map(|kept| &kept.stored)) {
                Step::Done(outcome) => return Ok(outcome),
                Step::Store(stored) => stored,
            };
            let head = self.head(id).await.map_err(Failure::of_read)?;
            let kept = Kept::new(&stored, write.entries(), head + 1);
            let writes = self.transaction(id, current.as_ref(), &kept, write.entries());
            let writes = writes.map_err(Failure::of_read)?;
            match self.0.transact(writes).await {
                Ok(Committed::Yes) => return Ok(Outcome::Written(stored)),
                Ok(Committed::No(Some(item))) => {
                    current = self.whole(id, &item).await.map_err(Failure::of_read)?;
                }
                Ok(Committed::No(None)) => {
                    tokio::time::sleep(pause(&stored, attempt)).await;
                    current = self.kept(id, name).await.map_err(Failure::of_read)?;
                }
                Err(Failure::NoTable) => self.0.create().await.map_err(Failure::of_read)?,
                Err(failure) => return Err(failure.of_write()),
            }
        }
        Err(Error::Unavailable("others write into the collection all the time".to_owned()))
    }

    /// All that makes `kept` of `current`. The document is the first.
    fn transaction(
        &self,
        id: CollectionId,
        current: Option<&Kept>,
        kept: &Kept,
        entries: &[Entry],
    ) -> Result<Vec<TransactWriteItem>, Failure> {
        let mut writes = vec![
            self.put(kept.item(id), |put| document_condition(put, current))?,
            self.put(head(id, kept.position), |put| head_condition(put, kept.position))?,
            self.put(change(id, kept), |put| put)?,
        ];
        for entry in entries {
            writes.push(self.put(entry_item(id, entry, &kept.stored), |put| put)?);
        }
        for (number, part) in item::parts(kept.stored.body.as_deref()).into_iter().enumerate() {
            let mut item = key(&keys::bodies(id), &keys::part(kept.stored.write_id, number));
            item.insert("part".to_owned(), text(part));
            writes.push(self.put(item, |put| put)?);
        }
        let Some(current) = current else { return Ok(writes) };
        writes.push(self.delete(key(&keys::changes(id), &keys::position(current.position)))?);
        for (path, term) in &current.terms {
            if kept.terms.get(path) != Some(term) {
                writes.push(self.delete(key(&keys::index_of(id, path), term))?);
            }
        }
        for number in 0..current.parts {
            let part = keys::part(current.stored.write_id, number);
            writes.push(self.delete(key(&keys::bodies(id), &part))?);
        }
        Ok(writes)
    }

    fn put(
        &self,
        item: Item,
        condition: impl FnOnce(PutBuilder) -> PutBuilder,
    ) -> Result<TransactWriteItem, Failure> {
        let put = PutItem::builder().table_name(&self.0.name).set_item(Some(item));
        let put = condition(put).build().map_err(|_| unmade())?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn delete(&self, key: Item) -> Result<TransactWriteItem, Failure> {
        let delete = DeleteItem::builder().table_name(&self.0.name).set_key(Some(key));
        Ok(TransactWriteItem::builder().delete(delete.build().map_err(|_| unmade())?).build())
    }
}

fn unmade() -> Failure {
    Failure::Unavailable("no request was made".to_owned())
}

/// Nobody has written the document since; and if somebody has, what is there.
fn document_condition(put: PutBuilder, current: Option<&Kept>) -> PutBuilder {
    let put =
        put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match current {
        None => put.condition_expression("attribute_not_exists(PK)"),
        Some(current) => put
            .condition_expression("write_id = :write_id")
            .expression_attribute_values(":write_id", text(current.stored.write_id.to_string())),
    }
}

/// Nobody else of the collection has taken the position.
fn head_condition(put: PutBuilder, position: u64) -> PutBuilder {
    match position {
        1 => put.condition_expression("attribute_not_exists(PK)"),
        _ => put
            .condition_expression("change_position = :before")
            .expression_attribute_values(":before", number(position - 1)),
    }
}

fn head(id: CollectionId, position: u64) -> Item {
    let mut item = key(&keys::changes(id), keys::HEAD);
    item.insert("change_position".to_owned(), number(position));
    item
}

fn change(id: CollectionId, kept: &Kept) -> Item {
    let mut item = key(&keys::changes(id), &keys::position(kept.position));
    item.insert("document".to_owned(), text(&kept.stored.key));
    item
}

fn entry_item(id: CollectionId, entry: &Entry, stored: &Stored) -> Item {
    let term = keys::term(&entry.value, &stored.key);
    let mut item = key(&keys::index(id, &entry.path), &term);
    item.insert("document".to_owned(), text(&stored.key));
    item.insert("value".to_owned(), AttributeValue::B(Blob::new(entry.value.clone())));
    item
}

/// How long a writer waits that was not the fastest: each for another time.
fn pause(stored: &Stored, attempt: u32) -> Duration {
    let random = stored.write_id.as_u128() >> (attempt % 24 * 5) & 31;
    Duration::from_millis(1 + u64::try_from(random).unwrap_or_default())
}
