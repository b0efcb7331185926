use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Days, FixedOffset, NaiveDate, Utc};
use entity::{member, project, task, time_entry, time_entry_day, time_entry_tag, timecard};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult,
    IntoSimpleExpr, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, SelectStatement},
};
use uuid::Uuid;

use super::{
    Break, TimeEntryInput, TimeEntryQuery, TimeEntrySort, days::DaySegment, interval_set::Interval,
    rules::MAX_DURATION,
};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::{
        dialect,
        page::{Page, Sort, SortKey, page_at},
        references::References,
        rows,
        stored::StoredWord,
        versioned,
    },
    text::{fold, lower},
};

/// How many ids or keys one statement looks up: SQLite takes 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 3000;

pub(super) async fn get(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<time_entry::Model> {
    versioned::get::<time_entry::Entity>(connection, organization_id, id).await
}

pub(super) async fn list(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    query: &TimeEntryQuery,
) -> Result<Page<time_entry::Model>> {
    use time_entry::Column;
    let backend = connection.get_database_backend();
    let rows = filtered(backend, actor, query);
    let (name, column, descending) = match query.sort {
        TimeEntrySort::StartedAt => ("started_at", Column::StartedAt, false),
        TimeEntrySort::StartedAtDescending => ("-started_at", Column::StartedAt, true),
        TimeEntrySort::UpdatedAt => ("updated_at", Column::UpdatedAt, false),
    };
    let mut sort_key = SortKey::of::<time_entry::Entity>(column);
    if query.running == Some(true) {
        // There is one of each member at most, and SQLite would look for them in the order of all.
        sort_key.column = dialect::unindexed(backend, sort_key.column);
        sort_key.id = dialect::unindexed(backend, sort_key.id);
    }
    page_at(connection, rows, Sort { name, column, descending }, &query.page(), sort_key).await
}

fn filtered(
    backend: DbBackend,
    actor: &Actor,
    query: &TimeEntryQuery,
) -> Select<time_entry::Entity> {
    use time_entry::COLUMN;
    let TimeEntryQuery {
        member_id,
        project_id,
        task_id,
        from,
        to,
        billable,
        running,
        status,
        tag,
        q,
        changed_since,
        sort: _,
        limit: _,
        cursor: _,
    } = query;
    let organization_id = actor.organization_id;
    let rows = versioned::find_in_organization::<time_entry::Entity>(organization_id)
        .apply_if(*member_id, |rows, id| rows.filter(COLUMN.member_id.eq(id)))
        .apply_if(*project_id, |rows, id| rows.filter(COLUMN.project_id.eq(id)))
        .apply_if(*task_id, |rows, id| rows.filter(COLUMN.task_id.eq(id)))
        .apply_if(*billable, |rows, billable| rows.filter(COLUMN.billable.eq(billable)))
        .apply_if(*running, |rows, running| {
            let timer = time_entry::Column::RunningMemberId;
            rows.filter(if running { timer.is_not_null() } else { timer.is_null() })
        })
        .apply_if(*status, |rows, status| {
            let of = timecard::COLUMN.status.eq(status.as_str());
            rows.filter(time_entry::Column::Id.in_subquery(in_cards(organization_id, of)))
        })
        .apply_if(tag.as_deref(), |rows, tag| {
            rows.filter(time_entry::Column::Id.in_subquery(tagged(organization_id, tag)))
        })
        .apply_if(q.as_deref(), |rows, text| {
            let key = time_entry::Column::SearchKey.into_simple_expr();
            rows.filter(dialect::contains(backend, key, &lower(text)))
        })
        .apply_if(*changed_since, |rows, at| {
            let column = query.page().bounded(backend, time_entry::Column::UpdatedAt);
            rows.filter(column.gte(at.fixed_offset()))
        });
    on_days(rows, actor, query.page().bounded(backend, time_entry::Column::StartedAt), *from, *to)
}

/// Of which some lies on these days. That it begins about then is said, too: there is an index for that.
fn on_days(
    rows: Select<time_entry::Entity>,
    actor: &Actor,
    started_at: Expr,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
) -> Select<time_entry::Entity> {
    use time_entry_day::{COLUMN, Column};
    if from.is_none() && to.is_none() {
        return rows;
    }
    // Zones lie a day apart at most, and the organization may have had another one.
    let zones = Days::new(2);
    let max_days = Days::new(2 + MAX_DURATION.num_days().unsigned_abs());
    let earliest = from.map(|day| actor.settings.start_of(day)).map(|at| at - max_days);
    let latest = to.map(|day| actor.settings.start_of(day)).map(|at| at + zones);
    let segments = time_entry_day::Entity::find()
        .select_only()
        .expr(Expr::val(1))
        .filter(COLUMN.organization_id.eq(actor.organization_id))
        .filter(
            Column::TimeEntryId.into_simple_expr().eq(time_entry::Column::Id.into_simple_expr()),
        )
        .apply_if(from, |segments, day| segments.filter(COLUMN.day.gte(day)))
        .apply_if(to, |segments, day| segments.filter(COLUMN.day.lte(day)))
        .into_query();
    rows.apply_if(earliest, |rows, at| rows.filter(started_at.clone().gte(at.fixed_offset())))
        .apply_if(latest, |rows, at| rows.filter(started_at.clone().lt(at.fixed_offset())))
        .filter(Expr::exists(segments))
}

fn in_cards(organization_id: Uuid, of: Expr) -> SelectStatement {
    let cards = versioned::find_in_organization::<timecard::Entity>(organization_id)
        .select_only()
        .column(timecard::Column::Id)
        .filter(of)
        .into_query();
    time_entry_day::Entity::find()
        .select_only()
        .column(time_entry_day::Column::TimeEntryId)
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_day::Column::TimecardId.in_subquery(cards))
        .into_query()
}

fn tagged(organization_id: Uuid, tag: &str) -> SelectStatement {
    time_entry_tag::Entity::find()
        .select_only()
        .column(time_entry_tag::Column::TimeEntryId)
        .filter(time_entry_tag::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_tag::COLUMN.tag_key.eq(fold(tag)))
        .into_query()
}

/// The timer of a member that runs.
pub(crate) async fn running_of(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
) -> Result<Option<time_entry::Model>> {
    Ok(running(connection, organization_id, [member_id]).await?.into_iter().next())
}

/// Whether a member has recorded an entry that lies in a timecard, and whether they were the last to change one.
pub(crate) async fn involvement_in(
    connection: &impl ConnectionTrait,
    (organization_id, timecard_id): (Uuid, Uuid),
    member_id: Uuid,
) -> Result<(bool, bool)> {
    use time_entry::COLUMN;
    let in_card = time_entry_day::Entity::find()
        .select_only()
        .column(time_entry_day::Column::TimeEntryId)
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_day::COLUMN.timecard_id.eq(timecard_id))
        .into_query();
    let theirs = Condition::any()
        .add(COLUMN.created_by_member_id.eq(member_id))
        .add(COLUMN.changed_by_member_id.eq(member_id));
    let theirs = versioned::find_in_organization::<time_entry::Entity>(organization_id)
        .filter(time_entry::Column::Id.in_subquery(in_card))
        .filter(theirs)
        .limit(1);
    let found = rows::all(connection, theirs).await?.into_iter().next();
    let recorded = found.as_ref().is_some_and(|row| row.created_by_member_id == Some(member_id));
    Ok((recorded, found.is_some() && !recorded))
}

/// The timers of these members that run.
pub(super) async fn running(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    members: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<time_entry::Model>> {
    let running = versioned::find_in_organization::<time_entry::Entity>(organization_id)
        .filter(time_entry::Column::RunningMemberId.is_in(members));
    rows::all(connection, running).await
}

/// The times of a member that have ended and meet this one.
pub(super) async fn ended_within(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    member_id: Uuid,
    time: Interval,
) -> Result<Vec<(Uuid, Interval)>> {
    use time_entry::COLUMN;
    let longest_ago = (time.start - MAX_DURATION).fixed_offset();
    let rows: Vec<(Uuid, DateTime<Utc>, DateTime<Utc>)> =
        versioned::find_in_organization::<time_entry::Entity>(organization_id)
            .select_only()
            .column(time_entry::Column::Id)
            .column(time_entry::Column::StartedAt)
            .column(time_entry::Column::EndedAt)
            .filter(COLUMN.member_id.eq(member_id))
            .filter(COLUMN.started_at.gt(longest_ago))
            .filter(COLUMN.ended_at.gt(time.start.fixed_offset()))
            .apply_if(time.end, |rows, end| rows.filter(COLUMN.started_at.lt(end.fixed_offset())))
            .into_tuple()
            .all(connection)
            .await?;
    Ok(rows.into_iter().map(|(id, start, end)| (id, Interval { start, end: Some(end) })).collect())
}

/// The projects of tasks; those that are there.
pub(super) async fn projects_of_tasks(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    tasks: BTreeSet<Uuid>,
) -> Result<HashMap<Uuid, Option<Uuid>>> {
    let tasks: Vec<_> = tasks.into_iter().collect();
    let mut found = HashMap::new();
    for chunk in tasks.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<(Uuid, Option<Uuid>)> =
            versioned::find_in_organization::<task::Entity>(organization_id)
                .select_only()
                .column(task::Column::Id)
                .column(task::Column::ProjectId)
                .filter(task::Column::Id.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(connection)
                .await?;
        found.extend(rows);
    }
    Ok(found)
}

/// A task as an import looks for it.
#[derive(Debug, Clone, FromQueryResult)]
pub(super) struct Titled {
    pub(super) id: Uuid,
    pub(super) title: String,
    pub(super) project_id: Option<Uuid>,
    pub(super) open: bool,
    pub(super) created_at: DateTime<FixedOffset>,
}

/// All tasks, to be found by their titles.
pub(super) async fn titled(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
) -> Result<Vec<Titled>> {
    use task::Column;
    Ok(versioned::find_in_organization::<task::Entity>(organization_id)
        .select_only()
        .columns([Column::Id, Column::Title, Column::ProjectId, Column::Open, Column::CreatedAt])
        .into_model::<Titled>()
        .all(connection)
        .await?)
}

/// Which of these keys of imported entries are there.
pub(super) async fn known_keys(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    keys: Vec<&str>,
) -> Result<HashSet<String>> {
    let column = time_entry::Column::ImportKey;
    versioned::find_existing::<time_entry::Entity>(connection, organization_id, column, keys).await
}

/// The segments of an entry, by day.
pub(super) async fn segments(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    id: Uuid,
) -> Result<Vec<time_entry_day::Model>> {
    Ok(time_entry_day::Entity::find()
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_day::COLUMN.time_entry_id.eq(id))
        .order_by_asc(time_entry_day::Column::Day)
        .all(connection)
        .await?)
}

/// Some entries in the order of their ids.
pub(super) async fn after(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    (after, limit): (Option<Uuid>, u64),
) -> Result<Vec<time_entry::Model>> {
    let entries = versioned::find_in_organization::<time_entry::Entity>(organization_id)
        .apply_if(after, |rows, id| rows.filter(time_entry::COLUMN.id.gt(id)))
        .order_by_asc(time_entry::Column::Id)
        .limit(limit);
    rows::all(connection, entries).await
}

/// The segments of some entries, each entry's by day.
pub(super) async fn segments_of(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    ids: Vec<Uuid>,
) -> Result<Vec<time_entry_day::Model>> {
    Ok(time_entry_day::Entity::find()
        .filter(time_entry_day::COLUMN.organization_id.eq(organization_id))
        .filter(time_entry_day::Column::TimeEntryId.is_in(ids))
        .order_by_asc(time_entry_day::Column::TimeEntryId)
        .order_by_asc(time_entry_day::Column::Day)
        .all(connection)
        .await?)
}

/// The rows of segments.
pub(super) fn segment_rows(
    segments: Vec<time_entry_day::Model>,
) -> Vec<time_entry_day::ActiveModel> {
    segments.into_iter().map(time_entry_day::ActiveModel::from).collect()
}

/// The rows of the tags that entries are found by.
pub(super) fn tag_rows<'a>(
    organization_id: Uuid,
    entries: impl IntoIterator<Item = (Uuid, &'a [String])>,
) -> Vec<time_entry_tag::ActiveModel> {
    entries
        .into_iter()
        .flat_map(|(time_entry_id, tags)| {
            tags.iter().map(move |tag| time_entry_tag::ActiveModel {
                organization_id: Set(organization_id),
                time_entry_id: Set(time_entry_id),
                tag_key: Set(fold(tag)),
            })
        })
        .collect()
}

/// The columns of what a client may write, with the segments that come of it. `member_id` is
/// settled, and an entry of which only the day is known begins at `begins_at`.
pub(super) fn columns(
    input: &TimeEntryInput,
    member_id: Uuid,
    begins_at: DateTime<Utc>,
    segments: &[DaySegment],
) -> Result<time_entry::ActiveModel> {
    let TimeEntryInput {
        member_id: _,
        project_id,
        task_id,
        started_at,
        ended_at,
        day: _,
        minutes: _,
        breaks,
        billable,
        cost_code,
        note,
        tags,
    } = input;
    let first = segments.first().ok_or_else(|| Error::Internal("an entry of no day".into()))?;
    let searched = [note.as_deref(), cost_code.as_deref()].into_iter().flatten();
    let searched: Vec<_> = searched.chain(tags.iter().map(String::as_str)).map(lower).collect();
    let running = started_at.is_some() && ended_at.is_none();
    let shown = |breaks: &[Break]| serde_json::to_value(breaks);
    let breaks = (!breaks.is_empty()).then(|| shown(breaks)).transpose();
    Ok(time_entry::ActiveModel {
        member_id: Set(member_id),
        project_id: Set(*project_id),
        task_id: Set(*task_id),
        timed: Set(started_at.is_some()),
        started_at: Set(begins_at.fixed_offset()),
        ended_at: Set(ended_at.map(|at| at.fixed_offset())),
        day: Set(first.day),
        seconds: Set(segments.iter().map(|segment| segment.seconds).sum()),
        breaks: Set(breaks.map_err(|error| Error::Internal(error.to_string()))?),
        billable: Set(*billable),
        cost_code: Set(cost_code.clone()),
        note: Set(note.clone()),
        tags: Set((!tags.is_empty()).then(|| tags.clone().into())),
        search_key: Set(searched.join("\n")),
        running_member_id: Set(running.then_some(member_id)),
        ..Default::default()
    })
}

/// After a reference was refused: which ones they are. Each input comes with the pointer to it.
pub(super) async fn unknown_references<'a>(
    connection: &impl ConnectionTrait,
    organization_id: Uuid,
    inputs: impl IntoIterator<Item = (String, &'a TimeEntryInput)>,
) -> Result<Error> {
    let (mut members, mut projects, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
    for (at, input) in inputs {
        members.extend(input.member_id.map(|id| (format!("{at}/member_id"), id)));
        projects.extend(input.project_id.map(|id| (format!("{at}/project_id"), id)));
        tasks.extend(input.task_id.map(|id| (format!("{at}/task_id"), id)));
    }
    let mut references = References::new(connection, organization_id);
    references.check::<member::Entity>(members).await?;
    references.check::<project::Entity>(projects).await?;
    references.check::<task::Entity>(tasks).await?;
    Ok(references.explain())
}
