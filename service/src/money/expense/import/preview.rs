//! What an import would make of a file, and how it reads it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Import, ImportQuery, Income,
    detect::{Detected, Uncertainty},
    parsed::Parsed,
    reasons::{Ignored, Reasons},
    rows::{Row, Rows},
};
use crate::{
    csv::{Reason, RowError},
    error::{Error, Result},
    idempotency::WriteOnce,
    money::expense::Kind,
};

/// How many rows are shown.
const MAX_SHOWN: usize = 20;

/// Settings with which a file would be imported, and what would become of its rows. Categories,
/// projects and earlier imports are not considered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportPreview {
    /// Query parameters of the import, with the values that were given or detected.
    #[schema(value_type = Object)]
    pub settings: Value,
    /// What the file does not decide.
    pub uncertain: Vec<Uncertainty>,
    /// Names of the columns of the file.
    pub columns: Vec<String>,
    /// Number of rows after the header, without those of `skip_last`.
    pub total: u64,
    /// Number of rows of money that went out.
    pub outflows: u64,
    /// Number of rows of money that came in.
    pub inflows: u64,
    /// Number of other rows that are ignored, such as balances.
    pub ignored: u64,
    /// Number of invalid rows.
    pub failed: u64,
    /// Sum of the money that went out and came in, for each currency.
    pub sums: Vec<ImportPreviewSum>,
    /// Why rows would not be imported, with the number of rows for each reason.
    #[schema(value_type = Vec<Reason>)]
    pub reasons: Reasons,
    /// The first rows as they would become, at most 20.
    pub rows: Vec<ImportPreviewRow>,
}

/// Sums of the rows of a currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportPreviewSum {
    /// ISO 4217 code of the currency.
    pub currency: String,
    /// Sum of the money that went out in minor units.
    pub spending_minor: i64,
    /// Sum of the money that came in in minor units.
    pub income_minor: i64,
}

/// Row of a file as it would become.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct ImportPreviewRow {
    /// Number of the line on which the row starts.
    pub line: u64,
    /// Kind of the expense that the row would become: `purchase` or `refund`. Null if it would not
    /// become one.
    pub kind: Option<Kind>,
    /// Whether the money went out (`out`) or came in (`in`); null if neither is known.
    pub direction: Option<&'static str>,
    /// Day of the expense; null if it is not known.
    pub spent_on: Option<NaiveDate>,
    /// Amount in minor units; null if it is not known.
    pub amount_minor: Option<i64>,
    /// ISO 4217 code of the currency; null if it is not known.
    pub currency: Option<String>,
    /// Merchant of the expense; null if there is none.
    pub merchant: Option<String>,
    /// Note of the expense; null if there is none.
    pub note: Option<String>,
    /// Code of the reason why the row would not be imported; null if it would.
    pub reason: Option<&'static str>,
    /// Description of the error of an invalid row.
    pub message: Option<String>,
}

/// Looks at a file. What is uncertain is told, and refused by nobody.
///
/// # Errors
/// [`Error::Invalid`] where the query does not make sense.
pub async fn preview(
    answering: WriteOnce<'_, ImportPreview>,
    import: Import,
) -> Result<ImportPreview> {
    let detected = import.clone().detected().await?;
    let shown = tokio::task::spawn_blocking(move || show(&import, detected))
        .await
        .map_err(|error| Error::Internal(format!("a file was read halfway: {error}")))??;
    answering.record(shown).await
}

pub(super) fn show(import: &Import, detected: Detected) -> Result<ImportPreview> {
    let Detected { query, columns, uncertain } = detected;
    let mut shown = ImportPreview {
        settings: settings(&query)?,
        uncertain,
        columns,
        total: 0,
        outflows: 0,
        inflows: 0,
        ignored: 0,
        failed: 0,
        sums: Vec::new(),
        reasons: Reasons::default(),
        rows: Vec::new(),
    };
    if query.date.is_none() || (query.amount.is_none() && query.amount_debit.is_none()) {
        return Ok(shown);
    }
    let mut sums = BTreeMap::<String, [i64; 2]>::new();
    let import = import.clone().with(query);
    shown.reasons.count_left_out(import.left_out);
    for row in Rows::open(&import)?.with_income() {
        shown.add(row?, &import.query, &mut sums);
    }
    let sums = sums.into_iter();
    shown.sums = sums
        .map(|(currency, [spending_minor, income_minor])| ImportPreviewSum {
            currency,
            spending_minor,
            income_minor,
        })
        .collect();
    Ok(shown)
}

/// The parameters that have a value.
fn settings(query: &ImportQuery) -> Result<Value> {
    let mut query = serde_json::to_value(query)
        .map_err(|error| Error::Internal(format!("a query cannot be shown: {error}")))?;
    if let Value::Object(fields) = &mut query {
        fields.retain(|name, value| {
            !value.is_null() && !matches!(name.as_str(), "dry_run" | "background" | "on_error")
        });
    }
    Ok(query)
}

impl ImportPreview {
    fn add(&mut self, row: Row, query: &ImportQuery, sums: &mut BTreeMap<String, [i64; 2]>) {
        self.total += 1;
        let row = match row {
            Row::Good(parsed) => {
                let is_income = parsed.kind == Kind::Refund;
                let sum =
                    &mut sums.entry(parsed.currency.clone()).or_default()[usize::from(is_income)];
                *sum = sum.saturating_add(parsed.amount_minor);
                *if is_income { &mut self.inflows } else { &mut self.outflows } += 1;
                let left_out = is_income && query.income == Income::Ignore;
                let reason = left_out.then_some(Ignored::Income.code());
                ImportPreviewRow::of(parsed, reason)
            }
            Row::Ignored(why, line) => {
                self.ignored += 1;
                let reason = Some(why.code());
                ImportPreviewRow { line, reason, ..ImportPreviewRow::default() }
            }
            Row::Bad(RowError { line, code, message, .. }) => {
                self.failed += 1;
                let (reason, message) = (Some(code), Some(message));
                ImportPreviewRow { line, reason, message, ..ImportPreviewRow::default() }
            }
        };
        if let Some(reason) = row.reason {
            self.reasons.count(reason);
        }
        if self.rows.len() < MAX_SHOWN {
            self.rows.push(row);
        }
    }
}

impl ImportPreviewRow {
    fn of(parsed: Parsed, reason: Option<&'static str>) -> Self {
        let direction = if parsed.kind == Kind::Refund { "in" } else { "out" };
        Self {
            line: parsed.line,
            kind: reason.is_none().then_some(parsed.kind),
            direction: Some(direction),
            spent_on: Some(parsed.spent_on),
            amount_minor: Some(parsed.amount_minor),
            currency: Some(parsed.currency),
            merchant: parsed.merchant,
            note: parsed.note,
            reason,
            message: None,
        }
    }
}
