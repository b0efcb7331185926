//! The `steward` command line.

mod check;
mod distribute;
mod doctor;
mod documents;
mod events;
mod import;
mod keys;
mod migrate;
pub mod print;
mod serve;
mod settings;
mod user;
mod verify;

use std::{io::IsTerminal, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use service::{
    Store,
    catalogue::CATALOGUE,
    document::remote::Location,
    objects::{Objects, ObjectsUrl},
    store::Options,
    zone,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer, filter::ParseError, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

use self::print::out;
use crate::{
    config::{Database, DatabaseUrl, Hashing, Log, LogFormat, Serve},
    openapi,
    otlp::{BoxedLayer, Telemetry},
};

/// The back office of a household or a small crew: people, projects, tasks, time, expenses and a ledger
/// behind one REST API.
///
/// Without a command, steward serves: on SQLite in the working directory, unless DATABASE_URL says
/// otherwise. A variable that is empty is one that is not set.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    log: Log,
    #[command(flatten)]
    hashing: Hashing,
    #[command(flatten)]
    serve: Serve,
    /// What `steward check` shows of all that.
    #[arg(skip)]
    settings: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API (what steward does without a command)
    Serve(Box<Serve>),
    /// Bring the schema up, take it back, or show where it stands
    Migrate {
        #[command(subcommand)]
        direction: migrate::Direction,
    },
    /// Show the events that failed for good, and try them again
    Events {
        #[command(subcommand)]
        action: events::Action,
    },
    /// Print the OpenAPI document
    Openapi,
    /// Shard a PostgreSQL that has the extension Citus by organization
    ///
    /// Says what it has done to each table. Every node of steward must be stopped meanwhile. It may be stopped at any
    /// moment, and goes on where it is started again.
    Distribute(distribute::DistributeArgs),
    /// Import expenses from a CSV file
    ///
    /// A file imported twice creates nothing the second time. Amounts are read exactly: one that the
    /// currency cannot say is a bad row.
    Import(Box<import::ImportArgs>),
    /// Copy documents between the stores that can keep them
    Documents {
        #[command(subcommand)]
        action: documents::Action,
    },
    /// Make keys to encrypt with, and encrypt anew with another one
    Keys {
        #[command(subcommand)]
        action: keys::Action,
    },
    /// List users and make them, and give back or take away their access
    ///
    /// Works while the server runs.
    User {
        #[command(subcommand)]
        action: user::Action,
    },
    /// Check that the log is as it was written, and that the ledger adds up
    ///
    /// No event was changed, removed or put in; each account has the sums of its transfers, and keeps
    /// within its limit; each entry balances.
    Verify(verify::VerifyArgs),
    /// Check the configuration, the database and its schema
    Check(Box<Serve>),
    /// Examine the database: locks, long transactions, tables, indexes, slow statements
    ///
    /// Only reads, and works while the server runs. Statements are shown without their values. Ends with 0 if nothing
    /// is found, with 1 if a finding is a warning, and with 2 if one is critical or the database does not answer.
    Doctor(doctor::DoctorArgs),
}

/// What a command ends with when it cannot do its work.
pub(crate) type CliError = Box<dyn std::error::Error>;

impl Cli {
    /// What the command line and the environment say; a variable that is empty is one that is not set. Where they
    /// cannot be understood, the process ends.
    pub fn read() -> Self {
        let mut command = settings::without_empty_variables(Self::command());
        let matches = command.get_matches_mut();
        let read = Self::from_arg_matches(&matches);
        let read = read.unwrap_or_else(|error| error.format(&mut command).exit());
        Self { settings: settings::of_check(&command, &matches), ..read }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// What a person at the command line should read.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        let Self { command, database, log, hashing, serve, settings } = self;
        // What serves says in its log which time zones it has, once there is one.
        if !matches!(command, None | Some(Command::Serve(_))) {
            zone::install(&database.zoneinfo)?;
        }
        match command {
            None => serve::run(&database, &log, &hashing, &serve).await,
            Some(Command::Serve(serve)) => serve::run(&database, &log, &hashing, &serve).await,
            Some(Command::Migrate { direction }) => migrate::run(&database, direction).await,
            Some(Command::Events { action }) => events::run(&database, action).await,
            Some(Command::Openapi) => {
                out!("{}", openapi::document().to_pretty_json()?);
                Ok(ExitCode::SUCCESS)
            }
            Some(Command::Import(args)) => import::run(&database, *args).await,
            Some(Command::Distribute(args)) => distribute::run(&database, args).await,
            Some(Command::Documents { action }) => documents::run(&database, action).await,
            Some(Command::Keys { action }) => keys::run(&database, action).await,
            Some(Command::User { action }) => user::run(&database, &hashing, action).await,
            Some(Command::Verify(args)) => verify::run(&database, args).await,
            Some(Command::Check(serve)) => check::run(&database, &serve, &settings).await,
            Some(Command::Doctor(args)) => doctor::run(&database, args).await,
        }
    }
}

/// Where the data is if nobody says.
const DEFAULT_DATABASE: &str = "sqlite://steward.db";

fn url(database: &Database) -> DatabaseUrl {
    database.database_url.clone().unwrap_or_else(|| DatabaseUrl::from(DEFAULT_DATABASE))
}

async fn connect(database: &Database) -> Result<Store, CliError> {
    Ok(Store::connect(url(database).reveal(), options(database)?, &CATALOGUE).await?)
}

/// With the replica.
async fn connect_as_server(database: &Database, exclusive: bool) -> Result<Store, CliError> {
    let options = Options {
        exclusive,
        replica_url: database.database_replica_url.as_ref().map(|url| url.reveal().to_owned()),
        replica_wait: std::time::Duration::from_millis(database.replica_wait),
        ..options(database)?
    };
    Ok(Store::connect(url(database).reveal(), options, &CATALOGUE).await?)
}

/// As the one process that serves a SQLite file.
async fn connect_to_serve(database: &Database) -> Result<Store, CliError> {
    connect_as_server(database, true).await
}

/// As what serves would, beside it.
async fn connect_to_check(database: &Database) -> Result<Store, CliError> {
    connect_as_server(database, false).await
}

/// Where documents are kept.
fn location(database: &Database) -> Result<Location, CliError> {
    let Some(url) = &database.documents_url else { return Ok(Location::default()) };
    Ok(url.reveal().parse().map_err(|error| format!("STEWARD_DOCUMENTS_URL {error}"))?)
}

fn options(database: &Database) -> Result<Options, CliError> {
    let place = database.objects_url.clone();
    let place = place.or_else(|| ObjectsUrl::beside(url(database).reveal()));
    Ok(Options {
        remote: location(database)?.remote(),
        objects: place.as_ref().map(Objects::at).transpose()?,
        max_connections: database.database_connections.max(1),
        cache_mib: database.sqlite_cache,
        statement_timeout: std::time::Duration::from_secs(database.statement_timeout.max(1)),
        slow_statement: std::time::Duration::from_millis(database.slow_statement),
        keyring: database.encryption_keys.clone().unwrap_or_default(),
        direct_url: database.database_direct_url.as_ref().map(|url| url.reveal().to_owned()),
        ..Options::default()
    })
}

/// The names of the migrations that the database lacks.
async fn missing_migrations(store: &Store) -> Result<Vec<String>, CliError> {
    let all = store.migrations().await?;
    Ok(all.into_iter().filter(|(_, applied)| !applied).map(|(name, _)| name).collect())
}

fn start_log(log: &Log, telemetry: &Telemetry) -> Result<(), CliError> {
    let filter = || log_filter(&log.log);
    let is_terminal = std::io::stderr().is_terminal();
    let mut layers = telemetry.layers(filter()?);
    if layers.is_empty() {
        // One filter for all costs less than one for each layer.
        let lines =
            tracing_subscriber::fmt().with_env_filter(filter()?).with_writer(std::io::stderr);
        match log.log_format {
            LogFormat::Json => lines.json().init(),
            LogFormat::Pretty => lines.with_ansi(is_terminal).init(),
        }
        return Ok(());
    }
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines: BoxedLayer = match log.log_format {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Pretty => lines.with_ansi(is_terminal).boxed(),
    };
    layers.push(lines.with_filter(filter()?).boxed());
    tracing_subscriber::registry().with(layers).init();
    Ok(())
}

/// What libraries say at INFO of each step of theirs, which is for those who look for a fault.
const LIBRARIES: &str = "sea_orm_migration=warn,actix_server=warn";

/// What an operator asks for; the steps of libraries only with DEBUG or by their names.
fn log_filter(asked: &str) -> Result<EnvFilter, ParseError> {
    let filter = EnvFilter::try_new(asked)?;
    match filter.max_level_hint() {
        Some(LevelFilter::INFO) => EnvFilter::try_new(format!("{LIBRARIES},{asked}")),
        _ => Ok(filter),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn what_libraries_say_of_their_steps_is_logged_on_request() {
        let filter = |asked| super::log_filter(asked).expect("a filter").to_string();
        let directives = |asked| {
            let filter = filter(asked);
            let mut directives: Vec<_> = filter.split(',').map(str::to_owned).collect();
            directives.sort();
            directives
        };
        assert_eq!(directives("info"), ["actix_server=warn", "info", "sea_orm_migration=warn"]);
        assert_eq!(
            directives("info,actix_server=info"),
            ["actix_server=info", "info", "sea_orm_migration=warn"]
        );
        for asked in ["debug", "warn", "off"] {
            assert_eq!(filter(asked), asked);
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
