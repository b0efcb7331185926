//! A server that speaks as CouchDB does, for one test: pouchdb-server, of npm.

use std::{fs, process::Command};

use serde_json::json;
use tempfile::TempDir;

use crate::program::{Running, free_port, program};

/// A server in a folder of its own, which keeps its databases in memory.
#[derive(Debug)]
pub struct PouchDbServer {
    port: u16,
    running: Running,
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
        let program = program("TEST_POUCHDB_SERVER")?;
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.json"), config).unwrap();
        let mut command = Command::new(program);
        command.args(["--in-memory", "--host", "127.0.0.1", "--port", &port.to_string()]);
        // Node.js ends a process that does not look at each failure.
        command.env("NODE_OPTIONS", "--unhandled-rejections=warn").current_dir(folder.path());
        command.args(["--config", "config.json"]);
        let running = Running::listening(command, port).await;
        Some(Self { port, running, _folder: folder })
    }

    /// Where it is, and with which databases.
    pub fn url(&self, prefix: &str) -> String {
        format!("couchdb://127.0.0.1:{}/{prefix}", self.port)
    }

    /// Ends it, with all that it had.
    pub fn kill(&mut self) {
        self.running.kill();
    }
}
