use actix_web::{HttpResponse, delete, get, patch, post, web};
use service::{
    category::{self, Category, CategoryInput},
    event::{self, At, AtQuery, Event, RevertInput},
    input::{Act, Change, Create},
    resource,
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, done, found},
    extract::{Body, IfMatch, May, Once, Query, Row, Version},
    may::{self, Requires},
    problem,
    state::State,
};

type NewCategory = Create<CategoryInput>;
type CategoryChange = Change<CategoryInput>;
type Revert = Act<RevertInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(list)
        .service(read)
        .service(history)
        .service(revert)
        .service(change)
        .service(remove);
}

/// Make a category
#[utoipa::path(
    tag = "categories",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageCategories::name()))),
    request_body = NewCategory,
    responses((status = 201, body = Category), problem::Create),
)]
#[post("/categories")]
async fn create(
    may: May<may::ManageCategories>,
    once: Once,
    Body(new): Body<NewCategory>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| resource::create::<Category>(store, &may.actor, new).await)
        .await
}

/// The categories, by name
#[utoipa::path(
    tag = "categories",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Page<Category>), problem::Read),
)]
#[get("/categories")]
async fn list(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Category>> {
    Ok(Listed(category::list(&state.store, &may.actor, &page).await?))
}

/// A category
#[utoipa::path(
    tag = "categories",
    params(("organization_id" = uuid::Uuid, Path), ("category_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Category), Unchanged, problem::Read),
)]
#[get("/categories/{category_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<Category>>> {
    let now = category::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to a category, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "categories",
    params(("organization_id" = uuid::Uuid, Path), ("category_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/categories/{category_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<Category>(&state.store, &may.actor, id, &page).await?))
}

/// Make a category again what it was at an earlier version
///
/// That is a new version, under the rules of now.
#[utoipa::path(
    tag = "categories",
    params(("organization_id" = uuid::Uuid, Path), ("category_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageCategories::name()))),
    request_body = Revert,
    responses((status = 200, body = Category), problem::Change),
)]
#[post("/categories/{category_id}/revert")]
async fn revert(
    may: May<may::ManageCategories>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        resource::revert::<Category>(store, &may.actor, id, expected, act).await
    })
    .await
}

/// Change a category
#[utoipa::path(
    tag = "categories",
    params(("organization_id" = uuid::Uuid, Path), ("category_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageCategories::name()))),
    request_body = CategoryChange,
    responses((status = 200, body = Category), problem::Change),
)]
#[patch("/categories/{category_id}")]
async fn change(
    state: web::Data<State>,
    may: May<may::ManageCategories>,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(change): Body<CategoryChange>,
) -> Result<Resource<Category>> {
    let expected = Expected::of(change.version(), precondition);
    let changed = resource::change(&state.store, &may.actor, id, expected, change).await?;
    Ok(Resource::found(changed))
}

/// Remove a category
#[utoipa::path(
    tag = "categories",
    params(("organization_id" = uuid::Uuid, Path), ("category_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(may::ManageCategories::name()))),
    responses((status = 204), problem::Remove),
)]
#[delete("/categories/{category_id}")]
async fn remove(
    state: web::Data<State>,
    may: May<may::ManageCategories>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    resource::delete::<Category>(&state.store, &may.actor, id, version.expected).await?;
    Ok(done())
}
