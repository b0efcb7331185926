//! The journal: entries of one or more transfers between accounts. An entry is never changed, only
//! reversed. docs/ledger.md tells how it works together with accounts.

mod commands;
mod repository;
pub mod rules;
pub mod verify;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use commands::{post, reverse};
pub(crate) use commands::{post_in, reverse_in};

use crate::{money, store::page::PageQuery, text};

/// An amount from one account to another: a debit of the one and a credit of the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// The account that is debited: where the amount goes.
    pub debit_account_id: Uuid,
    /// The account that is credited: where the amount comes from.
    pub credit_account_id: Uuid,
    /// How much, in minor units: 1 to 2^53 - 1.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount_minor: i64,
    /// The currency of both accounts: an ISO 4217 code.
    #[validate(custom(function = money::currency_code))]
    #[schema(example = "EUR")]
    pub currency: String,
}

/// What a client says of a new entry.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JournalEntryInput {
    /// The day.
    #[validate(custom(function = text::day))]
    pub occurred_on: NaiveDate,
    /// What it is about.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub memo: Option<String>,
    /// What it is called elsewhere: the number of a voucher.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub reference: Option<String>,
    /// 1 to 200 transfers, in one currency or in several.
    #[validate(length(min = 1, max = 200), nested)]
    pub transfers: Vec<Transfer>,
}

/// What goes with a reversal.
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReversalInput {
    /// The id of the entry that reverses; one is made if it is left out.
    pub reversal_id: Option<Uuid>,
    /// Its day; that of the entry which it reverses if it is left out.
    #[validate(custom(function = text::day))]
    pub occurred_on: Option<NaiveDate>,
    /// What it is about.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub memo: Option<String>,
}

/// An entry. It has version 1 until it is reversed, and then 2.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JournalEntry {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// The day.
    pub occurred_on: NaiveDate,
    /// What it is about.
    pub memo: Option<String>,
    /// What it is called elsewhere.
    pub reference: Option<String>,
    /// The transfers.
    pub transfers: Vec<Transfer>,
    /// The entry that this one reverses.
    pub reverses_id: Option<Uuid>,
    /// The entry that reverses this one.
    pub reversed_by_id: Option<Uuid>,
    /// When it was posted.
    pub created_at: DateTime<Utc>,
    /// When this was last changed: when it was reversed.
    pub updated_at: DateTime<Utc>,
}

/// Which entries, and in which order.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JournalEntryQuery {
    /// With a transfer from or to this account.
    pub account_id: Option<Uuid>,
    /// On this day or later.
    #[validate(custom(function = text::day))]
    pub occurred_from: Option<NaiveDate>,
    /// On this day or earlier.
    #[validate(custom(function = text::day))]
    pub occurred_to: Option<NaiveDate>,
    /// In which order; `-` for the latest first.
    #[serde(default)]
    #[param(inline)]
    pub sort: JournalEntrySort,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl JournalEntryQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// In which order entries come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum JournalEntrySort {
    /// The earliest first.
    #[serde(rename = "occurred_on")]
    OccurredOn,
    /// The latest first.
    #[default]
    #[serde(rename = "-occurred_on")]
    OccurredOnDescending,
}
