//! The rows of a file, one at a time.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Import, ImportQuery, Income, RowError, SignMeaning, detect,
    known::Known,
    reasons::Ignored,
    words::{Way, is_balance},
};
use crate::{
    amount::{self, AmountError, Sign, Written},
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
    income: Income,
    read: u64,
}

impl<'a> Rows<'a> {
    /// Of a query in which nothing is left to find.
    pub(super) fn open(import: &'a Import) -> Result<Self> {
        let dialect = detect::dialect(&import.query, &import.currency);
        let (sheet, header) = Sheet::open(&import.path, &dialect)?;
        let columns = Columns::find(header, &import.query)?;
        Ok(Self { sheet, columns, import, income: import.query.income, read: 0 })
    }

    /// The same, with the money that came in.
    pub(super) fn with_income(self) -> Self {
        Self { income: Income::Import, ..self }
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
        let parse = |cells: Cells<'_>| parse(&cells, &self.columns, self.import, self.income);
        Some(cells.map(|cells| parse(cells).unwrap_or_else(Row::Bad)))
    }
}

fn parse(
    cells: &Cells<'_>,
    columns: &Columns<'_>,
    import: &Import,
    income: Income,
) -> Result<Row, RowError> {
    let query = &import.query;
    cells.check_width()?;
    if says_balance(cells, columns) {
        return Ok(Row::Ignored(Ignored::Balance, cells.line));
    }
    let word = word(cells, columns, query)?;
    if let Some(why) = word.ignored(income) {
        return Ok(Row::Ignored(why, cells.line));
    }
    let code = match cells.optional(columns.currency, 100)? {
        Some(code) => code.trim().to_uppercase(),
        None => query.currency.clone().unwrap_or_else(|| import.currency.clone()),
    };
    let currency = amount::currency(&code).ok_or_else(|| {
        cells.bad(columns.currency, "currency", "must be an ISO 4217 code with minor units")
    })?;
    let money = Money {
        cells,
        query,
        code: &code,
        separator: query.decimal_separator.unwrap_or('.'),
        exponent: currency.exponent().unwrap_or_default(),
    };
    let (way, amount_minor) = money.read(columns, word)?;
    if way == Way::In && income == Income::Ignore {
        return Ok(Row::Ignored(Ignored::Income, cells.line));
    }
    let ignore_time = query.ignore_time.unwrap_or(false);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(Row::Good(Parsed {
        line: cells.line,
        kind: if way == Way::Out { Kind::Purchase } else { Kind::Refund },
        spent_on: cells.day(columns.date, query.date_format.as_deref(), ignore_time)?,
        amount_minor,
        currency: code,
        account: owned(cells.optional(columns.account, 100)?),
        merchant: owned(cells.optional(columns.merchant, 200)?),
        category: cells.optional(columns.category, 100)?.map(|name| name.trim().to_owned()),
        project: cells.optional(columns.project, 100)?.map(|word| word.trim().to_owned()),
        note: owned(cells.optional(columns.note, 2000)?),
    }))
}

/// Whether a row says what the balance is, where others say what money was for.
fn says_balance(cells: &Cells<'_>, columns: &Columns<'_>) -> bool {
    let places = [Some(columns.date), columns.merchant, columns.note];
    let mut texts =
        places.into_iter().filter_map(|column| cells.optional(column, 60).ok().flatten());
    texts.any(is_balance)
}

/// What the column of the direction says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// There is no such column.
    None,
    Known(Way),
    /// Neither that money went out nor that it came in.
    Other,
}

impl Word {
    /// Why a row is ignored by its word alone.
    fn ignored(self, income: Income) -> Option<Ignored> {
        match self {
            Self::Known(Way::In) if income == Income::Ignore => Some(Ignored::Income),
            Self::Other => Some(Ignored::NotSpending),
            _ => None,
        }
    }
}

fn word(cells: &Cells<'_>, columns: &Columns<'_>, query: &ImportQuery) -> Result<Word, RowError> {
    let Some(column) = columns.direction else { return Ok(Word::None) };
    let text = cells.optional(Some(column), 200)?.unwrap_or_default();
    match query.way(text) {
        Some(way) => Ok(Word::Known(way)),
        // Who names the word of spending knows what the others are.
        None if query.direction_debit.is_some() => Ok(Word::Other),
        None => Err(unsure(cells, column, "must be a word for money that went out or came in")),
    }
}

fn unsure(cells: &Cells<'_>, column: Column<'_>, message: &str) -> RowError {
    cells.bad(column, "direction", message)
}

/// How the amounts of a row are read.
struct Money<'a> {
    cells: &'a Cells<'a>,
    query: &'a ImportQuery,
    code: &'a str,
    separator: char,
    exponent: u16,
}

impl Money<'_> {
    /// Which way how much money went.
    fn read(&self, columns: &Columns<'_>, word: Word) -> Result<(Way, i64), RowError> {
        match columns.amount {
            Amounts::One(column) => {
                let written = self.written(column)?;
                let way = self.way(column, word, written.sign)?;
                Ok((way, more_than_nothing(self.cells, column, written.minor)?))
            }
            Amounts::Two(debit, credit) => self.of_two(debit, credit),
        }
    }

    fn written(&self, column: Column<'_>) -> Result<Written<'_>, RowError> {
        let text = self.cells.text(column, 100)?;
        let written = amount::read(text, self.separator, self.exponent).map_err(|error| {
            let code = match error {
                AmountError::Syntax => "amount",
                AmountError::Precision => "amount_precision",
                AmountError::Range => "amount_range",
            };
            self.cells.bad(column, code, error.to_string())
        })?;
        match written.unit {
            Some(unit) if !amount::currencies_of(unit).contains(&self.code) => {
                let message = format!("is in {unit}, but the currency of the row is {}", self.code);
                Err(self.cells.bad(column, "currency", message))
            }
            _ => Ok(written),
        }
    }

    /// Which way money went, if word and sign do not contradict each other.
    fn way(&self, column: Column<'_>, word: Word, sign: Sign) -> Result<Way, RowError> {
        let by_sign = match (sign, self.query.sign) {
            (Sign::Debit, _) => Some(Way::Out),
            (Sign::Credit, _) => Some(Way::In),
            (Sign::Minus, Some(SignMeaning::DebitNegative))
            | (Sign::Plus, Some(SignMeaning::DebitPositive)) => Some(Way::Out),
            (Sign::Plus, Some(SignMeaning::DebitNegative))
            | (Sign::Minus, Some(SignMeaning::DebitPositive)) => Some(Way::In),
            (_, None) => None,
        };
        match (word, by_sign) {
            (Word::Known(way), None) if sign == Sign::Plus => Ok(way),
            (Word::Known(way), Some(other)) if way == other => Ok(way),
            (Word::None, Some(way)) => Ok(way),
            _ => Err(unsure(
                self.cells,
                column,
                "must have the sign that the direction has elsewhere",
            )),
        }
    }

    fn of_two(
        &self,
        debit: Column<'_>,
        credit: Option<Column<'_>>,
    ) -> Result<(Way, i64), RowError> {
        let out = self.filled(debit)?;
        let back = credit.map_or(Ok(None), |column| self.filled(column))?;
        let column = credit.unwrap_or(debit);
        match (out, back) {
            (Some(_), Some(_)) => {
                Err(unsure(self.cells, column, "must be blank where there is a debit"))
            }
            (Some(out), None) => {
                let expected = match self.query.sign {
                    Some(SignMeaning::DebitNegative) => Sign::Minus,
                    _ => Sign::Plus,
                };
                let is_odd = out.sign != expected && out.sign != Sign::Debit;
                if is_odd {
                    return Err(unsure(
                        self.cells,
                        debit,
                        "must have the sign of the other debits",
                    ));
                }
                Ok((Way::Out, out.minor))
            }
            (None, Some(back)) if matches!(back.sign, Sign::Plus | Sign::Credit) => {
                Ok((Way::In, back.minor))
            }
            (None, Some(_)) => Err(unsure(self.cells, column, "must not be negative")),
            (None, None) if credit.is_none() => Err(unsure(self.cells, debit, "must not be blank")),
            (None, None) => Err(self.cells.bad(debit, "amount", "is blank, and so is the credit")),
        }
    }

    /// The amount of a cell, if it is not blank, a dash or zero.
    fn filled(&self, column: Column<'_>) -> Result<Option<Written<'_>>, RowError> {
        if amount::is_none(self.cells.text(column, 100)?) {
            return Ok(None);
        }
        Ok(Some(self.written(column)?).filter(|written| written.minor > 0))
    }
}

fn more_than_nothing(cells: &Cells<'_>, column: Column<'_>, minor: i64) -> Result<i64, RowError> {
    if minor > 0 {
        return Ok(minor);
    }
    Err(cells.bad(column, "amount_range", AmountError::Range.to_string()))
}

/// A row of the file.
pub(super) enum Row {
    /// Why, and the line that it begins on.
    Ignored(Ignored, u64),
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
    #[serde(default)]
    pub(super) kind: Kind,
    pub(super) spent_on: NaiveDate,
    pub(super) amount_minor: i64,
    pub(super) currency: String,
    #[serde(default)]
    account: Option<String>,
    pub(super) merchant: Option<String>,
    pub(super) note: Option<String>,
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
            latitude: None,
            longitude: None,
            details: None,
            items: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// Where the amounts are.
#[derive(Debug, Clone, Copy)]
enum Amounts<'a> {
    One(Column<'a>),
    /// What was spent, and what came in.
    Two(Column<'a>, Option<Column<'a>>),
}

/// Where the columns are.
struct Columns<'a> {
    date: Column<'a>,
    amount: Amounts<'a>,
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
        let date = header.find_any("date", &query.date);
        let one = header.find_any("amount", &query.amount).map(Amounts::One);
        let debit = header.find_any("amount_debit", &query.amount_debit);
        let credit = header.find_any("amount_credit", &query.amount_credit);
        let amount = one.or_else(|| debit.map(|debit| Amounts::Two(debit, credit)));
        header.need("date", date.is_some());
        header.need("amount", amount.is_some() || query.amount_debit.is_some());
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
