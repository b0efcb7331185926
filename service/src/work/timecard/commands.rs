use chrono::{DateTime, Days, Utc};
use entity::timecard;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::{
    Status, Timecard, TimecardInput, TimecardNote, TimecardReason, repository,
    rules::{self, Transition},
    week_timecards,
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    idempotency::WriteOnce,
    identity::separation_of_duties::{Involvement, SeparationOfDuties},
    input::{Create, TransitionBody},
    resource::{Resource, Transitions, versioned},
    role::Permission,
    store::{
        Isolation, Tx, log,
        stored::{self, StoredWord},
        versioned::{self, Expected},
    },
    work::time_entry,
};

versioned!(Timecard);

impl Resource for Timecard {
    const ENTITY: &'static str = "timecard";
    const READ: Permission = Permission::ReadWork;
    const VERBS: &'static [Verb] =
        &[Verb::Created, Verb::Submitted, Verb::Approved, Verb::Rejected, Verb::Reopened];
}

/// Makes the timecard of a week that has none.
pub async fn create(
    store: WriteOnce<'_, Timecard>,
    actor: &Actor,
    new: Create<TimecardInput>,
) -> Result<Timecard> {
    let store = store.read_committed();
    let actor = actor.clone();
    let written = store.write(async move |tx| {
        let TimecardInput { member_id, week_starts_on } = new.input;
        let member_id = time_entry::rules::member_or_self(&actor, member_id)?;
        may_record(&actor, member_id)?;
        let id = log::new_id::<Timecard>(tx, actor.organization_id, new.id).await?;
        week_timecards::lock_members(tx, actor.organization_id, [member_id]).await?;
        let row = week_timecards::new_row(tx, &actor, id, (member_id, week_starts_on));
        versioned::insert(tx, &actor, row, Timecard::try_from).await
    });
    written.await.map_err(|error| match error {
        Error::Reference => {
            Error::invalid("/member_id", "unknown", "must identify a member of the organization")
        }
        other => other,
    })
}

fn may_record(actor: &Actor, member_id: Uuid) -> Result<()> {
    if actor.may_for(member_id, Permission::RecordTime, Permission::ManageTime) {
        return Ok(());
    }
    Err(Error::forbidden("not_your_timecard", "the timecard belongs to another member"))
}

impl Transitions for Timecard {
    type Transition = Transition;
    type TransitionInput = TimecardNote;
    const ISOLATION: Isolation = Isolation::ReadCommitted;

    async fn apply_transition(
        tx: &Tx,
        actor: &Actor,
        id: Uuid,
        expected: Expected,
        transition: Transition,
        body: &TransitionBody<TimecardNote>,
    ) -> Result<Self> {
        let note = || Ok(body.input()?.note);
        apply_transition(tx, actor, id, expected, transition, &note).await
    }
}

/// Lets the time of a submitted or approved timecard be changed again.
pub async fn reopen(
    store: WriteOnce<'_, Timecard>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<TimecardReason>,
) -> Result<Timecard> {
    let actor = actor.clone();
    store
        .read_committed()
        .write(async move |tx| {
            let note = || Ok(Some(body.input()?.reason));
            apply_transition(tx, &actor, id, expected.clone(), Transition::Reopen, &note).await
        })
        .await
}

/// Moves a timecard on. The note is asked for once it is known that there is a card to move.
pub(super) async fn apply_transition(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    transition: Transition,
    note: &(impl Fn() -> Result<Option<String>> + Sync),
) -> Result<Timecard> {
    let row = repository::get(tx, actor.organization_id, id).await?;
    authorize_transition(tx, actor, &row, transition).await?;
    expected.check(row.version, &Timecard::try_from(row.clone())?)?;
    let note = note()?;
    write_transition(tx, actor, &row, transition, note).await
}

async fn write_transition(
    tx: &Tx,
    actor: &Actor,
    row: &timecard::Model,
    transition: Transition,
    note: Option<String>,
) -> Result<Timecard> {
    let from = stored::word(timecard::Column::Status, row.id, &row.status)?;
    let to = rules::next_status(from, transition, actor.settings.approval_required)?;
    if transition == Transition::Submit {
        // What is submitted is all there is: nobody writes time of this member meanwhile.
        week_timecards::lock_members(tx, actor.organization_id, [row.member_id]).await?;
        no_timer(tx, actor, row).await?;
    }
    let now = tx.now_after(row.updated_at.to_utc()).fixed_offset();
    let status = Set(to.as_str().to_owned());
    let next = match transition {
        Transition::Submit => timecard::ActiveModel {
            status,
            submitted_at: Set(Some(now)),
            submitted_by_member_id: Set(actor.member_id),
            decided_at: Set((to == Status::Approved).then_some(now)),
            decided_by_member_id: Set(None),
            decision_note: Set(None),
            ..Default::default()
        },
        Transition::Approve | Transition::Reject | Transition::Reopen => timecard::ActiveModel {
            status,
            decided_at: Set(Some(now)),
            decided_by_member_id: Set(actor.member_id),
            decision_note: Set(note),
            ..Default::default()
        },
    };
    versioned::update(tx, actor, transition.verb(), row, next, Timecard::try_from).await
}

/// Whether no timer runs that would end in this week, or later than it.
async fn no_timer(tx: &Tx, actor: &Actor, row: &timecard::Model) -> Result<()> {
    let Some(next) = row.week_starts_on.checked_add_days(Days::new(7)) else { return Ok(()) };
    let end: DateTime<Utc> = actor.settings.start_of(next);
    let running =
        time_entry::repository::running_of(tx, actor.organization_id, row.member_id).await?;
    match running.filter(|timer| timer.started_at.to_utc() < end) {
        None => Ok(()),
        Some(timer) => {
            let detail = "a timer that was started before the end of the week is running";
            Err(Error::conflict("timer_running", detail, timer.id))
        }
    }
}

/// Whoever has submitted a timecard, or has recorded or changed time that is in it, does not decide it.
async fn authorize_transition(
    tx: &Tx,
    actor: &Actor,
    row: &timecard::Model,
    transition: Transition,
) -> Result<()> {
    match transition {
        Transition::Submit => return may_record(actor, row.member_id),
        Transition::Approve | Transition::Reject => {}
        Transition::Reopen => return Ok(()),
    }
    let (recorded, changed) = match actor.member_id {
        Some(me) if actor.settings.approval_required && me != row.member_id => {
            time_entry::repository::involvement_in(tx, (actor.organization_id, row.id), me).await?
        }
        _ => (false, false),
    };
    let involved = [
        (Involvement::Owned, Some(row.member_id)),
        (Involvement::Submitted, row.submitted_by_member_id),
        (Involvement::Recorded, actor.member_id.filter(|_| recorded)),
        (Involvement::Changed, actor.member_id.filter(|_| changed)),
    ];
    let (permission, involved) = (Permission::DecideTime, &involved[..]);
    let duties =
        SeparationOfDuties { noun: "timecard", code: "own_timecard", permission, involved };
    duties.check(tx, actor).await
}

/// Submits every open timecard of a member, whose timer is stopped.
pub(crate) async fn submit_all(tx: &Tx, actor: &Actor, member_id: Uuid) -> Result<Vec<Timecard>> {
    week_timecards::lock_members(tx, actor.organization_id, [member_id]).await?;
    let mut submitted = Vec::new();
    for row in repository::open_of(tx, actor.organization_id, member_id).await? {
        submitted.push(write_transition(tx, actor, &row, Transition::Submit, None).await?);
    }
    Ok(submitted)
}

/// Opens a timecard again that is as it was when it was submitted.
pub(crate) async fn reopen_submitted(
    tx: &Tx,
    actor: &Actor,
    (id, version): (Uuid, i64),
    why: Option<String>,
) -> Result<Timecard> {
    let note = || Ok(why.clone());
    apply_transition(tx, actor, id, Expected::Version(version), Transition::Reopen, &note).await
}
