//! A server that answers as it is told.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What comes back.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reply {
    /// A status and a body.
    Answer(u16, &'static str),
    /// The beginning of an answer, and nothing more.
    Half(&'static str),
    /// Nothing, and the connection stays open.
    Silence,
    /// Nothing, and the connection is closed.
    Cut,
}

type Behaviour = dyn Fn(&str, &str) -> Reply + Send + Sync;

/// It ends when this goes.
pub(super) struct Fake {
    port: u16,
    _connections: JoinSet<()>,
}

impl Fake {
    /// One that answers to the head of a request, and to the path in it.
    pub(super) async fn start(
        behaviour: impl Fn(&str, &str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let behaviour: Arc<Behaviour> = Arc::new(behaviour);
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                open.spawn(serve(connection, behaviour.clone()));
            }
        });
        Self { port, _connections: connections }
    }

    pub(super) fn url(&self) -> String {
        format!("couchdb://127.0.0.1:{}/steward", self.port)
    }
}

async fn serve(mut connection: TcpStream, behaviour: Arc<Behaviour>) {
    let Some(head) = head(&mut connection).await else { return };
    let path = head.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    match behaviour(&head, path) {
        Reply::Answer(status, body) => {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\nlocation: /s3cr3t\r\n");
            let answer = format!("{head}content-length: {length}\r\n\r\n{body}");
            let _ = connection.write_all(answer.as_bytes()).await;
        }
        Reply::Half(body) => {
            let answer = format!("HTTP/1.1 200 -\r\ncontent-length: 1000\r\n\r\n{body}");
            let _ = connection.write_all(answer.as_bytes()).await;
            std::future::pending().await
        }
        Reply::Silence => std::future::pending().await,
        Reply::Cut => {}
    }
}

/// The head of a request, once its body is there as well.
async fn head(connection: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(head.to_owned());
            }
        }
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
