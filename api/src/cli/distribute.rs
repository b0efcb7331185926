use std::process::ExitCode;

use clap::Args;
use service::{
    distribution::{self, Action, Step},
    store::citus,
};

use super::{CliError, connect, missing_migrations, print::out};
use crate::config::Database;

#[derive(Debug, Args)]
pub(super) struct DistributeArgs {
    /// Print the SQL that would run, and change nothing
    #[arg(long)]
    plan: bool,
}

pub(super) async fn run(
    database: &Database,
    DistributeArgs { plan }: DistributeArgs,
) -> Result<ExitCode, CliError> {
    let store = connect(database).await?;
    let steps = distribution::plan(&store).await?;
    if !missing_migrations(&store).await?.is_empty() {
        return Err("the database's schema is outdated: run `steward migrate up`".into());
    }
    match (&steps[..], plan) {
        ([], true) => out!("-- nothing: all tables are distributed already"),
        ([], false) => out!("nothing to do: all tables are distributed already"),
        (steps, true) => {
            out!("SET {};", citus::SETTING);
            for Step { sql, .. } in steps {
                out!("{sql};");
            }
        }
        (steps, false) => {
            distribution::run(&store, steps, |step| out!("{:<16} {}", done(step), step.table))
                .await?;
            out!("all tables are distributed");
        }
    }
    store.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// What was done to a table, in a word or two.
fn done(step: &Step) -> &'static str {
    match step.action {
        Action::Shard => "sharded",
        Action::Replicate => "on every node",
        Action::RemoveCopies => "copies removed",
    }
}
