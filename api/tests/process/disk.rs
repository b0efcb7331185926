//! A disk that fails: what was acknowledged is there, what was refused is not, and readers see it.

#![cfg(target_os = "linux")]

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use service::store::Engine;
use tempfile::TempDir;
use tests::{Client, Database};
use uuid::Uuid;

use crate::support::{Process, steward};

/// What is made to fail (`faults.c`).
#[derive(Debug, Clone, Copy)]
struct Fault {
    operation: Operation,
    file: DataFile,
    errno: Errno,
    /// How many operations pass before the first that fails.
    passing: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Write = 1,
    Sync = 2,
    Read = 4,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DataFile {
    Log = 1,
    Database = 2,
    Either = 3,
}

/// The numbers of Linux.
#[derive(Debug, Clone, Copy)]
enum Errno {
    Eio = 5,
    Enospc = 28,
    Erofs = 30,
}

/// The control file of `faults.c`, and the library that reads it.
struct Faults {
    folder: TempDir,
    control: File,
}

impl Faults {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/faults.c");
        let library = folder.path().join("faults.so");
        let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl");
        assert!(compiler.status().expect("a C compiler").success(), "faults.c compiles");
        let path = folder.path().join("control");
        fs::write(&path, [0; 16]).expect("a control file");
        let control = File::options().read(true).write(true).open(&path).expect("it opens");
        Self { folder, control }
    }

    fn variables(&self) -> [(&str, String); 2] {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        [("LD_PRELOAD", path("faults.so")), ("STEWARD_FAULTS", path("control"))]
    }

    fn process(&self, database: &Database) -> Process {
        let variables = self.variables();
        let variables = variables.each_ref().map(|(name, value)| (*name, &**value));
        Process::start_with(database, &[], &variables)
    }

    fn begin(&self, fault: Fault) {
        self.write(4, &fault.passing.to_ne_bytes());
        self.write(8, &[0; 4]);
        self.write(1, &[fault.errno as u8, fault.file as u8]);
        self.write(0, &[fault.operation as u8]);
    }

    /// Ends the fault, and says how many operations have failed.
    fn end(&self) -> u32 {
        self.write(0, &[0]);
        let mut failed = [0; 4];
        self.control.read_exact_at(&mut failed, 8).expect("it is read");
        u32::from_ne_bytes(failed)
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        self.control.write_all_at(bytes, at).expect("it is written");
    }
}

/// What clients were told of each of their expenses.
#[derive(Debug, Default)]
struct Told {
    acknowledged: Vec<Uuid>,
    refused: Vec<Uuid>,
    unknown: Vec<Uuid>,
}

impl Told {
    fn add(&mut self, more: Self) {
        self.acknowledged.extend(more.acknowledged);
        self.refused.extend(more.refused);
        self.unknown.extend(more.unknown);
    }

    /// Writes one expense.
    async fn write(&mut self, client: &Client, expenses: &str) {
        let id = Uuid::from_bytes(service::random::Random::system().bytes());
        // Some pages each, so that a checkpoint comes before long.
        let new = json!({ "id": id, "spent_on": "2026-11-01", "amount_minor": 10,
            "note": "n".repeat(2000),
            "items": [{ "name": "a", "amount_minor": 4 }, { "name": "b", "amount_minor": 6 }] });
        let answer = client.post(expenses, new).await;
        match (answer.status.as_u16(), answer.json["code"].as_str()) {
            (201, _) => self.acknowledged.push(id),
            (503, Some("unavailable")) => self.refused.push(id),
            (503, Some("outcome_unknown")) => self.unknown.push(id),
            _ => panic!("{} {}", answer.status, answer.text),
        }
    }

    /// Reads each again.
    async fn verify(&self, client: &Client, expenses: &str) {
        for id in &self.acknowledged {
            let read = client.get(&format!("{expenses}/{id}")).await;
            assert_eq!(read.status, 200, "{id} was acknowledged: {}", read.text);
        }
        for id in &self.refused {
            let read = client.get(&format!("{expenses}/{id}")).await;
            assert_eq!(read.status, 404, "{id} was refused: {}", read.text);
        }
    }
}

/// Writes at once, each writer several; what is acknowledged is read at once where it can be.
async fn write_all(client: &Client, expenses: &str, writers: usize, can_read: bool) -> Told {
    const EACH: usize = 5;
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let (client, expenses) = (client.clone(), expenses.to_owned());
            tokio::spawn(async move {
                let mut told = Told::default();
                for _ in 0..EACH {
                    told.write(&client, &expenses).await;
                    if can_read && let Some(id) = told.acknowledged.last() {
                        client.read(&format!("{expenses}/{id}")).await;
                    }
                }
                told
            })
        })
        .collect();
    let mut told = Told::default();
    for task in tasks {
        told.add(task.await.expect("a writer ends"));
    }
    told
}

fn file(folder: &Path) -> Database {
    let url = format!("sqlite://{}", folder.join("steward.db").display());
    Database { engine: Engine::Sqlite, url }
}

/// Of the write-ahead log at BEGIN, in the middle of a batch and at COMMIT; of what is read at each
/// statement; of the database at a checkpoint.
fn faults() -> Vec<Fault> {
    let fault = |operation, file, errno, passing| Fault { operation, file, errno, passing };
    use {DataFile as F, Errno as E, Operation as O};
    vec![
        fault(O::Write, F::Log, E::Enospc, 0),
        fault(O::Write, F::Log, E::Enospc, 7),
        fault(O::Write, F::Log, E::Eio, 0),
        fault(O::Write, F::Log, E::Erofs, 2),
        fault(O::Sync, F::Log, E::Eio, 0),
        fault(O::Sync, F::Log, E::Enospc, 1),
        fault(O::Sync, F::Log, E::Erofs, 0),
        fault(O::Read, F::Either, E::Eio, 0),
        fault(O::Read, F::Either, E::Eio, 5),
        fault(O::Write, F::Database, E::Enospc, 0),
        fault(O::Write, F::Database, E::Eio, 1),
        fault(O::Sync, F::Database, E::Eio, 0),
    ]
}

/// One fault: writes before, while it lasts and after.
async fn suffer(
    faults: &Faults,
    fault: Fault,
    client: &Client,
    expenses: &str,
    writers: usize,
) -> Told {
    let mut told = write_all(client, expenses, writers.min(4), true).await;
    assert_eq!(told.refused.len() + told.unknown.len(), 0, "before {fault:?}");
    let at_checkpoint = fault.file == DataFile::Database;
    faults.begin(fault);
    let can_read = fault.operation != Operation::Read;
    let meanwhile = write_all(client, expenses, writers, can_read).await;
    if at_checkpoint {
        // A checkpoint comes when the log has 1,000 pages. What was committed stays in the log.
        assert_eq!(meanwhile.refused.len() + meanwhile.unknown.len(), 0, "{fault:?}");
    } else if can_read {
        assert_ne!(meanwhile.refused.len() + meanwhile.unknown.len(), 0, "{fault:?}");
        assert_eq!(client.get("/ready").await.status, 503, "{fault:?}");
    }
    told.add(meanwhile);
    let failed = faults.end();
    assert!(failed > 0 || !can_read || at_checkpoint, "{fault:?} has not taken place");
    client.read("/ready").await;
    let after = write_all(client, expenses, writers.min(4), true).await;
    assert_eq!(after.refused.len() + after.unknown.len(), 0, "after {fault:?}");
    told.add(after);
    told.verify(client, expenses).await;
    told
}

async fn with_writers(writers: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let (database, faults) = (file(folder.path()), Faults::new());
    let process = faults.process(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let expenses = format!("{}/expenses", ada.found("household").await);
    let mut told = Told::default();
    let mut checkpoints = 0;
    for fault in self::faults() {
        told.add(suffer(&faults, fault, &ada, &expenses, writers).await);
        checkpoints += u32::from(fault.file == DataFile::Database);
    }
    assert!(checkpoints > 0);
    // The process ends while the disk is failing: nothing of what was refused comes back.
    let fault = Fault {
        operation: Operation::Write,
        file: DataFile::Log,
        errno: Errno::Enospc,
        passing: 3,
    };
    faults.begin(fault);
    told.add(write_all(&ada, &expenses, writers, true).await);
    drop(process);
    assert!(faults.end() > 0, "the disk has failed");
    let process = Process::start(&database);
    told.verify(&ada.at(&process.base), &expenses).await;
    println!(
        "{writers} writers: {} acknowledged, {} refused, {} unknown",
        told.acknowledged.len(),
        told.refused.len(),
        told.unknown.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_faults_with_one_writer_lose_nothing() {
    with_writers(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_faults_with_four_writers_lose_nothing() {
    with_writers(4).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_faults_with_many_writers_lose_nothing() {
    with_writers(64).await;
}

/// Half a migration could neither be gone on with nor taken back.
#[test]
fn disk_faults_leave_no_half_of_a_migration() {
    for passing in [0, 1, 10, 40] {
        let folder = tempfile::tempdir().expect("a folder");
        let (database, faults) = (file(folder.path()), Faults::new());
        let fault =
            Fault { operation: Operation::Write, file: DataFile::Log, errno: Errno::Eio, passing };
        faults.begin(fault);
        let mut migrate = steward(&database);
        migrate.args(["migrate", "up"]).envs(faults.variables());
        let ended = migrate.output().expect("steward runs");
        assert!(!ended.status.success(), "{passing}");
        assert!(faults.end() > 0, "the disk has failed");
        let ended = steward(&database).args(["migrate", "up"]).output().expect("steward runs");
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(ended.status.success(), "{passing}: {said}");
    }
}

/// A file system of 8 MB, where this may mount one.
struct SmallDisk(PathBuf, #[expect(dead_code, reason = "it goes with it")] TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_owned();
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(&path).status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(path, folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// A disk that is full for good, then has room again, then is full when the process is killed.
#[tokio::test(flavor = "multi_thread")]
async fn disk_full_refuses_writes_until_there_is_room() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("this may not mount a file system: only the injected faults are tried");
        return;
    };
    let database = file(&disk.0);
    let ballast = disk.0.join("ballast");
    let process = Process::start(&database);
    let ada = Client::new(&process.base).sign_up("Ada").await;
    let expenses = format!("{}/expenses", ada.found("household").await);
    let mut told = Told::default();
    for round in 0..3 {
        told.add(write_all(&ada, &expenses, 4, true).await);
        fill(&ballast);
        let before = told.refused.len();
        // What is left on the disk may hold the page that the writer tries it with, and no expense: not ready is what
        // it says once that is taken, too.
        let is_full = async |told: &Told| {
            told.refused.len() >= before + 20 && ada.get("/ready").await.status == 503
        };
        tokio::time::timeout(Duration::from_secs(60), async {
            while !is_full(&told).await {
                told.add(write_all(&ada, &expenses, 4, true).await);
            }
        })
        .await
        .expect("the disk is full");
        if round < 2 {
            fs::remove_file(&ballast).expect("room");
            ada.read("/ready").await;
            let mut after = Told::default();
            after.write(&ada, &expenses).await;
            assert_eq!(after.acknowledged.len(), 1, "there is room: {after:?}");
            told.add(after);
        }
        told.verify(&ada, &expenses).await;
    }
    drop(process);
    fs::remove_file(&ballast).expect("room");
    let process = Process::start(&database);
    told.verify(&ada.at(&process.base), &expenses).await;
    assert!(told.unknown.is_empty(), "a full disk leaves no doubt");
    println!("{} acknowledged, {} refused", told.acknowledged.len(), told.refused.len());
}

/// Takes all the room that there is.
fn fill(ballast: &Path) {
    let file = File::create(ballast).expect("a file");
    let (mut at, block) = (0, Value::Null.to_string().repeat(1024));
    while let Ok(written) = file.write_at(block.as_bytes(), at) {
        at += written as u64;
        if written == 0 {
            break;
        }
    }
}

/// Two servers on one file would not hear of each other's revocations and signals.
#[test]
fn a_second_server_on_a_file_is_refused_and_told_who_serves_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = file(folder.path());
    let serve = || {
        let mut serve = steward(&database);
        serve.args(["--listen", "127.0.0.1:0"]).output().expect("steward runs")
    };
    for _ in 0..2 {
        // The second time, the first process was killed: its lock has gone with it.
        let first = Process::start(&database);
        let second = serve();
        assert!(!second.status.success());
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        let holder = format!("steward.db is served already, by process {}", first.child.id());
        assert!(said.contains(&holder), "{said}");
        // The command line may open it.
        let status = steward(&database).args(["migrate", "status"]).output().expect("steward runs");
        assert!(status.status.success());
    }
}
