//! Where a test can make the process end: at a place that the program has passed, and not at a time.
//! Only in builds for debugging; a release has nothing of this.

use std::fmt;

/// A place, with a name. A build for debugging ends here, as by a kill, if `STEWARD_CRASH_AT` is the name.
#[cfg(debug_assertions)]
pub(crate) fn point(name: fmt::Arguments<'_>) {
    use std::sync::LazyLock;
    static WANTED: LazyLock<Option<String>> =
        LazyLock::new(|| std::env::var("STEWARD_CRASH_AT").ok());
    if WANTED.as_ref().is_some_and(|wanted| *wanted == name.to_string()) {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn point(_: fmt::Arguments<'_>) {}
