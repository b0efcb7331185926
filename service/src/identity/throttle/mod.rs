//! Guessing: who has failed gets slower, and nobody else does.
//!
//! What fails is counted by the network that it comes from, and by that network and the name that it
//! was about: a password of the same user that comes from elsewhere is not held up. The counts are of this
//! process; another node has its own. Time is that of a clock that only goes forward: nobody who
//! sets a clock lets anybody guess on, or locks anybody out.

mod rules;

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use rules::{Count, Policy};

/// How many counts of each kind are kept at most: those least asked for go first.
const MAX_COUNTS: u64 = 50_000;
/// How long a count is kept that nobody asks for.
const COUNT_TTL: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a network is remembered that a name has succeeded from.
const KNOWN_TTL: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Of one name from one network. Who mistypes a password has five tries before the first wait, of a
/// second.
const NAME: Policy = Policy {
    free: 5,
    max_wait: Duration::from_secs(15 * 60),
    forgive_interval: Duration::from_secs(15 * 60),
};
/// Of all names from one network: many people may share one.
const NETWORK: Policy = Policy {
    free: 30,
    max_wait: Duration::from_secs(5 * 60),
    forgive_interval: Duration::from_secs(60),
};

/// The network that a client comes from: its IPv4 address, or the /64 of its IPv6 address, of which
/// one client has all addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                const PREFIX: u128 = !(u64::MAX as u128);
                Ipv6Addr::from_bits(address.to_bits() & PREFIX).into()
            }
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// Where a request comes from, for those who hand out turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A network from which nobody is known by this name, and which has failed of late.
    Suspect(Network),
    /// A network from which nobody is known by this name.
    Stranger(Network),
    /// Someone who is logged in, or has logged in from there before; or the operator.
    Known,
}

/// A name as it is counted: a hash, so that none is kept.
type Name = [u8; 32];

/// A count that several attempts share.
type Shared = Arc<Mutex<Count>>;

/// The counts of this process.
#[derive(Debug, Clone)]
pub struct Throttle {
    names: Cache<(Network, Name), Shared>,
    networks: Cache<Network, Shared>,
    known: Cache<(Network, Name), ()>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            names: Cache::builder().max_capacity(MAX_COUNTS).time_to_idle(COUNT_TTL).build(),
            networks: Cache::builder().max_capacity(MAX_COUNTS).time_to_idle(COUNT_TTL).build(),
            known: Cache::builder().max_capacity(MAX_COUNTS).time_to_idle(KNOWN_TTL).build(),
        }
    }
}

impl Throttle {
    /// Begins an attempt to prove something about a name, or to show a token of nobody's. It counts as
    /// failed from now on, unless it says otherwise: many at once are not more than many in a row.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] while the network, or the name from this network, has to wait.
    pub fn begin(&self, network: Network, name: Option<&str>) -> Result<Attempt> {
        self.begin_at(network, name, Instant::now())
    }

    fn begin_at(&self, network: Network, name: Option<&str>, now: Instant) -> Result<Attempt> {
        let pair = name.map(|name| (network, Name::from(Sha256::digest(name))));
        let known = pair.is_some_and(|pair| self.known.contains_key(&pair));
        let of_name = pair.map(|pair| self.names.get_with(pair, Shared::default));
        // Who has proved this name from here before does not wait for their neighbours.
        let of_network = (!known).then(|| self.networks.get_with(network, Shared::default));
        let suspect = {
            let counts = [(&of_name, &NAME), (&of_network, &NETWORK)];
            let mut counts: Vec<(MutexGuard<'_, Count>, &Policy)> = counts
                .into_iter()
                .filter_map(|(count, policy)| Some((held(count.as_ref()?), policy)))
                .collect();
            // Neither is charged if the other one refuses.
            for (count, policy) in &mut counts {
                count.check(policy, now).map_err(Error::TooManyAttempts)?;
            }
            let suspect = counts.iter().any(|(count, _)| count.has_failed());
            for (count, policy) in &mut counts {
                count.charge(policy, now);
            }
            suspect
        };
        let origin = match (known, suspect) {
            (true, _) => Origin::Known,
            (false, true) => Origin::Suspect(network),
            (false, false) => Origin::Stranger(network),
        };
        Ok(Attempt { throttle: self.clone(), pair, of_name, of_network, origin })
    }
}

fn held(count: &Shared) -> MutexGuard<'_, Count> {
    count.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An attempt under way. It has failed if nothing is said about it.
#[derive(Debug)]
#[must_use = "an attempt has failed unless it says how it ended"]
pub struct Attempt {
    throttle: Throttle,
    pair: Option<(Network, Name)>,
    of_name: Option<Shared>,
    of_network: Option<Shared>,
    origin: Origin,
}

impl Attempt {
    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// It was right: the name's earlier failures from there are forgiven.
    pub fn succeeded(self) {
        if let (Some(pair), Some(count)) = (self.pair, &self.of_name) {
            *held(count) = Count::default();
            self.throttle.known.insert(pair, ());
        }
        if let Some(count) = &self.of_network {
            held(count).refund(&NETWORK);
        }
    }

    /// Nobody knows whether it was right: it does not count.
    pub fn undecided(self) {
        for (count, policy) in [(&self.of_name, &NAME), (&self.of_network, &NETWORK)] {
            if let Some(count) = count {
                held(count).refund(policy);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse::<IpAddr>().expect("an address").into()
    }

    /// How many attempts of a thousand at one moment are let through.
    fn passed(throttle: &Throttle, from: &str, name: Option<&str>, now: Instant) -> usize {
        let network = network(from);
        (0..1000).filter(|_| throttle.begin_at(network, name, now).map(drop).is_ok()).count()
    }

    #[test]
    fn an_ipv6_client_is_its_64_and_a_mapped_one_its_ipv4() {
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }

    #[test]
    fn a_name_is_held_up_where_it_failed_and_nowhere_else() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        assert_eq!(passed(&throttle, "192.0.2.1", Some("ada"), now), 5);
        assert_eq!(passed(&throttle, "192.0.2.2", Some("ada"), now), 5);
        let elsewhere = throttle.begin_at(network("192.0.2.3"), Some("ada"), now);
        elsewhere.expect("it has not failed there").succeeded();
        assert_eq!(passed(&throttle, "192.0.2.1", Some("bob"), now), 5, "another name");
    }

    #[test]
    fn a_network_is_held_up_whatever_name_it_tries() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let tried = |from, range: std::ops::Range<usize>| {
            let name = |number: usize| format!("user{number}");
            range.map(|n| passed(&throttle, from, Some(&name(n)), now)).sum::<usize>()
        };
        assert_eq!(tried("192.0.2.1", 0..100), 30);
        assert_eq!(tried("192.0.2.2", 0..6), 30);
        assert_eq!(passed(&throttle, "192.0.2.3", None, now), 30, "tokens of nobody's");
    }

    #[test]
    fn who_is_known_from_there_waits_for_no_neighbour() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let here = network("192.0.2.1");
        throttle.begin_at(here, Some("ada"), now).expect("the first").succeeded();
        assert_eq!(passed(&throttle, "192.0.2.1", None, now), 30);
        let ada = throttle.begin_at(here, Some("ada"), now).expect("she is known");
        assert_eq!(ada.origin(), Origin::Known);
        assert!(throttle.begin_at(here, Some("bob"), now).is_err());
    }

    #[test]
    fn a_network_is_suspect_while_it_has_failed_whatever_name_it_tries() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let origin = |from: &str, name| {
            throttle.begin_at(network(from), Some(name), now).expect("not held up").origin()
        };
        let (here, elsewhere) = (network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(origin("192.0.2.1", "ada"), Origin::Stranger(here));
        assert_eq!(origin("192.0.2.1", "bob"), Origin::Suspect(here));
        assert_eq!(origin("192.0.2.2", "ada"), Origin::Stranger(elsewhere));
        let again = throttle.begin_at(here, Some("cy"), now + NETWORK.forgive_interval * 2);
        assert_eq!(again.expect("not held up").origin(), Origin::Stranger(here));
    }

    #[test]
    fn what_was_right_or_undecided_does_not_count() {
        let (throttle, now) = (Throttle::default(), Instant::now());
        let here = network("192.0.2.1");
        for _ in 0..100 {
            throttle.begin_at(here, Some("ada"), now).expect("never held up").undecided();
            throttle.begin_at(here, Some("bob"), now).expect("never held up").succeeded();
        }
        assert_eq!(passed(&throttle, "192.0.2.1", Some("ada"), now), 5);
    }
}
