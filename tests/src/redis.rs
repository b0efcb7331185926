//! A Redis for one test, and what can happen to it.

use std::{process::Command, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use crate::{
    log::wait_until,
    program::{Running, free_port, program},
};

/// How long a Redis may take to answer that is well.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);

/// A server in a folder of its own, which keeps nothing on the disk.
#[derive(Debug)]
pub struct RedisServer {
    program: String,
    port: u16,
    running: Option<Running>,
    folder: TempDir,
}

/// What can happen to a Redis, until it is [well again](RedisServer::mend).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedisFault {
    /// It is gone, with all that it had.
    Killed,
    /// It has lost all that it had.
    Flushed,
    /// What it had is something else.
    Spoiled,
    /// It says nothing for two seconds.
    Paused,
    /// It says nothing.
    Stopped,
    /// It takes nothing more.
    Full,
}

impl RedisServer {
    /// One of `TEST_REDIS_SERVER`, or nothing without it.
    ///
    /// # Panics
    /// In CI without it; or if it does not start.
    pub async fn start() -> Option<Self> {
        let program = program("TEST_REDIS_SERVER")?;
        let port = free_port();
        let mut server =
            Self { program, port, running: None, folder: tempfile::tempdir().unwrap() };
        server.spawn().await;
        Some(server)
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Lets something happen to it.
    ///
    /// # Panics
    /// If it has been killed already.
    pub async fn suffer(&mut self, fault: RedisFault) {
        match fault {
            RedisFault::Killed => self.running = None,
            RedisFault::Flushed => drop(self.send("FLUSHALL").await),
            RedisFault::Spoiled => {
                let each = "for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('SET', key, 'x') end";
                drop(self.send(&format!("EVAL \"{each}\" 0")).await);
            }
            RedisFault::Paused => drop(self.send("CLIENT PAUSE 2000").await),
            RedisFault::Stopped => self.signal("-STOP"),
            // What it takes for itself is more than that.
            RedisFault::Full => drop(self.send("CONFIG SET maxmemory 1").await),
        }
    }

    /// Makes it well again.
    ///
    /// # Panics
    /// If it does not answer within a minute.
    pub async fn mend(&mut self) {
        match self.running {
            None => self.spawn().await,
            Some(_) => self.signal("-CONT"),
        }
        self.wait_until_well().await;
    }

    /// How many keys it has of a pattern, as `steward:limit:*`.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn keys(&self, pattern: &str) -> u64 {
        let count = format!("EVAL \"return #redis.call('KEYS', '{pattern}')\" 0");
        let said = self.send(&count).await.expect("it answers");
        said.trim_start_matches(':').parse().unwrap()
    }

    async fn spawn(&mut self) {
        let mut command = Command::new(&self.program);
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""]);
        command.args(["--appendonly", "no", "--maxmemory-policy", "noeviction", "--dir"]);
        command.arg(self.folder.path());
        self.running = Some(Running::of(command));
        self.wait_until_well().await;
    }

    /// Until it answers, and takes all that it is given.
    async fn wait_until_well(&self) {
        let unlimited = "CONFIG SET maxmemory 0";
        let is_well = async || self.send(unlimited).await.as_deref() == Some("+OK");
        wait_until("Redis is well", is_well).await;
    }

    fn signal(&self, signal: &str) {
        self.running.as_ref().expect("it runs").signal(signal);
    }

    /// The first line of what it says to a command, if it says something in time.
    async fn send(&self, command: &str) -> Option<String> {
        let said = async {
            let mut connection = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
            connection.write_all(format!("{command}\r\n").as_bytes()).await.ok()?;
            let mut line = String::new();
            BufReader::new(connection).read_line(&mut line).await.ok()?;
            Some(line.trim_end().to_owned())
        };
        timeout(ANSWER_TIMEOUT, said).await.ok().flatten()
    }
}
