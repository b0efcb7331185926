//! What a client says of a file of expenses.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

use super::words::{self, Way};
use crate::{
    amount,
    csv::{OnError, csv_query},
    error::Result,
    text::fold,
};

csv_query! {
    /// Mapping of the columns of a CSV file to properties of expenses, and options of the import. What
    /// is omitted is detected from the whole file; what the file does not decide is required. A column
    /// is named as in the header, or by its position: `#3`.
    pub struct ImportQuery {
        /// Name of the column of the day. If neither this nor a column of amounts is named, all columns
        /// are detected.
        #[validate(length(max = 200))]
        pub date: Option<String>,
        /// Format of days in strftime notation, such as `%d.%m.%Y` or `%B %d, %Y`.
        #[validate(length(max = 200))]
        pub date_format: Option<String>,
        /// Whether to cut off a time that follows the day.
        pub ignore_time: Option<bool>,
        /// Name of the column of the amount.
        #[validate(length(max = 200))]
        pub amount: Option<String>,
        /// Name of the column of the amounts that were spent, if those that were received have another
        /// one.
        #[validate(length(max = 200))]
        pub amount_debit: Option<String>,
        /// Name of the column of the amounts that were received.
        #[validate(length(max = 200))]
        pub amount_credit: Option<String>,
        /// Meaning of the sign of an amount: `debit_negative` if spending has a minus, `debit_positive`
        /// if money that came in has one.
        #[param(inline)]
        pub sign: Option<SignMeaning>,
        /// Treatment of money that came in: `ignore`, or `import` as refunds, which reduce the spending
        /// in reports. Defaults to `ignore`.
        #[serde(default)]
        #[param(inline)]
        pub income: Income,
        /// ISO 4217 code of the currency of all rows. Defaults to what the header or the amounts say, or
        /// else to the organization's currency, if `currency_column` is omitted too.
        #[validate(custom(function = amount::currency_code))]
        pub currency: Option<String>,
        /// Name of the column of the currency.
        #[validate(length(max = 200))]
        pub currency_column: Option<String>,
        /// Name of the column of the merchant.
        #[validate(length(max = 200))]
        pub merchant: Option<String>,
        /// Name of the column of the category, which is found by its name.
        #[validate(length(max = 200))]
        pub category: Option<String>,
        /// Name of the column of the project, which is found by its job number or else by its name.
        #[validate(length(max = 200))]
        pub project: Option<String>,
        /// Name of the column of the note.
        #[validate(length(max = 200))]
        pub note: Option<String>,
        /// Name of the column that says whether money was spent or received.
        #[validate(length(max = 200))]
        pub direction: Option<String>,
        /// Value of the `direction` column in rows of spending, compared ignoring case. Defaults to the
        /// usual words, such as `debit`, `out`, `Soll` or `Af`.
        #[validate(length(max = 200))]
        pub direction_debit: Option<String>,
        /// Value of the `direction` column in rows of money that came in. Rows with neither value are
        /// ignored.
        #[validate(length(max = 200))]
        pub direction_credit: Option<String>,
        /// Name of the column that says whether a row is booked. Detected by default: rows that are pending,
        /// declined or reverted are ignored.
        #[validate(length(max = 200))]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub status: Option<String>,
        /// Name of the column of the latitude in degrees north. Requires `longitude`.
        #[validate(length(max = 200))]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub latitude: Option<String>,
        /// Name of the column of the longitude in degrees east. Requires `latitude`.
        #[validate(length(max = 200))]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub longitude: Option<String>,
        /// Character before the decimals of an amount: `.` or `,`.
        pub decimal_separator: Option<char>,
        /// Account from which the rows come, such as an IBAN, at most 100 characters, compared ignoring
        /// case and spaces. Equal rows of two accounts are two expenses.
        #[validate(length(max = 100))]
        pub account: Option<String>,
        /// Name of the column of the account.
        #[validate(length(max = 200))]
        pub account_column: Option<String>,
        /// Whether to create categories that do not exist. Defaults to false.
        #[serde(default)]
        pub create_categories: bool,
        /// Identifier of the member who paid. Defaults to the member who sends the request.
        pub member_id: Option<Uuid>,
    }
}

/// Meaning of the sign of an amount in an imported file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportSign)]
pub enum SignMeaning {
    /// Spending is negative, as on most accounts.
    DebitNegative,
    /// Spending is positive, as on many cards. What comes back is negative.
    DebitPositive,
}

/// Treatment of money that came in, in an imported file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportIncome)]
pub enum Income {
    /// It is counted and left out.
    #[default]
    Ignore,
    /// It is imported as refunds.
    Import,
}

impl ImportQuery {
    /// What is wrong with it, before its file is read.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] where it does not make sense.
    pub(super) fn check(&self) -> Result<()> {
        let mut refusals = self.refusals();
        if self.currency.is_some() && self.currency_column.is_some() {
            refusals.refuse("currency_column", "must not be set together with currency");
        }
        if self.account.is_some() && self.account_column.is_some() {
            refusals.refuse("account_column", "must not be set together with account");
        }
        if self.direction.is_none() && self.direction_debit.is_some() {
            refusals.refuse("direction_debit", "must not be set without direction");
        }
        if self.direction.is_none() && self.direction_credit.is_some() {
            refusals.refuse("direction_credit", "must not be set without direction");
        }
        if self.amount.is_some() && self.amount_debit.is_some() {
            refusals.refuse("amount_debit", "must not be set together with amount");
        }
        if self.amount_credit.is_some() && self.amount_debit.is_none() {
            refusals.refuse("amount_credit", "must not be set without amount_debit");
        }
        if self.latitude.is_some() != self.longitude.is_some() {
            let name = if self.latitude.is_some() { "longitude" } else { "latitude" };
            refusals.refuse(name, "must be set if the other coordinate is");
        }
        refusals.or_none()
    }

    /// The same, as an import in the background keeps it. Once the rows are read, nobody asks for the columns of
    /// which nodes of earlier versions know nothing.
    pub(super) fn staged(&self) -> Self {
        Self { status: None, latitude: None, longitude: None, ..self.clone() }
    }

    /// The columns that it names.
    pub(super) fn columns(&self) -> Vec<&str> {
        let all = [
            &self.date,
            &self.amount,
            &self.amount_debit,
            &self.amount_credit,
            &self.currency_column,
            &self.merchant,
            &self.category,
            &self.project,
            &self.note,
            &self.direction,
            &self.status,
            &self.latitude,
            &self.longitude,
        ];
        all.into_iter().filter_map(|name| name.as_deref()).collect()
    }

    /// Which way a word in the column of the direction says that money went.
    pub(super) fn way(&self, word: &str) -> Option<Way> {
        let is = |expected: &Option<String>| {
            expected.as_ref().is_some_and(|expected| fold(expected) == fold(word))
        };
        match (&self.direction_debit, &self.direction_credit) {
            (None, None) => words::way(word),
            _ if is(&self.direction_debit) => Some(Way::Out),
            _ if is(&self.direction_credit) => Some(Way::In),
            // Only one of the two is named.
            (Some(_), None) => words::way(word).filter(|way| *way == Way::In),
            (None, Some(_)) => words::way(word).filter(|way| *way == Way::Out),
            (Some(_), Some(_)) => None,
        }
    }
}
