use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use service::{
    Error, access,
    expense::{self, Import, ImportQuery},
    import::OnError,
};
use uuid::Uuid;
use validator::Validate;

use super::{CliError, connect, missing_migrations};
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
    /// The column of the day
    #[arg(long)]
    date: String,
    /// How days are written, as in strftime [default: %Y-%m-%d]
    #[arg(long)]
    date_format: Option<String>,
    /// The column of the amount
    #[arg(long)]
    amount: String,
    /// The currency of all rows [default: the organization's]
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
    #[arg(long, requires = "direction_debit")]
    direction: Option<String>,
    /// What it says where money went out; other rows are ignored
    #[arg(long, requires = "direction")]
    direction_debit: Option<String>,
    /// What stands before the minor units: . or , [default: .]
    #[arg(long)]
    decimal_separator: Option<char>,
    /// What stands between columns: , or ; or a tab [default: ,]
    #[arg(long)]
    delimiter: Option<char>,
    /// Make the categories that are not there
    #[arg(long)]
    create_categories: bool,
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

impl ImportArgs {
    fn query(&self) -> ImportQuery {
        let Self {
            file: _,
            organization: _,
            member,
            date,
            date_format,
            amount,
            currency,
            currency_column,
            merchant,
            category,
            project,
            note,
            direction,
            direction_debit,
            decimal_separator,
            delimiter,
            create_categories,
            dry_run,
            on_error,
        } = self;
        ImportQuery {
            date: date.clone(),
            date_format: date_format.clone(),
            amount: amount.clone(),
            currency: currency.clone(),
            currency_column: currency_column.clone(),
            merchant: merchant.clone(),
            category: category.clone(),
            project: project.clone(),
            note: note.clone(),
            direction: direction.clone(),
            direction_debit: direction_debit.clone(),
            decimal_separator: *decimal_separator,
            delimiter: *delimiter,
            create_categories: *create_categories,
            member_id: Some(*member),
            dry_run: *dry_run,
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
    let rows = expense::inspect(&import)?;
    let bar = ProgressBar::new(rows).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} rows  {per_sec}  {eta} left",
    )?);
    let progress = {
        let bar = bar.clone();
        move |done| bar.set_position(done)
    };
    let imported = expense::import(&store, &actor, import, progress).await;
    bar.finish_and_clear();
    store.close().await?;
    match imported {
        Ok(report) => {
            println!("{}", serde_json::to_string_pretty(&report)?);
            Ok(ExitCode::SUCCESS)
        }
        Err(Error::Import(failed)) => {
            println!("{}", serde_json::to_string_pretty(&failed.report)?);
            eprintln!("steward: {} rows are bad, and nothing was imported", failed.failed);
            Ok(ExitCode::FAILURE)
        }
        Err(other) => Err(other.into()),
    }
}
