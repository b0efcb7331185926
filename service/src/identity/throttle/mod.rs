//! Guessing: who has failed gets slower, and nobody else does.
//!
//! What fails is counted by the network that it comes from and the name or the token that it was about, and by the
//! network alone: a password of the same user that comes from elsewhere is not held up, and who has proved a name from
//! a network before does not wait for others there. How it is counted, [`crate::limit`] says: where nodes share a
//! Redis, they count together.

mod known;

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    limit::{Counts, Limit, Limiter, Policy, Quota, Subject},
};
use known::Known;

/// How many networks and pairs are remembered at most: those least asked for go first.
const MAX_COUNTS: u64 = 50_000;

/// How many attempts may fail.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of one name or token from one network.
    pub attempts: Limit,
    /// The same in the long run.
    pub attempts_sustained: Limit,
    /// Of all names and tokens from one network, which many people may share.
    pub network_attempts: Limit,
}

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

impl Network {
    /// As limits count it.
    pub fn subject(self) -> Subject {
        Subject::new(self.bits())
    }

    /// A name from this network: a hash, so that none is kept.
    fn with(self, name: &str) -> Subject {
        let hash = Sha256::new().chain_update(self.bits().to_be_bytes()).chain_update(name);
        let mut first = [0; 16];
        first.copy_from_slice(&hash.finalize()[..16]);
        Subject::new(u128::from_be_bytes(first))
    }

    fn bits(self) -> u128 {
        match self.0 {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits(),
        }
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

/// Who guesses. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Throttle {
    limiter: Limiter,
    of_name: Vec<Limited>,
    of_network: Option<Limited>,
    known: Known,
}

/// A policy that is not off.
#[derive(Debug, Clone)]
struct Limited {
    policy: Policy,
    quota: Quota,
}

impl Limited {
    fn of(name: &'static str, limit: Limit) -> Option<Self> {
        let quota = limit.0?;
        let window = Duration::from_secs(quota.seconds().into());
        let policy = Policy::new(name, Counts::Attempts, MAX_COUNTS, window);
        Some(Self { policy, quota })
    }
}

/// What was counted of an attempt.
#[derive(Debug, Clone)]
struct Charge {
    limited: Limited,
    subject: Subject,
}

impl Throttle {
    /// Counts with a limiter.
    pub fn new(limiter: Limiter, limits: Limits) -> Self {
        let of_name = [
            Limited::of("attempts-sustained", limits.attempts_sustained),
            Limited::of("attempts", limits.attempts),
        ];
        Self {
            known: Known::new(limiter.redis().cloned()),
            limiter,
            of_name: of_name.into_iter().flatten().collect(),
            of_network: Limited::of("network-attempts", limits.network_attempts),
        }
    }

    /// Begins an attempt to prove something about a name, or to show a token. It counts as failed from now on, unless
    /// it says otherwise: many at once are not more than many in a row.
    ///
    /// # Errors
    /// [`Error::TooManyAttempts`] while the network, or the name from this network, has to wait.
    pub async fn begin(&self, network: Network, name: &str) -> Result<Attempt> {
        let pair = network.with(name);
        let known = self.known.contains(pair).await;
        let mut attempt =
            Attempt { throttle: self.clone(), pair, charges: Vec::new(), origin: Origin::Known };
        let mut has_failed = false;
        for Charge { limited, subject } in self.charges(pair, network, known) {
            match self.limiter.take(&limited.policy, subject, limited.quota).await {
                Ok(standing) => has_failed |= !standing.was_whole,
                Err(refused) => {
                    // None is counted if another one refuses.
                    attempt.undecided().await;
                    return Err(Error::TooManyAttempts(refused));
                }
            }
            attempt.charges.push(Charge { limited, subject });
        }
        attempt.origin = match (known, has_failed) {
            (true, _) => Origin::Known,
            (false, true) => Origin::Suspect(network),
            (false, false) => Origin::Stranger(network),
        };
        Ok(attempt)
    }

    /// What is counted of an attempt. What takes longest to come back is first: who has waited for it has waited for
    /// all.
    fn charges(&self, pair: Subject, network: Network, known: bool) -> Vec<Charge> {
        let of_pair = self.of_name.iter().map(|limited| (limited, pair));
        // Who has proved this name from here before does not wait for their neighbours.
        let of_network = self.of_network.iter().filter(|_| !known);
        let of_network = of_network.map(|limited| (limited, network.subject()));
        let charge =
            |(limited, subject): (&Limited, _)| Charge { limited: limited.clone(), subject };
        let mut charges: Vec<_> = of_pair.chain(of_network).map(charge).collect();
        charges.sort_by_key(|charge| {
            let quota = charge.limited.quota;
            std::cmp::Reverse(quota.seconds() / quota.count())
        });
        charges
    }
}

/// An attempt under way. It has failed if nothing is said about it.
#[derive(Debug)]
#[must_use = "an attempt has failed unless it says how it ended"]
pub struct Attempt {
    throttle: Throttle,
    pair: Subject,
    charges: Vec<Charge>,
    origin: Origin,
}

impl Attempt {
    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// It was right: the name's earlier failures from there are forgiven.
    pub async fn succeeded(self) {
        let Self { throttle, pair, charges, .. } = self;
        for Charge { limited, subject } in charges {
            if subject == pair {
                throttle.limiter.forget(&limited.policy, subject).await;
            } else {
                throttle.limiter.give_back(&limited.policy, subject, limited.quota).await;
            }
        }
        throttle.known.insert(pair).await;
    }

    /// Nobody knows whether it was right: it does not count.
    pub async fn undecided(self) {
        for Charge { limited, subject } in self.charges {
            self.throttle.limiter.give_back(&limited.policy, subject, limited.quota).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;
    use crate::clock::Clock;

    /// One that counts by a clock that a test sets, in microseconds.
    fn throttle() -> (Throttle, Arc<AtomicU64>) {
        let passed = Arc::new(AtomicU64::new(0));
        let limiter = Limiter::new(Clock::system().timed_by_hand(passed.clone()), None);
        let limit = |text: &str| text.parse().expect("a limit");
        let limits = Limits {
            attempts: limit("5/20s"),
            attempts_sustained: limit("12/3h"),
            network_attempts: limit("30/30m"),
        };
        (Throttle::new(limiter, limits), passed)
    }

    fn network(text: &str) -> Network {
        text.parse::<IpAddr>().expect("an address").into()
    }

    /// How many attempts of a hundred at one moment are let through.
    async fn passed(throttle: &Throttle, from: &str, name: &str) -> usize {
        let mut passed = 0;
        for _ in 0..100 {
            passed += usize::from(throttle.begin(network(from), name).await.map(drop).is_ok());
        }
        passed
    }

    #[test]
    fn an_ipv6_client_is_its_64_and_a_mapped_one_its_ipv4() {
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_ne!(network("192.0.2.1").with("ada"), network("192.0.2.2").with("ada"));
        assert_ne!(network("192.0.2.1").with("ada"), network("192.0.2.1").with("bob"));
    }

    #[tokio::test]
    async fn a_name_is_held_up_where_it_failed_and_nowhere_else() {
        let (throttle, _) = throttle();
        assert_eq!(passed(&throttle, "192.0.2.1", "ada").await, 5);
        assert_eq!(passed(&throttle, "192.0.2.2", "ada").await, 5);
        let elsewhere = throttle.begin(network("192.0.2.3"), "ada").await;
        elsewhere.expect("it has not failed there").succeeded().await;
        assert_eq!(passed(&throttle, "192.0.2.1", "bob").await, 5, "another name");
    }

    /// Whoever waits as long as they are told to gets one more attempt, and in a day few.
    #[tokio::test]
    async fn the_wait_is_short_at_first_and_long_in_the_end() {
        let (throttle, clock) = throttle();
        let (mut waits, mut passed) = (Vec::new(), 0);
        while clock.load(Ordering::SeqCst) < 24 * 60 * 60 * 1_000_000 {
            match throttle.begin(network("192.0.2.1"), "ada").await {
                Ok(attempt) => drop(attempt),
                Err(Error::TooManyAttempts(refused)) => {
                    waits.push(refused.seconds());
                    clock.fetch_add(refused.seconds() * 1_000_000, Ordering::SeqCst);
                    continue;
                }
                Err(error) => panic!("{error}"),
            }
            passed += 1;
        }
        assert_eq!(waits[..7], [4; 7]);
        assert!(waits[8..].iter().all(|wait| *wait == 900), "{waits:?}");
        assert!((100..=108).contains(&passed), "{passed}");
    }

    #[tokio::test]
    async fn a_network_is_held_up_whatever_name_it_tries() {
        let (throttle, _) = throttle();
        let mut tried = Vec::new();
        for (from, names) in [("192.0.2.1", 100), ("192.0.2.2", 6)] {
            let mut sum = 0;
            for name in 0..names {
                sum += passed(&throttle, from, &format!("user{name}")).await;
            }
            tried.push(sum);
        }
        assert_eq!(tried, [30, 30]);
    }

    #[tokio::test]
    async fn who_is_known_from_there_waits_for_no_neighbour() {
        let (throttle, _) = throttle();
        let here = network("192.0.2.1");
        throttle.begin(here, "ada").await.expect("the first").succeeded().await;
        for name in 0..30 {
            drop(throttle.begin(here, &format!("user{name}")).await.expect("not held up"));
        }
        let ada = throttle.begin(here, "ada").await.expect("she is known");
        assert_eq!(ada.origin(), Origin::Known);
        assert!(throttle.begin(here, "bob").await.is_err());
    }

    #[tokio::test]
    async fn a_network_is_suspect_while_it_has_failed_whatever_name_it_tries() {
        let (throttle, clock) = throttle();
        let origin = async |from: &str, name: &str| {
            throttle.begin(network(from), name).await.expect("not held up").origin()
        };
        let (here, elsewhere) = (network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(origin("192.0.2.1", "ada").await, Origin::Stranger(here));
        assert_eq!(origin("192.0.2.1", "bob").await, Origin::Suspect(here));
        assert_eq!(origin("192.0.2.2", "ada").await, Origin::Stranger(elsewhere));
        clock.store(120_000_000, Ordering::SeqCst);
        assert_eq!(origin("192.0.2.1", "cy").await, Origin::Stranger(here));
    }

    #[tokio::test]
    async fn what_was_right_or_undecided_does_not_count() {
        let (throttle, _) = throttle();
        let here = network("192.0.2.1");
        for _ in 0..100 {
            throttle.begin(here, "ada").await.expect("never held up").undecided().await;
            throttle.begin(here, "bob").await.expect("never held up").succeeded().await;
        }
        assert_eq!(passed(&throttle, "192.0.2.1", "ada").await, 5);
    }

    #[tokio::test]
    async fn what_is_off_counts_nothing() {
        let limiter = Limiter::new(Clock::system(), None);
        let off = Limit(None);
        let limits = Limits { attempts: off, attempts_sustained: off, network_attempts: off };
        let throttle = Throttle::new(limiter, limits);
        assert_eq!(passed(&throttle, "192.0.2.1", "ada").await, 100);
    }
}
