//! Room for recursion: schemas and bodies are gone through by functions that call themselves, and a stack that
//! overflows ends the process.

use std::thread;

use crate::error::{Error, Result};

/// How many frames fit the stack of any thread that is there already.
const FRAMES_AT_HAND: usize = 512;
/// What one of them takes, at most.
const FRAME_BYTES: usize = 4 << 10;
/// The stack of a thread, besides.
const BASE_BYTES: usize = 2 << 20;

/// Runs `work` where this many subschemas can be entered within each other.
///
/// # Errors
/// [`Error::Unavailable`] where there is no room for a stack of that size.
pub(super) fn deep<T: Send>(frames: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    if frames <= FRAMES_AT_HAND {
        return Ok(work());
    }
    let stack = BASE_BYTES + frames * FRAME_BYTES;
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(stack).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| Error::Unavailable(format!("no stack: {error}")))?;
        thread.join().map_err(|_| Error::Internal("a check has panicked".to_owned()))
    })
}
