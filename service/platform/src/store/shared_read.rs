use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// One reading for all who ask while another is under way: how many ask costs the database nothing.
#[derive(Debug)]
pub(super) struct SharedRead<T> {
    /// How many have asked so far.
    asked: AtomicU64,
    latest: Mutex<Option<Latest<T>>>,
}

#[derive(Debug)]
struct Latest<T> {
    value: T,
    /// How many had asked when it began.
    covers: u64,
}

impl<T> Default for SharedRead<T> {
    fn default() -> Self {
        Self { asked: AtomicU64::default(), latest: Mutex::default() }
    }
}

impl<T: Clone> SharedRead<T> {
    /// What `read` gives, or what it gave to another: in any case it began after this was asked for.
    ///
    /// Who goes away while they read leaves it to the next.
    pub(super) async fn get(&self, read: impl Future<Output = T>) -> T {
        let own = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut latest = self.latest.lock().await;
        if let Some(latest) = latest.as_ref().filter(|latest| latest.covers >= own) {
            return latest.value.clone();
        }
        let covers = self.asked.load(Ordering::SeqCst);
        let value = read.await;
        *latest = Some(Latest { value: value.clone(), covers });
        value
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{FutureExt, future::join_all};
    use tokio::time::{sleep, timeout};

    use super::*;

    /// A source that counts how often it is read.
    #[derive(Debug, Default)]
    struct Source(AtomicU64);

    impl Source {
        async fn read(&self) -> u64 {
            let reading = self.0.fetch_add(1, Ordering::SeqCst) + 1;
            sleep(Duration::from_millis(5)).await;
            reading
        }
    }

    #[tokio::test]
    async fn those_who_ask_while_one_reads_share_the_next_reading() {
        let (shared, source) = (SharedRead::default(), Source::default());
        let first = async { shared.get(source.read()).await };
        let others = (0..50).map(|_| async { shared.get(source.read()).await });
        let (first, others) = tokio::join!(first, join_all(others));
        assert_eq!(first, 1);
        assert!(others.iter().all(|reading| *reading == 2), "{others:?}");
        assert_eq!(shared.get(source.read()).await, 3, "an old reading is handed to nobody");
    }

    #[tokio::test]
    async fn who_goes_away_while_they_read_leaves_it_to_the_next() {
        let (shared, source) = (SharedRead::default(), Source::default());
        let mut gone = Box::pin(shared.get(std::future::pending::<u64>()));
        assert_eq!(gone.as_mut().now_or_never(), None);
        let mut waiting = Box::pin(shared.get(source.read()));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        drop(gone);
        let read = timeout(Duration::from_secs(10), waiting).await.expect("it is read");
        assert_eq!(read, 1);
    }
}
