//! A PostgreSQL of a test's own, with a streaming replica: one that can be stopped, paused and promoted.

use std::{
    env, fs, mem,
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use sea_orm::{ConnectionTrait, DatabaseConnection};
use service::store::Engine;
use tempfile::TempDir;

use crate::database::Database;

/// The servers. They are stopped when this goes.
#[derive(Debug)]
pub struct Cluster {
    /// The one that is written, at first.
    pub primary: Server,
    /// Its replica.
    pub replica: Server,
    replication: Replication,
    /// How often the primary was replaced.
    generation: usize,
    folder: TempDir,
}

/// One server.
#[derive(Debug)]
pub struct Server {
    bin: PathBuf,
    data: PathBuf,
    port: u16,
}

/// Whether a COMMIT waits until the replica has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// It does.
    Synchronous,
    /// It does not.
    Asynchronous,
}

impl Cluster {
    /// Starts a primary and a replica of it, from the programs in `TEST_POSTGRES_BIN`. None without that.
    ///
    /// # Panics
    /// If they do not start; in CI without the programs, since nothing is then done there.
    pub fn start(replication: Replication) -> Option<Self> {
        let Ok(bin) = env::var("TEST_POSTGRES_BIN") else {
            assert!(env::var_os("CI").is_none(), "CI sets TEST_POSTGRES_BIN");
            eprintln!("skipped: TEST_POSTGRES_BIN is not set");
            return None;
        };
        Some(Self::make(Path::new(&bin), replication))
    }

    fn make(bin: &Path, replication: Replication) -> Self {
        let folder = tempfile::tempdir().unwrap();
        own(folder.path());
        let server = |name: &str| Server {
            bin: bin.into(),
            data: folder.path().join(name),
            port: free_port(),
        };
        let (primary, replica) = (server("primary"), server("replica"));
        let data = primary.data.to_str().unwrap();
        let trusted = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
        run(bin, "initdb", &[&["-D", data][..], &trusted].concat());
        let settings = "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n\
                        max_connections = 100\nwal_keep_size = '256MB'\nshared_buffers = '32MB'\n\
                        wal_receiver_timeout = '5s'\nwal_retrieve_retry_interval = '200ms'\n";
        primary.configure(settings);
        primary.start();
        let cluster = Self { primary, replica, replication, generation: 0, folder };
        cluster.follow();
        cluster
    }

    /// The replica is the primary from now on, and a new server its replica: what an operator does after a failover.
    ///
    /// # Panics
    /// If that server does not start.
    pub fn replace_primary(&mut self) {
        self.generation += 1;
        let data = self.folder.path().join(format!("replica{}", self.generation));
        let next = Server { bin: self.primary.bin.clone(), data, port: free_port() };
        self.primary = mem::replace(&mut self.replica, next);
        self.follow();
    }

    /// Starts the replica.
    fn follow(&self) {
        self.replica.copy_from(&self.primary);
        self.replica.start();
        if self.replication == Replication::Synchronous {
            self.primary.configure("synchronous_standby_names = '*'\n");
            self.primary.reload();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for server in [&self.replica, &self.primary] {
            server.try_stop("immediate");
        }
    }
}

impl Server {
    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Its database.
    pub fn database(&self) -> Database {
        Database { engine: Engine::Postgres, url: self.url() }
    }

    /// Starts it, and waits until it answers.
    pub fn start(&self) {
        let (port, log) = (format!("-p {}", self.port), self.data.with_extension("log"));
        let log = log.to_str().unwrap();
        self.ctl(&["-w", "-t", "60", "-l", log, "-o", &port, "start"]);
    }

    /// Stops it at once, as if its machine had crashed: `pg_ctl -m immediate`.
    ///
    /// # Panics
    /// If it does not run.
    pub fn crash(&self) {
        assert!(self.try_stop("immediate"), "it runs");
    }

    /// Makes a replica a primary, and waits until it is one.
    pub fn promote(&self) {
        self.ctl(&["-w", "-t", "60", "promote"]);
    }

    /// Makes a copy of a primary that follows it.
    pub fn copy_from(&self, primary: &Self) {
        let (data, port) = (self.data.to_str().unwrap(), primary.port.to_string());
        let from = ["-h", "127.0.0.1", "-p", &port, "-U", "postgres"];
        let into = ["-D", data, "-R", "-X", "stream", "-c", "fast", "--no-sync"];
        run(&self.bin, "pg_basebackup", &[&from[..], &into].concat());
    }

    /// Adds settings, for its next start or [`Self::reload`].
    ///
    /// # Panics
    /// If its folder is not there.
    pub fn configure(&self, settings: &str) {
        let path = self.data.join("postgresql.auto.conf");
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, before + settings).unwrap();
    }

    /// Reads its settings again.
    pub fn reload(&self) {
        self.ctl(&["reload"]);
    }

    /// Runs a statement, and gives the first value of its row as text.
    ///
    /// # Panics
    /// If that does not succeed.
    pub async fn ask(&self, sql: &str) -> String {
        let connection: DatabaseConnection = sea_orm::Database::connect(self.url()).await.unwrap();
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, sql);
        let row = connection.query_one_raw(statement).await.unwrap().expect("a row");
        let value = row.try_get_by_index(0).unwrap();
        connection.close().await.unwrap();
        value
    }

    /// Waits until this replica has replayed what its primary has now.
    ///
    /// # Panics
    /// If it has not within a minute.
    pub async fn catch_up(&self, primary: &Self) {
        self.reach(&primary.ask("SELECT pg_current_wal_flush_lsn()::text").await).await;
    }

    /// Waits until this replica has replayed what is before a position.
    ///
    /// # Panics
    /// If it has not within a minute.
    pub async fn reach(&self, position: &str) {
        let sql = format!("SELECT (pg_last_wal_replay_lsn() >= '{position}')::text");
        crate::log::wait_until("the replica is as far", async || self.ask(&sql).await == "true")
            .await;
    }

    fn try_stop(&self, mode: &str) -> bool {
        let data = self.data.to_str().unwrap();
        program(&self.bin, "pg_ctl", &["-D", data, "-m", mode, "-w", "-t", "30", "stop"])
            .status()
            .is_ok_and(|status| status.success())
    }

    fn ctl(&self, arguments: &[&str]) {
        let data = self.data.to_str().unwrap();
        run(&self.bin, "pg_ctl", &[&["-D", data][..], arguments].concat());
    }
}

/// How long PostgreSQL's programs may take, altogether with those that they start.
const PROGRAM_TIMEOUT: Duration = Duration::from_secs(120);

fn run(bin: &Path, name: &str, arguments: &[&str]) {
    let mut child = program(bin, name, arguments).spawn().expect("the program is there");
    let begun = std::time::Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PROGRAM_TIMEOUT {
            let _ = child.kill();
            panic!("{name} {arguments:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(status.success(), "{name} {arguments:?}: {status}");
}

/// PostgreSQL refuses to run as root.
fn program(bin: &Path, name: &str, arguments: &[&str]) -> Command {
    let path = bin.join(name);
    let mut command = match is_root() {
        true => {
            let mut command = Command::new("runuser");
            command.args(["-u", USER, "--"]).arg(path);
            command
        }
        false => Command::new(path),
    };
    // What it writes is in its log; a pipe would stay open as long as the server runs.
    command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
    command
}

const USER: &str = "postgres";

/// Gives a folder to whom the servers run as.
fn own(folder: &Path) {
    if is_root() {
        let status = Command::new("chown").arg(USER).arg(folder).status().expect("chown runs");
        assert!(status.success(), "{} has no owner", folder.display());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
