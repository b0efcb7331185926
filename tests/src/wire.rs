//! HTTP by hand, for clients that behave badly.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long an answer may take before a test gives up.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A connection to steward.
#[derive(Debug)]
pub struct Wire(TcpStream);

impl Wire {
    /// Connects to `http://HOST:PORT`.
    ///
    /// # Panics
    /// If nobody listens there.
    pub async fn open(base: &str) -> Self {
        let address = base.strip_prefix("http://").expect("a base is http://HOST:PORT");
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends bytes. A server that has hung up is no fault.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// What the server sends until it closes the connection.
    ///
    /// # Panics
    /// If it keeps the connection open for too long.
    pub async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        // A connection that is reset has ended too.
        let _ = timeout(TIMEOUT, self.0.read_to_end(&mut bytes)).await.unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads until the server has sent `text`, and says whether it did before it hung up.
    ///
    /// # Panics
    /// If it keeps silent for too long.
    pub async fn read_until(&mut self, text: &str) -> bool {
        self.text_until(text).await.is_some()
    }

    /// What the server has sent once that has `text` in it; nothing if it hung up before.
    ///
    /// # Panics
    /// If it keeps silent for too long.
    pub async fn text_until(&mut self, text: &str) -> Option<String> {
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains(text) {
            match timeout(TIMEOUT, self.0.read_buf(&mut bytes)).await.unwrap() {
                Ok(count) if count > 0 => {}
                _ => return None,
            }
        }
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Goes away so that the server hears of it at once, in the middle of whatever it does.
    ///
    /// # Panics
    /// If the connection cannot be reset.
    pub fn reset(self) {
        self.0.set_zero_linger().unwrap();
    }
}
