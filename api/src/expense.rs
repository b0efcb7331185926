use actix_web::{HttpResponse, post, web};
use service::{
    expense::{self, Expense, ExpenseBatch, ExpenseBatchResult, Import, ImportQuery, ImportReport},
    import::ImportRun,
    input::Form,
    saga,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    answer::{Result, imported, made},
    extract::{Body, May, Once, Query, Upload},
    may::{self, Requires},
    problem,
    resource::Collection,
    state::State,
};

const PAY: &str = "\
A saga reserves the amount, has it paid out at the organization's `payout_url` and settles. While
`payout_saga_id` says that it is under way, nothing else is done to the expense. If the payout is refused,
the expense is approved as before, and `payout_error` says why.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let expenses = Collection::<Expense>::of("expenses", "an expense");
    config
        .service(expenses.create(may::RecordExpenses).summary("Record an expense"))
        .service(expenses.list(may::ReadMoney, "The expenses, filtered and sorted"))
        .service(expenses.read(may::ReadMoney))
        .service(expenses.history(may::ReadMoney))
        .service(expenses.revert(may::RecordExpenses))
        .service(
            expenses
                .change(may::RecordExpenses)
                .summary("Change an expense that nobody relies on yet")
                .detail("A rejected one is a draft again."),
        )
        .service(
            expenses
                .remove(may::RecordExpenses)
                .summary("Remove an expense that nobody relies on yet"),
        )
        .service(create_batch)
        .service(import)
        .service(
            expenses
                .act(may::RecordExpenses, "submit", expense::submit)
                .summary("Ask for a decision")
                .detail("Where nobody decides, the expense is approved."),
        )
        .service(
            expenses
                .act(may::DecideExpenses, "approve", expense::approve)
                .summary("Accept a submitted expense of somebody else's"),
        )
        .service(
            expenses
                .act(may::DecideExpenses, "reject", expense::reject)
                .summary("Refuse a submitted expense of somebody else's"),
        )
        .service(
            expenses
                .act(may::DecideExpenses, "reimburse", expense::reimburse)
                .summary("Say that an approved expense has been paid back by hand"),
        )
        .service(
            expenses
                .act(may::DecideExpenses, "pay", saga::pay)
                .summary("Have an approved expense paid back")
                .detail(PAY),
        );
}

/// Record several expenses, all or none
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(may::RecordExpenses::name()))),
    request_body = ExpenseBatch,
    responses((status = 201, body = ExpenseBatchResult), problem::Create),
)]
#[post("/expenses/batch")]
async fn create_batch(
    may: May<may::RecordExpenses>,
    once: Once,
    Body(Form(batch)): Body<Form<ExpenseBatch>>,
) -> Result<HttpResponse> {
    once.answer(made, async |store| expense::create_many(store, &may.actor, batch).await).await
}

/// Import expenses from CSV
///
/// The query says which column is what. A file imported twice creates nothing the second time. With
/// `on_error=abort`, any bad row means 422 and nothing is written; the problem then holds the report. A file has
/// 200,000 rows at most.
///
/// Where more than 100 of the rows are new, or with `background=true`, the import goes on by itself after a check of
/// the whole file: the answer is 202, and `Location` says where it shows how far it is.
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ImportQuery),
    extensions(("x-permission" = json!(may::ManageExpenses::name()))),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, body = ImportReport), (status = 202, body = ImportRun), problem::Create,
    ),
)]
#[post("/expenses/import")]
async fn import(
    state: web::Data<State>,
    may: May<may::ManageExpenses>,
    once: Once,
    Query(query): Query<ImportQuery>,
    Upload(file): Upload,
) -> Result<HttpResponse> {
    once.answer(imported, async |store| {
        let import = Import::new(file.path(), query, &may.actor)?;
        expense::import(&state.store, store, &may.actor, import).await
    })
    .await
}
