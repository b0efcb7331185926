use actix_web::{HttpResponse, get, post, web};
use service::{
    import::{self, ImportRun, ImportRunQuery},
    store::page::Page,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Result, told},
    extract::{May, Once, Query, Row},
    may::{self, Requires},
    problem,
    state::State,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(read).service(cancel);
}

/// The imports that go on by themselves, the newest first
///
/// Those that were done when they were answered are not among them.
#[utoipa::path(
    tag = "imports",
    params(("organization_id" = uuid::Uuid, Path), ImportRunQuery),
    extensions(("x-permission" = json!(may::ManageImports::name()))),
    responses((status = 200, body = Page<ImportRun>), problem::Read),
)]
#[get("/imports")]
async fn list(
    state: web::Data<State>,
    may: May<may::ManageImports>,
    Query(query): Query<ImportRunQuery>,
) -> Result<Listed<ImportRun>> {
    Ok(Listed(import::list(&state.store, &may.actor, query).await?))
}

/// An import, and how far it is
#[utoipa::path(
    tag = "imports",
    params(("organization_id" = uuid::Uuid, Path), ("import_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageImports::name()))),
    responses((status = 200, body = ImportRun), problem::Read),
)]
#[get("/imports/{import_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ManageImports>,
    Row(id): Row,
) -> Result<web::Json<ImportRun>> {
    Ok(web::Json(import::get(&state.store, &may.actor, id).await?))
}

/// Call an import off
///
/// What it has written is taken back; what somebody has changed since stays. 409 `import_ended` where all of it
/// is written.
#[utoipa::path(
    tag = "imports",
    params(("organization_id" = uuid::Uuid, Path), ("import_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageImports::name()))),
    responses((status = 200, body = ImportRun), problem::Take),
)]
#[post("/imports/{import_id}/cancel")]
async fn cancel(may: May<may::ManageImports>, once: Once, Row(id): Row) -> Result<HttpResponse> {
    once.answer(told, async |store| import::cancel(store, &may.actor, id).await).await
}
