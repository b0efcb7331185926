//! Where a test can make the process end, at a place that the program has passed and not at a time; and by how
//! much it can put its clock wrong. Only in builds for debugging; a release has nothing of this.

use std::fmt;

use chrono::TimeDelta;

/// By how much the clock of a build for debugging is ahead of the machine's: as many seconds as
/// `STEWARD_CLOCK_AHEAD` says, which may be less than none.
#[cfg(debug_assertions)]
pub(crate) fn clock_ahead() -> TimeDelta {
    let seconds = std::env::var("STEWARD_CLOCK_AHEAD").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    seconds.and_then(TimeDelta::try_seconds).unwrap_or_default()
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn clock_ahead() -> TimeDelta {
    TimeDelta::zero()
}

/// A place, with a name. A build for debugging ends here, as by a kill, if `STEWARD_CRASH_AT` is the name.
#[cfg(debug_assertions)]
pub fn point(name: fmt::Arguments<'_>) {
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
pub fn point(_: fmt::Arguments<'_>) {}
