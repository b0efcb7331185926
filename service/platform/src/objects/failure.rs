//! What goes wrong with objects, as a client may know it; and what a killed upload leaves in a folder.

use std::{error::Error as StdError, fs, io, path::Path, time::SystemTime};

use chrono::{DateTime, Utc};

use crate::error::Error;

/// What the error of an object store is: its text is for the log alone.
pub(super) fn failed(error: object_store::Error) -> Error {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return Error::NotFound("object");
    }
    of_chain(&error)
}

/// As [`failed`], of an error that has gone through [`io::Error`].
pub(super) fn of_chain(error: &(dyn StdError + 'static)) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
            tracing::error!(%error, "there is no space left for objects");
            return Error::StorageFull {
                code: "storage_full",
                detail: "there is no space left to store files".into(),
            };
        }
        cause = error.source();
    }
    Error::Unavailable(format!("the store of objects: {error}"))
}

/// The files in the folder of uploads that are of no object, last written before an instant: how many, after they are
/// removed if they are to be.
pub(super) fn abandoned(folder: &Path, before: DateTime<Utc>, remove: bool) -> io::Result<u64> {
    let mut count = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
                continue;
            }
            // As object_store names what it has not finished: `{name}#{number}`.
            let is_unfinished = entry.file_name().to_string_lossy().contains('#');
            let is_old = entry.metadata()?.modified()? < SystemTime::from(before);
            if is_unfinished && is_old {
                count += 1;
                if remove {
                    fs::remove_file(entry.path())?;
                }
            }
        }
    }
    Ok(count)
}
