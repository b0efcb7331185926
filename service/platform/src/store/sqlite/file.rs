//! The database's file: who serves it, and whether it is still the one that was opened.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};

use crate::store::ConnectError;

/// The file of a database that was opened.
#[derive(Debug)]
pub(super) struct DataFile {
    path: PathBuf,
    identity: Option<Identity>,
    /// Open as long as the file is served.
    _lock: Option<File>,
}

impl DataFile {
    /// The file that is there now.
    pub(super) fn opened(path: PathBuf, lock: Option<File>) -> io::Result<Self> {
        let identity = Identity::of(&path)?;
        Ok(Self { path, identity, _lock: lock })
    }

    /// Whether the file at the path is still the one that was opened. One that was removed or
    /// replaced could still be written, and all of it would be gone with the process.
    ///
    /// # Errors
    /// What is wrong, for the operator.
    pub(super) fn check(&self) -> Result<(), String> {
        let path = self.path.display();
        match Identity::of(&self.path) {
            Ok(identity) if identity == self.identity => Ok(()),
            Ok(_) => Err(format!("{path} was replaced by another file while steward runs")),
            Err(error) => Err(format!("{path} was removed while steward runs: {error}")),
        }
    }
}

/// What tells one file from another that takes its name. None where the system does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    #[cfg(unix)]
    fn of(path: &Path) -> io::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::metadata(path)?;
        Ok(Some(Self { device: metadata.dev(), inode: metadata.ino() }))
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> io::Result<Option<Self>> {
        fs::metadata(path).map(|_| None)
    }
}

/// Makes this process the one that serves the file, by a lock on a file beside it that the system
/// lets go when the process ends, however it ends. Not on the file itself: SQLite's own locks on it
/// would go with the first of its descriptors that is closed
/// (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
///
/// # Errors
/// [`ConnectError::Served`] where another process serves it.
pub(super) fn lock(database: &Path, now: DateTime<Utc>) -> Result<File, ConnectError> {
    let path = lock_path(database);
    let unusable = |cause| ConnectError::Lock { path: path.clone(), cause };
    let options = || {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options
    };
    let mut file = options().open(&path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            let holder = holder.lines().next().unwrap_or_default().to_owned();
            return Err(ConnectError::Served { database: database.to_owned(), holder });
        }
        Err(TryLockError::Error(cause)) => return Err(unusable(cause)),
    }
    let holder = format!("process {} since {}", std::process::id(), now.format("%FT%TZ"));
    file.set_len(0).and_then(|()| writeln!(file, "{holder}")).map_err(unusable)?;
    Ok(file)
}

/// `steward.db.lock` beside the file, wherever links to it may lie.
fn lock_path(database: &Path) -> PathBuf {
    let folder = || match database.parent() {
        Some(parent) if parent != Path::new("") => fs::canonicalize(parent),
        _ => fs::canonicalize("."),
    };
    let name = database.file_name().unwrap_or_default();
    let whole = fs::canonicalize(database).or_else(|_| folder().map(|folder| folder.join(name)));
    let mut path = whole.unwrap_or_else(|_| database.to_owned()).into_os_string();
    path.push(".lock");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_served_by_one_who_is_named_to_others() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("steward.db");
        let now = DateTime::from_timestamp(1_790_000_000, 0).expect("an instant");
        let held = lock(&database, now).expect("nobody has it");
        let refused = lock(&database, now).expect_err("it is held").to_string();
        let process = format!("process {} since 2026-09-21T14:13:20Z", std::process::id());
        assert!(refused.contains(&process), "{refused}");
        drop(held);
        lock(&database, now).expect("it was let go");
    }

    #[cfg(unix)]
    #[test]
    fn two_names_of_one_file_have_one_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("steward.db");
        File::create(&database).expect("a file");
        let link = folder.path().join("link.db");
        std::os::unix::fs::symlink(&database, &link).expect("a link");
        assert_eq!(lock_path(&link), lock_path(&database));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_removed_or_replaced_is_not_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("steward.db");
        File::create(&path).expect("a file");
        let file = DataFile::opened(path.clone(), None).expect("it is there");
        assert_eq!(file.check(), Ok(()));
        let aside = folder.path().join("aside.db");
        fs::rename(&path, &aside).expect("moved");
        assert!(file.check().is_err_and(|reason| reason.contains("was removed")));
        File::create(&path).expect("another file");
        assert!(file.check().is_err_and(|reason| reason.contains("was replaced")));
        fs::rename(&aside, &path).expect("moved back");
        assert_eq!(file.check(), Ok(()));
    }
}
