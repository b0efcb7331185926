use service::saga::{self, Saga};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{may, resource::Collection};

const COMPENSATE: &str = "\
Of a payout, for somebody who knows that nothing was paid: what was reserved is reversed, and the expense is
approved again, with the note. Of an offboarding, as long as the member has access: tasks are given back, and
timecards that nobody has decided are open again.";
const MARK_PAID: &str = "\
For somebody who knows that it is paid: the saga makes no call any more, and settles.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let sagas = Collection::<Saga>::of("sagas", "a saga");
    config
        .service(sagas.list(may::ReadSagas, "The sagas, the newest first"))
        .service(sagas.read(may::ReadSagas).summary("A saga, with its steps"))
        .service(sagas.history(may::ReadSagas))
        .service(
            sagas
                .act(may::ManageSagas, "retry", saga::retry)
                .summary("Try the step that a saga is at again, at once")
                .detail("One that has failed goes on; one that waits does so no longer."),
        )
        .service(
            sagas
                .act(may::ManageSagas, "compensate", saga::compensate)
                .summary("Undo a saga")
                .detail(COMPENSATE),
        )
        .service(
            sagas
                .act(may::ManageSagas, "mark-paid", saga::mark_paid)
                .summary("Say that what a saga pays is paid by hand")
                .detail(MARK_PAID),
        );
}
