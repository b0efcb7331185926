use std::process::ExitCode;

use clap::Subcommand;
use service::{random::Random, seal::Keyring};

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
}

pub(super) fn run(action: &Action) -> ExitCode {
    let Action::New { id } = action;
    println!("{}", Keyring::new_key(id, &Random::system()));
    ExitCode::SUCCESS
}
