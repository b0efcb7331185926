use chrono::{DateTime, FixedOffset};
use entity::daily_report;
use sea_orm::{ActiveValue::Set, ConnectionTrait};
use serde_json::Value;
use uuid::Uuid;

use super::{
    AmendInput, Amendment, DailyReport, DailyReportDecisionInput, DailyReportInput,
    DailyReportQuery, Status, repository,
    rules::{self, Transition},
};
use crate::{
    actor::Actor,
    attachment::{self, ParentKind},
    error::{Error, Result},
    event::{self, Verb},
    idempotency::WriteOnce,
    identity::separation_of_duties::{Involvement, SeparationOfDuties},
    input::{Change, Create, FromBody, TransitionBody},
    resource::{Changeable, Readable, Resource, Transitions, Writable, explain_change, versioned},
    role::Permission,
    store::{
        AttachmentAct, Store, Tx, children, log,
        page::{Page, PageQuery},
        stored::StoredWord,
        versioned::{self, Expected},
    },
    work::project,
};

versioned!(DailyReport);

impl Resource for DailyReport {
    const ENTITY: &'static str = "daily_report";
    const READ: Permission = Permission::ReadWork;
    const VERBS: &'static [Verb] = &[
        Verb::Created,
        Verb::Updated,
        Verb::Reverted,
        Verb::Submitted,
        Verb::Approved,
        Verb::Amended,
        Verb::Deleted,
    ];
}

impl Readable for DailyReport {
    type Query = DailyReportQuery;

    /// The report.
    async fn get(store: &Store, actor: &Actor, id: Uuid) -> Result<Self> {
        let organization_id = actor.organization_id;
        let found = store.snapshot(async move |tx| repository::get(tx, organization_id, id).await);
        Ok(found.await?.1)
    }

    /// The reports that a query asks for.
    async fn list(store: &Store, actor: &Actor, query: &DailyReportQuery) -> Result<Page<Self>> {
        let organization_id = actor.organization_id;
        let query = query.clone();
        let found =
            store.snapshot(async move |tx| repository::list(tx, organization_id, &query).await);
        found.await
    }
}

impl Changeable for DailyReport {
    type Input = DailyReportInput;
    const WRITE: Permission = Permission::RecordDailyReports;

    fn input(&self) -> DailyReportInput {
        DailyReportInput {
            project_id: self.project_id,
            day: self.day,
            weather: self.weather.clone(),
            summary: self.summary.clone(),
            crew: self.crew.clone(),
            items: self.items.clone(),
        }
    }

    async fn find(tx: &Tx, actor: &Actor, id: Uuid) -> Result<Self> {
        Ok(repository::get(tx, actor.organization_id, id).await?.1)
    }

    /// While it is a draft, and whoever began it: a report is the crew's.
    async fn change(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        change: &Change<DailyReportInput>,
    ) -> Result<Self> {
        let (row, current) = repository::get(tx, actor.organization_id, id).await?;
        expected.check(row.version, &current)?;
        rules::changeable(current.status)?;
        let input = change.apply(&current.input())?;
        let next = repository::columns(&input)?;
        write_change(tx, actor, change.verb(), (&row, &current), &input, next).await
    }

    async fn unknown_reference<C: ConnectionTrait>(
        connection: &C,
        actor: &Actor,
        input: &DailyReportInput,
    ) -> Result<Error> {
        repository::unknown_references(connection, actor, input).await
    }
}

impl Writable for DailyReport {
    const IN_USE: &'static str = "other resources refer to the report";

    async fn create(tx: &Tx, actor: &Actor, new: &Create<DailyReportInput>) -> Result<Self> {
        let (organization_id, input) = (actor.organization_id, &new.input);
        let id = log::new_id::<Self>(tx, organization_id, new.id).await?;
        project::ensure_accepts_new(tx, organization_id, None, Some(input.project_id)).await?;
        let now = tx.now().fixed_offset();
        let row = daily_report::ActiveModel {
            organization_id: Set(organization_id),
            id: Set(id),
            status: Set(Status::Draft.as_str().to_owned()),
            created_by_member_id: Set(actor.member_id),
            created_at: Set(now),
            updated_at: Set(now),
            ..repository::columns(input)?
        };
        let lines = (input.crew.clone(), input.items.clone());
        let made = versioned::insert(tx, actor, row, |row| repository::view(row, lines)).await?;
        children::insert(tx, repository::crew_rows(organization_id, id, &input.crew)).await?;
        children::insert(tx, repository::item_rows(organization_id, id, &input.items)).await?;
        Ok(made)
    }

    /// While it is a draft.
    async fn delete(tx: &Tx, actor: &Actor, id: Uuid, expected: Expected) -> Result<()> {
        let (row, current) = repository::get(tx, actor.organization_id, id).await?;
        expected.check(row.version, &current)?;
        rules::changeable(current.status)?;
        attachment::delete_all(tx, actor, ParentKind::DailyReport, id).await?;
        versioned::delete(tx, actor, &row, &current).await
    }
}

/// Who writes reports adds to one, whenever the photo comes. What is decided keeps what it was decided on.
pub(crate) async fn ensure_attachable(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    act: AttachmentAct,
) -> Result<()> {
    actor.require(Permission::RecordDailyReports)?;
    let (_, current) = repository::get(tx, actor.organization_id, id).await?;
    match act {
        AttachmentAct::Add => Ok(()),
        AttachmentAct::Change => rules::changeable(current.status),
    }
}

/// Writes what a report becomes, with the lines that are others than before. What it names newly must
/// take it.
pub(super) async fn write_change(
    tx: &Tx,
    actor: &Actor,
    verb: Verb,
    (row, current): (&daily_report::Model, &DailyReport),
    input: &DailyReportInput,
    mut next: daily_report::ActiveModel,
) -> Result<DailyReport> {
    let organization_id = actor.organization_id;
    if actor.member_id.is_some() {
        next.changed_by_member_id = Set(actor.member_id);
    }
    project::ensure_accepts_new(
        tx,
        organization_id,
        Some(current.project_id),
        Some(input.project_id),
    )
    .await?;
    let lines = (input.crew.clone(), input.items.clone());
    let view = |row| repository::view(row, lines);
    let changed = versioned::update(tx, actor, verb, row, next, view).await?;
    if input.crew != current.crew {
        let crew = repository::crew_rows(organization_id, row.id, &input.crew);
        children::replace(tx, organization_id, row.id, crew).await?;
    }
    if input.items != current.items {
        let items = repository::item_rows(organization_id, row.id, &input.items);
        children::replace(tx, organization_id, row.id, items).await?;
    }
    Ok(changed)
}

impl Transitions for DailyReport {
    type Transition = Transition;
    type TransitionInput = DailyReportDecisionInput;

    async fn apply_transition(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        transition: Transition,
        body: &TransitionBody<DailyReportDecisionInput>,
    ) -> Result<Self> {
        let (row, current) = repository::get(tx, actor.organization_id, id).await?;
        authorize_transition(tx, actor, &current, transition).await?;
        expected.check(row.version, &current)?;
        let DailyReportDecisionInput { note } = body.input()?;
        let to = rules::next_status(current.status, transition, actor.settings.approval_required)?;
        let now = tx.now_after(current.updated_at).fixed_offset();
        let mut next = in_status(to, now);
        match transition {
            Transition::Submit => {
                next.submitted_at = Set(Some(now));
                next.submitted_by_member_id = Set(actor.member_id);
            }
            Transition::Approve => {
                next.decided_by_member_id = Set(actor.member_id);
                next.decision_note = Set(note);
            }
        }
        let lines = (current.crew, current.items);
        versioned::update(tx, actor, transition.verb(), &row, next, |row| {
            repository::view(row, lines)
        })
        .await
    }
}

/// The columns of a status, with nobody who has decided.
fn in_status(status: Status, now: DateTime<FixedOffset>) -> daily_report::ActiveModel {
    let decided = (status == Status::Approved).then_some(now);
    daily_report::ActiveModel {
        status: Set(status.as_str().to_owned()),
        decided_at: Set(decided),
        decided_by_member_id: Set(None),
        decision_note: Set(None),
        ..Default::default()
    }
}

/// Nobody approves what they have made or handed in, or were the last to change or amend.
async fn authorize_transition(
    tx: &Tx,
    actor: &Actor,
    report: &DailyReport,
    transition: Transition,
) -> Result<()> {
    if transition == Transition::Submit {
        return Ok(());
    }
    let involved = [
        (Involvement::Submitted, report.submitted_by_member_id),
        (Involvement::Changed, report.amended_by_member_id),
        (Involvement::Changed, report.changed_by_member_id),
        (Involvement::Recorded, report.created_by_member_id),
    ];
    let (permission, involved) = (Permission::DecideDailyReports, &involved[..]);
    let duties =
        SeparationOfDuties { noun: "daily report", code: "own_daily_report", permission, involved };
    duties.check(tx, actor).await
}

/// Changes a report that was handed in, and says why. One that takes approval takes it again.
pub async fn amend(
    store: WriteOnce<'_, DailyReport>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<AmendInput>,
) -> Result<DailyReport> {
    let input = (actor.clone(), id, expected, body);
    let (actor, id, _, body) = input.clone();
    let explained = store.snapshot(async move |tx| explain_amendment(tx, &actor, id, &body).await);
    let (actor, id, expected, body) = input;
    let written =
        store.write(async move |tx| apply_amendment(tx, &actor, id, expected.clone(), &body).await);
    match written.await {
        Err(Error::Reference) => Err(explained.await?),
        other => other,
    }
}

/// Amends a report, in a transaction that is under way.
pub(crate) async fn apply_amendment(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: &TransitionBody<AmendInput>,
) -> Result<DailyReport> {
    let (row, current) = repository::get(tx, actor.organization_id, id).await?;
    expected.check(row.version, &current)?;
    let (reason, change) = read_amendment(body)?;
    let to = rules::amended(current.status, actor.settings.approval_required)?;
    let input = change.apply(&current.input()).map_err(in_changes)?;
    let now = tx.now_after(current.updated_at).fixed_offset();
    let next = daily_report::ActiveModel {
        amended_at: Set(Some(now)),
        amended_by_member_id: Set(actor.member_id),
        amendment_reason: Set(Some(reason)),
        ..with_status(repository::columns(&input)?, in_status(to, now))
    };
    let written = write_change(tx, actor, Verb::Amended, (&row, &current), &input, next).await;
    written.map_err(in_changes)
}

fn with_status(
    columns: daily_report::ActiveModel,
    status: daily_report::ActiveModel,
) -> daily_report::ActiveModel {
    daily_report::ActiveModel {
        status: status.status,
        decided_at: status.decided_at,
        decided_by_member_id: status.decided_by_member_id,
        decision_note: status.decision_note,
        ..columns
    }
}

/// After the database has refused a reference of an amendment: which one it is.
pub(crate) async fn explain_amendment(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    body: &TransitionBody<AmendInput>,
) -> Result<Error> {
    let (_, change) = read_amendment(body)?;
    Ok(in_changes(explain_change::<DailyReport>(tx, actor, id, &change).await?))
}

fn read_amendment(body: &TransitionBody<AmendInput>) -> Result<(String, Change<DailyReportInput>)> {
    let AmendInput { reason, changes } = body.input()?;
    let change = Change::from_body(Value::Object(changes)).map_err(in_changes)?;
    if change.version().is_some() {
        let message = "must be set next to changes, not in them";
        return Err(Error::invalid("/changes/version", "unexpected", message));
    }
    Ok((reason, change))
}

/// What is wrong with the changes, seen from the amendment.
fn in_changes(error: Error) -> Error {
    error.prefix_pointer("/changes")
}

/// The amendments of a report, the latest first.
pub async fn amendments(
    store: &Store,
    actor: &Actor,
    id: Uuid,
    query: &PageQuery,
) -> Result<Page<Amendment>> {
    let page = event::of_verb::<DailyReport>(store, actor, id, Verb::Amended, query).await?;
    if page.items.is_empty() {
        repository::is_there(store.read(), actor.organization_id, id).await?;
    }
    Ok(page.map(|event| {
        let data = event.data.unwrap_or_default();
        Amendment {
            version: event.version,
            at: data["amended_at"].as_str().and_then(|at| at.parse().ok()).unwrap_or(event.at),
            member_id: data["amended_by_member_id"].as_str().and_then(|id| id.parse().ok()),
            reason: data["amendment_reason"].as_str().map(str::to_owned),
        }
    }))
}
