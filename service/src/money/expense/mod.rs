//! What was spent: by whom, on what, and how far its approval is.

mod commands;
mod example;
mod import;
mod payout;
mod repository;
pub mod rules;
pub mod spending;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

pub use commands::create_many;
pub(crate) use commands::ensure_attachable;
pub use import::{
    Import, ImportPreview, ImportQuery, ImportReport, Income, SignMeaning, import, preview,
};
pub(crate) use import::{delete_imported, write_slice};
pub(crate) use payout::{hold, release, settle};
pub use repository::statement;
pub(crate) use repository::{names_project, point};

use crate::{
    amount, details,
    geo::{self, Near},
    input::{AnyOf, AnyOrNone, IdOrNone},
    store::page::paged,
    text::{self, at, refusal},
};

/// Direction of an expense.
///
/// - `purchase`: Money that was spent.
/// - `refund`: Money that was returned. Reduces the spending in reports and budgets.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = ExpenseKind)]
pub enum Kind {
    /// Money that was spent.
    #[default]
    Purchase,
    /// Money that was returned. Reduces the spending in reports and budgets.
    Refund,
}

/// Status of an expense in the approval workflow.
///
/// - `draft`: Not submitted yet.
/// - `submitted`: Awaits a decision.
/// - `approved`: Accepted, or recorded where the organization requires no approval.
/// - `rejected`: Refused. Updating a rejected expense makes it a draft again.
/// - `reimbursed`: Repaid to the member who paid.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = ExpenseStatus)]
pub enum Status {
    /// Not submitted yet.
    Draft,
    /// Awaits a decision.
    Submitted,
    /// Accepted, or recorded where the organization requires no approval.
    Approved,
    /// Refused. Updating a rejected expense makes it a draft again.
    Rejected,
    /// Repaid to the member who paid.
    Reimbursed,
}

/// Line of an expense. If an expense has lines, their amounts sum to the amount of the expense; the
/// positive ones sum to at most 9007199254740991.
#[crate::input::bounded]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpenseItem {
    /// Name of the article or service, not blank, at most 200 characters.
    #[validate(length(max = 200), custom(function = text::visible))]
    pub name: String,
    /// Quantity in thousandths of `unit`, 1 to 9007199254740991: 1500 is 1.5.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub quantity_milli: Option<i64>,
    /// Unit of the quantity, such as `kg`, at most 20 characters.
    #[validate(length(max = 20))]
    pub unit: Option<String>,
    /// Amount of the line in minor units of the expense's currency (cents), -9007199254740991 to
    /// 9007199254740991, not 0. Negative for a discount or a deposit.
    #[validate(
        range(min = -9_007_199_254_740_991_i64, max = 9_007_199_254_740_991_i64),
        custom(function = rules::not_zero)
    )]
    pub amount_minor: i64,
    /// Identifier of the line's category; null if the expense's category applies.
    pub category_id: Option<Uuid>,
    /// Identifier of the line's project; null if the expense's project applies.
    pub project_id: Option<Uuid>,
}

/// Writable properties of an expense.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = lines_sum), schema(function = whole_place))]
#[schema(examples(Self::example))]
pub struct ExpenseInput {
    /// Direction of the expense: `purchase`, or `refund` for money that was returned. Defaults to
    /// `purchase`.
    #[serde(default)]
    pub kind: Kind,
    /// Identifier of the member who paid. Defaults to the member who sends the request.
    pub member_id: Option<Uuid>,
    /// Identifier of the category of the expense; null for none.
    pub category_id: Option<Uuid>,
    /// Identifier of the project of the expense; null for none. An archived project accepts no new
    /// expenses.
    pub project_id: Option<Uuid>,
    /// Day of the expense (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub spent_on: NaiveDate,
    /// Amount in minor units of `currency` (cents), 1 to 9007199254740991.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub amount_minor: i64,
    /// ISO 4217 currency code, such as `EUR`. Defaults to the organization's currency.
    #[validate(custom(function = amount::currency_code))]
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    /// Name of the seller, at most 200 characters.
    #[validate(length(max = 200))]
    pub merchant: Option<String>,
    /// Means of payment, such as `cash` or the name of a card, at most 50 characters.
    #[validate(length(max = 50))]
    pub payment_method: Option<String>,
    /// Free text, at most 2000 characters.
    #[validate(length(max = 2000))]
    pub note: Option<String>,
    /// Place of the purchase, at most 200 characters.
    #[validate(length(max = 200))]
    pub place: Option<String>,
    /// Latitude of the purchase in degrees north, -90 to 90, at most seven decimals. Requires
    /// `longitude`.
    #[validate(range(min = -90.0, max = 90.0), custom(function = geo::degrees))]
    pub latitude: Option<f64>,
    /// Longitude of the purchase in degrees east, -180 to 180, at most seven decimals. Requires
    /// `latitude`.
    #[validate(range(min = -180.0, max = 180.0), custom(function = geo::degrees))]
    pub longitude: Option<f64>,
    /// Data of the client that the server stores and does not interpret: a JSON object of at most
    /// 16 KiB.
    #[validate(custom(function = details::small))]
    pub details: Option<Map<String, Value>>,
    /// Lines of the expense, at most 200. If there are any, their amounts sum to `amount_minor`.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    pub items: Vec<ExpenseItem>,
    /// Labels for search, unique ignoring case: at most 20 of 1 to 50 characters each.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = text::tags))]
    pub tags: Vec<String>,
}

fn whole_place(input: &ExpenseInput) -> Result<(), ValidationError> {
    geo::whole(input.latitude, input.longitude)
}

fn lines_sum(input: &ExpenseInput) -> Result<(), ValidationError> {
    rules::lines_fit(&input.items).map_err(|sum| {
        let message =
            format!("must have positive amounts of at most 2^53 - 1 in all, but has {sum}");
        at("items", refusal("lines_too_large", message))
    })?;
    rules::lines_sum(input.amount_minor, &input.items).map_err(|sum| {
        let message = format!("must sum to amount_minor, but sum to {sum}");
        at("items", refusal("lines_sum", message))
    })
}

/// A new expense.
pub type NewExpense = crate::input::Create<ExpenseInput>;

/// Comment that accompanies a transition of an expense.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ExpenseTransitionInput, examples(json!({ "note": "The receipt is attached." })))]
pub struct DecisionInput {
    /// Comment on the decision, at most 500 characters.
    #[validate(length(max = 500))]
    pub note: Option<String>,
}

/// Money that a member has spent or got back for the organization.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Expense {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Direction of the expense: `purchase`, or `refund` for money that was returned.
    pub kind: Kind,
    /// Status in the approval workflow. Transitions change it, and so does updating a rejected
    /// expense.
    pub status: Status,
    /// Identifier of the member who paid.
    pub member_id: Uuid,
    /// Identifier of the category of the expense; null for none.
    pub category_id: Option<Uuid>,
    /// Identifier of the project of the expense; null for none.
    pub project_id: Option<Uuid>,
    /// Day of the expense (`YYYY-MM-DD`).
    pub spent_on: NaiveDate,
    /// Amount in minor units of `currency` (cents), 1 to 9007199254740991.
    pub amount_minor: i64,
    /// ISO 4217 currency code, such as `EUR`.
    pub currency: String,
    /// Name of the seller, at most 200 characters.
    pub merchant: Option<String>,
    /// Means of payment, such as `cash` or the name of a card, at most 50 characters.
    pub payment_method: Option<String>,
    /// Free text, at most 2000 characters.
    pub note: Option<String>,
    /// Place of the purchase, at most 200 characters.
    pub place: Option<String>,
    /// Latitude of the purchase in degrees north, -90 to 90, at most seven decimals.
    pub latitude: Option<f64>,
    /// Longitude of the purchase in degrees east, -180 to 180, at most seven decimals.
    pub longitude: Option<f64>,
    /// Data of the client that the server stores and does not interpret: a JSON object of at most
    /// 16 KiB.
    pub details: Option<Map<String, Value>>,
    /// Lines of the expense, at most 200. If there are any, their amounts sum to `amount_minor`.
    pub items: Vec<ExpenseItem>,
    /// Labels for search, unique ignoring case: at most 20 of 1 to 50 characters each.
    pub tags: Vec<String>,
    /// Identifier of the member who created the expense, set by the server; null if no member did.
    pub created_by_member_id: Option<Uuid>,
    /// Identifier of the member who last updated the expense, set by the server; null if no
    /// member has. Updates by rules do not count.
    pub changed_by_member_id: Option<Uuid>,
    /// Time of the last submission (RFC 3339, UTC), set by the server; null if the expense is not
    /// submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Identifier of the member who submitted the expense, set by the server.
    pub submitted_by_member_id: Option<Uuid>,
    /// Time of the approval or rejection (RFC 3339, UTC), set by the server; null if there is none.
    pub decided_at: Option<DateTime<Utc>>,
    /// Identifier of the member who approved or rejected the expense, set by the server; null if no
    /// approval was required.
    pub decided_by_member_id: Option<Uuid>,
    /// Comment on the approval or rejection.
    pub decision_note: Option<String>,
    /// Time of the reimbursement (RFC 3339, UTC), set by the server; null if the expense is not
    /// reimbursed.
    pub reimbursed_at: Option<DateTime<Utc>>,
    /// Identifier of the saga that is paying the expense out, set by the server; null if none is.
    /// While it is set, no other operation may change the expense.
    pub payout_saga_id: Option<Uuid>,
    /// Reason why the last payout failed, set by the server; null if none did.
    pub payout_error: Option<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

/// Filters, order and page of a list of expenses.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[validate(schema(function = within_of_near))]
pub struct ExpenseQuery {
    /// Return expenses of one of these categories or of one below them, by their own category or by
    /// that of a line; with `none` those of which a part has no category.
    #[param(value_type = Option<Vec<IdOrNone>>, inline)]
    pub category_id: Option<AnyOrNone<Uuid>>,
    /// Return expenses of one of these projects, by their own project or by that of a line; with
    /// `none` those of which a part has no project.
    #[param(value_type = Option<Vec<IdOrNone>>, inline)]
    pub project_id: Option<AnyOrNone<Uuid>>,
    /// Return expenses that one of these members paid.
    #[param(value_type = Option<Vec<Uuid>>)]
    pub member_id: Option<AnyOf<Uuid>>,
    /// Return expenses with one of these statuses.
    #[param(value_type = Option<Vec<Status>>, inline)]
    pub status: Option<AnyOf<Status>>,
    /// Return expenses of one of these kinds.
    #[param(value_type = Option<Vec<Kind>>, inline)]
    pub kind: Option<AnyOf<Kind>>,
    /// Return expenses in one of these currencies (ISO 4217 codes).
    #[validate(custom(function = amount::any_of_currencies))]
    #[param(value_type = Option<Vec<String>>)]
    pub currency: Option<AnyOf<String>>,
    /// Return expenses of this day or later (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub spent_from: Option<NaiveDate>,
    /// Return expenses of this day or earlier (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub spent_to: Option<NaiveDate>,
    /// Return expenses of at least this amount in minor units.
    pub amount_from: Option<i64>,
    /// Return expenses of at most this amount in minor units.
    pub amount_to: Option<i64>,
    /// Return expenses with one of these tags, ignoring case. At most 50 characters each.
    #[validate(custom(function = text::any_of_tags))]
    #[param(value_type = Option<Vec<String>>)]
    pub tag: Option<AnyOf<String>>,
    /// Return expenses that were made near this place: its latitude and longitude in degrees, such as
    /// `47.3769,8.5417`, at most 50 characters.
    #[param(value_type = Option<String>)]
    pub near: Option<Near>,
    /// Distance from `near` in metres along the great circle, 1 to 10000000. Defaults to 1000.
    #[validate(range(min = 1, max = 10_000_000))]
    #[param(default = 1000)]
    pub within: Option<i64>,
    /// Return expenses whose merchant or note contains this text, ignoring case. At most 200
    /// characters.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// Order of the list; `-` before a property is descending. Defaults to `-spent_on`.
    #[serde(default)]
    #[param(inline)]
    pub sort: ExpenseSort,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(ExpenseQuery);

fn within_of_near(query: &ExpenseQuery) -> Result<(), ValidationError> {
    geo::within_of_near(query.near, query.within)
}

/// Order of a list of expenses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum ExpenseSort {
    /// By day, earliest first.
    #[serde(rename = "spent_on")]
    SpentOn,
    /// By day, latest first.
    #[default]
    #[serde(rename = "-spent_on")]
    SpentOnDescending,
    /// By amount, smallest first.
    #[serde(rename = "amount_minor")]
    Amount,
    /// By amount, largest first.
    #[serde(rename = "-amount_minor")]
    AmountDescending,
    /// By merchant, ascending; expenses without a merchant come first.
    #[serde(rename = "merchant")]
    Merchant,
    /// By merchant, descending.
    #[serde(rename = "-merchant")]
    MerchantDescending,
    /// By time of creation, oldest first.
    #[serde(rename = "created_at")]
    CreatedAt,
    /// By time of creation, newest first.
    #[serde(rename = "-created_at")]
    CreatedAtDescending,
}

/// Expenses to be created in one transaction: all of them or none.
#[crate::input::bounded]
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpenseBatch {
    /// Expenses to create, 1 to 500.
    #[validate(length(min = 1, max = 500))]
    #[schema(schema_with = crate::input::batch_schema::<ExpenseInput>)]
    pub items: Vec<Value>,
}

/// Expenses that a batch has created.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExpenseBatchResult {
    /// Created expenses, in the order of the batch.
    pub items: Vec<Expense>,
}
