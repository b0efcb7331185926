//! What was spent: by whom, on what, and how far its approval is.

mod commands;
mod import;
pub(crate) mod large;
mod payout;
mod repository;
pub mod rules;
pub mod spending;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::{Validate, ValidationError};

pub(crate) use commands::make_move;
pub use commands::{approve, create_many, reimburse, reject, submit};
pub use import::{Import, ImportQuery, ImportReport, import};
pub(crate) use import::{take_back, write_slice};
pub(crate) use payout::{hold, release, settle};
pub(crate) use repository::names_project;
pub use repository::statement;

use crate::{
    details, money,
    store::page::PageQuery,
    text::{self, at, refusal},
};

/// Money that went, or that came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExpenseKind)]
pub enum Kind {
    /// Money that went.
    #[default]
    Purchase,
    /// Money that came back: counts against spending.
    Refund,
}

/// How far the approval of an expense is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ExpenseStatus)]
pub enum Status {
    /// Still being written.
    Draft,
    /// Waits for a decision.
    Submitted,
    /// Accepted.
    Approved,
    /// Refused; a change makes it a draft again.
    Rejected,
    /// Paid back to the member.
    Reimbursed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Draft, Self::Submitted, Self::Approved, Self::Rejected, Self::Reimbursed];

    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Reimbursed => "reimbursed",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == word).unwrap_or(Self::Draft)
    }
}

impl Kind {
    /// As it is written in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Refund => "refund",
        }
    }

    fn of(word: &str) -> Self {
        if word == "refund" { Self::Refund } else { Self::Purchase }
    }
}

/// One line of an expense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpenseItem {
    /// What it was.
    #[validate(length(max = 200), custom(function = text::visible))]
    #[schema(max_length = 200)]
    pub name: String,
    /// How much of it, in thousandths of its unit: 1500 is one and a half.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub quantity_milli: Option<i64>,
    /// The unit.
    #[validate(length(max = 20))]
    #[schema(max_length = 20)]
    pub unit: Option<String>,
    /// What it cost, in minor units of the expense's currency.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount_minor: i64,
    /// On what, if not the expense's category.
    pub category_id: Option<Uuid>,
    /// For which project, if not the expense's.
    pub project_id: Option<Uuid>,
}

/// What a client may write of an expense.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = lines_sum))]
pub struct ExpenseInput {
    /// `purchase`, or `refund` for money that came back.
    #[serde(default)]
    pub kind: Kind,
    /// Who paid; oneself if it is left out.
    pub member_id: Option<Uuid>,
    /// On what.
    pub category_id: Option<Uuid>,
    /// For which project. An archived one takes nothing new.
    pub project_id: Option<Uuid>,
    /// The day.
    #[validate(custom(function = text::day))]
    pub spent_on: NaiveDate,
    /// How much, in minor units: 1 to 2^53 - 1.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount_minor: i64,
    /// An ISO 4217 code; the organization's if it is left out.
    #[validate(custom(function = money::currency_code))]
    #[schema(example = "EUR")]
    pub currency: Option<String>,
    /// To whom.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub merchant: Option<String>,
    /// How: a card, cash.
    #[validate(length(max = 50))]
    #[schema(max_length = 50)]
    pub payment_method: Option<String>,
    /// Anything worth saying.
    #[validate(length(max = 2000))]
    #[schema(max_length = 2000)]
    pub note: Option<String>,
    /// Where.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub place: Option<String>,
    /// Whatever else the client keeps: an object of at most 16 KiB.
    #[validate(custom(function = details::small))]
    pub details: Option<Map<String, Value>>,
    /// The lines. If there are any, they sum to the expense.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    pub items: Vec<ExpenseItem>,
    /// Words to find it by, without regard to case each once: at most 20 of at most 50 characters.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = text::tags))]
    #[schema(max_items = 20)]
    pub tags: Vec<String>,
}

fn lines_sum(input: &ExpenseInput) -> Result<(), ValidationError> {
    rules::lines_sum(input.amount_minor, &input.items).map_err(|sum| {
        let message = format!("sum to {sum}, and not to amount_minor");
        at("items", refusal("lines_sum", message))
    })
}

/// A new expense.
pub type NewExpense = crate::input::Create<ExpenseInput>;

/// What goes with a decision about an expense.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionInput {
    /// Why.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// An expense.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Expense {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// `purchase` or `refund`.
    pub kind: Kind,
    /// How far its approval is.
    pub status: Status,
    /// Who paid.
    pub member_id: Uuid,
    /// On what.
    pub category_id: Option<Uuid>,
    /// For which project.
    pub project_id: Option<Uuid>,
    /// The day.
    pub spent_on: NaiveDate,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The currency.
    pub currency: String,
    /// To whom.
    pub merchant: Option<String>,
    /// How.
    pub payment_method: Option<String>,
    /// Anything worth saying.
    pub note: Option<String>,
    /// Where.
    pub place: Option<String>,
    /// Whatever else the client keeps.
    pub details: Option<Map<String, Value>>,
    /// The lines.
    pub items: Vec<ExpenseItem>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Who recorded it; nobody where it was the operator.
    pub created_by_member_id: Option<Uuid>,
    /// Who was the last to change it since; nobody where it is as it was recorded.
    pub changed_by_member_id: Option<Uuid>,
    /// When it was submitted.
    pub submitted_at: Option<DateTime<Utc>>,
    /// Who submitted it.
    pub submitted_by_member_id: Option<Uuid>,
    /// When it was approved or rejected.
    pub decided_at: Option<DateTime<Utc>>,
    /// Who approved or rejected it; nobody where none had to.
    pub decided_by_member_id: Option<Uuid>,
    /// Why it was approved or rejected.
    pub decision_note: Option<String>,
    /// When it was paid back.
    pub reimbursed_at: Option<DateTime<Utc>>,
    /// The saga that is just paying it back.
    pub payout_saga_id: Option<Uuid>,
    /// Why it was not paid back the last time it was tried.
    pub payout_error: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which expenses, and in which order.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExpenseQuery {
    /// Of this category or one below, as a whole or in a line.
    pub category_id: Option<Uuid>,
    /// For this project, as a whole or in a line.
    pub project_id: Option<Uuid>,
    /// Paid by this member.
    pub member_id: Option<Uuid>,
    /// In this status.
    #[param(inline)]
    pub status: Option<Status>,
    /// Of this kind.
    #[param(inline)]
    pub kind: Option<Kind>,
    /// In this currency.
    #[validate(custom(function = money::currency_code))]
    pub currency: Option<String>,
    /// On this day or later.
    #[validate(custom(function = text::day))]
    pub spent_from: Option<NaiveDate>,
    /// On this day or earlier.
    #[validate(custom(function = text::day))]
    pub spent_to: Option<NaiveDate>,
    /// Of at least this many minor units.
    pub amount_from: Option<i64>,
    /// Of at most this many minor units.
    pub amount_to: Option<i64>,
    /// With this tag, without regard to case.
    #[validate(length(max = 50))]
    pub tag: Option<String>,
    /// With this text in the merchant or the note, without regard to case.
    #[validate(length(max = 200))]
    pub q: Option<String>,
    /// In which order; `-` for the largest first.
    #[serde(default)]
    #[param(inline)]
    pub sort: ExpenseSort,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl ExpenseQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// In which order expenses come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum ExpenseSort {
    /// The earliest first.
    #[serde(rename = "spent_on")]
    SpentOn,
    /// The latest first.
    #[default]
    #[serde(rename = "-spent_on")]
    SpentOnDescending,
    /// The smallest first.
    #[serde(rename = "amount_minor")]
    Amount,
    /// The largest first.
    #[serde(rename = "-amount_minor")]
    AmountDescending,
    /// By merchant, from A; without one first.
    #[serde(rename = "merchant")]
    Merchant,
    /// By merchant, from Z.
    #[serde(rename = "-merchant")]
    MerchantDescending,
    /// The oldest record first.
    #[serde(rename = "created_at")]
    CreatedAt,
    /// The newest record first.
    #[serde(rename = "-created_at")]
    CreatedAtDescending,
}

/// Several expenses, all or none.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpenseBatch {
    /// 1 to 500 of them.
    #[validate(length(min = 1, max = 500))]
    #[schema(schema_with = crate::input::batch_schema::<ExpenseInput>)]
    pub items: Vec<Value>,
}

/// The expenses of a batch, in its order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExpenseBatchResult {
    /// The expenses.
    pub items: Vec<Expense>,
}
