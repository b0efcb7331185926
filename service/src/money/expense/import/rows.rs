//! The rows of a file, one at a time.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Import, ImportQuery, RowError, known::Known};
use crate::{
    amount::{self, AmountError},
    csv::{self, Cells, Column, Header, Identity, Keys, Said, Sheet},
    error::Result,
    money::expense::{ExpenseInput, Kind},
    text::fold,
};

/// How many rows a file has at most.
pub(super) const MAX_ROWS: u64 = 200_000;

/// The rows of a file, one at a time.
pub(super) struct Rows<'a> {
    sheet: Sheet,
    columns: Columns<'a>,
    import: &'a Import,
    read: u64,
}

impl<'a> Rows<'a> {
    pub(super) fn open(import: &'a Import) -> Result<Self> {
        let (sheet, header) = Sheet::open(&import.path, import.query.delimiter)?;
        let columns = Columns::find(header, &import.query)?;
        Ok(Self { sheet, columns, import, read: 0 })
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let cells = self.sheet.row().transpose()?;
        if self.read == MAX_ROWS {
            return Some(Err(csv::too_many_rows(MAX_ROWS)));
        }
        self.read += 1;
        Some(cells.map(|cells| parse(&cells, &self.columns, self.import).unwrap_or_else(Row::Bad)))
    }
}

fn parse(cells: &Cells<'_>, columns: &Columns<'_>, import: &Import) -> Result<Row, RowError> {
    let query = &import.query;
    cells.check_width()?;
    if let Some(debit) = &query.direction_debit {
        let direction = cells.optional(columns.direction, 200)?.unwrap_or_default();
        if fold(direction) != fold(debit) {
            return Ok(Row::Ignored);
        }
    }
    let spent_on = cells.day(columns.date, query.date_format.as_deref())?;
    let code = match cells.optional(columns.currency, 100)? {
        Some(code) => code.trim().to_uppercase(),
        None => import.currency.clone(),
    };
    let currency = amount::currency(&code).ok_or_else(|| {
        cells.bad(columns.currency, "currency", "must be an ISO 4217 code with minor units")
    })?;
    let separator = query.decimal_separator.unwrap_or('.');
    let exponent = currency.exponent().unwrap_or_default();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(Row::Good(Parsed {
        line: cells.line,
        spent_on,
        amount_minor: amount(cells, columns.amount, separator, exponent)?,
        currency: code,
        account: owned(cells.optional(columns.account, 100)?),
        merchant: owned(cells.optional(columns.merchant, 200)?),
        category: cells.optional(columns.category, 100)?.map(|name| name.trim().to_owned()),
        project: cells.optional(columns.project, 100)?.map(|word| word.trim().to_owned()),
        note: owned(cells.optional(columns.note, 2000)?),
    }))
}

fn amount(
    cells: &Cells<'_>,
    column: Column<'_>,
    separator: char,
    exponent: u16,
) -> Result<i64, RowError> {
    amount::parse(cells.text(column, 100)?, separator, exponent).map_err(|error| {
        let code = match error {
            AmountError::Syntax => "amount",
            AmountError::Precision => "amount_precision",
            AmountError::Range => "amount_range",
        };
        cells.bad(column, code, error.to_string())
    })
}

/// A row of the file.
pub(super) enum Row {
    Ignored,
    Bad(RowError),
    Good(Parsed),
}

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
    spent_on: NaiveDate,
    amount_minor: i64,
    currency: String,
    #[serde(default)]
    account: Option<String>,
    merchant: Option<String>,
    note: Option<String>,
}

impl Parsed {
    /// What tells this row from every other.
    pub(super) fn identity(&self, Import { query, .. }: &Import, keys: &mut Keys) -> Identity {
        let (day, amount) = (self.spent_on.to_string(), self.amount_minor.to_string());
        let member = query.member_id.map(|id| id.to_string()).unwrap_or_default();
        let account = query.account.as_deref().or(self.account.as_deref()).unwrap_or_default();
        let account = fold(&account.split_whitespace().collect::<String>());
        let fixed = [&*member, &*account, &*day, &*amount, &*self.currency];
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
        let earlier = earlier.into_iter().chain(earlier_texts).chain(project);
        keys.next(&Said { fixed: &fixed, texts: &texts }, earlier)
    }

    /// The expense that it is.
    pub(super) fn input(&self, known: &Known, member_id: Option<Uuid>) -> ExpenseInput {
        ExpenseInput {
            kind: Kind::Purchase,
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
            latitude: None,
            longitude: None,
            details: None,
            items: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// Where the columns are.
struct Columns<'a> {
    date: Column<'a>,
    amount: Column<'a>,
    currency: Option<Column<'a>>,
    account: Option<Column<'a>>,
    merchant: Option<Column<'a>>,
    category: Option<Column<'a>>,
    project: Option<Column<'a>>,
    note: Option<Column<'a>>,
    direction: Option<Column<'a>>,
}

impl<'a> Columns<'a> {
    fn find(mut header: Header, query: &'a ImportQuery) -> Result<Self> {
        let date = header.find("date", &query.date);
        let amount = header.find("amount", &query.amount);
        let currency = header.find_any("currency_column", &query.currency_column);
        let account = header.find_any("account_column", &query.account_column);
        let merchant = header.find_any("merchant", &query.merchant);
        let category = header.find_any("category", &query.category);
        let project = header.find_any("project", &query.project);
        let note = header.find_any("note", &query.note);
        let direction = header.find_any("direction", &query.direction);
        header.all_found(date.zip(amount).map(|(date, amount)| Self {
            date,
            amount,
            currency,
            account,
            merchant,
            category,
            project,
            note,
            direction,
        }))
    }
}
