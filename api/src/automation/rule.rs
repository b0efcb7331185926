use actix_web::{HttpResponse, post};
use service::{
    automation::rule::{self, DryRun, DryRunInput, Rule, RuleTrialInput},
    input::{Deferred, Validated},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, Require, ResourceId},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::{Result, ok_json},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let rules = Collection::<Rule>::of("rules", "a rule");
    config
        .service(rules.create(permission::ManageRules))
        .service(rules.list(
            permission::ReadMoney,
            "Ordered by name, which is the order in which they apply.",
        ))
        .service(rules.get(permission::ReadMoney))
        .service(rules.history(permission::ReadMoney))
        .service(rules.revert(permission::ManageRules))
        .service(rules.update(permission::ManageRules))
        .service(rules.delete(permission::ManageRules))
        .service(dry_run_unsaved_rule)
        .service(dry_run_rule);
}

/// Dry-run a rule
///
/// Returns what the rule would have done about past events. Changes nothing. Evaluates the latest
/// 5,000 events of its kind at most.
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path), ("rule_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageRules::name()))),
    request_body = DryRunInput,
    responses(
        (status = 200, description = "Result of the dry run", body = DryRun),
        problem::Create,
    ),
)]
#[post("/rules/{rule_id}/dry-run")]
async fn dry_run_rule(
    caller: Require<permission::ManageRules>,
    ResourceId(id): ResourceId,
    idempotent: Idempotent,
    Body(over): Body<Deferred<DryRunInput>>,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_json, async |store| rule::dry_run(store, &caller.actor, id, over).await)
        .await
}

/// Dry-run an unsaved rule
///
/// Returns what the rule would have done about past events. Changes nothing. Evaluates the latest
/// 5,000 events of its kind at most.
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::ManageRules::name()))),
    request_body = RuleTrialInput,
    responses(
        (status = 200, description = "Result of the dry run", body = DryRun),
        problem::Create,
    ),
)]
#[post("/rules/dry-run")]
async fn dry_run_unsaved_rule(
    caller: Require<permission::ManageRules>,
    idempotent: Idempotent,
    Body(Validated(trial)): Body<Validated<RuleTrialInput>>,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_json, async |store| rule::try_out(store, &caller.actor, trial).await)
        .await
}
