//! The rows of a file, one at a time.

use super::{
    Import, ImportQuery, Income, detect,
    money::{Amounts, Money, Word, unsure},
    parsed::Parsed,
    reasons::Ignored,
    words::{Status, Way, is_balance, is_neutral, unbooked},
};
use crate::{
    amount,
    csv::{self, Cells, Column, Header, RowError, Sheet},
    error::Result,
    geo,
    money::expense::Kind,
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
    if let Some(why) = no_transaction(cells, columns) {
        return Ok(Row::Ignored(why, cells.line));
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
    let (way, amount_minor) = money.read(columns.amount, word)?;
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
        point: point(cells, columns)?,
    }))
}

/// Why a row is no transaction, whichever way its money went.
fn no_transaction(cells: &Cells<'_>, columns: &Columns<'_>) -> Option<Ignored> {
    let text = |column| cells.optional(column, 200).ok().flatten().unwrap_or_default();
    let day = text(Some(columns.date));
    // Where others say what money was for.
    if [day, text(columns.merchant), text(columns.note)].into_iter().any(is_balance) {
        return Some(Ignored::Balance);
    }
    if let Some(status) = unbooked(text(columns.status), day) {
        return Some(if status == Status::Pending { Ignored::Pending } else { Ignored::Void });
    }
    let is_blank = |column| cells.text(column, 100).is_ok_and(amount::is_none);
    let has_no_amount = columns.amount.columns().all(is_blank);
    (has_no_amount && is_blank(columns.date)).then_some(Ignored::NoTransaction)
}

/// Where money was spent.
fn point(cells: &Cells<'_>, columns: &Columns<'_>) -> Result<Option<[f64; 2]>, RowError> {
    let Some((latitude, longitude)) = columns.point else { return Ok(None) };
    let both = [(latitude, longitude, 90.0), (longitude, latitude, 180.0)];
    let mut point = [0.0; 2];
    for ((column, other, most), degrees) in both.into_iter().zip(&mut point) {
        let Some(text) = cells.optional(Some(column), 100)? else {
            if cells.optional(Some(other), 100)?.is_none() {
                return Ok(None);
            }
            return Err(cells.bad(column, "coordinates", "must be set if the other coordinate is"));
        };
        let read = text.trim().replace(',', ".").parse().ok();
        let within = read.filter(|read: &f64| (-most..=most).contains(read));
        *degrees = within.filter(|read| geo::degrees(*read).is_ok()).ok_or_else(|| {
            let message =
                format!("must be degrees from -{most} to {most}, with at most 7 decimals");
            cells.bad(column, "coordinates", message)
        })?;
    }
    Ok(Some(point))
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
        None if is_neutral(text) => Ok(Word::Other),
        // Who names the word of spending knows what the others are.
        None if query.direction_debit.is_some() => Ok(Word::Other),
        None => Err(unsure(cells, column, "must be a word for money that went out or came in")),
    }
}

/// A row of the file.
pub(super) enum Row {
    /// Why, and the line that it begins on.
    Ignored(Ignored, u64),
    Bad(RowError),
    Good(Parsed),
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
    status: Option<Column<'a>>,
    point: Option<(Column<'a>, Column<'a>)>,
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
        let status = header.find_any("status", &query.status);
        let latitude = header.find_any("latitude", &query.latitude);
        let longitude = header.find_any("longitude", &query.longitude);
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
            status,
            point: latitude.zip(longitude),
        }))
    }
}
