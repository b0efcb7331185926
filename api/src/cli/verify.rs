use std::process::ExitCode;

use service::{event, journal_entry};

use super::{CliError, connect, missing_migrations};
use crate::config::Database;

pub(super) async fn run(database: &Database) -> Result<ExitCode, CliError> {
    let store = connect(database).await?;
    let missing = missing_migrations(&store).await?;
    if !missing.is_empty() {
        return Err("the database's schema is outdated: run `steward migrate up`".into());
    }
    let mut found = Vec::new();
    for log in event::verify::verify(&store).await? {
        let what = format!("log of {}", log.organization_id);
        let mut holds = format!("{} events hold", log.events);
        if log.unopened > 0 {
            holds += &format!(" (of {}, what is sealed has no key here)", log.unopened);
        }
        if log.waiting > 0 {
            holds += &format!(", {} wait for a position", log.waiting);
        }
        found.push((what, holds, log.faults));
    }
    for ledger in journal_entry::verify::verify(&store).await? {
        let what = format!("ledger of {}", ledger.organization_id);
        found.push((what, format!("{} accounts hold", ledger.accounts), ledger.faults));
    }
    let mut sound = true;
    for (what, holds, faults) in found {
        let state = if faults.is_empty() { "ok" } else { "FAULTY" };
        println!("{what}  {state}, {holds}");
        for fault in faults {
            println!("    {fault}");
            sound = false;
        }
    }
    store.close().await?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
