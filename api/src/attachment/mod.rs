//! Routes of attachments. Those below the resources that have them are in [`crate::resource`].

mod content;

use actix_web::{HttpRequest, HttpResponse, delete, get, web};
use service::{
    attachment::{self, Attachment, HasAttachments, Parent},
    event::{self, At, AtQuery},
    identity::member::Member,
    money::{expense::Expense, journal_entry::JournalEntry},
    store::page::PageQuery,
    work::{daily_report::DailyReport, incident::Incident, project::Project, task::Task},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Idempotent, Query, Require, ResourceId, Version, receive},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::{NotModified, ResourceResponse, Result, created_json},
    state::State,
    table::Listing,
};

/// What the operations are found under.
pub(crate) const TAG: &str = "attachments";

/// What adding files does.
pub(crate) const CREATE: &str = "\
The body is one file, whose name is in `Content-Disposition`, or several as `multipart/form-data`. All are added, or \
none. What a file is, is determined from its content; its name is made safe.";

const RENAME: &str = "\
Only the name can be changed. Takes what it takes to change the resource that the file belongs to.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let attachments = Collection::<Attachment>::of("attachments", "an attachment");
    config
        .service(content::get_attachment_content)
        .service(get_attachment)
        .service(attachments.history(permission::ReadAttachments))
        .service(attachments.revert(permission::RecordAttachments))
        .service(attachments.update(permission::RecordAttachments).detail(RENAME))
        .service(delete_attachment);
    let expenses = Collection::<Expense>::of("expenses", "an expense");
    let tasks = Collection::<Task>::of("tasks", "a task");
    let projects = Collection::<Project>::of("projects", "a project");
    let reports = Collection::<DailyReport>::of("daily reports", "a daily report");
    let incidents = Collection::<Incident>::of("incidents", "an incident");
    let members = Collection::<Member>::of("members", "a member");
    let entries = Collection::<JournalEntry>::of("journal entries", "a journal entry");
    config
        .service(expenses.create_attachments(permission::RecordExpenses))
        .service(expenses.list_attachments(permission::ReadMoney))
        .service(tasks.create_attachments(permission::RecordTasks))
        .service(tasks.list_attachments(permission::ReadWork))
        .service(projects.create_attachments(permission::ManageProjects))
        .service(projects.list_attachments(permission::ReadWork))
        .service(reports.create_attachments(permission::RecordDailyReports))
        .service(reports.list_attachments(permission::ReadWork))
        .service(incidents.create_attachments(permission::ManageIncidents))
        .service(incidents.list_attachments(permission::ManageIncidents))
        .service(members.create_attachments(permission::ManageMembers))
        .service(members.list_attachments(permission::ReadMembers))
        .service(entries.create_attachments(permission::PostEntries))
        .service(entries.list_attachments(permission::ReadLedger));
}

/// Adds the files of a body to a resource.
pub(crate) async fn create<R: HasAttachments, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    idempotent: Idempotent,
    ResourceId(id): ResourceId,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse> {
    let parent = Parent { kind: R::KIND, id };
    if !idempotent.has_key() {
        attachment::ensure_accepts(&state.store, &caller.actor, parent).await?;
    }
    let files = receive(&request, payload.into_inner(), R::KIND).await?;
    let (objects, quota) = (state.store.objects()?, state.settings.attachments.quota);
    idempotent
        .respond(created_json, async |store| {
            attachment::create(store, objects, &caller.actor, parent, files, quota).await
        })
        .await
}

/// A page of the files of a resource.
pub(crate) async fn list<R: HasAttachments, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    listing: Listing,
    ResourceId(id): ResourceId,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse> {
    let read =
        async |page: &PageQuery| Attachment::list::<R>(&state.store, &caller.actor, id, page).await;
    Ok(listing.answer(&page, read).await?)
}

/// Get an attachment
///
/// With `as_of`, returns the resource as it was at that time.
#[utoipa::path(
    tag = "attachments",
    params(("organization_id" = uuid::Uuid, Path), ("attachment_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(permission::ReadAttachments::name()))),
    responses(
        (status = 200, description = "State of the resource", body = Attachment),
        NotModified,
        problem::Read,
    ),
)]
#[get("/attachments/{attachment_id}")]
async fn get_attachment(
    state: web::Data<State>,
    caller: Require<permission::ReadAttachments>,
    ResourceId(id): ResourceId,
    Query(at): Query<AtQuery>,
) -> Result<ResourceResponse<At<Attachment>>> {
    let now = Attachment::get(&state.store, &caller.actor, id);
    Ok(ResourceResponse(event::at(&state.store, &caller.actor, id, at, now).await?))
}

/// Delete an attachment
///
/// The events of the resource remain. The content is removed once no attachment has it. Takes what it takes to
/// change the resource that the file belongs to.
#[utoipa::path(
    tag = "attachments",
    params(("organization_id" = uuid::Uuid, Path), ("attachment_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(permission::RecordAttachments::name()))),
    responses((status = 204, description = "Deleted"), problem::Remove),
)]
#[delete("/attachments/{attachment_id}")]
async fn delete_attachment(
    state: web::Data<State>,
    caller: Require<permission::RecordAttachments>,
    ResourceId(id): ResourceId,
    version: Version,
) -> Result<HttpResponse> {
    attachment::delete(&state.store, &caller.actor, id, version.expected).await?;
    Ok(HttpResponse::NoContent().finish())
}
