use actix_web::{HttpResponse, get, post, web};
use service::{
    event::{self, At, AtQuery, Event},
    input::Act,
    saga::{self, Saga, SagaDecisionInput, SagaQuery},
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, found},
    extract::{Body, IfMatch, May, Once, Query, Row},
    may::{self, Requires},
    problem,
    state::State,
};

type Decision = Act<SagaDecisionInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(list)
        .service(read)
        .service(history)
        .service(retry)
        .service(compensate)
        .service(mark_paid);
}

/// The sagas, the newest first
#[utoipa::path(
    tag = "sagas",
    params(("organization_id" = uuid::Uuid, Path), SagaQuery),
    extensions(("x-permission" = json!(may::ReadSagas::name()))),
    responses((status = 200, body = Page<Saga>), problem::Read),
)]
#[get("/sagas")]
async fn list(
    state: web::Data<State>,
    may: May<may::ReadSagas>,
    Query(query): Query<SagaQuery>,
) -> Result<Listed<Saga>> {
    Ok(Listed(saga::list(&state.store, &may.actor, &query).await?))
}

/// A saga, with its steps
#[utoipa::path(
    tag = "sagas",
    params(("organization_id" = uuid::Uuid, Path), ("saga_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ReadSagas::name()))),
    responses((status = 200, body = Saga), Unchanged, problem::Read),
)]
#[get("/sagas/{saga_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ReadSagas>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<Saga>>> {
    let now = saga::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to a saga, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "sagas",
    params(("organization_id" = uuid::Uuid, Path), ("saga_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadSagas::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/sagas/{saga_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ReadSagas>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<Saga>(&state.store, &may.actor, id, &page).await?))
}

/// Try the step that a saga is at again, at once
///
/// One that has failed goes on; one that waits does so no longer.
#[utoipa::path(
    tag = "sagas",
    params(("organization_id" = uuid::Uuid, Path), ("saga_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageSagas::name()))),
    request_body = Decision,
    responses((status = 200, body = Saga), problem::Change),
)]
#[post("/sagas/{saga_id}/retry")]
async fn retry(
    may: May<may::ManageSagas>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Decision>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| saga::retry(store, &may.actor, id, expected, act).await).await
}

/// Undo a saga
///
/// For somebody who knows that nothing was paid: what was reserved is reversed, and the expense is
/// approved again, with the note.
#[utoipa::path(
    tag = "sagas",
    params(("organization_id" = uuid::Uuid, Path), ("saga_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageSagas::name()))),
    request_body = Decision,
    responses((status = 200, body = Saga), problem::Change),
)]
#[post("/sagas/{saga_id}/compensate")]
async fn compensate(
    may: May<may::ManageSagas>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Decision>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| saga::compensate(store, &may.actor, id, expected, act).await)
        .await
}

/// Say that what a saga pays is paid by hand
///
/// For somebody who knows that it is paid: the saga makes no call any more, and settles.
#[utoipa::path(
    tag = "sagas",
    params(("organization_id" = uuid::Uuid, Path), ("saga_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageSagas::name()))),
    request_body = Decision,
    responses((status = 200, body = Saga), problem::Change),
)]
#[post("/sagas/{saga_id}/mark-paid")]
async fn mark_paid(
    may: May<may::ManageSagas>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Decision>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| saga::mark_paid(store, &may.actor, id, expected, act).await)
        .await
}
