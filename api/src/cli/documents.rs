use std::process::ExitCode;

use clap::Subcommand;
use service::{
    Store,
    catalogue::CATALOGUE,
    document::remote::{CollectionReport, Location, Side, copy},
};

use super::{CliError, connect, options, print::out};
use crate::config::{Database, DatabaseUrl};

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Copy the documents of all collections from one store to another, and compare both at the end
    ///
    /// Stop steward first. `sql:` is the database of DATABASE_URL, `sql:postgres://…` another one that has the same
    /// rows; the other stores are those of STEWARD_DOCUMENTS_URL. Ends with 0 if both have the same of each collection,
    /// with their versions and times, and with 1 if not.
    Copy {
        /// Where the documents are
        #[arg(long, value_name = "URL")]
        from: DatabaseUrl,
        /// Where they are to be: nothing may be there yet
        #[arg(long, value_name = "URL")]
        to: DatabaseUrl,
        /// Go on with a copy that was interrupted
        #[arg(long)]
        resume: bool,
    },
}

pub(super) async fn run(database: &Database, action: Action) -> Result<ExitCode, CliError> {
    let Action::Copy { from, to, resume } = action;
    let store = connect(database).await?;
    let from = side(database, &store, &from, "--from").await?;
    let to = side(database, &store, &to, "--to").await?;
    let catalogue = match (&from, &to) {
        (Side::Rows(rows), _) | (_, Side::Rows(rows)) => rows,
        _ => &store,
    };
    let reports = copy(catalogue, (&from, &to), resume, show).await?;
    let differ = reports.iter().filter(|report| !report.is_whole()).count();
    let documents: u64 = reports.iter().map(|report| report.to.count).sum();
    out!("{} collections, {documents} documents, {differ} different", reports.len());
    Ok(if differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn side(
    database: &Database,
    own: &Store,
    url: &DatabaseUrl,
    flag: &str,
) -> Result<Side, CliError> {
    if let Some(other) = url.reveal().strip_prefix("sql:") {
        return Ok(Side::Rows(match other {
            "" => own.clone(),
            other => Store::connect(other, options(database)?, &CATALOGUE).await?,
        }));
    }
    let location: Location = url.reveal().parse().map_err(|error| format!("{flag} {error}"))?;
    match location.engine() {
        Some(engine) => Ok(Side::Engine(engine.clone())),
        None => Ok(Side::Rows(own.clone())),
    }
}

fn show(report: &CollectionReport) {
    let CollectionReport { organization_id, name, known, from, to } = report;
    let digest = &to.digest[..16];
    match report.is_whole() {
        true => out!("same       {organization_id} {name}: {} documents, {digest}", to.count),
        false => out!(
            "different  {organization_id} {name}: {known} documents are known, {} were read, {} are there",
            from.count,
            to.count
        ),
    }
}
