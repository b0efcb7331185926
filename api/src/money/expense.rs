use actix_web::{HttpResponse, post, web};
use service::{
    automation::saga,
    import::ImportRun,
    input::Validated,
    money::expense::{
        self, Expense, ExpenseBatch, ExpenseBatchResult, Import, ImportPreview, ImportQuery,
        ImportReport, rules::Transition,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, Idempotent, Query, Require, Upload},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::{Result, created_json, ok_json, ok_or_accepted},
    state::State,
};

const CHANGE: &str = "\
Permitted for drafts and rejected expenses. A rejected expense becomes a draft. If the organization
requires no approval, an expense can be updated until it is reimbursed.";

const REMOVE: &str = "\
Permitted for drafts and rejected expenses. If the organization requires no approval, an expense can
be deleted until it is reimbursed.";

const DECIDE: &str = "\
The expense must be submitted. If approval is required, it must be decided by a member with no part
in the expense.";

const PAY: &str = "\
Starts a saga that reserves the amount, requests the payout from the organization's `payout_url` and
settles it. While `payout_saga_id` is set, no other operation may change the expense. If the payout
is refused, the expense is approved as before, and `payout_error` states why.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let expenses = Collection::<Expense>::of("expenses", "an expense");
    config
        .service(expenses.create(permission::RecordExpenses))
        .service(expenses.list(permission::ReadMoney, "By default, latest day first."))
        .service(expenses.get(permission::ReadMoney))
        .service(expenses.history(permission::ReadMoney))
        .service(expenses.revert(permission::RecordExpenses))
        .service(expenses.update(permission::RecordExpenses).detail(CHANGE))
        .service(expenses.delete(permission::RecordExpenses).detail(REMOVE))
        .service(create_expense_batch)
        .service(import_expenses)
        .service(preview_expense_import)
        .service(
            expenses
                .transition(permission::RecordExpenses, Transition::Submit)
                .summary("Submit an expense for approval")
                .detail(
                    "If the organization requires no approval, the expense is approved at once.",
                ),
        )
        .service(
            expenses.transition(permission::DecideExpenses, Transition::Approve).detail(DECIDE),
        )
        .service(expenses.transition(permission::DecideExpenses, Transition::Reject).detail(DECIDE))
        .service(
            expenses
                .transition(permission::DecideExpenses, Transition::Reimburse)
                .summary("Mark an expense as reimbursed")
                .detail("For an approved expense that was reimbursed manually."),
        )
        .service(
            expenses
                .action(permission::DecideExpenses, "pay", saga::pay)
                .summary("Pay out an expense")
                .detail(PAY),
        );
}

/// Create several expenses
///
/// Creates all of them in one transaction, or none.
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path)),
    extensions(("x-permission" = json!(permission::RecordExpenses::name()))),
    request_body = ExpenseBatch,
    responses(
        (status = 201, description = "Created expenses", body = ExpenseBatchResult),
        problem::Create,
    ),
)]
#[post("/expenses/batch")]
async fn create_expense_batch(
    caller: Require<permission::RecordExpenses>,
    idempotent: Idempotent,
    Body(Validated(batch)): Body<Validated<ExpenseBatch>>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created_json, async |store| {
            expense::create_many(store, &caller.actor, batch).await
        })
        .await
}

/// Import expenses from CSV
///
/// Takes a bank's export. The query maps columns to properties and says how the file is written; what
/// it does not say is detected from the whole file, or required with status 422 where the file does
/// not decide. Money that came in is ignored unless `income=import`. A file that is imported again
/// creates nothing. With `on_error=abort`, an invalid row means status 422, nothing is written, and
/// the problem contains the report. A file has at most 200,000 rows.
///
/// If more than 100 rows are new, or with `background=true`, the file is checked and then imported
/// in the background: the status is 202, and `Location` refers to the import, which shows the
/// progress.
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ImportQuery),
    extensions(("x-permission" = json!(permission::ManageExpenses::name()))),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, description = "Report of the completed import", body = ImportReport),
        (status = 202, description = "Import that continues in the background", body = ImportRun),
        problem::Create,
    ),
)]
#[post("/expenses/import")]
async fn import_expenses(
    state: web::Data<State>,
    caller: Require<permission::ManageExpenses>,
    idempotent: Idempotent,
    Query(query): Query<ImportQuery>,
    upload: Upload,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_or_accepted, async |store| {
            let encoding = upload.encoding(query.encoding);
            let query = ImportQuery { encoding, ..query };
            let import = Import::new(upload.file.path(), query, &caller.actor)?;
            expense::import(&state.store, store, &caller.actor, import).await
        })
        .await
}

/// Preview an import of expenses
///
/// Looks at a file and writes nothing: the response has the detected settings as query parameters of
/// the import, the first rows as they would become, and what is uncertain. Takes the query of the
/// import.
#[utoipa::path(
    tag = "expenses",
    params(("organization_id" = uuid::Uuid, Path), ImportQuery),
    extensions(("x-permission" = json!(permission::ManageExpenses::name()))),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, description = "Preview of the import", body = ImportPreview),
        problem::Create,
    ),
)]
#[post("/expenses/import/preview")]
async fn preview_expense_import(
    caller: Require<permission::ManageExpenses>,
    idempotent: Idempotent,
    Query(query): Query<ImportQuery>,
    upload: Upload,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_json, async |store| {
            let encoding = upload.encoding(query.encoding);
            let query = ImportQuery { encoding, ..query };
            let import = Import::new(upload.file.path(), query, &caller.actor)?;
            expense::preview(store, import).await
        })
        .await
}
