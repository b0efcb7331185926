use entity::expense;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{
    DecisionInput, Expense, ExpenseBatch, ExpenseInput, ExpenseQuery, Status, repository,
    rules::{self, Move},
};
use crate::{
    actor::Actor,
    error::{Error, Result, Violation},
    input::{Act, Change, Create, FromBody},
    role::Permission,
    store::{Store, Tx, page::Page, versioned, versioned::Expected},
};

/// Records an expense.
pub async fn create(store: &Store, actor: &Actor, new: Create<ExpenseInput>) -> Result<Expense> {
    let written = store
        .write((actor.clone(), new.clone()), |tx, (actor, new)| {
            Box::pin(async move {
                let row = new_row(tx, actor, new, None)?;
                let row = versioned::insert::<expense::Entity, _>(tx, row).await?;
                let items = &new.input.items;
                repository::insert_items(tx, actor.organization_id, [(row.id, &items[..])]).await?;
                Ok(repository::view(row, items.clone()))
            })
        })
        .await;
    explain(store, actor, written, [(String::new(), &new.input)]).await
}

/// Records several expenses, all or none.
pub async fn create_many(
    store: &Store,
    actor: &Actor,
    batch: ExpenseBatch,
) -> Result<Vec<Expense>> {
    let news = read_batch(batch)?;
    let written = store
        .write((actor.clone(), news.clone()), |tx, (actor, news)| {
            Box::pin(async move {
                let rows = news
                    .iter()
                    .enumerate()
                    .map(|(index, new)| {
                        new_row(tx, actor, new, None).map_err(|error| error.below(index))
                    })
                    .collect::<Result<Vec<_>>>()?;
                let ids: Vec<Uuid> = rows.iter().map(|row| *row.id.as_ref()).collect();
                let rows = versioned::insert_many::<expense::Entity, _>(tx, rows).await?;
                let lines = ids.iter().zip(news).map(|(id, new)| (*id, &new.input.items[..]));
                repository::insert_items(tx, actor.organization_id, lines).await?;
                let items = news.iter().map(|new| new.input.items.clone());
                Ok(rows.into_iter().zip(items).map(|(row, it)| repository::view(row, it)).collect())
            })
        })
        .await;
    if let Err(Error::Duplicate { .. }) = written {
        let taken = first_taken(store, actor, &news).await?;
        return written.map_err(|error| taken.unwrap_or(error));
    }
    let inputs = news.iter().enumerate().map(|(i, new)| (format!("/items/{i}"), &new.input));
    explain(store, actor, written, inputs).await
}

/// Says which item of a batch has an id that is taken.
async fn first_taken(
    store: &Store,
    actor: &Actor,
    news: &[Create<ExpenseInput>],
) -> Result<Option<Error>> {
    let ids = news.iter().filter_map(|new| new.id).collect();
    let free =
        versioned::missing::<expense::Entity>(store.read(), actor.organization_id, ids).await?;
    let taken = news.iter().position(|new| new.id.is_some_and(|id| !free.contains(&id)));
    Ok(taken.map(|index| Error::Duplicate { pointer: format!("/items/{index}/id").into() }))
}

fn read_batch(batch: ExpenseBatch) -> Result<Vec<Create<ExpenseInput>>> {
    let mut violations = Vec::new();
    let mut news = Vec::new();
    for (index, item) in batch.items.into_iter().enumerate() {
        match Create::from_body(item).map_err(|error| error.below(index)) {
            Ok(new) => news.push(new),
            Err(Error::Invalid(found)) => violations.extend(found),
            Err(other) => return Err(other),
        }
    }
    let mut seen = std::collections::HashSet::new();
    for (index, id) in news.iter().enumerate().filter_map(|(i, new)| Some((i, new.id?))) {
        if !seen.insert(id) {
            let at = format!("/items/{index}/id");
            violations.push(Violation::new(at, "duplicate", "stands in this batch twice"));
        }
    }
    if violations.is_empty() { Ok(news) } else { Err(Error::Invalid(violations)) }
}

/// Says which reference it was that the database refused.
async fn explain<'a, T>(
    store: &Store,
    actor: &Actor,
    written: Result<T>,
    inputs: impl IntoIterator<Item = (String, &'a ExpenseInput)>,
) -> Result<T> {
    match written {
        Err(Error::Reference) => {
            Err(repository::unknown_references(store.read(), actor, inputs).await?)
        }
        other => other,
    }
}

/// A row for a new expense, under the rules for who may record one for whom.
pub(super) fn new_row(
    tx: &Tx,
    actor: &Actor,
    new: &Create<ExpenseInput>,
    import_key: Option<String>,
) -> Result<expense::ActiveModel> {
    let member_id = new.input.member_id.or(actor.member_id).ok_or_else(|| {
        Error::invalid("/member_id", "required", "is required where nobody acts in person")
    })?;
    may_record(actor, member_id)?;
    let currency = new.input.currency.as_ref().unwrap_or(&actor.settings.currency);
    let now = tx.now().fixed_offset();
    let status = rules::written(actor.settings.approval_required);
    Ok(expense::ActiveModel {
        organization_id: Set(actor.organization_id),
        id: Set(new.id.unwrap_or_else(|| tx.new_id())),
        status: Set(status.as_str().to_owned()),
        submitted_at: Set(None),
        decided_at: Set((status == Status::Approved).then_some(now)),
        decided_by_member_id: Set(None),
        decision_note: Set(None),
        reimbursed_at: Set(None),
        import_key: Set(import_key),
        created_at: Set(now),
        updated_at: Set(now),
        ..repository::columns(&new.input, member_id, currency)
    })
}

fn may_record(actor: &Actor, member_id: Uuid) -> Result<()> {
    if actor.member_id == Some(member_id) || actor.may(Permission::ManageExpenses) {
        return Ok(());
    }
    Err(Error::forbidden("not_your_expense", "this is somebody else's expense"))
}

/// The expense.
pub async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Expense> {
    let organization_id = actor.organization_id;
    if let Some(expense) = repository::get_plain(store.read(), organization_id, id).await? {
        return Ok(expense);
    }
    let with_lines = store.snapshot((organization_id, id), |tx, (organization_id, id)| {
        Box::pin(repository::get(tx, *organization_id, *id))
    });
    Ok(with_lines.await?.1)
}

/// The expenses that a query asks for.
pub async fn list(store: &Store, actor: &Actor, query: &ExpenseQuery) -> Result<Page<Expense>> {
    let organization_id = actor.organization_id;
    if let Some(page) = repository::list_plain(store.read(), organization_id, query).await? {
        return Ok(page);
    }
    let with_lines = store
        .snapshot((organization_id, query.clone()), |tx, (organization_id, query)| {
            Box::pin(repository::list(tx, *organization_id, query))
        });
    with_lines.await
}

/// Changes an expense that nobody relies on yet. A rejected one is a draft again.
pub async fn change(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    change: Change<ExpenseInput>,
) -> Result<Expense> {
    let changed = store
        .write((actor.clone(), id, expected, change), |tx, (actor, id, expected, change)| {
            Box::pin(async move {
                let (row, current) = repository::get(tx, actor.organization_id, *id).await?;
                may_record(actor, row.member_id)?;
                expected.check(row.version, &current)?;
                rules::changeable(current.status, actor.settings.approval_required)?;
                let input = change.apply(&input_of(&current))?;
                match write_change(tx, actor, row, current, &input).await {
                    Err(Error::Reference) => {
                        tx.undo();
                        Ok(Err(input))
                    }
                    other => other.map(Ok),
                }
            })
        })
        .await?;
    match changed {
        Ok(expense) => Ok(expense),
        Err(input) => explain(store, actor, Err(Error::Reference), [(String::new(), &input)]).await,
    }
}

async fn write_change(
    tx: &Tx,
    actor: &Actor,
    row: expense::Model,
    current: Expense,
    input: &ExpenseInput,
) -> Result<Expense> {
    let required = |at, what| Error::invalid(at, "required", what);
    let member_id = input.member_id.ok_or_else(|| required("/member_id", "is required"))?;
    let currency = input.currency.as_ref().ok_or_else(|| required("/currency", "is required"))?;
    may_record(actor, member_id)?;
    let mut next = repository::columns(input, member_id, currency);
    if current.status == Status::Rejected {
        next.status = Set(Status::Draft.as_str().to_owned());
        next.submitted_at = Set(None);
        next.decided_at = Set(None);
        next.decided_by_member_id = Set(None);
        next.decision_note = Set(None);
    }
    let row = versioned::update::<expense::Entity, _>(tx, &row, next).await?;
    if input.items != current.items {
        repository::delete_items(tx, actor.organization_id, row.id).await?;
        repository::insert_items(tx, actor.organization_id, [(row.id, &input.items[..])]).await?;
    }
    Ok(repository::view(row, input.items.clone()))
}

/// The input that would make the expense as it is.
fn input_of(expense: &Expense) -> ExpenseInput {
    ExpenseInput {
        kind: expense.kind,
        member_id: Some(expense.member_id),
        category_id: expense.category_id,
        spent_on: expense.spent_on,
        amount_minor: expense.amount_minor,
        currency: Some(expense.currency.clone()),
        merchant: expense.merchant.clone(),
        payment_method: expense.payment_method.clone(),
        note: expense.note.clone(),
        place: expense.place.clone(),
        details: expense.details.clone(),
        items: expense.items.clone(),
    }
}

/// Removes an expense that nobody relies on yet.
pub async fn delete(store: &Store, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
    store
        .write((actor.clone(), id, expected), |tx, (actor, id, expected)| {
            Box::pin(async move {
                let (row, current) = repository::get(tx, actor.organization_id, *id).await?;
                may_record(actor, row.member_id)?;
                expected.check(row.version, &current)?;
                rules::changeable(current.status, actor.settings.approval_required)?;
                versioned::delete::<expense::Entity>(tx, &row).await
            })
        })
        .await
}

/// Asks for a decision. Where nobody decides, the expense is approved.
pub async fn submit(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    act: Act<DecisionInput>,
) -> Result<Expense> {
    transition(store, actor, id, expected, act, Move::Submit).await
}

/// Accepts a submitted expense of somebody else's.
pub async fn approve(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    act: Act<DecisionInput>,
) -> Result<Expense> {
    transition(store, actor, id, expected, act, Move::Approve).await
}

/// Refuses a submitted expense of somebody else's.
pub async fn reject(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    act: Act<DecisionInput>,
) -> Result<Expense> {
    transition(store, actor, id, expected, act, Move::Reject).await
}

/// Says that an approved expense has been paid back.
pub async fn reimburse(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    act: Act<DecisionInput>,
) -> Result<Expense> {
    transition(store, actor, id, expected, act, Move::Reimburse).await
}

async fn transition(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    act: Act<DecisionInput>,
    by: Move,
) -> Result<Expense> {
    store
        .write((actor.clone(), id, expected, act, by), |tx, (actor, id, expected, act, by)| {
            Box::pin(async move {
                let (row, current) = repository::get(tx, actor.organization_id, *id).await?;
                may_move(actor, &row, *by)?;
                expected.check(row.version, &current)?;
                let DecisionInput { note } = act.input()?;
                let approval_required = actor.settings.approval_required;
                let to = rules::moved(current.status, *by, approval_required)?;
                let now = tx.now().fixed_offset();
                let mut next = expense::ActiveModel {
                    status: Set(to.as_str().to_owned()),
                    ..Default::default()
                };
                match by {
                    Move::Submit => {
                        next.submitted_at = Set(Some(now));
                        next.decided_at = Set((to == Status::Approved).then_some(now));
                    }
                    Move::Approve | Move::Reject => {
                        next.decided_at = Set(Some(now));
                        next.decided_by_member_id = Set(actor.member_id);
                        next.decision_note = Set(note);
                    }
                    Move::Reimburse => next.reimbursed_at = Set(Some(now)),
                }
                let row = versioned::update::<expense::Entity, _>(tx, &row, next).await?;
                Ok(repository::view(row, current.items))
            })
        })
        .await
}

fn may_move(actor: &Actor, row: &expense::Model, by: Move) -> Result<()> {
    match by {
        Move::Submit => may_record(actor, row.member_id),
        Move::Approve | Move::Reject => {
            if actor.settings.approval_required && actor.member_id == Some(row.member_id) {
                return Err(Error::forbidden("own_expense", "nobody decides their own expense"));
            }
            Ok(())
        }
        Move::Reimburse => Ok(()),
    }
}
