//! A way to PostgreSQL that can be cut, that can lead elsewhere, and on which a COMMIT or its answer can get lost, or
//! everything.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, lookup_host},
    task::{JoinHandle, JoinSet},
};

/// What becomes of the next COMMIT. The connection is closed after each but the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextCommit {
    /// It passes, and so does its answer.
    Passes = 0,
    /// It passes, and its answer does not.
    LosesItsAnswer = 1,
    /// It does not pass.
    IsLost = 2,
}

/// Passes connections on, until it is cut.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<State>,
    way: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    target: Mutex<SocketAddr>,
    next: AtomicU8,
    /// How many connections were opened.
    opened: AtomicU64,
    /// How many of them, from the first on, pass nothing on any more.
    frozen: AtomicU64,
}

impl Proxy {
    /// A way to the server of a URL, and the URL that goes this way.
    ///
    /// # Panics
    /// If there can be none.
    pub async fn to(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').expect("a URL with a path");
        let (user, _) = authority.rsplit_once('@').unwrap_or(("", authority));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            target: Mutex::new(server_of(url).await),
            next: AtomicU8::default(),
            opened: AtomicU64::default(),
            frozen: AtomicU64::default(),
        };
        let state = Arc::new(state);
        let way = tokio::spawn(pass(listener, state.clone()));
        (Self { address, state, way }, format!("{scheme}://{user}@{address}/{path}"))
    }

    /// Leads new connections to the server of another URL, as an address that has moved.
    ///
    /// # Panics
    /// If it has no address.
    pub async fn lead_to(&self, url: &str) {
        let target = server_of(url).await;
        *self.state.target.lock().unwrap() = target;
    }

    /// Passes nothing on any more on the connections that are open, and leaves them open: the server has lost its
    /// power, and nobody says so.
    pub fn freeze(&self) {
        self.state.frozen.store(self.state.opened.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Drops every connection and refuses new ones.
    pub async fn cut(&mut self) {
        self.way.abort();
        let _ = (&mut self.way).await;
    }

    /// Passes connections on again.
    ///
    /// # Panics
    /// If the port was taken meanwhile.
    pub async fn mend(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.way = tokio::spawn(pass(listener, self.state.clone()));
    }

    /// Says what becomes of the next COMMIT.
    pub fn next_commit(&self, next: NextCommit) {
        self.state.next.store(next as u8, Ordering::SeqCst);
    }

    /// Whether what was said of the next COMMIT has taken place.
    pub fn took_place(&self) -> bool {
        self.state.next.load(Ordering::SeqCst) == NextCommit::Passes as u8
    }
}

/// The address of the server of a URL.
async fn server_of(url: &str) -> SocketAddr {
    let (_, rest) = url.split_once("://").expect("a URL");
    let (authority, _) = rest.split_once('/').expect("a URL with a path");
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
    lookup_host(&with_port).await.unwrap().next().expect("an address")
}

/// The connections go when this task goes.
async fn pass(listener: TcpListener, state: Arc<State>) {
    let mut open = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let number = state.opened.fetch_add(1, Ordering::SeqCst);
        let state = state.clone();
        let target = *state.target.lock().unwrap();
        open.spawn(async move {
            if let Ok(server) = TcpStream::connect(target).await {
                carry(client, server, (number, &state)).await;
            }
        });
        while open.try_join_next().is_some() {}
    }
}

impl State {
    /// Never ends for a connection that passes nothing on.
    async fn unless_frozen(&self, number: u64) {
        if number < self.frozen.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

/// A simple query, as the protocol writes it: `Q`, its length, and the text with a zero.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

async fn carry(client: TcpStream, server: TcpStream, (number, state): (u64, &State)) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let forth = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            state.unless_frozen(number).await;
            let sent = &buffer[..read];
            let lost = match sent.windows(COMMIT.len()).any(|part| part == COMMIT) {
                true => state.next.swap(NextCommit::Passes as u8, Ordering::SeqCst),
                false => NextCommit::Passes as u8,
            };
            let passes = lost != NextCommit::IsLost as u8;
            if !passes || to_server.write_all(sent).await.is_err() || lost != 0 {
                break;
            }
        }
        state.unless_frozen(number).await;
        // The server reads to the end what it was sent.
        let _ = to_server.shutdown().await;
    };
    let back = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            state.unless_frozen(number).await;
            if to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        state.unless_frozen(number).await;
    };
    tokio::select! {
        () = forth => {}
        () = back => {}
    }
}
