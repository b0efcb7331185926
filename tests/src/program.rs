//! Programs that tests start: servers of other projects.

use std::{
    env,
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use tokio::net::TcpStream;

use crate::log::wait_until;

/// The program that a variable names, or nothing without it: the test says that it is skipped.
///
/// # Panics
/// In CI, which sets the variable, if only to say that it cannot have the program.
pub fn program(variable: &str) -> Option<String> {
    let Ok(program) = env::var(variable) else {
        assert!(env::var_os("CI").is_none(), "CI sets {variable}");
        eprintln!("skipped: {variable} is not set");
        return None;
    };
    if program.is_empty() {
        eprintln!("skipped: {variable} is empty, since CI cannot have it");
        return None;
    }
    Some(program)
}

/// A port that nobody listens on.
///
/// # Panics
/// If there is none.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program that runs, and ends with this.
#[derive(Debug)]
pub(crate) struct Running {
    process: Child,
}

impl Running {
    /// Starts it.
    ///
    /// # Panics
    /// If it cannot be started.
    pub(crate) fn of(mut command: Command) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { process }
    }

    /// Starts it, and waits until it listens on a port.
    ///
    /// # Panics
    /// If it does not.
    pub(crate) async fn listening(command: Command, port: u16) -> Self {
        let running = Self::of(command);
        let listens = async || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        wait_until("the program listens", listens).await;
        running
    }

    /// Sends it a signal, as `-STOP`.
    ///
    /// # Panics
    /// If it is gone.
    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.process.id().to_string()]).status();
        assert!(status.expect("kill runs").success(), "{signal}");
    }

    /// Ends it, with all that it had in memory.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}
