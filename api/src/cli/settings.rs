//! What the command line and the environment set, whatever the setting.

use std::env;

use clap::{Arg, ArgAction, ArgMatches, Command, parser::ValueSource};
use service::seal::Keyring;

use crate::config::DatabaseUrl;

/// The same command, for which a variable that is empty is one that is not set.
pub(super) fn without_empty_variables(command: Command) -> Command {
    let unset = |arg: Arg| {
        let value = arg.get_env().and_then(env::var_os);
        if value.is_some_and(|value| value.is_empty()) {
            arg.env(None::<&'static str>)
        } else {
            arg
        }
    };
    command.mut_args(unset).mut_subcommands(without_empty_variables)
}

/// Each setting of `steward check`, a line each: the flag, its value, and where that is from. Nothing secret is in
/// it. Of another command, nothing.
pub(super) fn of_check(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let Some(("check", matches)) = matches.subcommand() else { return Vec::new() };
    let arguments = command.find_subcommand("check").into_iter().flat_map(Command::get_arguments);
    let line = |arg: &Arg| {
        let is_setting = matches!(arg.get_action(), ArgAction::Set | ArgAction::SetTrue);
        let flag = arg.get_long().filter(|_| is_setting)?;
        Some(format!("--{flag:<24} {}", value(arg, matches)))
    };
    arguments.filter_map(line).collect()
}

/// As a person reads it.
fn value(arg: &Arg, matches: &ArgMatches) -> String {
    let id = arg.get_id().as_str();
    let value = match (matches.try_get_one(id), matches.try_get_one(id)) {
        (Ok(Some(url)), _) => DatabaseUrl::shown(url),
        (_, Ok(Some(keyring))) => Keyring::ids(keyring).collect::<Vec<_>>().join(", "),
        _ => {
            let values = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
            values.map(|value| value.to_string_lossy()).collect::<Vec<_>>().join(",")
        }
    };
    let value = if value.is_empty() { "none" } else { &value };
    match (matches.value_source(id), arg.get_env()) {
        (Some(ValueSource::EnvVariable), Some(variable)) => {
            format!("{value} ({})", variable.to_string_lossy())
        }
        (Some(ValueSource::CommandLine), _) => format!("{value} (command line)"),
        _ => format!("{value} (default)"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_check_shows_each_setting_for_people_and_no_secret() {
        let key = Keyring::new_key("k1", &service::random::Random::system());
        let secret = key.split_once(':').expect("a key").1;
        let mut command = Cli::command().mut_args(|arg| arg.env(None::<&'static str>));
        command =
            command.mut_subcommands(|check| check.mut_args(|arg| arg.env(None::<&'static str>)));
        let url = "postgres://ada:s3cr3t@db.example/steward?sslmode=disable";
        let matches = command.try_get_matches_from_mut([
            "steward",
            "check",
            "--database-url",
            url,
            "--encryption-keys",
            &key,
            "--body-limit=2048",
            "--redis-url=redis://ada:s3cr3t@cache.example:6379/0",
            "--documents-url=couchdb://ada:s3cr3t@couch.example:5984/steward",
        ]);
        let lines = of_check(&command, &matches.expect("flags"));
        let shown = lines.join("\n");
        for line in [
            "--database-url             postgres://db.example/steward (command line)",
            "--encryption-keys          k1 (command line)",
            "--body-limit               2048 (command line)",
            "--redis-url                redis://cache.example:6379/0 (command line)",
            "--documents-url            couchdb://couch.example:5984/steward (command line)",
            "--listen                   127.0.0.1:8080 (default)",
            "--trusted-proxies          none (default)",
            "--webhook-retries          none (default)",
            "--migrate                  false (default)",
            "--log-format               pretty (default)",
        ] {
            assert!(lines.iter().any(|it| it == line), "{line} is not in\n{shown}");
        }
        for hidden in [secret, "s3cr3t", "Some(", "Settings", "--help"] {
            assert!(!shown.contains(hidden), "{hidden} is in\n{shown}");
        }
    }
}
