use actix_web::{HttpResponse, post};
use service::{
    input::Create,
    journal_entry::{self, JournalEntry, JournalEntryInput},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Result, created},
    extract::{Body, May, Once},
    may::{self, Requires},
    problem,
    resource::Collection,
};

type NewJournalEntry = Create<JournalEntryInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    let entries = Collection::<JournalEntry>::of("journal entries", "an entry");
    config
        .service(post)
        .service(entries.list(may::ReadLedger, "The entries, filtered and sorted by day"))
        .service(entries.read(may::ReadLedger))
        .service(entries.history(may::ReadLedger))
        .service(
            entries
                .act(may::PostEntries, "reverse", journal_entry::reverse)
                .summary("Reverse an entry, once")
                .detail(
                    "Posts another with the same transfers the other way round, and gives the one \
                     that was reversed.",
                ),
        );
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
