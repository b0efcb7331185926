//! The program itself, as a process.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use tests::Database;

/// A running `steward serve`. It is killed when this goes, as by a power cut.
pub(crate) struct Process {
    pub(crate) child: Child,
    /// Where it listens.
    pub(crate) base: String,
    log: Arc<Mutex<Vec<String>>>,
}

/// The program on a database.
pub(crate) fn steward(database: &Database) -> Command {
    program(OsStr::new(env!("CARGO_BIN_EXE_steward")), database)
}

/// A program, which may be of another release, on a database.
pub(crate) fn program(path: &OsStr, database: &Database) -> Command {
    let mut command = Command::new(path);
    command.env_clear().env("DATABASE_URL", &database.url);
    // Whatever this machine has.
    command.env("STEWARD_ZONEINFO", "bundled");
    command
}

impl Process {
    /// Serves.
    pub(crate) fn start(database: &Database) -> Self {
        Self::start_with(database, &[], &[])
    }

    /// Serves with flags and variables.
    pub(crate) fn start_with(
        database: &Database,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        Self::spawn(steward(database), flags, variables)
    }

    /// The same with a program.
    pub(crate) fn spawn(mut command: Command, flags: &[&str], variables: &[(&str, &str)]) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--workers", "1"]).args(flags);
        command.envs(variables.iter().copied()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("steward starts");
        let log = BufReader::new(child.stderr.take().expect("a log"));
        let kept = Arc::<Mutex<Vec<String>>>::default();
        let keep = kept.clone();
        let lines = log.lines().map_while(Result::ok);
        let mut lines =
            lines.inspect(move |line| keep.lock().expect("nobody panics").push(line.clone()));
        let base = lines.find_map(|line| {
            let (_, rest) = line.split_once("the API is at ")?;
            Some(rest.split_once("/v1")?.0.to_owned())
        });
        // Somebody reads the rest, or the process would wait for it.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, base: base.expect("steward says where it listens"), log: kept }
    }

    /// The lines of its log.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().expect("nobody panics").clone()
    }

    /// Asks it to stop, as an operator does.
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a process can be asked")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
