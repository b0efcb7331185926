//! A server that speaks as DynamoDB does, for one test: that of moto, of PyPI.

use std::process::Command;

use crate::program::{Running, free_port, program};

/// A server, which keeps its tables in memory.
#[derive(Debug)]
pub struct MotoServer {
    port: u16,
    running: Running,
}

impl MotoServer {
    /// One of `TEST_MOTO_SERVER`, the path of the program, or nothing without it.
    ///
    /// # Panics
    /// In CI without it; or if it does not start.
    pub async fn start() -> Option<Self> {
        let program = program("TEST_MOTO_SERVER")?;
        let port = free_port();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let running = Running::listening(command, port).await;
        Some(Self { port, running })
    }

    /// A table of it.
    pub fn url(&self, table: &str) -> String {
        let endpoint = format!("http%3A%2F%2F127.0.0.1%3A{}", self.port);
        format!("dynamodb://AKIDTEST:s3cr3t@eu-central-1/{table}?endpoint={endpoint}")
    }

    /// Ends it, with all that it had.
    pub fn kill(&mut self) {
        self.running.kill();
    }
}
