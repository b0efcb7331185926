//! The settings, as the environment has them and as an operator sees them.

use std::{
    io::Read,
    process::{Command, Stdio},
};

#[cfg(not(feature = "otel"))]
use tests::{Database, each_lasting_database};

/// The program in an empty folder, where nothing is set.
fn steward(folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steward"));
    command.env_clear().current_dir(folder.path());
    command
}

fn output(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().expect("steward runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn a_variable_that_is_empty_is_one_that_is_not_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let variables = [
        "DATABASE_URL",
        "DATABASE_DIRECT_URL",
        "DATABASE_REPLICA_URL",
        "REDIS_URL",
        "STEWARD_CACHE_MEMORY",
        "STEWARD_DATABASE_CONNECTIONS",
        "STEWARD_DOCUMENTS_URL",
        "STEWARD_ENCRYPTION_KEYS",
        "STEWARD_LIMIT_ATTEMPTS",
        "STEWARD_LIMIT_READS",
        "STEWARD_LISTEN",
        "STEWARD_LOG_FORMAT",
        "STEWARD_MIGRATE",
        "STEWARD_PASSWORD_MEMORY",
        "STEWARD_REGISTRATION",
        "STEWARD_WEBHOOK_RETRIES",
        "STEWARD_WORKERS",
        "STEWARD_ZONEINFO",
    ];
    let empty = variables.map(|variable| (variable, ""));
    assert_eq!(output(steward(&folder).args(["migrate", "up"]).envs(empty)).0, Some(0));
    assert!(folder.path().join("steward.db").exists(), "the database that is meant by default");
    let (code, shown) = output(steward(&folder).arg("check").envs(empty));
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(output(steward(&folder).arg("check")), (code, shown), "the same as without them");
}

#[test]
fn a_check_says_where_each_setting_is_from() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(output(steward(&folder).args(["migrate", "up"])).0, Some(0));
    let mut command = steward(&folder);
    command.args(["check", "--body-limit", "2048"]).env("STEWARD_REGISTRATION", "closed");
    command.env("STEWARD_LIMIT_READS", "600/1m,viewer=off");
    let (code, shown) = output(&mut command);
    assert_eq!(code, Some(0), "{shown}");
    for line in [
        "configuration  --",
        "               --database-url             none (default)",
        "--body-limit               2048 (command line)",
        "--registration             closed (STEWARD_REGISTRATION)",
        "--limit-reads              600/1m,viewer=off (STEWARD_LIMIT_READS)",
        "--limit-attempts-sustained 12/3h (default)",
        "--shutdown-delay           1 (default)",
        "--slow-statement           500 (default)",
        "database       sqlite://steward.db",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[cfg(not(feature = "otel"))]
#[each_lasting_database(flavor = "multi_thread")]
async fn an_endpoint_that_nothing_is_sent_to_is_told(database: Database) {
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9")];
    let told = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, but this steward is built without";
    let process = crate::support::Process::start_with(&database, &[], &variables);
    let lines = process.log().into_iter().filter(|line| line.contains(told)).count();
    assert_eq!(lines, 1, "{:#?}", process.log());
    let (code, shown) = output(crate::support::steward(&database).arg("check").envs(variables));
    assert!(
        code == Some(0) && shown.contains(&format!("telemetry      WARNING: {told}")),
        "{shown}"
    );
}

#[test]
fn a_redis_that_is_not_there_is_found_by_the_check() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(output(steward(&folder).args(["migrate", "up"])).0, Some(0));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    for (url, said) in [
        (format!("redis://:s3cr3t@127.0.0.1:{port}"), "redis          failed: "),
        ("http://:s3cr3t@cache.example".to_owned(), "failed: REDIS_URL must be as redis://"),
    ] {
        let (code, shown) = output(steward(&folder).arg("check").env("REDIS_URL", url));
        assert_eq!(code, Some(1), "{shown}");
        assert!(shown.contains(said) && !shown.contains("s3cr3t"), "{shown}");
    }
}

#[test]
fn what_is_no_limit_is_refused_with_an_example() {
    let folder = tempfile::tempdir().expect("a folder");
    for (flag, value, example) in [
        ("--limit-reads", "6000", "600/1m"),
        ("--limit-writes", "600/1m,king=off", "no role"),
        ("--limit-attempts", "0/1m", "600/1m"),
    ] {
        let output = steward(&folder).args(["check", flag, value]).output().expect("steward runs");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(flag) && said.contains(example), "{said}");
    }
}

#[test]
fn what_there_is_none_of_is_said_to_be_none() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(output(steward(&folder).args(["migrate", "up"])).0, Some(0));
    for (arguments, said) in [
        (["keys", "status"], "none: nothing is encrypted\n"),
        (["events", "parked"], "none\n"),
        (["user", "list"], "none\n"),
    ] {
        assert_eq!(output(steward(&folder).args(arguments)), (Some(0), said.to_owned()));
    }
}

/// As `steward openapi | head -c 1` has it: the rest is more than a pipe holds.
#[test]
fn a_reader_may_go_away_early() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = steward(&folder);
    command.arg("openapi").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("steward runs");
    let mut output = process.stdout.take().expect("a pipe");
    output.read_exact(&mut [0]).expect("a byte");
    drop(output);
    let ended = process.wait_with_output().expect("steward ends");
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr)), (Some(0), "".into()));
}
