use std::process::ExitCode;

use clap::Subcommand;
use service::{
    Store,
    consumer::{self, ParkedEvent},
};
use uuid::Uuid;

use super::{CliError, connect, missing_migrations, print::out};
use crate::config::Database;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Show the events that a consumer has given up on
    Parked,
    /// Put parked events back: each is tried once more by the server, and parked again if it fails
    ///
    /// Works while the server runs.
    Retry {
        /// Which one: the id that `parked` shows
        #[arg(required_unless_present = "all")]
        id: Option<Uuid>,
        /// All of them
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
}

pub(super) async fn run(database: &Database, action: Action) -> Result<ExitCode, CliError> {
    let store = connect(database).await?;
    if !missing_migrations(&store).await?.is_empty() {
        return Err("the database's schema is outdated: run `steward migrate up`".into());
    }
    match action {
        Action::Parked => show(&store).await?,
        Action::Retry { id: Some(id), .. } => {
            consumer::retry(&store, id).await?;
            out!("1 event is tried again");
        }
        Action::Retry { id: None, .. } => {
            let count = consumer::retry_all(&store).await?;
            out!("{count} events are tried again");
        }
    }
    store.close().await?;
    Ok(ExitCode::SUCCESS)
}

async fn show(store: &Store) -> Result<(), CliError> {
    let parked = consumer::parked(store).await?;
    if parked.is_empty() {
        out!("none");
    }
    for event in parked {
        let ParkedEvent {
            id,
            organization_id,
            consumer,
            event_id,
            position,
            kind,
            attempts,
            error,
            parked_at,
            requeued,
        } = event;
        let state = if requeued { ", put back" } else { "" };
        out!("{id}  {consumer}  {kind}, {attempts} attempts{state}");
        out!("    event {event_id} at position {position} of {organization_id}");
        out!("    since {parked_at}: {error}");
    }
    Ok(())
}
