use tokio::{sync::mpsc, task::JoinHandle};

use crate::error::{Error, Result};

/// How many parts of a file are read ahead of the one who asks for them.
const CHUNKS_AHEAD: usize = 2;

/// A file, read part by part on a thread of its own: reading takes its time, and other requests are
/// answered on this one.
pub struct Chunks<T> {
    parts: mpsc::Receiver<Result<T>>,
    reading: JoinHandle<()>,
}

impl<T: Send + 'static> Chunks<T> {
    /// Of a function that gives each part away until nobody takes it.
    pub fn read(
        read: impl FnOnce(&mut dyn FnMut(T) -> bool) -> Result<()> + Send + 'static,
    ) -> Self {
        let (sender, parts) = mpsc::channel(CHUNKS_AHEAD);
        let reading = tokio::task::spawn_blocking(move || {
            let mut give = |part| sender.blocking_send(Ok(part)).is_ok();
            if let Err(error) = read(&mut give) {
                // Whoever has asked may have gone.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Self { parts, reading }
    }

    /// The next part; none after the last.
    pub async fn next(&mut self) -> Result<Option<T>> {
        if let Some(part) = self.parts.recv().await {
            return part.map(Some);
        }
        let read = (&mut self.reading).await;
        read.map_err(|error| Error::Internal(format!("a file was read halfway: {error}")))?;
        Ok(None)
    }
}
