use std::process::ExitCode;

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use service::{
    Store,
    key_rotation::{self, KeyUsage, Rotated},
    random::Random,
    seal::Keyring,
};

use super::{CliError, connect, missing_migrations, print::out};
use crate::config::Database;

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Print a new key, for STEWARD_ENCRYPTION_KEYS
    ///
    /// Keep it apart from the database and its backups: who has both can read all.
    New {
        /// What the key is called beside what it has encrypted
        #[arg(default_value = "k1")]
        id: String,
    },
    /// Encrypt everything again with the first key that another one has encrypted
    ///
    /// Works while the server runs, once that has the new key in front too. It may be stopped at any
    /// moment, and goes on where it is started again.
    Rotate,
    /// Show how much each key has encrypted
    Status,
}

pub(super) async fn run(database: &Database, action: Action) -> Result<ExitCode, CliError> {
    if let Action::New { id } = action {
        out!("{}", Keyring::new_key(&id, &Random::system()));
        return Ok(ExitCode::SUCCESS);
    }
    let store = connect(database).await?;
    if !missing_migrations(&store).await?.is_empty() {
        return Err("the database's schema is outdated: run `steward migrate up`".into());
    }
    let first = store.keyring().first().map(str::to_owned);
    let code = match (action, first) {
        (Action::Rotate, Some(first)) => rotate(&store, &first).await?,
        (Action::Rotate, None) => return Err("there is no key: set STEWARD_ENCRYPTION_KEYS".into()),
        (_, first) => {
            show(&key_rotation::key_usage(&store).await?, first.as_deref());
            ExitCode::SUCCESS
        }
    };
    store.close().await?;
    Ok(code)
}

async fn rotate(store: &Store, first: &str) -> Result<ExitCode, CliError> {
    let bar = ProgressBar::new(key_rotation::count(store).await?).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} values  {per_sec}  {eta} left")?,
    );
    let rotated = key_rotation::rotate(store, |values| bar.inc(values)).await;
    bar.finish_and_clear();
    let Rotated { values, undecryptable, usage } = rotated?;
    out!("{values} values were encrypted again with {first}");
    if undecryptable > 0 {
        out!("{undecryptable} values do not open: their keys are missing, or not those of then");
    }
    show(&usage, Some(first));
    let left = usage.other_than(first).next().is_some();
    Ok(if left { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(KeyUsage { keys }: &KeyUsage, first: Option<&str>) {
    if keys.is_empty() {
        out!("none: nothing is encrypted");
    }
    for (id, count) in keys {
        out!("{id}  {count} values{}", if first == Some(id) { ", the first key" } else { "" });
    }
    let Some(first) = first else { return };
    let older: Vec<&str> = keys.keys().map(String::as_str).filter(|id| *id != first).collect();
    match &older[..] {
        [] => out!("no other key than {first} is needed"),
        older => out!("still needed besides {first}: {}", older.join(", ")),
    }
}
