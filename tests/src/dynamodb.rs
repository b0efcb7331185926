//! A server that speaks as DynamoDB does, for one test: that of moto, of PyPI.

use std::{
    env,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use tokio::net::TcpStream;

use crate::log::wait_until;

/// A server, which keeps its tables in memory.
#[derive(Debug)]
pub struct MotoServer {
    port: u16,
    process: Child,
}

impl MotoServer {
    /// One of `TEST_MOTO_SERVER`, the path of the program, or nothing without it.
    ///
    /// # Panics
    /// In CI without it; or if it does not start.
    pub async fn start() -> Option<Self> {
        let Ok(program) = env::var("TEST_MOTO_SERVER") else {
            assert!(env::var_os("CI").is_none(), "CI sets TEST_MOTO_SERVER");
            eprintln!("skipped: TEST_MOTO_SERVER is not set");
            return None;
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("moto_server starts");
        let server = Self { port, process };
        let listens = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        wait_until("moto_server listens", listens).await;
        Some(server)
    }

    /// A table of it.
    pub fn url(&self, table: &str) -> String {
        let endpoint = format!("http%3A%2F%2F127.0.0.1%3A{}", self.port);
        format!("dynamodb://AKIDTEST:s3cr3t@eu-central-1/{table}?endpoint={endpoint}")
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

impl Drop for MotoServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
