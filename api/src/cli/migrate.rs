use std::process::ExitCode;

use clap::Subcommand;

use super::{CliError, connect, print::out};
use crate::config::Database;

#[derive(Debug, Subcommand)]
pub(super) enum Direction {
    /// Apply every migration that is missing
    ///
    /// Safe to run from several places at once.
    Up,
    /// Take the last migrations back, and with them what their tables hold
    Down {
        /// How many
        #[arg(default_value_t = 1)]
        steps: u32,
    },
    /// Show every migration and whether it has been applied
    Status,
}

pub(super) async fn run(database: &Database, direction: Direction) -> Result<ExitCode, CliError> {
    let store = connect(database).await?;
    match direction {
        Direction::Up => store.migrate().await?,
        Direction::Down { steps } => store.migrate_down(steps).await?,
        Direction::Status => {}
    }
    for (name, applied) in store.migrations().await? {
        out!("{}  {name}", if applied { "applied" } else { "missing" });
    }
    store.close().await?;
    Ok(ExitCode::SUCCESS)
}
