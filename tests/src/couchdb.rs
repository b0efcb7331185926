//! A server that speaks as CouchDB does, for one test: pouchdb-server, of npm.

use std::{
    env, fs,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::log::wait_until;

/// A server in a folder of its own, which keeps its databases in memory.
#[derive(Debug)]
pub struct PouchDbServer {
    port: u16,
    process: Child,
    _folder: TempDir,
}

impl PouchDbServer {
    /// One of `TEST_POUCHDB_SERVER`, the path of the program, or nothing without it.
    ///
    /// # Panics
    /// In CI without it; or if it does not start.
    pub async fn start() -> Option<Self> {
        Self::with_config("{}").await
    }

    /// The same for one user alone. It says nothing to who names none.
    ///
    /// # Panics
    /// As [`start`](Self::start) does.
    pub async fn start_with_password(user: &str, password: &str) -> Option<Self> {
        Self::with_config(&json!({ "admins": { user: password } }).to_string()).await
    }

    async fn with_config(config: &str) -> Option<Self> {
        let Ok(program) = env::var("TEST_POUCHDB_SERVER") else {
            assert!(env::var_os("CI").is_none(), "CI sets TEST_POUCHDB_SERVER");
            eprintln!("skipped: TEST_POUCHDB_SERVER is not set");
            return None;
        };
        if program.is_empty() {
            eprintln!("skipped: TEST_POUCHDB_SERVER is empty, since CI has no Node.js");
            return None;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        let mut command = Command::new(program);
        command.args(["--in-memory", "--host", "127.0.0.1", "--port", &port.to_string()]);
        // Node.js ends a process that does not look at each failure.
        command.env("NODE_OPTIONS", "--unhandled-rejections=warn").current_dir(folder.path());
        command.args(["--config", "config.json"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("pouchdb-server starts");
        let server = Self { port, process, _folder: folder };
        let listens = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        wait_until("pouchdb-server listens", listens).await;
        Some(server)
    }

    /// Where it is, and with which databases.
    pub fn url(&self, prefix: &str) -> String {
        format!("couchdb://127.0.0.1:{}/{prefix}", self.port)
    }

    /// Ends it, with all that it had.
    ///
    /// # Panics
    /// If it cannot be ended.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for PouchDbServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
