//! What the journal moves amounts between ([`crate::money::journal_entry`]). docs/ledger.md tells how they
//! work together.

mod commands;
mod example;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use entity::account::Column;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub(crate) use commands::of_purpose;
pub use commands::{balance, balances};

use crate::{
    amount,
    error::{Error, Result},
    store::stored,
    text,
};

/// Type of an account, which also says on which side its balance grows. Immutable.
#[derive(
    Debug,
    Clone,
    Copy,
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
#[schema(as = AccountKind)]
pub enum Kind {
    /// What the organization owns. Grows by debits.
    Asset,
    /// What the organization owes. Grows by credits.
    Liability,
    /// Assets less liabilities. Grows by credits.
    Equity,
    /// Revenue. Grows by credits.
    Income,
    /// Costs. Grows by debits.
    Expense,
}

impl Kind {
    /// What an account of this kind stands at: positive on the side on which it grows.
    pub fn balance(self, debits_minor: i64, credits_minor: i64) -> i64 {
        // Neither is negative, so that their difference is a number of 64 bits too.
        match self {
            Self::Asset | Self::Expense => debits_minor - credits_minor,
            Self::Liability | Self::Equity | Self::Income => credits_minor - debits_minor,
        }
    }
}

/// Role of an account in payouts. The server creates these accounts when it first needs them, one
/// of each purpose for each currency.
///
/// - `reimbursements`: Expenses reimbursed to members.
/// - `payouts_in_flight`: Payouts that were reserved and are not settled yet.
/// - `payout_account`: Account from which payouts are paid.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema, EnumString, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = AccountPurpose)]
pub enum Purpose {
    /// Expenses reimbursed to members.
    Reimbursements,
    /// Payouts that were reserved and are not settled yet.
    PayoutsInFlight,
    /// Account from which payouts are paid.
    PayoutAccount,
}

/// Writable properties of an account.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct AccountInput {
    /// Name of the account, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Type of the account. Immutable.
    pub kind: Kind,
    /// ISO 4217 code of the currency of the account, such as `EUR`. Immutable. Defaults to the
    /// organization's currency.
    #[validate(custom(function = amount::currency_code))]
    pub currency: Option<String>,
    /// Whether the balance may be negative. If false, an entry that would take it below zero is
    /// refused. Defaults to true.
    #[serde(default = "yes")]
    pub may_go_below_zero: bool,
    /// Whether the account is closed. A closed account accepts no further entries. Defaults to
    /// false.
    #[serde(default)]
    pub closed: bool,
}

fn yes() -> bool {
    true
}

/// Account of the ledger. Its balance is not part of it: postings do not change the version.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Account {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Name of the account, not blank, at most 100 characters.
    pub name: String,
    /// Type of the account. Immutable.
    pub kind: Kind,
    /// ISO 4217 code of the currency of the account, such as `EUR`. Immutable.
    pub currency: String,
    /// Whether the balance may be negative. If false, an entry that would take it below zero is
    /// refused.
    pub may_go_below_zero: bool,
    /// Whether the account is closed. A closed account accepts no further entries.
    pub closed: bool,
    /// Role of the account in payouts, set by the server; null for an account without one.
    pub purpose: Option<Purpose>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::account::Model> for Account {
    type Error = Error;

    fn try_from(row: entity::account::Model) -> Result<Self> {
        let entity::account::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            name,
            name_key: _,
            kind,
            currency,
            may_go_below_zero,
            closed,
            purpose,
        } = row;
        let purpose = purpose.as_deref();
        let purpose = purpose.map(|purpose| stored::word(Column::Purpose, id, purpose));
        Ok(Self {
            id,
            version,
            name,
            kind: stored::word(Column::Kind, id, &kind)?,
            currency,
            may_go_below_zero,
            closed,
            purpose: purpose.transpose()?,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

/// Balance of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountBalance {
    /// Identifier of the account.
    pub account_id: Uuid,
    /// Name of the account.
    pub name: String,
    /// Type of the account.
    pub kind: Kind,
    /// ISO 4217 code of the currency of the amounts, such as `EUR`.
    pub currency: String,
    /// Sum of all debits ever posted to the account, in minor units of `currency`.
    pub debits_minor: i64,
    /// Sum of all credits ever posted to the account, in minor units of `currency`.
    pub credits_minor: i64,
    /// Balance in minor units of `currency`: debits less credits for assets and expenses, credits
    /// less debits for liabilities, equity and income.
    pub balance_minor: i64,
}
