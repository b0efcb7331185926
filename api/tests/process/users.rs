//! `steward user`: the way back to a password that is forgotten.

use std::{
    io::Write,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use service::store::Options;
use tests::{
    Client, Database, PASSWORD, each_lasting_database,
    events::Events,
    log::{events, wait_until},
};
use tokio::time::sleep;

use crate::support::{Process, steward};

fn run(database: &Database, arguments: &[&str], stdin: Option<&str>) -> Output {
    let mut command = steward(database);
    command.arg("user").args(arguments).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(stdin.unwrap_or_default().as_bytes()).expect("it reads");
    drop(input);
    child.wait_with_output().expect("it ends")
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// What it prints, if it succeeds.
fn said(database: &Database, arguments: &[&str], stdin: Option<&str>) -> String {
    let output = run(database, arguments, stdin);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What it complains of.
fn refused(database: &Database, arguments: &[&str], stdin: Option<&str>) -> String {
    let output = run(database, arguments, stdin);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stdout));
    text(&output.stderr)
}

/// The password that was made and is shown this once.
fn shown(said: &str) -> &str {
    said.lines().find_map(|line| line.strip_prefix("password  ")).expect("a password is shown")
}

/// A server that was not told notices after what it remembers.
async fn wait_for(client: &Client, path: &str, status: u16) {
    let started = Instant::now();
    while client.get(path).await.status != status {
        assert!(started.elapsed() < Duration::from_secs(10), "{path} is not {status}");
        sleep(Duration::from_millis(20)).await;
    }
}

const ADA: &str = "ada@example.org";

#[each_lasting_database(flavor = "multi_thread")]
async fn an_operator_makes_users_and_gives_back_their_access(database: Database) {
    let flags = ["--registration", "closed", "--access-ttl", "1"];
    let process = Process::start_with(&database, &flags, &[]);
    let anybody = Client::new(&process.base);
    let made = said(&database, &["create", ADA, "--name", "Ada"], None);
    let password = shown(&made).to_owned();
    let session = anybody.log_in(ADA, &password).await.expect(201);
    let ada = anybody.with_token(session["token"].as_str().expect("a token"));
    assert_eq!(ada.read("/v1/users/me").await["display_name"], "Ada");
    assert!(
        refused(&database, &["create", "ADA@example.org", "--name", "A"], None).contains("taken")
    );
    let list = said(&database, &["list"], None);
    assert!(list.contains(ADA) && !list.contains("disabled"), "{list}");

    let reset = ["reset-password", "ADA@Example.org"];
    let password = shown(&said(&database, &reset, None)).to_owned();
    wait_for(&ada, "/v1/users/me", 401).await;
    anybody.log_in(ADA, &password).await.expect(201);
    let from_stdin = [&reset[..], &["--password-stdin"]].concat();
    let said_then = said(&database, &from_stdin, Some("the third password\n"));
    assert!(!said_then.contains("password  "), "{said_then}");
    anybody.log_in(ADA, &password).await.expect(401);
    anybody.log_in(ADA, "the third password").await.expect(201);
    for (bad, why) in [("", "length"), ("short", "length"), ("password1", "common")] {
        let complaint = refused(&database, &from_stdin, Some(bad));
        assert!(complaint.contains(why) && !complaint.contains("short"), "{complaint}");
    }
    anybody.log_in(ADA, "the third password").await.expect(201);
    let nobody = refused(&database, &["reset-password", "eve@example.org"], None);
    assert!(nobody.contains("no such user"), "{nobody}");
}

#[each_lasting_database(flavor = "multi_thread")]
async fn who_is_disabled_gets_in_nowhere_until_enabled(database: Database) {
    let process = Process::start_with(&database, &["--access-ttl", "1"], &[]);
    let anybody = Client::new(&process.base);
    let ada = anybody.sign_up_as("Ada", ADA).await;
    let home = ada.found("household").await;
    let bob = ada.invite_as(&home, "owner", "bob@example.org").await;
    let key = bob.with_key(&home, "viewer").await;
    let stream = format!("{home}/events/stream");
    let mut live = Events::open(&bob, &stream, None).await;
    for path in [&home, "/v1/users/me"] {
        bob.read(path).await;
    }
    key.read(&home).await;
    said(&database, &["disable", "bob@example.org"], None);
    wait_for(&bob, "/v1/users/me", 401).await;
    wait_for(&key, &home, 401).await;
    while live.block().await.is_some() {}
    anybody.log_in("bob@example.org", PASSWORD).await.expect_problem(401, "unauthenticated");
    said(&database, &["disable", "bob@example.org"], None);
    assert!(said(&database, &["list"], None).contains("disabled since"));
    // Ada is the last who can log in: of the two owners the other one cannot.
    let complaint = refused(&database, &["disable", ADA], None);
    assert!(complaint.contains("no owner left") && complaint.contains("--force"), "{complaint}");
    ada.read(&home).await;
    let me = ada.member_in(&home).await;
    let leave = format!("{home}/members/{}?version={}", tests::id(&me), me["version"]);
    ada.delete(&leave).await.expect_problem(409, "last_owner");
    said(&database, &["enable", "bob@example.org"], None);
    wait_for(&key, &home, 200).await;
    anybody.log_in("bob@example.org", PASSWORD).await.expect(201);
    bob.get("/v1/users/me").await.expect_problem(401, "unauthenticated");
    said(&database, &["disable", ADA], None);
    said(&database, &["disable", "bob@example.org", "--force"], None);
    anybody.log_in(ADA, PASSWORD).await.expect(401);
    let store = database.store(Options::default()).await;
    for (kind, times) in [("user.disabled", 3), ("user.enabled", 1)] {
        wait_until(kind, async || events(&store, kind).await.len() >= times).await;
        let told = events(&store, kind).await;
        assert_eq!(told.len(), times, "{kind}");
        assert!(told.iter().all(|event| event.author == "operator"), "{kind}");
    }
    store.close().await.expect("closed");
}
