use std::collections::HashMap;

use entity::{journal_entry, transfer};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::{JournalEntry, JournalEntryQuery, JournalEntrySort, Transfer};
use crate::{
    error::Result,
    input::AnyOf,
    store::{
        Tx,
        page::{Page, Paged, Sort, page},
        rows, versioned,
    },
};

/// An entry with its transfers, within a transaction.
pub(super) async fn get(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
) -> Result<(journal_entry::Model, JournalEntry)> {
    let row = versioned::get::<journal_entry::Entity>(tx, organization_id, id).await?;
    let transfers = transfers_of(tx, organization_id, [id]).await?.remove(&id);
    Ok((row.clone(), view(row, transfers.unwrap_or_default())?))
}

/// The transfers of some entries, in their order.
async fn transfers_of(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<HashMap<Uuid, Vec<Transfer>>> {
    let found = versioned::find_in_organization::<transfer::Entity>(organization_id)
        .filter(transfer::Column::EntryId.is_in(ids))
        .order_by_asc(transfer::Column::EntryId)
        .order_by_asc(transfer::Column::Position);
    let mut transfers: HashMap<Uuid, Vec<Transfer>> = HashMap::new();
    for row in rows::all(connection, found).await? {
        let transfer::Model {
            organization_id: _,
            id: _,
            entry_id,
            position: _,
            debit_account_id,
            credit_account_id,
            amount_minor,
            currency,
        } = row;
        let transfer = Transfer { debit_account_id, credit_account_id, amount_minor, currency };
        transfers.entry(entry_id).or_default().push(transfer);
    }
    Ok(transfers)
}

pub(super) fn view(row: journal_entry::Model, transfers: Vec<Transfer>) -> Result<JournalEntry> {
    let journal_entry::Model {
        organization_id: _,
        id,
        version,
        created_at,
        updated_at,
        occurred_on,
        memo,
        reference,
        reverses_id,
        reversed_by_id,
    } = row;
    Ok(JournalEntry {
        id,
        version,
        occurred_on,
        memo,
        reference,
        transfers,
        reverses_id,
        reversed_by_id,
        created_at: created_at.to_utc(),
        updated_at: updated_at.to_utc(),
    })
}

/// A page of entries with their transfers, within a transaction.
pub(super) async fn list(
    tx: &Tx,
    organization_id: Uuid,
    query: &JournalEntryQuery,
) -> Result<Page<JournalEntry>> {
    use journal_entry::{COLUMN, Column};
    let JournalEntryQuery { account_id, occurred_from, occurred_to, sort, limit: _, cursor: _ } =
        query;
    let (name, descending) = match sort {
        JournalEntrySort::OccurredOn => ("occurred_on", false),
        JournalEntrySort::OccurredOnDescending => ("-occurred_on", true),
    };
    let entries = versioned::find_in_organization::<journal_entry::Entity>(organization_id)
        .apply_if(account_id.as_ref().map(AnyOf::ids), |rows, accounts| {
            let touching = |side: transfer::Column| {
                versioned::find_in_organization::<transfer::Entity>(organization_id)
                    .select_only()
                    .column(transfer::Column::EntryId)
                    .filter(accounts.on(side))
                    .into_query()
            };
            let debits = Column::Id.in_subquery(touching(transfer::Column::DebitAccountId));
            let credits = Column::Id.in_subquery(touching(transfer::Column::CreditAccountId));
            rows.filter(debits.or(credits))
        })
        .apply_if(*occurred_from, |rows, day| rows.filter(COLUMN.occurred_on.gte(day)))
        .apply_if(*occurred_to, |rows, day| rows.filter(COLUMN.occurred_on.lte(day)));
    let sort = Sort { name, column: Column::OccurredOn, descending };
    let page = page(tx, entries, sort, &query.page()).await?;
    let ids: Vec<_> = page.items.iter().map(|row| row.id).collect();
    let mut transfers = transfers_of(tx, organization_id, ids).await?;
    page.try_map(|row| {
        let own = transfers.remove(&row.id).unwrap_or_default();
        view(row, own)
    })
}

/// Writes the transfers of a new entry.
pub(super) async fn insert_transfers(
    tx: &Tx,
    organization_id: Uuid,
    entry_id: Uuid,
    transfers: &[Transfer],
) -> Result<()> {
    let rows = transfers.iter().zip(0_i64..).map(|(new, position)| {
        let Transfer { debit_account_id, credit_account_id, amount_minor, currency } = new;
        transfer::ActiveModel {
            organization_id: Set(organization_id),
            id: Set(tx.new_id()),
            entry_id: Set(entry_id),
            position: Set(position),
            debit_account_id: Set(*debit_account_id),
            credit_account_id: Set(*credit_account_id),
            amount_minor: Set(*amount_minor),
            currency: Set(currency.clone()),
        }
    });
    transfer::Entity::insert_many(rows.collect::<Vec<_>>()).exec_without_returning(tx).await?;
    Ok(())
}
