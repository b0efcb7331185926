//! A streaming replica of a PostgreSQL, which answers reads that need not be made where writes are.
//!
//! Nobody is shown less there than they have written or were shown before. Who was told a position brings it along;
//! for who brings none, the primary is asked how far it is now. The replica is waited for until it has replayed that,
//! for a while; where it has not by then, is away or fails, the primary answers. So all of this costs time at most.

mod position;
mod reads;
mod sampler;

use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use tokio::sync::OnceCell;

pub use position::{NotAPosition, WalPosition};
use sampler::{OF_PRIMARY, OF_STANDBY, Sample, Sampler};

use super::{
    ConnectError, Options,
    connections::Connections,
    postgres::session::{self, ServerRole},
    telemetry::Telemetry,
};

/// How long a replica that does not serve is left alone before it is looked at again.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// How long one look may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long nobody waits for a replica that somebody has waited for in vain: it serves those who ask for less.
const BEHIND_INTERVAL: Duration = Duration::from_secs(1);
/// How long to wait before the replica is asked again whether it has come as far, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

const ANOTHER_DATABASE: &str = "\
DATABASE_REPLICA_URL leads to another database: it must lead to a streaming replica of that of DATABASE_URL";

/// A replica, there or not. Cheap to clone.
#[derive(Clone)]
pub(super) struct Replica(Arc<Inner>);

struct Inner {
    url: String,
    options: Options,
    telemetry: Telemetry,
    /// Which database this is a replica of.
    identity: String,
    primary: Sampler,
    /// There once it has answered for the first time.
    link: OnceCell<Link>,
    state: Mutex<State>,
}

#[derive(Clone)]
struct Link {
    reads: Connections,
    sampler: Sampler,
}

/// Whether the replica is asked at all: a circuit breaker.
struct State {
    is_up: bool,
    is_probing: bool,
    /// When it is looked at again, if it is not up.
    retry_at: Instant,
    /// Until when nobody waits for it.
    behind_until: Instant,
}

/// Why a replica does not serve.
enum Unfit {
    /// Nothing but another configuration helps.
    Misconfigured(String),
    /// Not now.
    Away(String),
}

/// Why a read is made on the primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// The replica does not serve, or the primary does not say how far it is.
    Away,
    /// The replica is not as far as the reader.
    Behind,
    /// The read has failed there.
    Failed,
}

impl Miss {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Behind => "behind",
            Self::Failed => "failed",
        }
    }
}

/// How a replica is.
#[derive(Debug, Clone, Copy)]
pub struct ReplicaStatus {
    /// Whether it serves reads.
    pub is_up: bool,
    /// How many bytes of the primary's log it has not replayed, where that is known.
    pub lag_bytes: Option<u64>,
}

/// A replica that is as far as a reader.
pub(super) struct Reached {
    replica: Replica,
    link: Link,
    target: WalPosition,
}

impl Replica {
    /// The replica at a URL of the primary at another. It need not be there.
    ///
    /// # Errors
    /// Where it is there, and is another database or lacks what a session must have.
    pub(super) async fn connect(
        url: &str,
        (primary_url, primary): (&str, &Connections),
        options: &Options,
        telemetry: &Telemetry,
    ) -> Result<Self, ConnectError> {
        let asked =
            session::connect("position", primary_url, options, ServerRole::Primary, 1, telemetry)
                .await?;
        let now = Instant::now();
        let replica = Self(Arc::new(Inner {
            url: url.to_owned(),
            options: options.clone(),
            telemetry: telemetry.clone(),
            identity: identity(primary).await?,
            primary: Sampler::new(asked, OF_PRIMARY),
            link: OnceCell::new(),
            state: Mutex::new(State {
                is_up: false,
                is_probing: false,
                retry_at: now,
                behind_until: now,
            }),
        }));
        match replica.look().await {
            Ok(()) => {}
            Err(Unfit::Misconfigured(why)) => return Err(ConnectError::Session(why)),
            Err(Unfit::Away(why)) => {
                tracing::warn!(why, "the replica does not serve: the primary does");
            }
        }
        Ok(replica)
    }

    /// The replica, once it has replayed what the reader was shown or, if that is not known, all that is committed
    /// now.
    pub(super) async fn reach(&self, shown: Option<WalPosition>) -> Result<Reached, Miss> {
        let link = self.link().ok_or(Miss::Away)?;
        let begun = Instant::now();
        let reached = self.wait(link, shown, begun).await;
        if !matches!(reached, Err(Miss::Away)) {
            metrics::histogram!("steward_replica_wait_seconds")
                .record(begun.elapsed().as_secs_f64());
        }
        reached
    }

    async fn wait(
        &self,
        link: Link,
        shown: Option<WalPosition>,
        begun: Instant,
    ) -> Result<Reached, Miss> {
        let mut target = match shown {
            Some(position) => position,
            None => self.primary().await.ok_or(Miss::Away)?,
        };
        let mut is_plausible = shown.is_none();
        let mut pause = PAUSES.0;
        loop {
            let position = self.position_of(&link).await.ok_or(Miss::Away)?;
            if position >= target {
                return Ok(Reached { replica: self.clone(), link, target });
            }
            if !is_plausible {
                // What this primary has not reached, it cannot have shown: nobody waits for that.
                target = target.min(self.primary().await.ok_or(Miss::Away)?);
                is_plausible = true;
                continue;
            }
            let Some(patience) = self.patience() else { return Err(Miss::Behind) };
            if begun.elapsed() + pause > patience {
                self.state().behind_until = Instant::now() + BEHIND_INTERVAL;
                return Err(Miss::Behind);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// How long a read waits. None if it does not, since another has just waited in vain.
    fn patience(&self) -> Option<Duration> {
        let is_behind = self.state().behind_until > Instant::now();
        (!is_behind).then_some(self.0.options.replica_wait)
    }

    /// How far the primary is at some moment from now on. None where it does not say so.
    pub(super) async fn primary(&self) -> Option<WalPosition> {
        match self.0.primary.sample().await {
            Sample::At(position) => Some(position),
            Sample::NoStandby | Sample::Unanswered => None,
        }
    }

    /// How far the replica is. One that does not say so is left alone.
    async fn position_of(&self, link: &Link) -> Option<WalPosition> {
        let why = match link.sampler.sample().await {
            Sample::At(position) => return Some(position),
            Sample::NoStandby => NO_STANDBY,
            Sample::Unanswered => UNANSWERED,
        };
        let mut state = self.state();
        state.retry_at = Instant::now() + RETRY_INTERVAL;
        if mem::replace(&mut state.is_up, false) {
            tracing::warn!(why, "the replica does not serve any more: the primary does");
        }
        None
    }

    /// How it is, for metrics.
    pub(super) async fn status(&self) -> ReplicaStatus {
        let Some(link) = self.link() else {
            return ReplicaStatus { is_up: false, lag_bytes: None };
        };
        let primary = self.primary().await;
        let position = self.position_of(&link).await;
        let lag_bytes = position.zip(primary).map(|(own, primary)| own.bytes_to(primary));
        ReplicaStatus { is_up: position.is_some(), lag_bytes }
    }

    /// The way to the replica, if it serves. One that does not is looked at now and then, which nobody waits for.
    fn link(&self) -> Option<Link> {
        let mut state = self.state();
        if state.is_up {
            return self.0.link.get().cloned();
        }
        if !state.is_probing && Instant::now() >= state.retry_at {
            state.is_probing = true;
            let replica = self.clone();
            tokio::spawn(async move {
                if let Err(Unfit::Away(why) | Unfit::Misconfigured(why)) = replica.look().await {
                    tracing::debug!(why, "the replica does not serve yet");
                }
            });
        }
        None
    }

    /// Finds out whether it serves.
    async fn look(&self) -> Result<(), Unfit> {
        let looked = tokio::time::timeout(PROBE_TIMEOUT, self.probe()).await;
        let looked = looked.unwrap_or_else(|_| Err(Unfit::Away(UNANSWERED.into())));
        let mut state = self.state();
        state.is_probing = false;
        state.retry_at = Instant::now() + RETRY_INTERVAL;
        if looked.is_ok() && !mem::replace(&mut state.is_up, true) {
            tracing::info!("the replica serves reads");
        }
        looked
    }

    async fn probe(&self) -> Result<(), Unfit> {
        let away = |error: DbErr| Unfit::Away(error.to_string());
        let link = self.0.link.get_or_try_init(|| self.open()).await.map_err(away)?;
        match session::check(&link.reads).await {
            Ok(_) => {}
            Err(ConnectError::Session(why)) => {
                return Err(Unfit::Misconfigured(format!("DATABASE_REPLICA_URL: {why}")));
            }
            Err(other) => return Err(Unfit::Away(other.to_string())),
        }
        if identity(&link.reads).await.map_err(away)? != self.0.identity {
            return Err(Unfit::Misconfigured(ANOTHER_DATABASE.into()));
        }
        match link.sampler.sample().await {
            Sample::At(_) => Ok(()),
            Sample::NoStandby => Err(Unfit::Away(NO_STANDBY.into())),
            Sample::Unanswered => Err(Unfit::Away(UNANSWERED.into())),
        }
    }

    async fn open(&self) -> Result<Link, DbErr> {
        let Inner { url, options, telemetry, .. } = &*self.0;
        let connect = async |name, size| {
            session::connect(name, url, options, ServerRole::Replica, size, telemetry).await
        };
        let reads = connect("replica", options.max_connections).await?;
        let sampler = Sampler::new(connect("position", 1).await?, OF_STANDBY);
        Ok(Link { reads, sampler })
    }

    /// Its connections for reads, once there are any.
    pub(super) fn connections(&self) -> Option<&Connections> {
        self.0.link.get().map(|link| &link.reads)
    }

    pub(super) async fn close(&self) -> Result<(), DbErr> {
        if let Some(link) = self.0.link.get() {
            link.sampler.close().await?;
            link.reads.close().await?;
        }
        self.0.primary.close().await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NO_STANDBY: &str = "it is no standby";
const UNANSWERED: &str = "it does not answer";

impl Reached {
    /// Where to read.
    pub(super) fn connections(&self) -> Connections {
        self.link.reads.clone()
    }

    /// The position of what was read there since. Fails where that may have been another server, or one that was
    /// started again.
    pub(super) async fn confirm(&self) -> Result<WalPosition, Miss> {
        let position = self.replica.position_of(&self.link).await;
        position.filter(|position| *position >= self.target).ok_or(Miss::Failed)
    }
}

/// Which database of which cluster: the same for a primary and its replicas.
async fn identity(connections: &Connections) -> Result<String, DbErr> {
    let sql = "SELECT concat(system_identifier, '/', current_database()) FROM pg_control_system()";
    let row = connections.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    let row = row.ok_or_else(|| DbErr::Custom("the server does not say which it is".into()))?;
    row.try_get_by_index(0)
}

impl fmt::Debug for Replica {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica").field("is_up", &self.state().is_up).finish_non_exhaustive()
    }
}
