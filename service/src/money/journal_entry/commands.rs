use std::collections::HashMap;

use entity::journal_entry;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{
    JournalEntry, JournalEntryInput, JournalEntryQuery, ReversalInput, repository,
    rules::{self, accounts_fit, allowed, movements},
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    idempotency::WriteOnce,
    input::{Create, TransitionBody},
    money::account,
    resource::{Readable, Resource, versioned},
    role::Permission,
    store::{
        Store, Tx, log,
        page::Page,
        versioned::{self, Expected},
    },
};

versioned!(JournalEntry);

impl Resource for JournalEntry {
    const ENTITY: &'static str = "journal_entry";
    const READ: Permission = Permission::ReadLedger;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Reversed];
}

impl Readable for JournalEntry {
    type Query = JournalEntryQuery;

    /// The entry.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let organization_id = actor.organization_id;
        let found = store.snapshot(async move |tx| repository::get(tx, organization_id, id).await);
        Ok(found.await?.1)
    }

    /// The entries that a query asks for.
    async fn list(store: &Store, actor: &Actor, query: &JournalEntryQuery) -> Result<Page<Self>> {
        let organization_id = actor.organization_id;
        let query = query.clone();
        let found =
            store.snapshot(async move |tx| repository::list(tx, organization_id, &query).await);
        found.await
    }
}

/// Posts an entry.
pub async fn post(
    store: WriteOnce<'_, JournalEntry>,
    actor: &Actor,
    new: Create<JournalEntryInput>,
) -> Result<JournalEntry> {
    let actor = actor.clone();
    store
        .read_committed()
        .write(async move |tx| {
            let id = log::new_id::<JournalEntry>(tx, actor.organization_id, new.id).await?;
            post_in(tx, &actor, id, &new.input, None).await
        })
        .await
}

/// Posts an entry within a transaction at READ COMMITTED ([`Store::read_committed`]).
pub(crate) async fn post_in(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    new: &JournalEntryInput,
    reverses_id: Option<Uuid>,
) -> Result<JournalEntry> {
    let JournalEntryInput { occurred_on, memo, reference, transfers } = new;
    let organization_id = actor.organization_id;
    let movements = movements(transfers)?;
    let mut sums = HashMap::new();
    for (id, movement) in &movements {
        let (debits, credits) = (movement.debits_minor, movement.credits_minor);
        let account = (organization_id, *id);
        let moved = account::repository::add_to_sums(tx, account, debits, credits).await?;
        sums.extend(moved.map(|moved| (*id, moved)));
    }
    // After their sums are held: what an account allows does not change from here on.
    let ids: Vec<_> = movements.keys().copied().collect();
    let accounts = account::repository::some(tx, organization_id, ids).await?;
    accounts_fit(transfers, &accounts)?;
    for (id, movement) in &movements {
        if let Some(account) = accounts.get(id) {
            allowed(account, *movement, sums.get(id))?;
        }
    }
    let now = tx.now().fixed_offset();
    let row = journal_entry::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(id),
        occurred_on: Set(*occurred_on),
        memo: Set(memo.clone()),
        reference: Set(reference.clone()),
        reverses_id: Set(reverses_id),
        reversed_by_id: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let view = |row| repository::view(row, transfers.clone());
    let posted = versioned::insert(tx, actor, row, view).await?;
    repository::insert_transfers(tx, organization_id, id, transfers).await?;
    Ok(posted)
}

/// Reverses an entry, by another with the same transfers the other way round. Gives the one that was
/// reversed.
pub async fn reverse(
    store: WriteOnce<'_, JournalEntry>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<ReversalInput>,
) -> Result<JournalEntry> {
    let actor = actor.clone();
    store
        .read_committed()
        .write(async move |tx| {
            let (row, entry) = repository::get(tx, actor.organization_id, id).await?;
            expected.check(row.version, &entry)?;
            let mut how = body.input()?;
            let chosen = how.reversal_id.take();
            let organization_id = actor.organization_id;
            let new_id = log::new_id::<JournalEntry>(tx, organization_id, chosen).await;
            let new_id = new_id.map_err(|error| match error {
                Error::Duplicate { .. } => Error::Duplicate { pointer: "/reversal_id".into() },
                other => other,
            })?;
            reverse_row(tx, &actor, (row, entry), new_id, how).await
        })
        .await
}

/// Reverses an entry within a transaction at READ COMMITTED.
pub(crate) async fn reverse_in(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    reversal_id: Uuid,
    memo: Option<String>,
) -> Result<JournalEntry> {
    let found = repository::get(tx, actor.organization_id, id).await?;
    let how = ReversalInput { memo, ..ReversalInput::default() };
    reverse_row(tx, actor, found, reversal_id, how).await
}

async fn reverse_row(
    tx: &Tx,
    actor: &Actor,
    (row, entry): (journal_entry::Model, JournalEntry),
    reversal_id: Uuid,
    how: ReversalInput,
) -> Result<JournalEntry> {
    if entry.reversed_by_id.is_some() {
        return Err(Error::state("already_reversed", "the entry has been reversed"));
    }
    let reversal = JournalEntryInput {
        occurred_on: how.occurred_on.unwrap_or(entry.occurred_on),
        memo: how.memo,
        reference: entry.reference.clone(),
        transfers: rules::reversed(&entry.transfers),
    };
    // Another who reverses the same entry waits here, and then finds that it is done.
    versioned::lock::<journal_entry::Entity>(tx, &row).await?;
    post_in(tx, actor, reversal_id, &reversal, Some(row.id)).await?;
    let next =
        journal_entry::ActiveModel { reversed_by_id: Set(Some(reversal_id)), ..Default::default() };
    let view = |row| repository::view(row, entry.transfers);
    versioned::update(tx, actor, Verb::Reversed, &row, next, view).await
}
