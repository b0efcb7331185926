//! A way to PostgreSQL that can be cut, and on which a COMMIT or its answer can get lost.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
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
    target: SocketAddr,
    next: Arc<AtomicU8>,
    way: JoinHandle<()>,
}

impl Proxy {
    /// A way to the server of a URL, and the URL that goes this way.
    ///
    /// # Panics
    /// If there can be none.
    pub async fn to(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').expect("a URL with a path");
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let with_port = if host.contains(':') { host.to_owned() } else { format!("{host}:5432") };
        let target = lookup_host(&with_port).await.unwrap().next().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let next = Arc::default();
        let way = tokio::spawn(pass(listener, target, Arc::clone(&next)));
        (Self { address, target, next, way }, format!("{scheme}://{user}@{address}/{path}"))
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
        self.way = tokio::spawn(pass(listener, self.target, self.next.clone()));
    }

    /// Says what becomes of the next COMMIT.
    pub fn next_commit(&self, next: NextCommit) {
        self.next.store(next as u8, Ordering::SeqCst);
    }

    /// Whether what was said of the next COMMIT has taken place.
    pub fn took_place(&self) -> bool {
        self.next.load(Ordering::SeqCst) == NextCommit::Passes as u8
    }
}

/// The connections go when this task goes.
async fn pass(listener: TcpListener, target: SocketAddr, next: Arc<AtomicU8>) {
    let mut open = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let next = next.clone();
        open.spawn(async move {
            if let Ok(server) = TcpStream::connect(target).await {
                carry(client, server, &next).await;
            }
        });
        while open.try_join_next().is_some() {}
    }
}

/// A simple query, as the protocol writes it: `Q`, its length, and the text with a zero.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

async fn carry(client: TcpStream, server: TcpStream, next: &AtomicU8) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let forth = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            let sent = &buffer[..read];
            let lost = match sent.windows(COMMIT.len()).any(|part| part == COMMIT) {
                true => next.swap(NextCommit::Passes as u8, Ordering::SeqCst),
                false => NextCommit::Passes as u8,
            };
            let passes = lost != NextCommit::IsLost as u8;
            if !passes || to_server.write_all(sent).await.is_err() || lost != 0 {
                break;
            }
        }
        // The server reads to the end what it was sent.
        let _ = to_server.shutdown().await;
    };
    let back = async {
        let _ = copy(&mut from_server, &mut to_client).await;
    };
    tokio::select! {
        () = forth => {}
        () = back => {}
    }
}
