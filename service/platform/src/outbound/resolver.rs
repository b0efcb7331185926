use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Allow, OutboundError};

/// How a name becomes addresses.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// As the machine does it.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// Gives connections the addresses that they may go to, and no others.
pub(super) struct Resolver {
    pub(super) allow: Arc<Allow>,
    pub(super) lookup: Lookup,
}

/// Why a name is not connected to, on its way through reqwest's error.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) OutboundError);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = self.allow.clone();
        let found = (self.lookup)(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await.map_err(|_| Refused(OutboundError::Name))?;
            let addresses = checked(&allow, name.as_str(), found).map_err(Refused)?;
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// The addresses of a name that may be connected to.
fn checked(allow: &Allow, name: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, OutboundError> {
    if allow.has_name(name) && !found.is_empty() {
        return Ok(found);
    }
    let mut refused = OutboundError::Name;
    let mut kept = Vec::new();
    for address in found {
        match allow.check(address) {
            Ok(()) => kept.push(address),
            Err(class) => refused = OutboundError::Refused(class),
        }
    }
    if kept.is_empty() { Err(refused) } else { Ok(kept) }
}
