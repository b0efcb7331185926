use actix_web::{HttpResponse, get, post, web};
use service::{
    event::{self, At, AtQuery, Event},
    input::{Act, Create},
    journal_entry::{self, JournalEntry, JournalEntryInput, JournalEntryQuery, ReversalInput},
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, found},
    extract::{Body, IfMatch, May, Once, Query, Row},
    may::{self, Requires},
    problem,
    state::State,
};

type NewJournalEntry = Create<JournalEntryInput>;
type Reversal = Act<ReversalInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(post).service(list).service(read).service(history).service(reverse);
}

/// Post an entry
///
/// Each transfer is a debit of one account and a credit of another, so that an entry balances.
#[utoipa::path(
    tag = "journal entries",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::PostEntries::name()))),
    request_body = NewJournalEntry,
    responses((status = 201, body = JournalEntry), problem::Create),
)]
#[post("/journal-entries")]
async fn post(
    may: May<may::PostEntries>,
    once: Once,
    Body(new): Body<NewJournalEntry>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| journal_entry::post(store, &may.actor, new).await).await
}

/// The entries, filtered and sorted by day
#[utoipa::path(
    tag = "journal entries",
    params(("organization_id" = uuid::Uuid, Path), JournalEntryQuery),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses((status = 200, body = Page<JournalEntry>), problem::Read),
)]
#[get("/journal-entries")]
async fn list(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Query(query): Query<JournalEntryQuery>,
) -> Result<Listed<JournalEntry>> {
    Ok(Listed(journal_entry::list(&state.store, &may.actor, &query).await?))
}

/// An entry
#[utoipa::path(
    tag = "journal entries",
    params(("organization_id" = uuid::Uuid, Path), ("journal_entry_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses((status = 200, body = JournalEntry), Unchanged, problem::Read),
)]
#[get("/journal-entries/{journal_entry_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<JournalEntry>>> {
    let now = journal_entry::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to an entry, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "journal entries",
    params(("organization_id" = uuid::Uuid, Path), ("journal_entry_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadLedger::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/journal-entries/{journal_entry_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ReadLedger>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<JournalEntry>(&state.store, &may.actor, id, &page).await?))
}

/// Reverse an entry, once
///
/// Posts another with the same transfers the other way round, and gives the one that was reversed.
#[utoipa::path(
    tag = "journal entries",
    params(("organization_id" = uuid::Uuid, Path), ("journal_entry_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::PostEntries::name()))),
    request_body = Reversal,
    responses((status = 200, body = JournalEntry), problem::Change),
)]
#[post("/journal-entries/{journal_entry_id}/reverse")]
async fn reverse(
    may: May<may::PostEntries>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Reversal>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        journal_entry::reverse(store, &may.actor, id, expected, act).await
    })
    .await
}
