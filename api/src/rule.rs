use actix_web::{HttpResponse, delete, get, patch, post, web};
use service::{
    event::{self, At, AtQuery, Event, RevertInput},
    input::{Act, Change, Create, Form, Later},
    resource,
    rule::{self, DryRun, DryRunInput, Rule, RuleInput, RuleTrialInput},
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Listed, Resource, Result, Unchanged, created, done, found, told},
    extract::{Body, IfMatch, May, Once, Query, Row, Version},
    may::{self, Requires},
    problem,
    state::State,
};

type NewRule = Create<RuleInput>;
type RuleChange = Change<RuleInput>;

type Revert = Act<RevertInput>;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(create)
        .service(try_out)
        .service(list)
        .service(read)
        .service(history)
        .service(revert)
        .service(change)
        .service(remove)
        .service(dry_run);
}

/// Make a rule
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageRules::name()))),
    request_body = NewRule,
    responses((status = 201, body = Rule), problem::Create),
)]
#[post("/rules")]
async fn create(
    may: May<may::ManageRules>,
    once: Once,
    Body(new): Body<NewRule>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| resource::create::<Rule>(store, &may.actor, new).await).await
}

/// The rules, by name: in the order in which they apply
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Page<Rule>), problem::Read),
)]
#[get("/rules")]
async fn list(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Rule>> {
    Ok(Listed(rule::list(&state.store, &may.actor, &page).await?))
}

/// A rule
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path), ("rule_id" = uuid::Uuid, Path), AtQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Rule), Unchanged, problem::Read),
)]
#[get("/rules/{rule_id}")]
async fn read(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<Rule>>> {
    let now = rule::get(&state.store, &may.actor, id);
    Ok(Resource::found(event::at(&state.store, &may.actor, id, at, now).await?))
}

/// What has happened to a rule, the latest first
///
/// Every version, also of one that is gone, each as soon as it is there.
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path), ("rule_id" = uuid::Uuid, Path), PageQuery),
    extensions(("x-permission" = json!(may::ReadMoney::name()))),
    responses((status = 200, body = Page<Event>), problem::Read),
)]
#[get("/rules/{rule_id}/history")]
async fn history(
    state: web::Data<State>,
    may: May<may::ReadMoney>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<Rule>(&state.store, &may.actor, id, &page).await?))
}

/// Make a rule again what it was at an earlier version
///
/// That is a new version, under the rules of now.
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path), ("rule_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageRules::name()))),
    request_body = Revert,
    responses((status = 200, body = Rule), problem::Change),
)]
#[post("/rules/{rule_id}/revert")]
async fn revert(
    may: May<may::ManageRules>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Revert>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        resource::revert::<Rule>(store, &may.actor, id, expected, act).await
    })
    .await
}

/// Change a rule
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path), ("rule_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageRules::name()))),
    request_body = RuleChange,
    responses((status = 200, body = Rule), problem::Change),
)]
#[patch("/rules/{rule_id}")]
async fn change(
    state: web::Data<State>,
    may: May<may::ManageRules>,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(change): Body<RuleChange>,
) -> Result<Resource<Rule>> {
    let expected = Expected::of(change.version(), precondition);
    let changed = resource::change(&state.store, &may.actor, id, expected, change).await?;
    Ok(Resource::found(changed))
}

/// Remove a rule
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path), ("rule_id" = uuid::Uuid, Path), Version),
    extensions(("x-permission" = json!(may::ManageRules::name()))),
    responses((status = 204), problem::Remove),
)]
#[delete("/rules/{rule_id}")]
async fn remove(
    state: web::Data<State>,
    may: May<may::ManageRules>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    resource::delete::<Rule>(&state.store, &may.actor, id, version.expected).await?;
    Ok(done())
}

/// Say what a rule would have done
///
/// Nothing is changed. The latest events of its kind are looked at first, 5,000 at most.
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path), ("rule_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageRules::name()))),
    request_body = DryRunInput,
    responses((status = 200, body = DryRun), problem::Create),
)]
#[post("/rules/{rule_id}/dry-run")]
async fn dry_run(
    may: May<may::ManageRules>,
    Row(id): Row,
    once: Once,
    Body(over): Body<Later<DryRunInput>>,
) -> Result<HttpResponse> {
    once.answer(told, async |store| rule::dry_run(store, &may.actor, id, over).await).await
}

/// Say what a rule would have done that is not made yet
///
/// Nothing is changed. The latest events of its kind are looked at first, 5,000 at most.
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageRules::name()))),
    request_body = RuleTrialInput,
    responses((status = 200, body = DryRun), problem::Create),
)]
#[post("/rules/dry-run")]
async fn try_out(
    may: May<may::ManageRules>,
    once: Once,
    Body(Form(trial)): Body<Form<RuleTrialInput>>,
) -> Result<HttpResponse> {
    once.answer(told, async |store| rule::try_out(store, &may.actor, trial).await).await
}
