//! Leases: which of several nodes does a piece of work.
//!
//! A lease is a row that is written in the transaction of the work itself. Of two transactions that
//! both take it, the database lets one commit; the other runs again and finds that it is taken. So
//! the work is done once, however long a node has slept between two statements, and whatever any clock
//! says.
//!
//! How long the others wait for one that is gone is measured by each of them: every renewal changes
//! the `term`, and whoever has seen the same term for [`LEASE_DURATION`] takes the lease. A node
//! that ends in good order gives its leases back ([`release`]).

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use entity::lease;
use futures_util::future::BoxFuture;
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use crate::{
    background::{Concurrency, Work},
    error::{Error, Result},
    liveness::LivenessTracker,
    random::Random,
    store::{Store, Tx, signal::Signal},
};

/// How long a lease is held without being renewed.
pub const LEASE_DURATION: Duration = Duration::from_secs(5);

/// This process, among the nodes: whoever starts anew is another one.
#[derive(Debug, Clone)]
pub struct Node {
    id: Uuid,
    /// Whether there is no other: then what another one holds was left by a process that is gone.
    alone: bool,
    /// The leases that it has taken and not given back, by their names.
    holds: Arc<Mutex<HashSet<String>>>,
    /// The leases of others, with their holders and terms.
    others: LivenessTracker<String, (Uuid, i64)>,
}

impl Node {
    /// A node of a database.
    pub fn new(store: &Store) -> Self {
        Self {
            id: Uuid::from_bytes(Random::system().bytes()),
            alone: store.is_exclusive(),
            holds: Arc::default(),
            others: LivenessTracker::default(),
        }
    }

    /// Whether there is no other.
    pub(crate) fn is_alone(&self) -> bool {
        self.alone
    }

    fn holds(&self) -> MutexGuard<'_, HashSet<String>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps and shows whether it holds a lease, as it was when there was last work to do.
    fn set_held(&self, name: &str, is_held: bool) {
        let mut holds = self.holds();
        if is_held && !holds.contains(name) {
            holds.insert(name.to_owned());
        } else if !is_held {
            holds.remove(name);
        }
        drop(holds);
        show(name, is_held);
    }

    fn may_take(&self, current: &lease::Model, uptime: Duration) -> bool {
        let state = (current.holder, current.term);
        self.alone
            || self.others.unchanged_for(current.work.clone(), state, uptime) >= LEASE_DURATION
    }
}

/// Takes or renews a lease for a node. False if another node holds it.
///
/// # Errors
/// Where another node was faster, the whole closure runs again ([`Error::Retry`]).
pub async fn acquire(tx: &Tx, name: &str, node: &Node) -> Result<bool> {
    let lost_race = || Error::lost_race("another node has just taken the lease");
    let Some(current) = lease::Entity::find_by_id(name).one(tx).await? else {
        let new =
            lease::ActiveModel { work: Set(name.to_owned()), holder: Set(node.id), term: Set(1) };
        let taken = OnConflict::column(lease::Column::Work).do_nothing().to_owned();
        let inserted =
            lease::Entity::insert_many([new]).on_conflict(taken).exec_without_returning(tx).await?;
        return if inserted == 1 { Ok(held(name, node)) } else { Err(lost_race()) };
    };
    if current.holder != node.id && !node.may_take(&current, tx.uptime()) {
        node.set_held(name, false);
        return Ok(false);
    }
    let renewed = lease::Entity::update_many()
        .set(lease::ActiveModel {
            holder: Set(node.id),
            term: Set(current.term + 1),
            ..Default::default()
        })
        .filter(lease::COLUMN.work.eq(name))
        .filter(lease::COLUMN.holder.eq(current.holder))
        .filter(lease::COLUMN.term.eq(current.term))
        .exec(tx)
        .await?;
    if renewed.rows_affected == 1 { Ok(held(name, node)) } else { Err(lost_race()) }
}

fn held(name: &str, node: &Node) -> bool {
    node.set_held(name, true);
    true
}

fn show(name: &str, is_held: bool) {
    metrics::gauge!("steward_lease_held", "lease" => name.to_owned()).set(u8::from(is_held));
}

/// Looks at the leases of other nodes.
#[derive(Debug)]
pub struct Watch {
    store: Store,
    node: Node,
}

impl Watch {
    /// For this node.
    pub fn new(store: &Store, node: &Node) -> Self {
        Self { store: store.clone(), node: node.clone() }
    }
}

impl Work for Watch {
    /// Nothing is done in it, so that it is no reason to look again at once.
    fn turn(&self, _: Concurrency) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async {
            watch(&self.store, &self.node).await?;
            Ok(0)
        })
    }
}

/// Looks at the leases of other nodes, so that how long each has not changed is known once there is
/// work.
///
/// # Errors
/// Where the database does not answer.
pub async fn watch(store: &Store, node: &Node) -> Result<()> {
    if node.alone {
        return Ok(());
    }
    let uptime = store.uptime();
    let leases = lease::Entity::find().all(store.read()).await?;
    for lease in leases.iter().filter(|lease| lease.holder != node.id) {
        node.may_take(lease, uptime);
    }
    let there: HashSet<&String> = leases.iter().map(|lease| &lease.work).collect();
    node.others.retain(|work| there.contains(work));
    Ok(())
}

/// Gives back all leases that a node holds, and wakes the others: whoever comes next need not wait.
///
/// # Errors
/// Where the database does not answer; then the others wait for [`LEASE_DURATION`].
pub async fn release(store: &Store, node: &Node) -> Result<()> {
    let held = std::mem::take(&mut *node.holds());
    if held.is_empty() {
        return Ok(());
    }
    held.iter().for_each(|name| show(name, false));
    let id = node.id;
    let released = store.write(async move |tx| {
        tx.signal(Signal::Recorded);
        tx.signal(Signal::Sequenced);
        lease::Entity::delete_many().filter(lease::COLUMN.holder.eq(id)).exec(tx).await?;
        Ok(())
    });
    released.await
}
