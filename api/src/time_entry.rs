use actix_web::{HttpResponse, post, web};
use service::{
    import::ImportRun,
    input::{Create, Form},
    time_entry::{
        self, TimeEntry, TimeEntryBatch, TimeEntryBatchResult, TimeImport, TimeImportQuery,
        TimeImportReport, TimerInput,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Result, created, imported, made},
    extract::{Body, May, Once, Query, Upload},
    may::{self, Requires},
    problem,
    resource::Collection,
    state::State,
};

type NewTimer = Create<TimerInput>;

const LOCKED: &str = "\
Not while one of the weeks in which it lies, before or after, is submitted or approved: 409 with the code
`week_locked`.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let entries = Collection::<TimeEntry>::of("time entries", "an entry of time");
    config
        .service(entries.create(may::RecordTime).summary("Record time").detail(
            "From when to when, or a day and minutes. Without an end it is a timer that runs.",
        ))
        .service(entries.list(may::ReadWork, "The entries of time, filtered and sorted"))
        .service(start)
        .service(create_batch)
        .service(import)
        .service(entries.read(may::ReadWork))
        .service(entries.history(may::ReadWork))
        .service(entries.revert(may::RecordTime))
        .service(entries.change(may::RecordTime).detail(LOCKED))
        .service(entries.remove(may::RecordTime).detail(LOCKED))
        .service(
            entries
                .act(may::RecordTime, "stop", time_entry::stop)
                .summary("Stop a timer")
                .detail("Now, if no end is given."),
        );
}

/// Start a timer
///
/// Now, if no start is given. A member has one timer at most that runs: another is 409 with the code
/// `timer_running`, and `conflicting_id` is the one that runs.
#[utoipa::path(
    tag = "time entries",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::RecordTime::name()))),
    request_body = NewTimer,
    responses((status = 201, body = TimeEntry), problem::Create),
)]
#[post("/time-entries/start")]
async fn start(
    may: May<may::RecordTime>,
    once: Once,
    Body(new): Body<NewTimer>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| time_entry::start(store, &may.actor, new).await).await
}

/// Record several entries of time, all or none
#[utoipa::path(
    tag = "time entries",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::RecordTime::name()))),
    request_body = TimeEntryBatch,
    responses((status = 201, body = TimeEntryBatchResult), problem::Create),
)]
#[post("/time-entries/batch")]
async fn create_batch(
    may: May<may::RecordTime>,
    once: Once,
    Body(Form(batch)): Body<Form<TimeEntryBatch>>,
) -> Result<HttpResponse> {
    once.answer(made, async |store| time_entry::create_many(store, &may.actor, batch).await).await
}

/// Import time from CSV
///
/// What Toggl Track, Clockify and Harvest export is known by its header; the query names other columns. A file
/// imported twice creates nothing the second time. With `on_error=abort`, any bad row means 422 and
/// nothing is written; the problem then holds the report. A file has 10,000 rows at most.
///
/// Where more than 100 of the rows are new, or with `background=true`, the import goes on by itself after a check of
/// the whole file: the answer is 202, and `Location` says where it shows how far it is.
#[utoipa::path(
    tag = "time entries",
    params(("organization_id" = uuid::Uuid, Path), TimeImportQuery),
    extensions(("x-permission" = json!(may::ManageTime::name()))),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, body = TimeImportReport), (status = 202, body = ImportRun),
        problem::Create,
    ),
)]
#[post("/time-entries/import")]
async fn import(
    state: web::Data<State>,
    may: May<may::ManageTime>,
    once: Once,
    Query(query): Query<TimeImportQuery>,
    Upload(file): Upload,
) -> Result<HttpResponse> {
    once.answer(imported, async |store| {
        let import = TimeImport::new(file.path(), query, &may.actor)?;
        time_entry::import(&state.store, store, &may.actor, import).await
    })
    .await
}
