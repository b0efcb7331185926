//! Adds the transfers up again, and compares: a sum that was moved without a transfer shows, and so
//! does an entry that does not balance.

use std::collections::{BTreeSet, HashMap};

use entity::{account, account_balance, journal_entry, transfer};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoSimpleExpr, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    error::Result,
    identity::organization,
    money::account::Kind,
    store::{Store, Tx, dialect, rows, stored, versioned},
};

/// What was found in one organization's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The organization.
    pub organization_id: Uuid,
    /// How many accounts hold.
    pub accounts: u64,
    /// What is wrong.
    pub faults: Vec<String>,
}

/// Checks every ledger.
pub async fn verify(store: &Store) -> Result<Vec<Findings>> {
    let organizations: Vec<Uuid> = account::Entity::find()
        .select_only()
        .column(account::Column::OrganizationId)
        .distinct()
        .order_by_asc(account::Column::OrganizationId)
        .into_tuple()
        .all(store.read())
        .await?;
    let mut findings = Vec::new();
    for id in organizations {
        let found = store.snapshot(async move |tx| {
            // A part of it may be removed by now.
            match organization::repository::is_deleted(tx, id).await? {
                true => Ok(None),
                false => verify_ledger(tx, id).await.map(Some),
            }
        });
        findings.extend(found.await?);
    }
    Ok(findings)
}

async fn verify_ledger(tx: &Tx, organization_id: Uuid) -> Result<Findings> {
    let mut faults = entry_faults(tx, organization_id).await?;
    let sums =
        rows::all(tx, versioned::find_in_organization::<account_balance::Entity>(organization_id))
            .await?;
    let mut sums: HashMap<_, _> = sums.into_iter().map(|sums| (sums.id, sums)).collect();
    let debits = sums_of(tx, organization_id, transfer::Column::DebitAccountId).await?;
    let credits = sums_of(tx, organization_id, transfer::Column::CreditAccountId).await?;
    let accounts = versioned::find_in_organization::<account::Entity>(organization_id)
        .order_by_asc(account::Column::Id);
    let mut hold = 0;
    for account in rows::all(tx, accounts).await? {
        let id = account.id;
        let Some(kept) = sums.remove(&id) else {
            faults.push(format!("account {id} has no running sums"));
            continue;
        };
        let before = faults.len();
        for (side, kept, added) in [
            ("debits", kept.debits_minor, debits.get(&id)),
            ("credits", kept.credits_minor, credits.get(&id)),
        ] {
            let added = added.copied().unwrap_or_default();
            if i128::from(kept) != added {
                faults
                    .push(format!("the {side} of account {id} are {kept}, and should be {added}"));
            }
        }
        let kind: Kind = stored::word(account::Column::Kind, id, &account.kind)?;
        let balance = kind.balance(kept.debits_minor, kept.credits_minor);
        if balance < 0 && !account.may_go_below_zero {
            faults.push(format!("account {id} may not go below zero, and is at {balance}"));
        }
        hold += u64::from(faults.len() == before);
    }
    let lost: BTreeSet<_> = sums.into_keys().collect();
    faults.extend(lost.into_iter().map(|id| format!("there are sums of {id}, but no account")));
    Ok(Findings { organization_id, accounts: hold, faults })
}

/// The sums of the transfers on one side of each account.
async fn sums_of(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    side: transfer::Column,
) -> Result<HashMap<Uuid, i128>> {
    let [high, low] = dialect::sum_halves(transfer::Column::AmountMinor.into_simple_expr());
    let sums: Vec<(Uuid, i64, i64)> =
        versioned::find_in_organization::<transfer::Entity>(organization_id)
            .select_only()
            .column(side)
            .column_as(high, "high")
            .column_as(low, "low")
            .group_by(side)
            .into_tuple()
            .all(connection)
            .await?;
    Ok(sums.into_iter().map(|(id, high, low)| (id, dialect::join_halves([high, low]))).collect())
}

/// Entries without transfers, and transfers of another currency than an account of theirs: all else
/// that could keep an entry from balancing cannot be written down.
async fn entry_faults(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Vec<String>> {
    let with_transfers = versioned::find_in_organization::<transfer::Entity>(organization_id)
        .select_only()
        .column(transfer::Column::EntryId)
        .into_query();
    let empty: Vec<Uuid> =
        versioned::find_in_organization::<journal_entry::Entity>(organization_id)
            .select_only()
            .column(journal_entry::Column::Id)
            .filter(journal_entry::Column::Id.not_in_subquery(with_transfers))
            .order_by_asc(journal_entry::Column::Id)
            .into_tuple()
            .all(connection)
            .await?;
    let same_currency = |side: transfer::Column| {
        versioned::find_in_organization::<account::Entity>(organization_id)
            .select_only()
            .column(account::Column::Id)
            .filter(Expr::col((account::Entity, account::Column::Id)).eq(side.into_simple_expr()))
            .filter(
                Expr::col((account::Entity, account::Column::Currency))
                    .eq(transfer::Column::Currency.into_simple_expr()),
            )
            .into_query()
    };
    let mixed: Vec<Uuid> = versioned::find_in_organization::<transfer::Entity>(organization_id)
        .select_only()
        .column(transfer::Column::EntryId)
        .distinct()
        .filter(
            Expr::not_exists(same_currency(transfer::Column::DebitAccountId))
                .or(Expr::not_exists(same_currency(transfer::Column::CreditAccountId))),
        )
        .order_by_asc(transfer::Column::EntryId)
        .into_tuple()
        .all(connection)
        .await?;
    let empty = empty.into_iter().map(|id| format!("entry {id} has no transfers"));
    let mixed = mixed.into_iter().map(|id| {
        format!("entry {id} does not balance: a transfer has another currency than its account")
    });
    Ok(empty.chain(mixed).collect())
}
