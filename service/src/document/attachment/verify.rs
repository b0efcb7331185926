//! What documents have attached, compared with what is kept of it.

use std::collections::HashMap;

use entity::{document_blob, document_blob_use};
use sea_orm::{
    Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{error::Result, random::hexadecimal, store::Store};

/// How many contents are in memory at once, each of [`super::MAX_BYTES`] at most.
const BATCH_SIZE: u64 = 4;

/// What was found of what documents have attached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many contents have the bytes that they had.
    pub contents: u64,
    /// What is wrong.
    pub faults: Vec<String>,
}

/// Reads all that is attached to documents, and counts who has it.
///
/// # Errors
/// Where the database does not answer.
pub async fn verify(store: &Store) -> Result<Findings> {
    let mut findings = Findings::default();
    check_bytes(store, &mut findings).await?;
    check_uses(store, &mut findings).await?;
    Ok(findings)
}

async fn check_bytes(store: &Store, findings: &mut Findings) -> Result<()> {
    use document_blob::Column;
    let mut after = None;
    loop {
        let key = Expr::tuple([Expr::col(Column::OrganizationId), Expr::col(Column::Sha256)]);
        let rest = after.take().map(|(organization_id, sha256): (Uuid, String)| {
            key.gt(Expr::tuple([Expr::val(organization_id), Expr::val(sha256)]))
        });
        let some = document_blob::Entity::find()
            .filter(rest.map_or_else(Condition::all, |rest| Condition::all().add(rest)))
            .order_by_asc(Column::OrganizationId)
            .order_by_asc(Column::Sha256)
            .limit(BATCH_SIZE);
        let some = some.all(store.read()).await?;
        let Some(last) = some.last() else { return Ok(()) };
        after = Some((last.organization_id, last.sha256.clone()));
        for document_blob::Model { organization_id, sha256, bytes, .. } in some {
            if hexadecimal(&Sha256::digest(&bytes)) == sha256 {
                findings.contents += 1;
            } else {
                let fault = format!(
                    "{sha256} of {organization_id} was changed: its bytes have another SHA-256"
                );
                findings.faults.push(fault);
            }
        }
    }
}

/// Each content counts the documents that have it.
async fn check_uses(store: &Store, findings: &mut Findings) -> Result<()> {
    let faults = store.snapshot(async move |tx| {
        let uses: Vec<(Uuid, String, i64)> = document_blob_use::Entity::find()
            .select_only()
            .column(document_blob_use::Column::OrganizationId)
            .column(document_blob_use::Column::Sha256)
            .expr(Expr::col(document_blob_use::Column::DocumentId).count())
            .group_by(document_blob_use::Column::OrganizationId)
            .group_by(document_blob_use::Column::Sha256)
            .into_tuple()
            .all(tx)
            .await?;
        let mut uses: HashMap<(Uuid, String), i64> =
            uses.into_iter().map(|(id, sha256, count)| ((id, sha256), count)).collect();
        let kept: Vec<(Uuid, String, i64)> = document_blob::Entity::find()
            .select_only()
            .column(document_blob::Column::OrganizationId)
            .column(document_blob::Column::Sha256)
            .column(document_blob::Column::Uses)
            .into_tuple()
            .all(tx)
            .await?;
        let mut faults = Vec::new();
        for (organization_id, sha256, counted) in kept {
            let key = (organization_id, sha256);
            let count = uses.remove(&key).unwrap_or_default();
            if count != counted {
                let (_, sha256) = key;
                faults.push(format!(
                    "{sha256} of {organization_id} counts {counted} documents, and has {count}"
                ));
            }
        }
        let gone = uses.into_keys().map(|(organization_id, sha256)| {
            format!("{sha256} of {organization_id} is not there, and documents have it")
        });
        faults.extend(gone);
        Ok(faults)
    });
    findings.faults.extend(faults.await?);
    Ok(())
}
