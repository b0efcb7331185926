//! Tasks whose futures need not be [`Send`].
//!
//! A bound of [`Send`] on what an async closure returns cannot be written in stable Rust (it takes return-type
//! notation), so the closures of transactions run where it is not needed: on one thread from their start to their end.

use std::{sync::LazyLock, thread};

use send_wrapper::SendWrapper;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio_util::task::LocalPoolHandle;

/// For runtimes of several threads.
static THREADS: LazyLock<LocalPoolHandle> =
    LazyLock::new(|| LocalPoolHandle::new(thread::available_parallelism().map_or(1, usize::from)));

/// Spawns a task that stays on one thread: on this one where the runtime has no other, as those of the server,
/// so that nobody waits for a thread to wake up.
pub(super) fn spawn<F>(task: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = ()> + 'static,
{
    if Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread {
        tokio::spawn(SendWrapper::new(task()));
    } else {
        THREADS.spawn_pinned(task);
    }
}
