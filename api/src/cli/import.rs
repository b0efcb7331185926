use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use service::{
    Actor, Error, Store,
    csv::OnError,
    idempotency::WriteOnce,
    identity::access,
    import::{self, ImportRun, Imported},
    money::expense::{self, Import, ImportQuery, Income, SignMeaning},
    saga::State,
};
use uuid::Uuid;
use validator::Validate;

use super::{
    CliError, connect, missing_migrations,
    print::{self, out},
};
use crate::config::Database;

/// The same as the query of POST …/expenses/import.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The CSV file, with a header
    file: PathBuf,
    /// Whose expenses these are: the organization's id
    #[arg(long)]
    organization: Uuid,
    /// Who paid: a member's id
    #[arg(long)]
    member: Uuid,
    /// Only show how the file is read: the settings that are found, the first rows, and what is uncertain
    #[arg(long)]
    preview: bool,
    /// The file's encoding, such as utf-8, windows-1252 or cp850 [default: found]
    #[arg(long)]
    encoding: Option<String>,
    /// How many lines stand before the header [default: found]
    #[arg(long)]
    skip_rows: Option<u64>,
    /// How many rows at the end are left out [default: found]
    #[arg(long)]
    skip_last: Option<u64>,
    /// Whether the file names its columns; if not, they are called 1, 2 and so on [default: found]
    #[arg(long)]
    header: Option<bool>,
    /// The column of the day [default: found, if no column of amounts is given either]
    #[arg(long)]
    date: Option<String>,
    /// How days are written, as in strftime [default: found]
    #[arg(long)]
    date_format: Option<String>,
    /// Whether a time after the day is cut off [default: found]
    #[arg(long)]
    ignore_time: Option<bool>,
    /// The column of the amount [default: found]
    #[arg(long, conflicts_with = "amount_debit")]
    amount: Option<String>,
    /// The column of the amounts that went out, if those that came in have another one
    #[arg(long)]
    amount_debit: Option<String>,
    /// The column of the amounts that came in
    #[arg(long, requires = "amount_debit")]
    amount_credit: Option<String>,
    /// What the sign of an amount means [default: found]
    #[arg(long)]
    sign: Option<SignChoice>,
    /// What to do about money that came in
    #[arg(long, default_value = "ignore")]
    income: IncomeChoice,
    /// The currency of all rows [default: the file's, or else the organization's]
    #[arg(long, conflicts_with = "currency_column")]
    currency: Option<String>,
    /// The column of the currency
    #[arg(long)]
    currency_column: Option<String>,
    /// The column of the merchant
    #[arg(long)]
    merchant: Option<String>,
    /// The column of the category's name
    #[arg(long)]
    category: Option<String>,
    /// The column of the project: its job number or its name
    #[arg(long)]
    project: Option<String>,
    /// The column of the note
    #[arg(long)]
    note: Option<String>,
    /// The column that says whether money went out or came in
    #[arg(long)]
    direction: Option<String>,
    /// What it says where money went out; other rows are ignored [default: the usual words]
    #[arg(long, requires = "direction")]
    direction_debit: Option<String>,
    /// What it says where money came in [default: the usual words]
    #[arg(long, requires = "direction")]
    direction_credit: Option<String>,
    /// The column that says whether a row is booked: others are ignored [default: found]
    #[arg(long)]
    status: Option<String>,
    /// The column of the latitude in degrees north
    #[arg(long, requires = "longitude")]
    latitude: Option<String>,
    /// The column of the longitude in degrees east
    #[arg(long, requires = "latitude")]
    longitude: Option<String>,
    /// What stands before the minor units: . or , [default: found]
    #[arg(long)]
    decimal_separator: Option<char>,
    /// What stands between columns: , or ; or | or a tab [default: found]
    #[arg(long)]
    delimiter: Option<char>,
    /// The account that all rows come from, such as an IBAN
    #[arg(long, conflicts_with = "account_column")]
    account: Option<String>,
    /// The column of the account
    #[arg(long)]
    account_column: Option<String>,
    /// Make the categories that are not there
    #[arg(long)]
    create_categories: bool,
    /// Import rows again that were imported before and deleted since
    #[arg(long)]
    restore: bool,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// What to do about bad rows
    #[arg(long, default_value = "abort")]
    on_error: OnErrorChoice,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnErrorChoice {
    /// Write nothing if any row is bad
    Abort,
    /// Leave bad rows out
    Skip,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum SignChoice {
    /// Spending has a minus
    DebitNegative,
    /// What came back has a minus
    DebitPositive,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum IncomeChoice {
    /// Count it, and leave it out
    Ignore,
    /// Import it as refunds
    Import,
}

impl ImportArgs {
    fn query(&self) -> ImportQuery {
        let Self {
            file: _,
            organization: _,
            member,
            preview: _,
            encoding,
            skip_rows,
            skip_last,
            header,
            date,
            date_format,
            ignore_time,
            amount,
            amount_debit,
            amount_credit,
            sign,
            income,
            currency,
            currency_column,
            merchant,
            category,
            project,
            note,
            direction,
            direction_debit,
            direction_credit,
            status,
            latitude,
            longitude,
            decimal_separator,
            delimiter,
            account,
            account_column,
            create_categories,
            restore,
            dry_run,
            on_error,
        } = self;
        ImportQuery {
            encoding: encoding.clone(),
            skip_rows: *skip_rows,
            skip_last: *skip_last,
            header: *header,
            date: date.clone(),
            date_format: date_format.clone(),
            ignore_time: *ignore_time,
            amount: amount.clone(),
            amount_debit: amount_debit.clone(),
            amount_credit: amount_credit.clone(),
            sign: sign.map(|sign| match sign {
                SignChoice::DebitNegative => SignMeaning::DebitNegative,
                SignChoice::DebitPositive => SignMeaning::DebitPositive,
            }),
            income: match income {
                IncomeChoice::Ignore => Income::Ignore,
                IncomeChoice::Import => Income::Import,
            },
            currency: currency.clone(),
            currency_column: currency_column.clone(),
            merchant: merchant.clone(),
            category: category.clone(),
            project: project.clone(),
            note: note.clone(),
            direction: direction.clone(),
            direction_debit: direction_debit.clone(),
            direction_credit: direction_credit.clone(),
            status: status.clone(),
            latitude: latitude.clone(),
            longitude: longitude.clone(),
            decimal_separator: *decimal_separator,
            delimiter: *delimiter,
            account: account.clone(),
            account_column: account_column.clone(),
            create_categories: *create_categories,
            restore: *restore,
            member_id: Some(*member),
            dry_run: *dry_run,
            background: false,
            on_error: match on_error {
                OnErrorChoice::Abort => OnError::Abort,
                OnErrorChoice::Skip => OnError::Skip,
            },
        }
    }
}

pub(super) async fn run(database: &Database, args: ImportArgs) -> Result<ExitCode, CliError> {
    let store = connect(database).await?;
    let missing = missing_migrations(&store).await?;
    if !missing.is_empty() {
        return Err("the database's schema is outdated: run `steward migrate up`".into());
    }
    let actor = access::operator(&store, args.organization, Some(args.member)).await?;
    let query = args.query();
    query.validate()?;
    let import = Import::new(&args.file, query, &actor)?;
    if args.preview {
        let preview = expense::preview(WriteOnce::new(&store), import).await?;
        store.close().await?;
        out!("{}", serde_json::to_string_pretty(&preview)?);
        return Ok(ExitCode::SUCCESS);
    }
    let imported = match expense::import(&store, WriteOnce::new(&store), &actor, import).await {
        Ok(Imported::Done(report)) => Ok(serde_json::to_value(report)?),
        Ok(Imported::Begun(run)) => {
            let run = finish(&store, &actor, &run).await?;
            match run.state {
                State::Completed => Ok(serde_json::to_value(run)?),
                _ => Err(Failed { report: serde_json::to_value(&run)?, why: why(&run) }),
            }
        }
        Err(Error::Import(failed)) => {
            let why = format!("{} invalid rows: nothing was imported", failed.failed);
            Err(Failed { report: failed.report, why })
        }
        Err(other) => return Err(other.into()),
    };
    store.close().await?;
    match imported {
        Ok(report) => {
            out!("{}", serde_json::to_string_pretty(&report)?);
            Ok(ExitCode::SUCCESS)
        }
        Err(Failed { report, why }) => {
            out!("{}", serde_json::to_string_pretty(&report)?);
            print::err(format_args!("steward: {why}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// An import that did not work out.
struct Failed {
    report: Value,
    why: String,
}

fn why(run: &ImportRun) -> String {
    let reason = run.reason.as_deref().unwrap_or("it was given up");
    format!("nothing was imported but the {} rows that are left: {reason}", run.created)
}

/// Does a large import to its end, slice by slice, so that a server that runs on the same database goes on
/// answering.
async fn finish(store: &Store, actor: &Actor, run: &ImportRun) -> Result<ImportRun, CliError> {
    let rows = u64::try_from(run.total)?;
    let bar = ProgressBar::new(rows).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} rows  {per_sec}  {eta} left",
    )?);
    let show = |run: &ImportRun| {
        let done = run.created + run.duplicates + run.deleted_before + run.ignored + run.failed;
        bar.set_position(u64::try_from(done).unwrap_or_default());
    };
    let finished = import::finish(store, actor, run.id, show).await;
    bar.finish_and_clear();
    Ok(finished?)
}
