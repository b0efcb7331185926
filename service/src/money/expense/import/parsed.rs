//! What a row of a file says, and the expense that it is.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Import, known::Known};
use crate::{
    csv::{Identity, Keys, Said},
    money::expense::{ExpenseInput, Kind},
    text::fold,
};

/// What a column that a file may have says: nothing of one that is not read.
fn read<'a>(column: &Option<String>, text: &'a Option<String>) -> Option<&'a str> {
    column.as_ref().map(|_| text.as_deref().unwrap_or_default())
}

/// What a row says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Parsed {
    pub(super) line: u64,
    pub(super) category: Option<String>,
    pub(super) project: Option<String>,
    #[serde(default)]
    pub(super) kind: Kind,
    pub(super) spent_on: NaiveDate,
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) account: Option<String>,
    pub(super) merchant: Option<String>,
    pub(super) note: Option<String>,
    /// Where it was, in degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) point: Option<[f64; 2]>,
}

impl Parsed {
    /// What tells this row from every other.
    pub(super) fn identity(&self, Import { query, .. }: &Import, keys: &mut Keys) -> Identity {
        let (day, amount) = (self.spent_on.to_string(), self.amount_minor.to_string());
        let member = query.member_id.map(|id| id.to_string()).unwrap_or_default();
        let account = query.account.as_deref().or(self.account.as_deref()).unwrap_or_default();
        let account = fold(&account.split_whitespace().collect::<String>());
        // What came back is another row than what was spent.
        let signed = if self.kind == Kind::Refund { format!("-{amount}") } else { amount.clone() };
        let fixed = [&*member, &*account, &*day, &*signed, &*self.currency];
        let texts = [
            read(&query.merchant, &self.merchant),
            read(&query.category, &self.category),
            read(&query.note, &self.note),
            read(&query.project, &self.project),
        ];
        let earlier = [Some(day.as_str()), Some(&amount), Some(&self.currency)];
        let earlier_texts = [&self.merchant, &self.category, &self.note].map(Option::as_deref);
        // A row without a project has the key that it had when rows had none.
        let project = self.project.as_deref().map(Some);
        let refund = (self.kind == Kind::Refund).then_some(Some("refund"));
        let earlier = earlier.into_iter().chain(earlier_texts).chain(project).chain(refund);
        keys.next(&Said { fixed: &fixed, texts: &texts }, earlier)
    }

    /// The expense that it is.
    pub(super) fn input(&self, known: &Known, member_id: Option<Uuid>) -> ExpenseInput {
        ExpenseInput {
            kind: self.kind,
            member_id,
            category_id: known.category(self.category.as_deref()),
            project_id: known.project(self.project.as_deref()),
            spent_on: self.spent_on,
            amount_minor: self.amount_minor,
            currency: Some(self.currency.clone()),
            merchant: self.merchant.clone(),
            payment_method: None,
            note: self.note.clone(),
            place: None,
            latitude: self.point.map(|[latitude, _]| latitude),
            longitude: self.point.map(|[_, longitude]| longitude),
            details: None,
            items: Vec::new(),
            tags: Vec::new(),
        }
    }
}
