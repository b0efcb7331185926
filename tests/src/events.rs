//! A stream of server-sent events, as a client reads it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::Client;

/// How long something may take before a test gives up.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A stream that is open.
#[derive(Debug)]
pub struct Events {
    response: reqwest::Response,
    bytes: Vec<u8>,
    /// The id that was said last: what `Last-Event-ID` would be.
    pub last_id: String,
}

/// What stands between two blank lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The id.
    pub id: Option<String>,
    /// The kind of the event; none for what is only a comment.
    pub event: Option<String>,
    /// The event.
    pub data: Value,
    /// A comment.
    pub comment: Option<String>,
}

impl Block {
    fn read(text: &str) -> Self {
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.map(str::to_owned)
        };
        let data = field("data").map(|data| serde_json::from_str(&data).unwrap());
        Self {
            id: field("id"),
            event: field("event"),
            data: data.unwrap_or_default(),
            comment: field(""),
        }
    }
}

impl Events {
    /// Opens a stream: `…/events/stream?after=3`.
    ///
    /// # Panics
    /// If it does not open.
    pub async fn open(client: &Client, path: &str, last_id: Option<&str>) -> Self {
        Self::try_open(client, path, last_id).await.expect("a stream opens")
    }

    /// Opens a stream, if that is possible just now.
    ///
    /// # Panics
    /// If it is no stream.
    pub async fn try_open(client: &Client, path: &str, last_id: Option<&str>) -> Option<Self> {
        let response = client.try_stream(path, last_id).await.ok()?;
        if response.status().as_u16() != 200 {
            return None;
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut events = Self { response, bytes: Vec::new(), last_id: String::new() };
        let first = events.block().await?;
        assert_eq!(first.comment.as_deref(), Some("open"));
        Some(events)
    }

    /// The next block; none if the stream has ended.
    ///
    /// # Panics
    /// If nothing comes for too long.
    pub async fn block(&mut self) -> Option<Block> {
        loop {
            if let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
                let block = Block::read(std::str::from_utf8(&block).unwrap());
                if let Some(id) = &block.id {
                    self.last_id.clone_from(id);
                }
                return Some(block);
            }
            let chunk = timeout(TIMEOUT, self.response.chunk()).await.expect("something comes");
            // A connection that breaks has ended too.
            let chunk = chunk.ok()??;
            self.bytes.extend_from_slice(&chunk);
        }
    }

    /// The next event; none if the stream has ended.
    pub async fn next(&mut self) -> Option<Block> {
        loop {
            let block = self.block().await?;
            if block.event.is_some() {
                return Some(block);
            }
        }
    }
}
