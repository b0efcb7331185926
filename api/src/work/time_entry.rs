use actix_web::{HttpResponse, post, web};
use service::{
    import::ImportRun,
    input::{Create, Validated},
    work::time_entry::{
        self, TimeEntry, TimeEntryBatch, TimeEntryBatchResult, TimeImport, TimeImportQuery,
        TimeImportReport, TimerInput,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, Query, Require, Upload},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::{Result, created_json, created_without_location, ok_or_accepted},
    state::State,
};

type NewTimer = Create<TimerInput>;

const LOCKED: &str = "\
Refused with 409 `week_locked` if one of the weeks in which the entry lies, before or after, is
submitted or approved.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let entries = Collection::<TimeEntry>::of("time entries", "a time entry");
    config
        .service(entries.create(permission::RecordTime).detail(
            "Takes a start and an end, or a day and minutes. Without an end, the entry is a \
             timer that is running.",
        ))
        .service(entries.list(permission::ReadWork, "By default, latest start first."))
        .service(start_timer)
        .service(create_time_entry_batch)
        .service(import_time_entries)
        .service(entries.get(permission::ReadWork))
        .service(entries.history(permission::ReadWork))
        .service(entries.revert(permission::RecordTime))
        .service(entries.update(permission::RecordTime).detail(LOCKED))
        .service(entries.delete(permission::RecordTime).detail(LOCKED))
        .service(
            entries
                .action(permission::RecordTime, "stop", time_entry::stop)
                .operation_id("stop_timer")
                .summary("Stop a timer")
                .detail("The end defaults to now."),
        );
}

/// Start a timer
///
/// The start defaults to now. A member has at most one timer that is running: for another, the
/// status is 409 `timer_running`, and `conflicting_id` is the one that is running.
#[utoipa::path(
    tag = "time entries",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::RecordTime::name()))),
    request_body = NewTimer,
    responses((status = 201, description = "Started timer", body = TimeEntry), problem::Create),
)]
#[post("/time-entries/start")]
async fn start_timer(
    caller: Require<permission::RecordTime>,
    idempotent: Idempotent,
    Body(new): Body<NewTimer>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created_without_location, async |store| {
            time_entry::start(store, &caller.actor, new).await
        })
        .await
}

/// Create several time entries
///
/// Creates all of them in one transaction, or none.
#[utoipa::path(
    tag = "time entries",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::RecordTime::name()))),
    request_body = TimeEntryBatch,
    responses(
        (status = 201, description = "Created time entries", body = TimeEntryBatchResult),
        problem::Create,
    ),
)]
#[post("/time-entries/batch")]
async fn create_time_entry_batch(
    caller: Require<permission::RecordTime>,
    idempotent: Idempotent,
    Body(Validated(batch)): Body<Validated<TimeEntryBatch>>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created_json, async |store| {
            time_entry::create_many(store, &caller.actor, batch).await
        })
        .await
}

/// Import time entries from CSV
///
/// Exports of Toggl Track, Clockify and Harvest are recognized by their headers; the query maps
/// other columns. A file that is imported again creates nothing. With `on_error=abort`, an invalid
/// row means status 422, nothing is written, and the problem contains the report. A file has at
/// most 10,000 rows.
///
/// If more than 100 rows are new, or with `background=true`, the file is checked and then imported
/// in the background: the status is 202, and `Location` refers to the import, which shows the
/// progress.
#[utoipa::path(
    tag = "time entries",
    params(("organization_id" = uuid::Uuid, Path), TimeImportQuery),
    extensions(("x-permission" = json!(permission::ManageTime::name()))),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, description = "Report of the completed import", body = TimeImportReport),
        (status = 202, description = "Import that continues in the background", body = ImportRun),
        problem::Create,
    ),
)]
#[post("/time-entries/import")]
async fn import_time_entries(
    state: web::Data<State>,
    caller: Require<permission::ManageTime>,
    idempotent: Idempotent,
    Query(query): Query<TimeImportQuery>,
    upload: Upload,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_or_accepted, async |store| {
            let encoding = upload.encoding(query.encoding);
            let query = TimeImportQuery { encoding, ..query };
            let import = TimeImport::new(upload.file.path(), query, &caller.actor)?;
            time_entry::import(&state.store, store, &caller.actor, import).await
        })
        .await
}
