mod children;
mod import;
mod list;
mod references;

use entity::expense;
use sea_orm::{ActiveValue::Set, ConnectionTrait, sea_query::OnConflict};
use uuid::Uuid;

pub(super) use children::{insert_names, item_rows, items_of, project_rows, tag_rows};
pub(super) use import::insert_unknown;
pub use list::statement;
pub(super) use list::{list, list_plain};
pub(crate) use list::{names_project, point};
pub(super) use references::unknown_references;

use super::{
    Expense, ExpenseInput, ExpenseItem,
    spending::{self, Deltas},
};
use crate::{
    actor::Actor,
    details,
    error::Result,
    event::Verb,
    geo::{self, Point},
    store::{
        Tx,
        stored::{self, StoredWord},
        versioned,
    },
    text::{fold, lower},
};

/// An expense without lines, in one statement. None if it has lines: those take a second statement,
/// and both must see the same state of the database.
pub(super) async fn get_plain(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Option<Expense>> {
    let row = versioned::get::<expense::Entity>(connection, organization_id, id).await?;
    (row.item_count == 0).then(|| view(row, Vec::new())).transpose()
}

/// An expense with its lines, within a transaction.
pub(super) async fn get(
    tx: &Tx,
    organization_id: Uuid,
    id: Uuid,
) -> Result<(expense::Model, Expense)> {
    let row = versioned::get::<expense::Entity>(tx, organization_id, id).await?;
    let items = if row.item_count == 0 {
        Vec::new()
    } else {
        items_of(tx, organization_id, [id]).await?.remove(&id).unwrap_or_default()
    };
    Ok((row.clone(), view(row, items)?))
}

pub(super) fn view(row: expense::Model, items: Vec<ExpenseItem>) -> Result<Expense> {
    use expense::Column;
    let expense::Model {
        organization_id: _,
        id,
        version,
        created_at,
        updated_at,
        member_id,
        category_id,
        kind,
        status,
        spent_on,
        amount_minor,
        currency,
        merchant,
        merchant_key: _,
        payment_method,
        note,
        place,
        details,
        search_key: _,
        item_count: _,
        submitted_at,
        decided_at,
        decided_by_member_id,
        decision_note,
        reimbursed_at,
        import_key: _,
        tags,
        payout_saga_id,
        payout_error,
        project_id,
        created_by_member_id,
        changed_by_member_id,
        submitted_by_member_id,
        latitude_e7,
        longitude_e7,
        x_cm: _,
        y_cm: _,
        z_cm: _,
    } = row;
    let details = details.map(|details| stored::json(Column::Details, id, details));
    let tags = tags.map(|tags| stored::json(Column::Tags, id, tags));
    Ok(Expense {
        id,
        version,
        kind: stored::word(Column::Kind, id, &kind)?,
        status: stored::word(Column::Status, id, &status)?,
        member_id,
        category_id,
        project_id,
        spent_on,
        amount_minor,
        currency,
        merchant,
        payment_method,
        note,
        place,
        latitude: latitude_e7.map(geo::of_e7),
        longitude: longitude_e7.map(geo::of_e7),
        details: details.transpose()?,
        items,
        tags: tags.transpose()?.unwrap_or_default(),
        created_by_member_id,
        changed_by_member_id,
        submitted_at: submitted_at.map(|at| at.to_utc()),
        submitted_by_member_id,
        decided_at: decided_at.map(|at| at.to_utc()),
        decided_by_member_id,
        decision_note,
        reimbursed_at: reimbursed_at.map(|at| at.to_utc()),
        payout_saga_id,
        payout_error,
        created_at: created_at.to_utc(),
        updated_at: updated_at.to_utc(),
    })
}

/// The columns of what a client may write. `currency` and `member_id` are settled before.
pub(super) fn columns(
    input: &ExpenseInput,
    member_id: Uuid,
    currency: &str,
) -> expense::ActiveModel {
    let ExpenseInput {
        kind,
        member_id: _,
        category_id,
        project_id,
        spent_on,
        amount_minor,
        currency: _,
        merchant,
        payment_method,
        note,
        place,
        latitude,
        longitude,
        details,
        items,
        tags,
    } = input;
    let point =
        latitude.zip(*longitude).map(|(latitude, longitude)| Point::of(latitude, longitude));
    let merchant_key = merchant.as_deref().map(fold).unwrap_or_default();
    let note_key = note.as_deref().map(lower).unwrap_or_default();
    expense::ActiveModel {
        kind: Set(kind.as_str().to_owned()),
        member_id: Set(member_id),
        category_id: Set(*category_id),
        project_id: Set(*project_id),
        spent_on: Set(*spent_on),
        amount_minor: Set(*amount_minor),
        currency: Set(currency.to_owned()),
        merchant: Set(merchant.clone()),
        search_key: Set(format!("{merchant_key}\n{note_key}")),
        merchant_key: Set(merchant_key),
        payment_method: Set(payment_method.clone()),
        note: Set(note.clone()),
        place: Set(place.clone()),
        latitude_e7: Set(latitude.map(geo::to_e7)),
        longitude_e7: Set(longitude.map(geo::to_e7)),
        x_cm: Set(point.map(|point| point.x_cm)),
        y_cm: Set(point.map(|point| point.y_cm)),
        z_cm: Set(point.map(|point| point.z_cm)),
        details: Set(details.clone().map(details::kept)),
        tags: Set((!tags.is_empty()).then(|| tags.clone().into())),
        item_count: Set(i64::try_from(items.len()).unwrap_or(i64::MAX)),
        ..Default::default()
    }
}

/// Writes the row of a new expense, and what it adds to the sums.
pub(super) async fn insert(
    tx: &Tx,
    actor: &Actor,
    row: expense::ActiveModel,
    items: Vec<ExpenseItem>,
) -> Result<Expense> {
    let made = versioned::insert(tx, actor, row, |row| view(row, items)).await?;
    let deltas = Deltas::of(None, Some(&made));
    spending::append(tx, actor.organization_id, deltas).await?;
    Ok(made)
}

/// Writes the rows of new expenses, and what they add to the sums. Rows that are there already are left out if `unless`
/// says by what to know them.
pub(super) async fn insert_many(
    tx: &Tx,
    actor: &Actor,
    rows: Vec<expense::ActiveModel>,
    unless: Option<OnConflict>,
    view: impl FnMut(expense::Model) -> Result<Expense>,
) -> Result<Vec<Expense>> {
    let made = versioned::insert_many(tx, actor, rows, unless, view).await?;
    spending::append(tx, actor.organization_id, Deltas::of_new(&made)).await?;
    Ok(made)
}

/// Writes the next version of an expense's row, and by how much that changes the sums.
pub(super) async fn update(
    tx: &Tx,
    actor: &Actor,
    verb: Verb,
    (row, current): (&expense::Model, &Expense),
    change: expense::ActiveModel,
    items: Vec<ExpenseItem>,
) -> Result<Expense> {
    let view = |row| view(row, items);
    let changed = versioned::update(tx, actor, verb, row, change, view).await?;
    let deltas = Deltas::of(Some(current), Some(&changed));
    spending::append(tx, actor.organization_id, deltas).await?;
    Ok(changed)
}

/// Removes an expense, and what it adds to the sums.
pub(super) async fn delete(
    tx: &Tx,
    actor: &Actor,
    row: &expense::Model,
    current: &Expense,
) -> Result<()> {
    versioned::delete(tx, actor, row, current).await?;
    spending::append(tx, actor.organization_id, Deltas::of(Some(current), None)).await
}
