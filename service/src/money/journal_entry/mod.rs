//! The journal: entries of one or more transfers between accounts. An entry is never changed, only
//! reversed. docs/ledger.md tells how it works together with accounts.

mod commands;
mod example;
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

use crate::{amount, input::AnyOf, store::page::paged, text};

/// Amount that a journal entry moves between two accounts: a debit of one and a credit of the
/// other.
#[crate::input::bounded]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JournalEntryTransfer)]
pub struct Transfer {
    /// Identifier of the account that is debited.
    pub debit_account_id: Uuid,
    /// Identifier of the account that is credited.
    pub credit_account_id: Uuid,
    /// Amount in minor units of `currency` (cents), 1 to 9007199254740991.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub amount_minor: i64,
    /// ISO 4217 code of the currency of both accounts, such as `EUR`.
    #[validate(custom(function = amount::currency_code))]
    #[schema(example = "EUR")]
    pub currency: String,
}

/// Properties of a new journal entry.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct JournalEntryInput {
    /// Day to which the entry belongs (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub occurred_on: NaiveDate,
    /// Description of the entry, at most 500 characters.
    #[validate(length(max = 500))]
    pub memo: Option<String>,
    /// Reference to an external document, such as the number of a voucher, at most 200 characters.
    #[validate(length(max = 200))]
    pub reference: Option<String>,
    /// Transfers of the entry, 1 to 200, in one or more currencies.
    #[validate(length(min = 1, max = 200), nested)]
    pub transfers: Vec<Transfer>,
}

/// Properties of the journal entry that reverses another.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JournalEntryReversalInput, examples(json!({ "memo": "Entered twice" })))]
pub struct ReversalInput {
    /// Unique identifier (UUID) of the reversing entry. Set by the server if it is omitted.
    pub reversal_id: Option<Uuid>,
    /// Day of the reversing entry (`YYYY-MM-DD`). Defaults to the day of the reversed entry.
    #[validate(custom(function = text::day))]
    pub occurred_on: Option<NaiveDate>,
    /// Description of the reversing entry, at most 500 characters.
    #[validate(length(max = 500))]
    pub memo: Option<String>,
}

/// Balanced entry of the ledger. It cannot be updated or deleted, only reversed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct JournalEntry {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the entry, set by the server: 1 on creation, 2 after its reversal.
    pub version: i64,
    /// Day to which the entry belongs (`YYYY-MM-DD`).
    pub occurred_on: NaiveDate,
    /// Description of the entry, at most 500 characters.
    pub memo: Option<String>,
    /// Reference to an external document, such as the number of a voucher, at most 200 characters.
    pub reference: Option<String>,
    /// Transfers of the entry, 1 to 200, in one or more currencies.
    pub transfers: Vec<Transfer>,
    /// Identifier of the entry that this entry reverses, set by the server; null if it reverses
    /// none.
    pub reverses_id: Option<Uuid>,
    /// Identifier of the entry that reverses this entry, set by the server; null if it is not
    /// reversed.
    pub reversed_by_id: Option<Uuid>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the reversal, or of the creation if the entry is not reversed (RFC 3339, UTC), set
    /// by the server.
    pub updated_at: DateTime<Utc>,
}

/// Filters, order and page of a list of journal entries.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct JournalEntryQuery {
    /// Return entries with a transfer that debits or credits one of these accounts.
    #[param(value_type = Option<Vec<Uuid>>)]
    pub account_id: Option<AnyOf<Uuid>>,
    /// Return entries of this day or later (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub occurred_from: Option<NaiveDate>,
    /// Return entries of this day or earlier (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub occurred_to: Option<NaiveDate>,
    /// Order of the list; `-` before a property is descending. Defaults to `-occurred_on`.
    #[serde(default)]
    #[param(inline)]
    pub sort: JournalEntrySort,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(JournalEntryQuery);

/// Order of a list of journal entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum JournalEntrySort {
    /// By day, earliest first.
    #[serde(rename = "occurred_on")]
    OccurredOn,
    /// By day, latest first.
    #[default]
    #[serde(rename = "-occurred_on")]
    OccurredOnDescending,
}
