//! Files: uploads and removals that are killed, and large ones in little memory.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::Stdio,
};

use serde_json::{Value, json};
use service::{
    attachment::verify::{Findings, verify},
    objects::{Objects, ObjectsUrl},
    store::Options,
};
use tempfile::TempDir;
use tests::{Client, Database, at, each_lasting_database, log::wait_until};

use crate::support::{Process, steward};

/// Where an upload can end.
const PLACES: &[&str] =
    &["attachment staged", "attachment published", "attachment inserted", "attachment written"];

/// Where files are: in a folder of this test, or in the bucket of `TEST_S3_URL`, where one is.
struct Place {
    url: String,
    _folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().file_name().and_then(|name| name.to_str()).expect("a name");
        let url = match std::env::var("TEST_S3_URL") {
            Ok(bucket) => format!("{bucket}/{own}"),
            Err(_) => folder.path().join("objects").display().to_string(),
        };
        Self { url, _folder: folder }
    }

    /// What the program needs to reach it.
    fn variables<'a>(&'a self, more: &[(&'a str, &'a str)]) -> Vec<(String, String)> {
        let own = [("STEWARD_OBJECTS_URL", &*self.url)];
        let given =
            own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        // Of a bucket.
        let cloud = std::env::vars().filter(|(name, _)| name.starts_with("AWS_"));
        given.chain(cloud).collect()
    }

    fn serve(&self, database: &Database, more: &[(&str, &str)]) -> Process {
        let variables = self.variables(more);
        let variables: Vec<_> = variables.iter().map(|(name, value)| (&**name, &**value)).collect();
        Process::start_with(database, &[], &variables)
    }

    /// What `verify` finds, as if it were two hours later.
    fn verify(&self, database: &Database, repair: bool) -> (bool, String) {
        let mut command = steward(database);
        command.envs(self.variables(&[("STEWARD_CLOCK_AHEAD", "7200")])).arg("verify");
        if repair {
            command.arg("--repair");
        }
        let output = command.stderr(Stdio::null()).output().expect("it runs");
        (output.status.success(), String::from_utf8(output.stdout).expect("text"))
    }

    async fn findings(&self, database: &Database) -> Findings {
        let url: ObjectsUrl = self.url.parse().expect("a place");
        let objects = Some(Objects::at(&url).expect("a place"));
        let store = database.store(Options { objects, ..Options::default() }).await;
        let findings = verify(&store, false).await.expect("the database");
        store.close().await.expect("closed");
        findings
    }
}

/// Uploads until nobody answers any more.
async fn upload(client: &Client, task: &str, content: &str) -> bool {
    let client = (client.clone(), format!("{task}/attachments"), content.to_owned());
    client.0.try_upload(&client.1, client.2).await.is_some()
}

/// Each file that is shown has its content.
async fn assert_whole(ada: &Client, home: &str, task: &str) -> Vec<Value> {
    let listed = ada.all(&format!("{task}/attachments"), "").await;
    for file in &listed {
        let path = format!("{}/content", at(&format!("{home}/attachments"), file));
        let (status, _, body) = ada.get_bytes(&path, &[]).await;
        assert_eq!(
            (status.as_u16(), body.len() as u64),
            (200, file["size"].as_u64().expect("a size"))
        );
    }
    listed
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_kill_leaves_no_row_without_bytes_and_nothing_that_repair_does_not_remove(
    database: Database,
) {
    let place = Place::new();
    let process = place.serve(&database, &[]);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let task = ada.make(&format!("{home}/tasks"), json!({ "title": "Scan" })).await;
    let task = at(&format!("{home}/tasks"), &task);
    assert!(upload(&ada, &task, "before").await);
    drop(process);
    let mut orphans = 0;
    for (number, crash) in PLACES.iter().enumerate() {
        let mut process = place.serve(&database, &[("STEWARD_CRASH_AT", crash)]);
        let ada = ada.at(&process.base);
        assert!(!upload(&ada, &task, &format!("file {number}")).await, "it ends at {crash}");
        wait_until("the process is gone", async || process.ended().is_some()).await;
        drop(process);
        let process = place.serve(&database, &[]);
        let ada = ada.at(&process.base);
        let listed = assert_whole(&ada, &home, &task).await.len();
        // What was written before the end is there: one file, and after the last place another.
        assert_eq!(listed, 1 + usize::from(*crash == "attachment written"), "{crash}");
        drop(process);
        let (sound, told) = place.verify(&database, false);
        let left = usize::from(*crash != "attachment written");
        assert_eq!(sound, left == 0, "{crash}: {told}");
        assert_eq!(told.matches("is of no row").count(), left, "{crash}: {told}");
        orphans += left;
        let (sound, told) = place.verify(&database, true);
        assert!(sound, "{crash}: {told}");
        assert_eq!(place.findings(&database).await.faults, Vec::<String>::new(), "{crash}");
    }
    assert_eq!(orphans, PLACES.len() - 1);
}

#[each_lasting_database(flavor = "multi_thread")]
async fn a_removal_that_is_killed_goes_on(database: Database) {
    let place = Place::new();
    let mut process = place.serve(&database, &[("STEWARD_CRASH_AT", "objects removed")]);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("household").await;
    let task = ada.make(&format!("{home}/tasks"), json!({ "title": "Scan" })).await;
    let task = at(&format!("{home}/tasks"), &task);
    // Nothing is to be removed yet, so that it does not end before it is asked to.
    assert!(upload(&ada, &task, "gone").await && upload(&ada, &task, "kept").await);
    let first = ada.all(&format!("{task}/attachments"), "").await[0].clone();
    let path = format!("{}?version=1", at(&format!("{home}/attachments"), &first));
    ada.delete(&path).await.expect(204);
    wait_until("the process is gone", async || process.ended().is_some()).await;
    drop(process);
    let process = place.serve(&database, &[]);
    let ada = ada.at(&process.base);
    assert_eq!(assert_whole(&ada, &home, &task).await.len(), 1);
    drop(process);
    let (sound, told) = place.verify(&database, false);
    assert!(sound && told.contains("1 objects hold"), "{told}");
}

/// The most memory that a process has had, in KiB.
fn peak(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.child.id())).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn connect(base: &str) -> TcpStream {
    TcpStream::connect(base.trim_start_matches("http://")).expect("steward listens")
}

/// The status, and how many bytes the body has.
fn answer(mut stream: TcpStream) -> (String, u64, Vec<u8>) {
    let (mut head, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    let mut body = 0;
    let mut first = Vec::new();
    loop {
        let read = stream.read(&mut buffer).expect("an answer");
        if read == 0 {
            break;
        }
        if body > 0 {
            body += read as u64;
            continue;
        }
        head.extend_from_slice(&buffer[..read]);
        if let Some(end) = head.windows(4).position(|some| some == b"\r\n\r\n") {
            first = head.split_off(end + 4);
            body += first.len() as u64;
        }
    }
    let status = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    (status, body, first)
}

/// Sends so many MiB, each of which is another.
fn send(base: &str, token: &str, path: &str, mib: u64) -> Value {
    let mut stream = connect(base);
    let length = mib << 20;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: steward\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-type: application/octet-stream\r\ncontent-length: {length}\r\n\r\n"
    )
    .expect("it takes a request");
    let mut piece = vec![7; 1 << 20];
    for number in 0..mib {
        piece[..8].copy_from_slice(&number.to_be_bytes());
        stream.write_all(&piece).expect("it takes the body");
    }
    let (status, _, body) = answer(stream);
    assert!(status.contains("201"), "{status}: {}", String::from_utf8_lossy(&body));
    serde_json::from_slice::<Value>(&body).expect("JSON")["items"][0].clone()
}

fn fetch(base: &str, token: &str, path: &str) -> u64 {
    let mut stream = connect(base);
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: steward\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    )
    .expect("it takes a request");
    let (status, body, _) = answer(stream);
    assert!(status.contains("200"), "{status}");
    body
}

/// `ATTACHMENT_MIB` says how large the file is: more than what is allowed to be taken.
#[cfg(target_os = "linux")]
#[each_lasting_database(flavor = "multi_thread")]
async fn a_large_file_goes_both_ways_in_little_memory(database: Database) {
    const GROWTH_KIB: u64 = 64 * 1024;
    let mib = std::env::var("ATTACHMENT_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(96);
    let place = Place::new();
    let key = service::seal::Keyring::new_key("k", &service::random::Random::system());
    let process = place.serve(&database, &[("STEWARD_ENCRYPTION_KEYS", &key)]);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let home = ada.found("company").await;
    let task = ada.make(&format!("{home}/tasks"), json!({ "title": "Scan" })).await;
    let member = ada.member_in(&home).await;
    let incident = json!({ "member_id": member["id"], "occurred_at": "2026-03-02T08:15:00Z" });
    let incident = ada.make(&format!("{home}/incidents"), incident).await;
    let parents =
        [at(&format!("{home}/tasks"), &task), at(&format!("{home}/incidents"), &incident)];
    let (base, token) = (process.base.clone(), ada.token().to_owned());
    let both_ways = move |mib: u64| {
        for parent in &parents {
            let file = send(&base, &token, &format!("{parent}/attachments"), mib);
            let path = format!("{}/content", at(&format!("{home}/attachments"), &file));
            assert_eq!(fetch(&base, &token, &path), mib << 20);
        }
    };
    let both_ways = std::sync::Arc::new(both_ways);
    for (round, mib) in [1, mib].into_iter().enumerate() {
        let before = peak(&process);
        let both_ways = both_ways.clone();
        tokio::task::spawn_blocking(move || both_ways(mib)).await.expect("both ways");
        // The kernel counts in batches: it may say less than before.
        let growth = peak(&process).saturating_sub(before);
        assert!(round == 0 || growth < GROWTH_KIB, "{mib} MiB took {growth} KiB");
    }
}
