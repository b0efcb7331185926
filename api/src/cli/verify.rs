use std::process::ExitCode;

use service::event::verify::{Findings, verify};

use super::{CliError, connect, missing_migrations};
use crate::config::Database;

pub(super) async fn run(database: &Database) -> Result<ExitCode, CliError> {
    let store = connect(database).await?;
    let missing = missing_migrations(&store).await?;
    if !missing.is_empty() {
        return Err("the database's schema is outdated: run `steward migrate up`".into());
    }
    let mut sound = true;
    for Findings { organization_id, events, faults } in verify(&store).await? {
        let state = if faults.is_empty() { "ok" } else { "FAULTY" };
        println!("log of {organization_id}  {state}, {events} events hold");
        for fault in faults {
            println!("    {fault}");
            sound = false;
        }
    }
    store.close().await?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
