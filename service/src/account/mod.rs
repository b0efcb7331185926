//! What the journal moves amounts between ([`crate::journal_entry`]). docs/ledger.md tells how they
//! work together.

mod commands;
pub(crate) mod repository;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub(crate) use commands::of_purpose;
pub use commands::{balance, balances};

use crate::{money, text};

/// What an account is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountKind)]
pub enum Kind {
    /// What one has: grows by debits.
    Asset,
    /// What one owes: grows by credits.
    Liability,
    /// What remains of the two: grows by credits.
    Equity,
    /// What came in: grows by credits.
    Income,
    /// What went out: grows by debits.
    Expense,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Asset, Self::Liability, Self::Equity, Self::Income, Self::Expense];

    fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Equity => "equity",
            Self::Income => "income",
            Self::Expense => "expense",
        }
    }

    pub(crate) fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(Self::Asset)
    }

    /// What an account of this kind stands at: positive on the side on which it grows.
    pub fn balance(self, debits_minor: i64, credits_minor: i64) -> i64 {
        // Neither is negative, so that their difference is a number of 64 bits too.
        match self {
            Self::Asset | Self::Expense => debits_minor - credits_minor,
            Self::Liability | Self::Equity | Self::Income => credits_minor - debits_minor,
        }
    }
}

/// What steward itself uses an account for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AccountPurpose)]
pub enum Purpose {
    /// What members are paid back.
    Reimbursements,
    /// What is on its way to members, and may still come back.
    PayoutsInFlight,
    /// Where payouts come from.
    PayoutAccount,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Reimbursements, Self::PayoutsInFlight, Self::PayoutAccount];

    fn as_str(self) -> &'static str {
        match self {
            Self::Reimbursements => "reimbursements",
            Self::PayoutsInFlight => "payouts_in_flight",
            Self::PayoutAccount => "payout_account",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == word)
    }
}

/// What a client may write of an account.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountInput {
    /// The name.
    #[validate(length(max = 100), custom(function = text::visible))]
    #[schema(max_length = 100)]
    pub name: String,
    /// What it is of. Stays as it is.
    pub kind: Kind,
    /// An ISO 4217 code; the organization's if it is left out. Stays as it is.
    #[validate(custom(function = money::currency_code))]
    pub currency: Option<String>,
    /// Whether its balance may be less than zero; so if it is left out.
    #[serde(default = "yes")]
    pub may_go_below_zero: bool,
    /// Whether nothing more is posted to it.
    #[serde(default)]
    pub closed: bool,
}

fn yes() -> bool {
    true
}

/// An account. What it stands at is its balance, which is no part of its version.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Account {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// The name.
    pub name: String,
    /// What it is of.
    pub kind: Kind,
    /// The currency.
    pub currency: String,
    /// Whether its balance may be less than zero.
    pub may_go_below_zero: bool,
    /// Whether nothing more is posted to it.
    pub closed: bool,
    /// What steward itself uses it for, if it does.
    pub purpose: Option<Purpose>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl From<entity::account::Model> for Account {
    fn from(row: entity::account::Model) -> Self {
        Self {
            id: row.id,
            version: row.version,
            name: row.name,
            kind: Kind::of(&row.kind),
            currency: row.currency,
            may_go_below_zero: row.may_go_below_zero,
            closed: row.closed,
            purpose: row.purpose.as_deref().and_then(Purpose::of),
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
    }
}

/// What an account stands at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountBalance {
    /// The account.
    pub account_id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is of.
    pub kind: Kind,
    /// The currency.
    pub currency: String,
    /// All that was ever debited to it, in minor units.
    pub debits_minor: i64,
    /// All that was ever credited to it, in minor units.
    pub credits_minor: i64,
    /// Debits less credits of assets and expenses, credits less debits of the others.
    pub balance_minor: i64,
}
