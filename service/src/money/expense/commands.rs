use std::collections::HashMap;

use entity::expense;
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use uuid::Uuid;

use super::{
    DecisionInput, Expense, ExpenseBatch, ExpenseBatchResult, ExpenseInput, ExpenseQuery, Status,
    repository,
    rules::{self, Transition},
};
use crate::{
    actor::Actor,
    attachment::{self, ParentKind},
    error::{Error, Result},
    event::Verb,
    idempotency::WriteOnce,
    identity::separation_of_duties::{Involvement, SeparationOfDuties},
    input::{Change, Create, TransitionBody, batch},
    resource::{Changeable, Readable, Resource, Transitions, Writable, versioned},
    role::Permission,
    store::{
        AttachmentAct, Store, Tx, children, log, page::Page, stored::StoredWord,
        versioned::Expected,
    },
    work::project,
};

versioned!(Expense);

impl Resource for Expense {
    const ENTITY: &'static str = "expense";
    const READ: Permission = Permission::ReadMoney;
    const VERBS: &'static [Verb] = &[
        Verb::Created,
        Verb::Updated,
        Verb::Reverted,
        Verb::Submitted,
        Verb::Approved,
        Verb::Rejected,
        Verb::Reimbursed,
        Verb::PayoutStarted,
        Verb::PayoutRefused,
        Verb::Deleted,
    ];
}

impl Readable for Expense {
    type Query = ExpenseQuery;

    /// The expense.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let organization_id = actor.organization_id;
        if let Some(expense) = repository::get_plain(store.read(), organization_id, id).await? {
            return Ok(expense);
        }
        let with_lines =
            store.snapshot(async move |tx| repository::get(tx, organization_id, id).await);
        Ok(with_lines.await?.1)
    }

    /// The expenses that a query asks for.
    async fn list(store: &Store, actor: &Actor, query: &ExpenseQuery) -> Result<Page<Self>> {
        let organization_id = actor.organization_id;
        if let Some(page) = repository::list_plain(store.read(), organization_id, query).await? {
            return Ok(page);
        }
        let query = query.clone();
        let with_lines =
            store.snapshot(async move |tx| repository::list(tx, organization_id, &query).await);
        with_lines.await
    }
}

impl Changeable for Expense {
    type Input = ExpenseInput;
    const WRITE: Permission = Permission::RecordExpenses;

    fn input(&self) -> ExpenseInput {
        ExpenseInput {
            kind: self.kind,
            member_id: Some(self.member_id),
            category_id: self.category_id,
            project_id: self.project_id,
            spent_on: self.spent_on,
            amount_minor: self.amount_minor,
            currency: Some(self.currency.clone()),
            merchant: self.merchant.clone(),
            payment_method: self.payment_method.clone(),
            note: self.note.clone(),
            place: self.place.clone(),
            latitude: self.latitude,
            longitude: self.longitude,
            details: self.details.clone(),
            items: self.items.clone(),
            tags: self.tags.clone(),
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Ok(repository::get(tx, actor.organization_id, id).await?.1)
    }

    /// While nobody relies on it. A rejected one is a draft again.
    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<ExpenseInput>,
    ) -> Result<Self> {
        let (row, current) = repository::get(tx, actor.organization_id, id).await?;
        may_record(actor, row.member_id)?;
        expected.check(row.version, &current)?;
        rules::ensure_no_payout_running(current.payout_saga_id)?;
        rules::changeable(current.status, actor.settings.approval_required)?;
        let input = change.apply(&current.input())?;
        write_change(tx, actor, change.verb(), row, current, &input).await
    }

    async fn unknown_reference<C: ConnectionTrait>(
        connection: &C,
        actor: &Actor,
        input: &ExpenseInput,
    ) -> Result<Error> {
        repository::unknown_references(connection, actor, [(String::new(), input)]).await
    }
}

impl Writable for Expense {
    const IN_USE: &'static str = "other resources refer to the expense";

    fn with_defaults(actor: &Actor, mut input: ExpenseInput) -> ExpenseInput {
        input.member_id = payer(actor, &input);
        input.currency = Some(currency(actor, &input).to_owned());
        input
    }

    async fn create(tx: &Tx, actor: &Actor, new: &Create<ExpenseInput>) -> Result<Self> {
        let id = log::new_id::<Self>(tx, actor.organization_id, new.id).await?;
        let items = &new.input.items;
        let projects = rules::projects(new.input.project_id, items);
        project::ensure_all_accept_new(tx, actor.organization_id, projects).await?;
        let row = new_row(tx, actor, id, &new.input, None)?;
        let made = repository::insert(tx, actor, row, items.clone()).await?;
        let lines = [(made.id, &items[..])];
        children::insert(tx, repository::item_rows(tx, actor.organization_id, lines)).await?;
        repository::insert_names(tx, actor.organization_id, std::slice::from_ref(&made)).await?;
        Ok(made)
    }

    /// While nobody relies on it.
    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let (row, current) = repository::get(tx, actor.organization_id, id).await?;
        may_record(actor, row.member_id)?;
        expected.check(row.version, &current)?;
        rules::ensure_no_payout_running(current.payout_saga_id)?;
        rules::changeable(current.status, actor.settings.approval_required)?;
        attachment::delete_all(tx, actor, ParentKind::Expense, id).await?;
        repository::delete(tx, actor, &row, &current).await
    }
}

/// Records several expenses, all or none.
pub async fn create_many(
    store: WriteOnce<'_, ExpenseBatchResult>,
    actor: &Actor,
    batch: ExpenseBatch,
) -> Result<ExpenseBatchResult> {
    let news: Vec<Create<ExpenseInput>> = batch::read(batch.items)?;
    let connection = store.read();
    let written = {
        let (actor, news) = (actor.clone(), news.clone());
        store
            .write(async move |tx| {
                let chosen: Vec<_> = news.iter().map(|new| new.id).collect();
                let ids = log::new_ids::<Expense>(tx, actor.organization_id, &chosen).await?;
                let ids = ids.map_err(batch::taken)?;
                let projects = news
                    .iter()
                    .flat_map(|new| rules::projects(new.input.project_id, &new.input.items));
                project::ensure_all_accept_new(tx, actor.organization_id, projects).await?;
                let rows = ids
                    .iter()
                    .zip(&news)
                    .enumerate()
                    .map(|(index, (id, new))| {
                        new_row(tx, &actor, *id, &new.input, None)
                            .map_err(|error| error.at_index(index))
                    })
                    .collect::<Result<Vec<_>>>()?;
                let items: HashMap<_, _> =
                    ids.iter().zip(&news).map(|(id, new)| (*id, &new.input.items)).collect();
                let view = |row: expense::Model| {
                    let items = items.get(&row.id).copied().cloned().unwrap_or_default();
                    repository::view(row, items)
                };
                let made = repository::insert_many(tx, &actor, rows, None, view).await?;
                let lines = ids.iter().zip(&news).map(|(id, new)| (*id, &new.input.items[..]));
                let lines = repository::item_rows(tx, actor.organization_id, lines);
                children::insert(tx, lines).await?;
                repository::insert_names(tx, actor.organization_id, &made).await?;
                Ok(ExpenseBatchResult { items: made })
            })
            .await
    };
    match written {
        Err(Error::Reference) => {
            let inputs = news.iter().enumerate();
            let inputs = inputs.map(|(index, new)| (format!("/items/{index}"), &new.input));
            Err(repository::unknown_references(connection, actor, inputs).await?)
        }
        other => other,
    }
}

/// A row for a new expense, under the rules for who may record one for whom.
pub(super) fn new_row(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    input: &ExpenseInput,
    import_key: Option<String>,
) -> Result<expense::ActiveModel> {
    let member_id = payer(actor, input).ok_or_else(|| {
        Error::invalid("/member_id", "required", "is required if the caller is not a member")
    })?;
    may_record(actor, member_id)?;
    let currency = currency(actor, input);
    let now = tx.now().fixed_offset();
    let status = rules::initial_status(actor.settings.approval_required);
    Ok(expense::ActiveModel {
        organization_id: Set(actor.organization_id),
        id: Set(id),
        status: Set(status.as_str().to_owned()),
        created_by_member_id: Set(actor.member_id),
        changed_by_member_id: Set(None),
        submitted_at: Set(None),
        submitted_by_member_id: Set(None),
        decided_at: Set((status == Status::Approved).then_some(now)),
        decided_by_member_id: Set(None),
        decision_note: Set(None),
        reimbursed_at: Set(None),
        import_key: Set(import_key),
        created_at: Set(now),
        updated_at: Set(now),
        ..repository::columns(input, member_id, currency)
    })
}

/// Who has paid, if anybody has.
fn payer(actor: &Actor, input: &ExpenseInput) -> Option<Uuid> {
    input.member_id.or(actor.member_id)
}

fn currency<'a>(actor: &'a Actor, input: &'a ExpenseInput) -> &'a str {
    input.currency.as_ref().unwrap_or(&actor.settings.currency)
}

fn may_record(actor: &Actor, member_id: Uuid) -> Result<()> {
    if actor.may_for(member_id, Permission::RecordExpenses, Permission::ManageExpenses) {
        return Ok(());
    }
    Err(Error::forbidden("not_your_expense", "the expense belongs to another member"))
}

/// Who may record the expense adds to it, whenever the receipt comes. What is decided keeps what it was decided on.
pub(crate) async fn ensure_attachable(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    act: AttachmentAct,
) -> Result<()> {
    let (row, current) = repository::get(tx, actor.organization_id, id).await?;
    may_record(actor, row.member_id)?;
    match act {
        AttachmentAct::Add => Ok(()),
        AttachmentAct::Change => {
            rules::changeable(current.status, actor.settings.approval_required)
        }
    }
}

async fn write_change(
    tx: &Tx,
    actor: &Actor,
    verb: Verb,
    row: expense::Model,
    current: Expense,
    input: &ExpenseInput,
) -> Result<Expense> {
    let required = |at, what| Error::invalid(at, "required", what);
    let member_id = input.member_id.ok_or_else(|| required("/member_id", "is required"))?;
    let currency = input.currency.as_ref().ok_or_else(|| required("/currency", "is required"))?;
    may_record(actor, member_id)?;
    let before = rules::projects(current.project_id, &current.items);
    let after = rules::projects(input.project_id, &input.items);
    project::ensure_all_accept_new(tx, actor.organization_id, after.difference(&before).copied())
        .await?;
    let mut next = repository::columns(input, member_id, currency);
    // What steward itself changes, by a rule, leaves who was the last to.
    if actor.member_id.is_some() {
        next.changed_by_member_id = Set(actor.member_id);
    }
    if current.status == Status::Rejected {
        next.status = Set(Status::Draft.as_str().to_owned());
        next.submitted_at = Set(None);
        next.submitted_by_member_id = Set(None);
        next.decided_at = Set(None);
        next.decided_by_member_id = Set(None);
        next.decision_note = Set(None);
    }
    let of = (&row, &current);
    let changed = repository::update(tx, actor, verb, of, next, input.items.clone()).await?;
    let (organization_id, written) = (actor.organization_id, std::slice::from_ref(&changed));
    if input.items != current.items {
        let items = repository::item_rows(tx, organization_id, [(row.id, &input.items[..])]);
        children::replace(tx, organization_id, row.id, items).await?;
    }
    if input.tags != current.tags {
        let tags = repository::tag_rows(organization_id, written);
        children::replace(tx, organization_id, row.id, tags).await?;
    }
    if after != before {
        let projects = repository::project_rows(organization_id, written);
        children::replace(tx, organization_id, row.id, projects).await?;
    }
    Ok(changed)
}

impl Transitions for Expense {
    type Transition = Transition;
    type TransitionInput = DecisionInput;

    async fn apply_transition(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        transition: Transition,
        body: &TransitionBody<DecisionInput>,
    ) -> Result<Self> {
        let (row, current) = repository::get(tx, actor.organization_id, id).await?;
        authorize_transition(tx, actor, &row, transition).await?;
        expected.check(row.version, &current)?;
        let DecisionInput { note } = body.input()?;
        rules::ensure_no_payout_running(current.payout_saga_id)?;
        let next = transition_columns(tx, actor, &current, transition, note)?;
        let items = current.items.clone();
        repository::update(tx, actor, transition.verb(), (&row, &current), next, items).await
    }
}

/// The columns of what a move changes.
pub(super) fn transition_columns(
    tx: &Tx,
    actor: &Actor,
    current: &Expense,
    transition: Transition,
    note: Option<String>,
) -> Result<expense::ActiveModel> {
    let to = rules::next_status(current.status, transition, actor.settings.approval_required)?;
    let now = tx.now_after(current.updated_at).fixed_offset();
    let mut next =
        expense::ActiveModel { status: Set(to.as_str().to_owned()), ..Default::default() };
    match transition {
        Transition::Submit => {
            next.submitted_at = Set(Some(now));
            next.submitted_by_member_id = Set(actor.member_id);
            next.decided_at = Set((to == Status::Approved).then_some(now));
        }
        Transition::Approve | Transition::Reject => {
            next.decided_at = Set(Some(now));
            next.decided_by_member_id = Set(actor.member_id);
            next.decision_note = Set(note);
        }
        Transition::Reimburse => next.reimbursed_at = Set(Some(now)),
    }
    Ok(next)
}

/// Whoever had a hand in an expense does not decide it, and whoever it is paid back to does not pay it.
pub(super) async fn authorize_transition(
    tx: &Tx,
    actor: &Actor,
    row: &expense::Model,
    transition: Transition,
) -> Result<()> {
    let owner = (Involvement::Owned, Some(row.member_id));
    let involved = [
        owner,
        (Involvement::Recorded, row.created_by_member_id),
        (Involvement::Submitted, row.submitted_by_member_id),
        (Involvement::Changed, row.changed_by_member_id),
    ];
    let involved = match transition {
        Transition::Submit => return may_record(actor, row.member_id),
        Transition::Approve | Transition::Reject => &involved[..],
        Transition::Reimburse => &[owner][..],
    };
    let permission = Permission::DecideExpenses;
    let duties = SeparationOfDuties { noun: "expense", code: "own_expense", permission, involved };
    duties.check(tx, actor).await
}
