//! What a store is told by other nodes, and tells them.

use tokio::sync::watch;

use super::{Revocations, Store, Writer, postgres, signal::Signal};
use crate::error::Result;

impl Store {
    /// The way to wait for a signal, of this node or of another ([`Self::relay_notifications`]).
    pub fn watch(&self, signal: Signal) -> watch::Receiver<u64> {
        self.context.signals.watch(signal)
    }

    /// Tells other nodes of this one's signals, and this one of theirs, for ever. Nothing to do on
    /// SQLite, which has one node.
    pub async fn relay_notifications(&self) {
        match &self.writer {
            Writer::Sqlite(_) => std::future::pending().await,
            Writer::Postgres(pools) => {
                postgres::relay_notifications(pools, &self.context.signals).await
            }
        }
    }

    /// Wakes all that other nodes do, as the last notification of this one.
    pub(crate) async fn notify_shutdown(&self) -> Result<()> {
        match &self.writer {
            Writer::Sqlite(_) => Ok(()),
            Writer::Postgres(pools) => postgres::notify_shutdown(&pools.shared).await,
        }
    }

    /// Tells other nodes now what this process has to tell: for one that ends at once, as a command does.
    /// Nothing to do on SQLite: a server on the same file cannot be told, and notices when what it
    /// remembers runs out.
    pub async fn notify(&self) -> Result<()> {
        if let Writer::Postgres(pools) = &self.writer {
            postgres::notify(&pools.shared, &self.context.signals).await?;
        }
        Ok(())
    }

    /// How often access was revoked, by a moment after this was asked for: by whichever node, and all that was
    /// answered before. None where nobody can say: then nothing holds that is remembered of access.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::error::Error::Unavailable) where the database does not answer.
    pub async fn revocations(&self) -> Result<Option<Revocations>> {
        let told = self.context.signals.count(Signal::Revoked);
        let counted = match &self.writer {
            Writer::Sqlite(_) => Some(0),
            Writer::Postgres(pools) => self.context.revocations.read(&pools.shared).await?,
        };
        Ok(counted.map(|counted| Revocations { told, counted }))
    }
}
