//! The connections of this process: how many one network has open, how many requests are under way,
//! and whether the process is about to stop.

use std::{
    any::Any,
    collections::HashMap,
    net::Shutdown,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{dev::Extensions, rt::net::TcpStream};
use service::identity::throttle::Network;
use socket2::SockRef;

use crate::config::TrustedProxies;

/// The connections of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connections {
    shared: Arc<Mutex<Counts>>,
    limit: usize,
    trusted: TrustedProxies,
}

#[derive(Debug)]
struct Counts {
    of_networks: HashMap<Network, usize>,
    open: usize,
    under_way: usize,
    last_activity: Instant,
    stopping: bool,
}

/// A connection, until it is closed.
#[derive(Debug)]
pub(crate) struct Connection {
    connections: Connections,
    network: Option<Network>,
    refused: bool,
}

/// A request, until it is answered.
pub(crate) struct UnderWay(Connections);

impl Connections {
    /// Those of which one network may have so many. One's own proxies may have any number.
    pub fn new(limit: usize, trusted: TrustedProxies) -> Self {
        let counts = Counts {
            of_networks: HashMap::new(),
            open: 0,
            under_way: 0,
            last_activity: Instant::now(),
            stopping: false,
        };
        Self { shared: Arc::new(Mutex::new(counts)), limit, trusted }
    }

    /// What a server does with a new connection: it is counted as long as it is open. One too many is read
    /// from no more, so that it costs nothing but what it has sent already.
    pub(crate) fn on_connect(&self, io: &dyn Any, data: &mut Extensions) {
        let Some(stream) = io.downcast_ref::<TcpStream>() else { return };
        let connection = self.enter(stream);
        if connection.refused {
            // A connection that has gone is refused, too.
            let _ = SockRef::from(stream).shutdown(Shutdown::Read);
        }
        data.insert(connection);
    }

    fn enter(&self, stream: &TcpStream) -> Connection {
        let peer = stream.peer_addr().ok().map(|peer| peer.ip());
        let network = peer.filter(|peer| !self.trusted.contains(*peer)).map(Network::from);
        let mut counts = self.lock();
        counts.open += 1;
        counts.last_activity = Instant::now();
        let refused = network.is_some_and(|network| {
            let of_network = counts.of_networks.entry(network).or_default();
            *of_network += 1;
            *of_network > self.limit
        });
        Connection { connections: self.clone(), network, refused }
    }

    pub(crate) fn begin_request(&self) -> UnderWay {
        let mut counts = self.lock();
        counts.under_way += 1;
        counts.last_activity = Instant::now();
        UnderWay(self.clone())
    }

    /// Says that the process is about to stop: from now on, each answer is its connection's last.
    pub(crate) fn stop(&self) {
        self.lock().stopping = true;
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// Whether nobody is connected, or nobody has had anything to say for so long.
    pub(crate) fn is_idle(&self, quiet: Duration) -> bool {
        let counts = self.lock();
        counts.open == 0 || (counts.under_way == 0 && counts.last_activity.elapsed() >= quiet)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Whether its network has too many.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut counts = self.connections.lock();
        counts.open -= 1;
        if let Some(network) = self.network
            && let Some(count) = counts.of_networks.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                counts.of_networks.remove(&network);
            }
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut counts = self.0.lock();
        counts.under_way -= 1;
        counts.last_activity = Instant::now();
    }
}
