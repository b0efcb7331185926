//! A way to PostgreSQL that can be cut.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, lookup_host},
    task::{JoinHandle, JoinSet},
};

/// Passes connections on, until it is cut.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    target: SocketAddr,
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
        let way = tokio::spawn(pass(listener, target));
        (Self { address, target, way }, format!("{scheme}://{user}@{address}/{path}"))
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
        self.way = tokio::spawn(pass(listener, self.target));
    }
}

/// The connections go when this task goes.
async fn pass(listener: TcpListener, target: SocketAddr) {
    let mut open = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        open.spawn(async move {
            if let Ok(mut server) = TcpStream::connect(target).await {
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        });
        while open.try_join_next().is_some() {}
    }
}
