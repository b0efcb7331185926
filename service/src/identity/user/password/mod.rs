//! Passwords: argon2id at a cost that is handed in, off the async threads, a few at a time.

mod cost;
mod profile;
mod queue;

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
};

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc};
use validator::ValidationError;

pub use self::cost::PasswordCost;
use self::queue::Queue;
use crate::{
    error::{Error, Result},
    identity::throttle::Origin,
    random::Random,
    text::{fold, refusal},
};

/// How many characters a password has, once it is prepared.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=256;
/// How many characters are read of what may be a password: in a decomposed form it has more of them.
pub(crate) const MAX_READ_LENGTH: u64 = 1024;

/// The thousand most common passwords of eight characters and more, the most common first.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Refuses what cannot be a password, and one that is among the first to be tried.
pub(super) fn acceptable(password: &str) -> Result<(), ValidationError> {
    let prepared = match profile::prepare(password) {
        None if !password.is_empty() => {
            return Err(refusal("control_character", "must not contain control characters"));
        }
        prepared => prepared.unwrap_or_default(),
    };
    if !LENGTH.contains(&prepared.chars().count()) {
        let (least, most) = (LENGTH.start(), LENGTH.end());
        return Err(refusal("length", format!("must have a length of {least} to {most}")));
    }
    if COMMON.contains(fold(&prepared).as_str()) {
        return Err(refusal("common_password", "must not be one of the most common passwords"));
    }
    Ok(())
}

/// Hashes and checks passwords, as many at once as there are processors: each takes the memory of the cost.
#[derive(Debug, Clone)]
pub struct Passwords {
    queue: Queue,
    cost: PasswordCost,
    /// The hash of no password, at the same cost: what a login by an unknown address is checked against,
    /// so that it takes as long as any other.
    nobody: Arc<str>,
}

/// Whether a password is the one of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is another one.
    No,
    /// It is the one.
    Yes,
    /// It is the one, but the hash was made of the bytes as they were sent, or at a lower cost: make it anew.
    Outdated,
}

impl Passwords {
    /// A bound of one hash for each processor.
    ///
    /// # Errors
    /// If argon2 cannot work here at all, or not at this cost.
    pub fn new(random: &Random, cost: PasswordCost) -> Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let nobody = hash_now(&random.bytes::<32>(), &random.bytes(), cost)?;
        Ok(Self { queue: Queue::new(processors), cost, nobody: nobody.into() })
    }

    /// The hash to keep, as a PHC string.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where too many wait.
    pub(crate) async fn hash(
        &self,
        password: String,
        random: &Random,
        origin: Origin,
    ) -> Result<String> {
        let (salt, cost) = (random.bytes(), self.cost);
        // What is new was prepared once already, when it was validated.
        let prepared = profile::prepare(&password).unwrap_or(password);
        self.queue.run(origin, move || hash_now(prepared.as_bytes(), &salt, cost)).await?
    }

    /// Whether the password is the one of the hash. Takes as long without a hash as with one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where too many wait.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
        origin: Origin,
    ) -> Result<Fit> {
        let (known, cost) = (hash.is_some(), self.cost);
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let fit = self.queue.run(origin, move || fit_now(&password, &hash, cost)).await?;
        Ok(if known { fit } else { Fit::No })
    }
}

/// The password as RFC 8265 prepares it, and then as it was sent: hashes of before that are of it.
fn fit_now(password: &str, hash: &str, cost: PasswordCost) -> Fit {
    // What cannot be prepared was never another one.
    let prepared = profile::prepare(password).unwrap_or_else(|| password.to_owned());
    if verify_now(prepared.as_bytes(), hash) {
        return if cost.exceeds(hash) { Fit::Outdated } else { Fit::Yes };
    }
    if prepared != password && verify_now(password.as_bytes(), hash) {
        return Fit::Outdated;
    }
    Fit::No
}

fn hash_now(password: &[u8], salt: &[u8; 16], cost: PasswordCost) -> Result<String> {
    let argon2 = cost.argon2().map_err(|error| internal(&error))?;
    let hash = argon2.hash_password_with_salt(password, salt).map_err(|error| internal(&error))?;
    Ok(hash.to_string())
}

/// At the cost that the hash names.
fn verify_now(password: &[u8], hash: &str) -> bool {
    phc::PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

fn internal(error: &impl ToString) -> Error {
    Error::Internal(format!("argon2: {}", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same word, composed and not.
    const COMPOSED: &str = "caf\u{e9} au lait";
    const DECOMPOSED: &str = "cafe\u{301} au lait";

    #[test]
    fn a_thousand_common_passwords_are_refused_in_any_case() {
        assert_eq!(COMMON.len(), 1000);
        assert!(COMMON.iter().all(|password| password.len() >= 8));
        assert!(acceptable("PassWord1").is_err());
        assert!(acceptable("correct horse battery staple").is_ok());
    }

    #[test]
    fn characters_are_counted_as_they_are_compared() {
        let seven = "e\u{301}".repeat(7);
        assert_eq!(acceptable(&seven).expect_err("too short").code, "length");
        assert!(acceptable(&"e\u{301}".repeat(256)).is_ok());
        assert!(acceptable(&"e\u{301}".repeat(257)).is_err());
        assert_eq!(acceptable("a bell \u{7} in it").expect_err("no").code, "control_character");
    }

    fn passwords() -> (Passwords, Random) {
        let random = Random::system();
        (Passwords::new(&random, PasswordCost::default()).expect("argon2 works"), random)
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let (passwords, random) = passwords();
        let hash = passwords.hash("a good one".into(), &random, Origin::Known).await;
        let hash = hash.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify =
            |password: &str, hash| passwords.verify(password.to_owned(), hash, Origin::Known);
        assert_eq!(verify("a good one", Some(hash.clone())).await.expect("checked"), Fit::Yes);
        assert_eq!(verify("a bad one", Some(hash)).await.expect("checked"), Fit::No);
        assert_eq!(verify("a good one", None).await.expect("checked"), Fit::No);
    }

    #[tokio::test]
    async fn a_password_fits_however_it_is_composed() {
        let (passwords, random) = passwords();
        let new = passwords.hash(DECOMPOSED.into(), &random, Origin::Known).await.expect("a hash");
        let old = hash_now(DECOMPOSED.as_bytes(), &random.bytes(), PasswordCost::default());
        let old = old.expect("a hash");
        for (password, hash, fit) in [
            (COMPOSED, &new, Fit::Yes),
            (DECOMPOSED, &new, Fit::Yes),
            (DECOMPOSED, &old, Fit::Outdated),
            (COMPOSED, &old, Fit::No),
        ] {
            let found = passwords.verify(password.into(), Some(hash.clone()), Origin::Known).await;
            assert_eq!(found.expect("checked"), fit, "{password:?}");
        }
    }

    #[tokio::test]
    async fn a_hash_of_a_lower_cost_is_made_anew_and_one_of_a_higher_cost_stays() {
        let cost = |memory_kib, iterations| PasswordCost { memory_kib, iterations };
        let random = Random::system();
        let passwords = Passwords::new(&random, cost(64, 2)).expect("argon2 works");
        assert!(passwords.nobody.contains("m=64,t=2,p=1"), "{}", passwords.nobody);
        for (of_hash, fit) in [
            (cost(64, 2), Fit::Yes),
            (cost(128, 2), Fit::Yes),
            (cost(64, 3), Fit::Yes),
            (cost(32, 2), Fit::Outdated),
            (cost(64, 1), Fit::Outdated),
        ] {
            let hash = hash_now(b"a good one", &random.bytes(), of_hash).expect("a hash");
            for (password, fit) in [("a good one", fit), ("a bad one", Fit::No)] {
                let found = passwords.verify(password.into(), Some(hash.clone()), Origin::Known);
                assert_eq!(found.await.expect("checked"), fit, "{of_hash:?}");
            }
        }
    }
}
