use actix_web::{HttpResponse, post};
use service::{
    input::{Form, Later},
    rule::{self, DryRun, DryRunInput, Rule, RuleTrialInput},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Result, told},
    extract::{Body, May, Once, Row},
    may::{self, Requires},
    problem,
    resource::Collection,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let rules = Collection::<Rule>::of("rules", "a rule");
    config
        .service(rules.create(may::ManageRules))
        .service(
            rules.list(may::ReadMoney, "Ordered by name, which is the order in which they apply."),
        )
        .service(rules.read(may::ReadMoney))
        .service(rules.history(may::ReadMoney))
        .service(rules.revert(may::ManageRules))
        .service(rules.change(may::ManageRules))
        .service(rules.remove(may::ManageRules))
        .service(try_out)
        .service(dry_run);
}

/// Dry-run a rule
///
/// Returns what the rule would have done about past events. Changes nothing. Evaluates the latest
/// 5,000 events of its kind at most.
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path), ("rule_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageRules::name()))),
    request_body = DryRunInput,
    responses(
        (status = 200, description = "Result of the dry run", body = DryRun),
        problem::Create,
    ),
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

/// Dry-run an unsaved rule
///
/// Returns what the rule would have done about past events. Changes nothing. Evaluates the latest
/// 5,000 events of its kind at most.
#[utoipa::path(
    tag = "rules",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::ManageRules::name()))),
    request_body = RuleTrialInput,
    responses(
        (status = 200, description = "Result of the dry run", body = DryRun),
        problem::Create,
    ),
)]
#[post("/rules/dry-run")]
async fn try_out(
    may: May<may::ManageRules>,
    once: Once,
    Body(Form(trial)): Body<Form<RuleTrialInput>>,
) -> Result<HttpResponse> {
    once.answer(told, async |store| rule::try_out(store, &may.actor, trial).await).await
}
