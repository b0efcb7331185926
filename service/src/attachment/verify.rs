//! Whether every row has its bytes and every object its row, and what is counted is right.
//!
//! Works while the server runs: what is newer than an hour may be an upload under way.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{attachment, document_blob, object_removal, storage_usage, stored_object};
use futures_util::TryStreamExt;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    error::Result,
    objects::{Listed, ObjectName, Objects},
    random::hexadecimal,
    store::{Store, rows},
};

/// How many rows and names one statement asks for.
const BATCH_SIZE: u64 = 500;
/// How old what nothing names is before it is of no upload under way.
const GRACE: TimeDelta = TimeDelta::hours(1);

/// What was found of all files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many objects are there, with the bytes that they had.
    pub objects: u64,
    /// How many objects, and files of uploads, nothing names.
    pub orphans: u64,
    /// How many of these were removed.
    pub removed: u64,
    /// What is wrong.
    pub faults: Vec<String>,
}

/// Where a row of objects is.
pub(super) async fn object(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Option<stored_object::Model>> {
    rows::by_key::<stored_object::Entity>(connection, organization_id, id).await
}

/// Checks all files: reads every object, and lists what is stored. With `repair`, removes what nothing names.
///
/// # Errors
/// Of the database and of the store of objects.
pub async fn verify(store: &Store, repair: bool) -> Result<Findings> {
    let mut findings = Findings::default();
    let Ok(objects) = store.objects() else {
        if let Some(row) = first_object(store).await? {
            let organization = row.organization_id;
            findings
                .faults
                .push(format!("{organization} has files, and STEWARD_OBJECTS_URL is not set"));
        }
        return Ok(findings);
    };
    check_rows(store, objects, &mut findings).await?;
    check_objects(store, objects, repair, &mut findings).await?;
    check_counts(store, &mut findings).await?;
    Ok(findings)
}

async fn first_object(store: &Store) -> Result<Option<stored_object::Model>> {
    Ok(stored_object::Entity::find().limit(1).one(store.read()).await?)
}

/// Every row has its object, and that the bytes of then.
async fn check_rows(store: &Store, objects: &Objects, findings: &mut Findings) -> Result<()> {
    use stored_object::Column;
    let mut after = (Uuid::nil(), Uuid::nil());
    loop {
        let here = Expr::tuple([Expr::col(Column::OrganizationId), Expr::col(Column::Id)]);
        let there = Expr::tuple([Expr::val(after.0), Expr::val(after.1)]);
        let rows = stored_object::Entity::find()
            .filter(here.gt(there))
            .order_by_asc(Column::OrganizationId)
            .order_by_asc(Column::Id)
            .limit(BATCH_SIZE);
        let rows = rows.all(store.read()).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = (last.organization_id, last.id);
        for row in rows {
            let name = ObjectName::of(row.organization_id, &row.sha256, row.id);
            match fault(objects, &name, &row).await? {
                None => findings.objects += 1,
                Some(fault) => {
                    // It may have been deleted since.
                    let is_there = object(store.read(), row.organization_id, row.id).await?;
                    findings.faults.extend(is_there.map(|_| format!("{name} {fault}")));
                }
            }
        }
    }
}

async fn fault(
    objects: &Objects,
    name: &ObjectName,
    row: &stored_object::Model,
) -> Result<Option<String>> {
    let Some(size) = objects.size(name).await? else { return Ok(Some("is not there".into())) };
    if i64::try_from(size).ok() != Some(row.size) {
        return Ok(Some(format!("has {size} bytes, and should have {}", row.size)));
    }
    let mut bytes = objects.get(name, 0..size).await?;
    let mut sha256 = Sha256::new();
    while let Some(some) = bytes.try_next().await? {
        sha256.update(&some);
    }
    let changed = hexadecimal(&sha256.finalize()) != row.sha256;
    Ok(changed.then(|| "was changed: its bytes have another SHA-256".into()))
}

/// Every object has its row, is to be removed, or is new.
async fn check_objects(
    store: &Store,
    objects: &Objects,
    repair: bool,
    findings: &mut Findings,
) -> Result<()> {
    let before = store.now() - GRACE;
    let mut listed = objects.list("")?.try_chunks(BATCH_SIZE as usize);
    loop {
        let some = match listed.try_next().await {
            Ok(Some(some)) => some,
            Ok(None) => break,
            Err(error) => return Err(error.1),
        };
        for orphan in orphans(store, some, before).await? {
            found(findings, repair, &orphan.to_string());
            if repair {
                objects.delete(&orphan).await?;
            }
        }
    }
    let abandoned = objects.abandoned(before, repair).await?;
    for _ in 0..abandoned {
        found(findings, repair, "the file of an upload that did not end");
    }
    Ok(())
}

fn found(findings: &mut Findings, repair: bool, what: &str) {
    findings.orphans += 1;
    if repair {
        findings.removed += 1;
    } else {
        findings.faults.push(format!("{what} is of no row"));
    }
}

/// Those of some objects that nothing names.
async fn orphans(
    store: &Store,
    listed: Vec<Listed>,
    before: DateTime<Utc>,
) -> Result<Vec<ObjectName>> {
    let old: Vec<_> = listed.into_iter().filter(|it| it.modified_at < before).collect();
    let ids: HashMap<Uuid, &ObjectName> =
        old.iter().filter_map(|it| Some((it.name.id()?, &it.name))).collect();
    let known: Vec<(Uuid, Uuid, String)> = stored_object::Entity::find()
        .select_only()
        .columns([
            stored_object::Column::OrganizationId,
            stored_object::Column::Id,
            stored_object::Column::Sha256,
        ])
        .filter(stored_object::Column::Id.is_in(ids.keys().copied()))
        .into_tuple()
        .all(store.read())
        .await?;
    let known = known.into_iter().map(|(organization_id, id, sha256)| {
        ObjectName::of(organization_id, &sha256, id).to_string()
    });
    let mut named: HashSet<String> = known.collect();
    // That of an organization which is removed stands for all in it.
    let folder = |name: &ObjectName| {
        name.as_str().split_inclusive('/').next().unwrap_or_default().to_owned()
    };
    let names = old.iter().flat_map(|it| [it.name.as_str().to_owned(), folder(&it.name)]);
    let names: HashSet<String> = names.collect();
    let leaving: Vec<String> = object_removal::Entity::find()
        .select_only()
        .column(object_removal::Column::Name)
        .filter(object_removal::Column::Name.is_in(names))
        .into_tuple()
        .all(store.read())
        .await?;
    named.extend(leaving);
    let is_named =
        |name: &ObjectName| named.contains(name.as_str()) || named.contains(&folder(name));
    Ok(old.into_iter().map(|it| it.name).filter(|name| !is_named(name)).collect())
}

/// The references of each object are those of its attachments, and what is used is the sum of the objects and of what
/// documents have attached.
async fn check_counts(store: &Store, findings: &mut Findings) -> Result<()> {
    let faults = store.snapshot(async move |tx| {
        let mut faults = Vec::new();
        let mut references: HashMap<(Uuid, Uuid), i64> = HashMap::new();
        let attachments: Vec<(Uuid, Uuid)> = attachment::Entity::find()
            .select_only()
            .columns([attachment::Column::OrganizationId, attachment::Column::ObjectId])
            .into_tuple()
            .all(tx)
            .await?;
        for object in attachments {
            *references.entry(object).or_default() += 1;
        }
        let mut bytes: BTreeMap<Uuid, i64> = BTreeMap::new();
        for row in stored_object::Entity::find().all(tx).await? {
            let (organization_id, id) = (row.organization_id, row.id);
            *bytes.entry(organization_id).or_default() += row.size;
            let count = references.remove(&(organization_id, id)).unwrap_or_default();
            if count != row.reference_count {
                faults.push(format!(
                    "the object {id} of {organization_id} counts {} references, and has {count}",
                    row.reference_count
                ));
            }
        }
        for (organization_id, sum) in attached_to_documents(tx).await? {
            *bytes.entry(organization_id).or_default() += sum;
        }
        for row in storage_usage::Entity::find().all(tx).await? {
            let sum = bytes.remove(&row.organization_id).unwrap_or_default();
            if sum != row.bytes {
                let (id, counted) = (row.organization_id, row.bytes);
                faults.push(format!("{id} counts {counted} bytes of files, and has {sum}"));
            }
        }
        faults.extend(
            bytes
                .into_iter()
                .filter(|(_, sum)| *sum != 0)
                .map(|(id, sum)| format!("{id} counts no bytes of files, and has {sum}")),
        );
        Ok(faults)
    });
    findings.faults.extend(faults.await?);
    Ok(())
}

/// How many bytes the documents of each organization have attached, which the database has itself.
async fn attached_to_documents(connection: &impl ConnectionTrait) -> Result<Vec<(Uuid, i64)>> {
    let size = Func::cust("LENGTH").arg(Expr::col(document_blob::Column::Bytes));
    let sums = document_blob::Entity::find()
        .select_only()
        .column(document_blob::Column::OrganizationId)
        .expr(Expr::from(Func::sum(size)).cast_as("bigint"))
        .group_by(document_blob::Column::OrganizationId);
    Ok(sums.into_tuple().all(connection).await?)
}
