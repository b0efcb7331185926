//! The hours of a report beside those of the time entries of its project and day. They are no part of
//! the report, which has a version: somebody records time, and the report is as it was.

use uuid::Uuid;

use super::{
    CrewHours, DailyReport, DailyReportInput, TakeHoursInput, commands::write_change, repository,
    rules,
};
use crate::{
    actor::Actor,
    error::Result,
    event::Verb,
    idempotency::WriteOnce,
    input::TransitionBody,
    resource::Changeable,
    store::{Store, Tx, versioned::Expected},
};

/// What a report says of each member's hours, and what they recorded.
pub async fn crew_hours(store: &Store, actor: &Actor, id: Uuid) -> Result<CrewHours> {
    let organization_id = actor.organization_id;
    let found = store.snapshot(async move |tx| compare(tx, organization_id, id).await);
    found.await
}

async fn compare(tx: &Tx, organization_id: Uuid, id: Uuid) -> Result<CrewHours> {
    let (_, report) = repository::get(tx, organization_id, id).await?;
    let DailyReport { project_id, day, crew, .. } = report;
    let recorded = repository::recorded(tx, organization_id, project_id, day).await?;
    let members = rules::compared(&crew, &recorded);
    let by_trade = crew.iter().filter(|line| line.member_id.is_none());
    Ok(CrewHours {
        daily_report_id: id,
        project_id,
        day,
        agrees: members.iter().all(|member| member.difference_seconds == 0),
        reported_seconds: members.iter().filter_map(|member| member.reported_seconds).sum(),
        recorded_seconds: recorded.values().sum(),
        trade_seconds: by_trade.map(|line| line.seconds).sum(),
        members,
    })
}

/// Puts what members recorded for a draft's project and day into its crew.
pub async fn take_hours(
    store: WriteOnce<'_, DailyReport>,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: TransitionBody<TakeHoursInput>,
) -> Result<DailyReport> {
    let actor = actor.clone();
    store.write(async move |tx| take(tx, &actor, id, expected.clone(), &body).await).await
}

async fn take(
    tx: &Tx,
    actor: &Actor,
    id: Uuid,
    expected: Expected,
    body: &TransitionBody<TakeHoursInput>,
) -> Result<DailyReport> {
    let organization_id = actor.organization_id;
    let (row, current) = repository::get(tx, organization_id, id).await?;
    expected.check(row.version, &current)?;
    let TakeHoursInput {} = body.input()?;
    rules::changeable(current.status)?;
    let recorded =
        repository::recorded(tx, organization_id, current.project_id, current.day).await?;
    let crew = rules::with_recorded(&current.crew, &recorded)?;
    let input = DailyReportInput { crew, ..current.input() };
    let next = repository::columns(&input)?;
    write_change(tx, actor, Verb::Updated, (&row, &current), &input, next).await
}
