use actix_web::{HttpResponse, post};
use service::{
    input::Create,
    money::journal_entry::{self, JournalEntry, JournalEntryInput},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, Require},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::{Result, created},
};

type NewJournalEntry = Create<JournalEntryInput>;

const REVERSE: &str = "\
Posts an entry with the opposite transfers and returns the entry that was reversed. An entry can be
reversed once.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let entries = Collection::<JournalEntry>::of("journal entries", "a journal entry");
    config
        .service(create_journal_entry)
        .service(entries.list(permission::ReadLedger, "By default, latest day first."))
        .service(entries.get(permission::ReadLedger))
        .service(entries.history(permission::ReadLedger))
        .service(
            entries
                .action(permission::PostEntries, "reverse", journal_entry::reverse)
                .summary("Reverse a journal entry")
                .detail(REVERSE),
        );
}

/// Post a journal entry
///
/// Each transfer debits one account and credits another, so that every entry balances.
#[utoipa::path(
    tag = "journal entries",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::PostEntries::name()))),
    request_body = NewJournalEntry,
    responses(
        (status = 201, description = "Posted journal entry", body = JournalEntry),
        problem::Create,
    ),
)]
#[post("/journal-entries")]
async fn create_journal_entry(
    caller: Require<permission::PostEntries>,
    idempotent: Idempotent,
    Body(new): Body<NewJournalEntry>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created, async |store| journal_entry::post(store, &caller.actor, new).await)
        .await
}
