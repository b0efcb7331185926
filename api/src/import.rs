use actix_web::{HttpResponse, get, post, web};
use service::{
    import::{self, ImportRun, ImportRunQuery},
    store::page::Page,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Idempotent, Query, Require, ResourceId},
    permission::{self, PermissionType},
    problem,
    response::{Result, ok_json},
    state::State,
    table::Listing,
};

type ImportRunPage = Page<ImportRun>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_imports).service(get_import).service(cancel_import);
}

/// List background imports
///
/// Newest first. Imports that were completed within their request are not included.
#[utoipa::path(
    tag = "imports",
    params(("organization_id" = uuid::Uuid, Path), ImportRunQuery),
    extensions(("x-permission" = json!(permission::ManageImports::name()))),
    responses(
        (status = 200, description = "Page of the list", body = ImportRunPage),
        problem::Read,
    ),
)]
#[get("/imports")]
async fn list_imports(
    state: web::Data<State>,
    caller: Require<permission::ManageImports>,
    listing: Listing,
    Query(query): Query<ImportRunQuery>,
) -> Result<HttpResponse> {
    let read = async |query: &ImportRunQuery| {
        import::list(&state.store, &caller.actor, query.clone()).await
    };
    Ok(listing.answer(&query, read).await?)
}

/// Get an import
///
/// Returns its state and progress.
#[utoipa::path(
    tag = "imports",
    params(("organization_id" = uuid::Uuid, Path), ("import_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageImports::name()))),
    responses((status = 200, description = "State of the import", body = ImportRun), problem::Read),
)]
#[get("/imports/{import_id}")]
async fn get_import(
    state: web::Data<State>,
    caller: Require<permission::ManageImports>,
    ResourceId(id): ResourceId,
) -> Result<web::Json<ImportRun>> {
    Ok(web::Json(import::get(&state.store, &caller.actor, id).await?))
}

/// Cancel an import
///
/// Deletes what the import has written, except for what has been changed since. Status 409
/// `import_ended` if all rows are written.
#[utoipa::path(
    tag = "imports",
    params(("organization_id" = uuid::Uuid, Path), ("import_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageImports::name()))),
    responses((status = 200, description = "State of the import", body = ImportRun), problem::Take),
)]
#[post("/imports/{import_id}/cancel")]
async fn cancel_import(
    caller: Require<permission::ManageImports>,
    idempotent: Idempotent,
    ResourceId(id): ResourceId,
) -> Result<HttpResponse> {
    idempotent.respond(ok_json, async |store| import::cancel(store, &caller.actor, id).await).await
}
