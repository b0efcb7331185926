//! Expenses from CSV files, as banks and apps export them.
//!
//! A file is read, checked and compared with what is there before anything is written, in bounded
//! memory. Each row has an identity ([`Identity`]), whatever columns it is read with: a file imported twice
//! creates nothing the second time, two equal rows in one file are two expenses, and those of two members or
//! two accounts, too. What was deleted since stays away, unless it is to be restored.

mod days;
mod detect;
mod known;
mod preview;
mod reasons;
mod rows;
mod words;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use entity::expense::Entity;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use self::preview::{ImportPreview, preview};
use self::{
    known::Known,
    reasons::{Ignored, Reasons},
    rows::{Parsed, Row, Rows},
    words::Way,
};
use super::{commands, repository};
use crate::{
    actor::Actor,
    amount,
    csv::{Chunks, Identity, Keys, MAX_REPORTED, OnError, Refusals, Report, RowError},
    error::{Error, Result},
    idempotency::WriteOnce,
    identity::member,
    import::{
        self, INLINE_ROWS, Imported, SLICE_ROWS, Staging, Tally, Written,
        history::{self, Fate, History, Rule},
    },
    money::category::Category,
    resource::Resource,
    store::{Connections, Store, Tx, versioned},
    text::fold,
};

/// Mapping of the columns of a CSV file to properties of expenses, and options of the import. What
/// is omitted is detected from the whole file; what the file does not decide is required. A column
/// is named as in the header, or by its position: `#3`.
#[crate::input::bounded]
#[derive(Debug, Clone, Serialize, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// Encoding of the file, such as `utf-8`, `windows-1252` or `utf-16`. A byte order mark takes
    /// precedence; the `charset` of the Content-Type is used otherwise.
    #[validate(length(max = 200))]
    pub encoding: Option<String>,
    /// Number of lines before the header, at most 1000.
    #[param(maximum = 1000)]
    pub skip_rows: Option<u64>,
    /// Number of rows at the end of the file that are left out, such as totals, at most 1000.
    #[param(maximum = 1000)]
    pub skip_last: Option<u64>,
    /// Whether the file names its columns. If false, they are named `1`, `2` and so on.
    pub header: Option<bool>,
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
    /// Character before the decimals of an amount: `.` or `,`.
    pub decimal_separator: Option<char>,
    /// Character between columns: `,`, `;`, `|` or a tab. A first line `sep=;` takes effect, too.
    pub delimiter: Option<char>,
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
    /// Whether to import rows again that an earlier import had imported and somebody has deleted
    /// since. Defaults to false: they are counted as `deleted_before`.
    #[serde(default)]
    pub restore: bool,
    /// Whether to check the file and report the result without writing anything. Defaults to false.
    #[serde(default)]
    pub dry_run: bool,
    /// Treatment of invalid rows: `abort` or `skip`. Defaults to `abort`.
    #[serde(default)]
    #[param(inline)]
    pub on_error: OnError,
    /// Whether to import after the response, whatever the size of the file. Defaults to false: at
    /// most 100 new rows are imported before the response.
    #[serde(default)]
    pub background: bool,
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
    /// The columns that it names.
    fn columns(&self) -> Vec<&str> {
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
        ];
        all.into_iter().filter_map(|name| name.as_deref()).collect()
    }

    /// Which way a word in the column of the direction says that money went.
    fn way(&self, word: &str) -> Option<Way> {
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

/// Result of an import of expenses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ExpenseImportReport)]
pub struct ImportReport {
    /// Number of expenses that the import created, or would create on a dry run.
    pub created: u64,
    /// Number of rows that an earlier import had imported.
    pub duplicates: u64,
    /// Number of rows that an earlier import had imported and somebody has deleted since. They stay
    /// deleted unless `restore` is true.
    pub deleted_before: u64,
    /// Number of rows that are not spending, of money that came in and of balances.
    pub ignored: u64,
    /// Number of rows of money that came in, which are among the `ignored`.
    pub ignored_income: u64,
    /// Number of invalid rows.
    pub failed: u64,
    /// Why rows were not imported, with the number of rows for each reason.
    #[schema(value_type = Vec<crate::csv::Reason>)]
    pub reasons: Reasons,
    /// Errors of the invalid rows, at most 1000.
    pub errors: Vec<RowError>,
}

/// A file and how to read it.
#[derive(Debug, Clone)]
pub struct Import {
    path: PathBuf,
    query: ImportQuery,
    currency: String,
    /// How many rows at its end are none of it, as was found.
    left_out: u64,
}

impl Import {
    /// The import of a file, which must stay as it is until the import is done.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the query does not make sense.
    pub fn new(path: &Path, query: ImportQuery, actor: &Actor) -> Result<Self> {
        check(&query)?;
        let query = ImportQuery { member_id: query.member_id.or(actor.member_id), ..query };
        let currency = actor.settings.currency.clone();
        Ok(Self { path: path.to_owned(), query, currency, left_out: 0 })
    }

    /// The same, with a query in which nothing is left to find.
    fn with(self, query: ImportQuery) -> Self {
        let left_out = match self.query.skip_last {
            Some(_) => 0,
            None => query.skip_last.unwrap_or_default(),
        };
        Self { query, left_out, ..self }
    }

    /// All that the file says of how it is to be read.
    async fn detected(self) -> Result<detect::Detected> {
        let Self { path, query, currency, left_out: _ } = self;
        // Reading a large file takes its time, and other requests are answered on this thread.
        tokio::task::spawn_blocking(move || detect::detect(&path, &query, &currency))
            .await
            .map_err(|error| Error::Internal(format!("a file was read halfway: {error}")))?
    }
}

fn check(query: &ImportQuery) -> Result<()> {
    let mut refusals = Refusals::default();
    refusals.check_marks(query.decimal_separator, query.delimiter, query.date_format.as_deref());
    if query.currency.is_some() && query.currency_column.is_some() {
        refusals.refuse("currency_column", "must not be set together with currency");
    }
    if query.account.is_some() && query.account_column.is_some() {
        refusals.refuse("account_column", "must not be set together with account");
    }
    refusals.check_dialect(query.encoding.as_deref(), query.skip_rows, query.skip_last);
    if query.direction.is_none() && query.direction_debit.is_some() {
        refusals.refuse("direction_debit", "must not be set without direction");
    }
    if query.direction.is_none() && query.direction_credit.is_some() {
        refusals.refuse("direction_credit", "must not be set without direction");
    }
    if query.amount.is_some() && query.amount_debit.is_some() {
        refusals.refuse("amount_debit", "must not be set together with amount");
    }
    if query.amount_credit.is_some() && query.amount_debit.is_none() {
        refusals.refuse("amount_credit", "must not be set without amount_debit");
    }
    refusals.or_none()
}

/// A good row, and what tells it from every other.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Staged {
    row: Parsed,
    #[serde(flatten)]
    identity: Identity,
}

/// Some rows of a file: those that are good, and what is to be said of the others.
struct Chunk {
    good: Vec<Staged>,
    report: ImportReport,
}

/// What is wrong with a row: with what it refers to, or with the expense that it would be.
fn refusal(row: &Parsed, known: &Known, query: &ImportQuery) -> Option<RowError> {
    let of_input = || RowError::of_input(row.line, &row.input(known, query.member_id));
    known.refusal(row, query).or_else(of_input)
}

fn read_chunks(import: &Import, known: &Known, give: &mut dyn FnMut(Chunk) -> bool) -> Result<()> {
    let mut keys = Keys::default();
    let (mut good, mut report) = (Vec::new(), ImportReport::default());
    let mut read = 0;
    for row in Rows::open(import)? {
        match row? {
            Row::Ignored(why, _) => report.ignore(why),
            Row::Bad(error) => report.fail(error),
            Row::Good(row) => match refusal(&row, known, &import.query) {
                Some(error) => report.fail(error),
                None => good.push(Staged { identity: row.identity(import, &mut keys), row }),
            },
        }
        read += 1;
        if read == SLICE_ROWS {
            read = 0;
            let chunk = Chunk { good: std::mem::take(&mut good), report };
            report = ImportReport::default();
            if !give(chunk) {
                return Ok(());
            }
        }
    }
    give(Chunk { good, report });
    Ok(())
}

/// Imports a file: in the write of `answering`, whose answer it is, where few of its rows are new. Else its
/// rows are staged by writes of `store`, and the import begins, which is the answer then.
///
/// # Errors
/// [`Error::Import`] where rows are bad and none may be; then nothing has been written.
pub async fn import(
    store: &Store,
    answering: WriteOnce<'_, Imported<ImportReport>>,
    actor: &Actor,
    import: Import,
) -> Result<Imported<ImportReport>> {
    check_member(store.read(), actor, &import).await?;
    let query = import.clone().detected().await?.or_ask()?;
    let import = import.with(query);
    let known = Known::read(store.read(), actor.organization_id, &import.query).await?;
    let known = Arc::new(known);
    let (on_error, dry_run) = (import.query.on_error, import.query.dry_run);
    if on_error == OnError::Abort && !dry_run {
        let (import, known) = (import.clone(), known.clone());
        // Reading a large file takes its time, and other requests are answered on this thread.
        tokio::task::spawn_blocking(move || refuse_bad_rows(&import, &known))
            .await
            .map_err(|error| Error::Internal(format!("a check ended early: {error}")))??;
    }
    let mut staging = Staging::new(store, actor, import::Kind::Expenses, &import.query)?;
    let compared = compare(store, actor, &import, known, &mut staging).await;
    let done = match compared {
        Ok(Compared { report, .. }) if dry_run => {
            tracing::info!(created = report.created, failed = report.failed, "tried an import");
            return Ok(Imported::Done(report.or_abort(on_error)?));
        }
        Ok(compared) => write_or_begin(answering, actor, import, compared, &mut staging).await,
        Err(error) => Err(error),
    };
    if done.is_err() {
        // What fails here is swept later.
        let _ = staging.discard().await;
    }
    done
}

async fn write_or_begin(
    answering: WriteOnce<'_, Imported<ImportReport>>,
    actor: &Actor,
    import: Import,
    Compared { report, rest, total }: Compared,
    staging: &mut Staging,
) -> Result<Imported<ImportReport>> {
    let inline = rest.len() <= INLINE_ROWS && !import.query.background;
    if staging.is_empty() && (inline || rest.is_empty()) {
        return write(answering, actor, import, rest, report).await;
    }
    if !rest.is_empty() {
        staging.push(&rest).await?;
    }
    let ImportReport {
        created: _,
        duplicates,
        deleted_before,
        ignored,
        ignored_income,
        failed,
        reasons,
        errors,
    } = report;
    staging.note("ignored_income", json!(ignored_income));
    staging.note("reasons", json!(reasons));
    let count = |rows| i64::try_from(rows).unwrap_or(i64::MAX);
    let mut tally = Tally {
        total: count(total),
        duplicates: count(duplicates),
        deleted_before: count(deleted_before),
        ignored: count(ignored),
        ..Tally::default()
    };
    tally.fail(failed, errors.iter().map(|error| json!(error)).collect());
    staging.begin(answering, tally).await
}

/// Writes a few rows at once.
async fn write(
    answering: WriteOnce<'_, Imported<ImportReport>>,
    actor: &Actor,
    import: Import,
    rows: Vec<Staged>,
    report: ImportReport,
) -> Result<Imported<ImportReport>> {
    let query = import.query.clone();
    let connection = answering.read();
    let written = {
        let actor = actor.clone();
        answering
            .write(async move |tx| {
                let Written { created, duplicates, errors, .. } =
                    write_rows(tx, &actor, &query, &rows).await?;
                let mut report = report.clone().with_failures(errors);
                report.created = created.len() as u64;
                report.duplicates += duplicates;
                Ok(Imported::Done(report.or_abort(query.on_error)?))
            })
            .await
    };
    match written {
        Err(Error::Reference) => {
            check_member(connection, actor, &import).await?;
            Err(Error::Unavailable("a row that this refers to is just being changed".into()))
        }
        Ok(Imported::Done(report)) => {
            tracing::info!(created = report.created, failed = report.failed, "imported expenses");
            Ok(Imported::Done(report))
        }
        other => other,
    }
}

fn unknown_member() -> Error {
    Error::invalid("?member_id", "unknown", "must identify a member of the organization")
}

/// Nothing is imported for somebody who is not there, and nothing is said to be.
async fn check_member(connection: &Connections, actor: &Actor, import: &Import) -> Result<()> {
    let Some(id) = import.query.member_id.filter(|id| actor.member_id != Some(*id)) else {
        return Ok(());
    };
    let ids = vec![id];
    let missing =
        member::repository::find_missing_ids(connection, actor.organization_id, ids).await?;
    if missing.is_empty() { Ok(()) } else { Err(unknown_member()) }
}

/// What an import would do, found without the writer.
struct Compared {
    report: ImportReport,
    /// The last rows that are new: those before them are staged.
    rest: Vec<Staged>,
    total: u64,
}

/// Compares a file with what is there, and stages the rows that are new, but for the last of them. Those of
/// a dry run are only counted.
async fn compare(
    store: &Store,
    actor: &Actor,
    import: &Import,
    known: Arc<Known>,
    staging: &mut Staging,
) -> Result<Compared> {
    let (mut report, mut rest, mut total) = (ImportReport::default(), Vec::new(), 0);
    let rule = Rule { member_id: import.query.member_id, needed_texts: 0 };
    let mut history = History::new(rule);
    report.reasons.count_left_out(import.left_out);
    let of_thread = import.clone();
    let mut chunks = Chunks::read(move |give| read_chunks(&of_thread, &known, give));
    while let Some(Chunk { mut good, report: some }) = chunks.next().await? {
        total += good.len() as u64 + some.ignored + some.failed;
        report = report.and(some);
        let identities = good.iter_mut().map(|row| &mut row.identity).collect();
        let fates =
            history.fates::<Entity>(store.read(), actor.organization_id, identities).await?;
        let count = |fate| fates.iter().filter(|it| **it == fate).count() as u64;
        report.duplicates += count(Fate::There);
        if !import.query.restore {
            report.deleted_before += count(Fate::Deleted);
        }
        let is_new =
            |fate: &Fate| *fate == Fate::New || (*fate == Fate::Deleted && import.query.restore);
        let new = good.into_iter().zip(&fates).filter(|(_, fate)| is_new(fate));
        let new: Vec<Staged> = new.map(|(row, _)| row).collect();
        report.created += new.len() as u64;
        if import.query.dry_run {
            continue;
        }
        rest.extend(new);
        while rest.len() > SLICE_ROWS {
            let slice: Vec<Staged> = rest.drain(..SLICE_ROWS).collect();
            staging.push(&slice).await?;
        }
    }
    Ok(Compared { report, rest, total })
}

/// The whole file is checked before the transaction begins, so that a bad one holds nobody up.
fn refuse_bad_rows(import: &Import, known: &Known) -> Result<()> {
    let mut report = ImportReport::default();
    report.reasons.count_left_out(import.left_out);
    for row in Rows::open(import)? {
        match row? {
            Row::Ignored(why, _) => report.ignore(why),
            Row::Bad(error) => report.fail(error),
            Row::Good(parsed) => {
                if let Some(error) = refusal(&parsed, known, &import.query) {
                    report.fail(error);
                }
            }
        }
    }
    report.or_abort(OnError::Abort).map(drop)
}

impl ImportReport {
    /// This, and what comes after it in the file.
    fn and(mut self, next: Self) -> Self {
        let Self {
            created,
            duplicates,
            deleted_before,
            ignored,
            ignored_income,
            failed,
            reasons,
            errors,
        } = next;
        self.created += created;
        self.duplicates += duplicates;
        self.deleted_before += deleted_before;
        self.ignored += ignored;
        self.ignored_income += ignored_income;
        let room = MAX_REPORTED.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
        self.failed += failed;
        self.reasons.add(reasons);
        self
    }

    fn ignore(&mut self, why: Ignored) {
        self.ignored += 1;
        self.ignored_income += u64::from(why == Ignored::Income);
        self.reasons.count(why.code());
    }
}

impl Report for ImportReport {
    fn failures(&mut self) -> (&mut u64, &mut Vec<RowError>) {
        (&mut self.failed, &mut self.errors)
    }

    fn with_nothing_written(self) -> Self {
        Self { created: 0, duplicates: 0, deleted_before: 0, ..self }
    }

    fn fail(&mut self, error: RowError) {
        self.reasons.count(error.code);
        self.failed += 1;
        if self.errors.len() < MAX_REPORTED {
            self.errors.push(error);
        }
    }
}

/// Writes a slice of an import that whoever began it has described so, and says what it does about bad rows.
pub(crate) async fn write_slice(
    tx: &Tx,
    actor: &Actor,
    query: Value,
    rows: Value,
) -> Result<(Written, OnError)> {
    let unread = |error| Error::Internal(format!("what is staged cannot be read: {error}"));
    let query: ImportQuery = serde_json::from_value(query).map_err(unread)?;
    let rows: Vec<Staged> = serde_json::from_value(rows).map_err(unread)?;
    Ok((write_rows(tx, actor, &query, &rows).await?, query.on_error))
}

async fn write_rows(
    tx: &Tx,
    actor: &Actor,
    query: &ImportQuery,
    rows: &[Staged],
) -> Result<Written> {
    let mut written = Written::default();
    let mut known = Known::read(tx, actor.organization_id, query).await?;
    let mut new = Vec::with_capacity(rows.len());
    let mut identities = HashMap::with_capacity(rows.len());
    for Staged { row, identity } in rows {
        if let Some(error) = refusal(row, &known, query) {
            written.errors.push(error);
            continue;
        }
        if query.create_categories
            && let Some(id) = known.make_category(tx, actor, row).await?
        {
            written.made.push((Category::ENTITY, id));
        }
        let input = row.input(&known, query.member_id);
        let (id, key) = (tx.new_id(), Some(identity.key.clone()));
        new.push(commands::new_row(tx, actor, id, &input, key)?);
        identities.insert(id, identity);
    }
    let asked = new.len();
    written.created = repository::insert_unknown(tx, actor, new).await?;
    written.duplicates = (asked - written.created.len()) as u64;
    let made = written.created.iter().filter_map(|id| Some((*id, *identities.get(id)?)));
    history::record(tx, actor.organization_id, made).await?;
    Ok(written)
}

/// Removes those of imported expenses that nobody has changed since, and says how many.
pub(crate) async fn delete_imported(tx: &Tx, actor: &Actor, ids: Vec<Uuid>) -> Result<u64> {
    let rows = versioned::find_unchanged::<Entity>(tx, actor.organization_id, ids).await?;
    let gone: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let count = gone.len() as u64;
    for row in rows {
        let current = repository::view(row.clone(), Vec::new())?;
        repository::delete(tx, actor, &row, &current).await?;
    }
    history::forget(tx, actor.organization_id, gone).await?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a row is that another version has staged.
    #[test]
    fn a_row_that_breaks_a_rule_of_expenses_is_bad() {
        let query = json!({ "date": "Day", "amount": "Sum" });
        let query: ImportQuery = serde_json::from_value(query).expect("a query");
        for (amount_minor, expected) in [(1, None), (0, Some((7, "invalid")))] {
            let row = json!({ "line": 7, "category": null, "project": null, "spent_on": "2026-11-02",
                "amount_minor": amount_minor, "currency": "EUR", "merchant": null, "note": null });
            let row: Parsed = serde_json::from_value(row).expect("a row");
            let found = refusal(&row, &Known::default(), &query);
            assert_eq!(found.map(|it| (it.line, it.code)), expected);
        }
    }
}
