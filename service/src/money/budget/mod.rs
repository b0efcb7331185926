//! How much may be spent in a period.

mod commands;
mod example;
pub(crate) mod repository;
pub mod rules;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::{
    amount,
    error::{Error, Result},
    store::stored,
    text,
};

/// Length of the period for which the amount of a budget holds. The budget starts anew with every
/// period.
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
#[schema(as = BudgetPeriod)]
pub enum Period {
    /// Monday to Sunday.
    Week,
    /// A month that begins on the day of the month on which the budget begins: from the 25th to the
    /// 24th, for a budget from a 25th on. In a month without that day it begins on the last day.
    Month,
    /// Three calendar months: January to March, April to June, and so on.
    Quarter,
    /// A calendar year.
    Year,
}

/// Amount of a budget from a day on.
#[crate::input::bounded]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BudgetAmount)]
pub struct Amount {
    /// Day from which the amount holds (`YYYY-MM-DD`). It is the amount of the period that contains
    /// this day, and of those after it until the next amount.
    #[validate(custom(function = text::day))]
    pub starts_on: NaiveDate,
    /// Amount that may be spent in one period, in minor units of the budget's currency (cents), 1
    /// to 9007199254740991.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub amount_minor: i64,
}

/// Writable properties of a budget.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(Self::example))]
pub struct BudgetInput {
    /// Name of the budget, not blank, at most 100 characters.
    #[validate(length(max = 100), custom(function = text::visible))]
    pub name: String,
    /// Identifier of the category to which the budget applies, including all categories below it;
    /// null for a budget of all spending.
    pub category_id: Option<Uuid>,
    /// Length of the period for which `amount_minor` holds.
    pub period: Period,
    /// Amount that may be spent in one period, in minor units of `currency` (cents), 1 to
    /// 9007199254740991: the latest of `amounts`. A changed amount holds from the period that
    /// contains today in the organization's time zone; if the latest amount begins after that
    /// period, the change replaces it.
    #[validate(range(min = 1, max = 9_007_199_254_740_991_i64))]
    pub amount_minor: i64,
    /// Amounts in the order of their days, 1 to 200. The first one begins on `starts_on` of the
    /// budget, and the last one has its `amount_minor`. Null for one amount from the beginning.
    #[validate(length(min = 1, max = 200), nested)]
    pub amounts: Option<Vec<Amount>>,
    /// ISO 4217 currency code, such as `EUR`. Only spending in this currency counts. Defaults to
    /// the organization's currency.
    #[validate(custom(function = amount::currency_code))]
    pub currency: Option<String>,
    /// First day on which the budget holds (`YYYY-MM-DD`).
    #[validate(custom(function = text::day))]
    pub starts_on: NaiveDate,
    /// Last day on which the budget holds (`YYYY-MM-DD`); null for a budget without an end.
    #[validate(custom(function = text::day))]
    pub ends_on: Option<NaiveDate>,
}

/// Limit of the spending in one currency and period, for one category or for all.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Budget {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Name of the budget, not blank, at most 100 characters.
    pub name: String,
    /// Identifier of the category to which the budget applies, including all categories below it;
    /// null for a budget of all spending.
    pub category_id: Option<Uuid>,
    /// Length of the period for which `amount_minor` holds.
    pub period: Period,
    /// Amount that may be spent in one period, in minor units of `currency` (cents), 1 to
    /// 9007199254740991: the latest of `amounts`.
    pub amount_minor: i64,
    /// Amounts in the order of their days. The first one begins on `starts_on` of the budget.
    pub amounts: Vec<Amount>,
    /// ISO 4217 currency code, such as `EUR`. Only spending in this currency counts.
    pub currency: String,
    /// First day on which the budget holds (`YYYY-MM-DD`).
    pub starts_on: NaiveDate,
    /// Last day on which the budget holds (`YYYY-MM-DD`); null for a budget without an end.
    pub ends_on: Option<NaiveDate>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<entity::budget::Model> for Budget {
    type Error = Error;

    fn try_from(row: entity::budget::Model) -> Result<Self> {
        let entity::budget::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            name,
            name_key: _,
            category_id,
            period,
            amount_minor,
            currency,
            starts_on,
            ends_on,
            amounts,
        } = row;
        let amounts =
            amounts.map(|amounts| stored::json(entity::budget::Column::Amounts, id, amounts));
        Ok(Self {
            id,
            version,
            name,
            category_id,
            period: stored::word(entity::budget::Column::Period, id, &period)?,
            amount_minor,
            // Nodes of the version before write these two alone.
            amounts: rules::amounts(
                amounts.transpose()?.unwrap_or_default(),
                starts_on,
                amount_minor,
            ),
            currency,
            starts_on,
            ends_on,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}
