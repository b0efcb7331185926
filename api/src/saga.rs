use service::{automation::saga, saga::Saga};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

const COMPENSATE: &str = "\
Undoes the completed steps. For a payout that was not paid: the reservation is reversed, and the
expense is approved again. For an offboarding, as long as the member has access: the tasks are
assigned back, and undecided timecards are reopened.";
const MARK_PAID: &str = "\
For a payout that was paid by other means: the saga makes no further call and settles.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let sagas = Collection::<Saga>::of("sagas", "a saga");
    config
        .service(sagas.list(permission::ReadSagas, "Newest first."))
        .service(sagas.get(permission::ReadSagas))
        .service(sagas.history(permission::ReadSagas))
        .service(
            sagas
                .action(permission::ManageSagas, "retry", saga::retry)
                .summary("Retry a saga")
                .detail("Retries the current step at once, also of a saga that has failed."),
        )
        .service(
            sagas
                .action(permission::ManageSagas, "compensate", saga::compensate)
                .summary("Compensate a saga")
                .detail(COMPENSATE),
        )
        .service(
            sagas
                .action(permission::ManageSagas, "mark-paid", saga::mark_paid)
                .summary("Mark a payout as paid")
                .detail(MARK_PAID),
        );
}
