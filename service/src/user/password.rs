//! Passwords: argon2id at OWASP's parameters, off the async threads, a few at a time.

use std::{
    collections::HashSet,
    sync::{Arc, LazyLock},
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc,
};
use tokio::sync::Semaphore;
use validator::ValidationError;

use crate::{
    error::{Error, Result},
    random::Random,
    text::{fold, refusal},
};

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// The thousand most common passwords of eight characters and more, the most common first.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Refuses a password that is among the first to be tried.
pub(super) fn uncommon(password: &str) -> Result<(), ValidationError> {
    if COMMON.contains(fold(password).as_str()) {
        return Err(refusal("common_password", "is among the most common passwords"));
    }
    Ok(())
}

/// Hashes and checks passwords, as many at once as there are processors: each takes 19 MiB.
#[derive(Debug, Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of no password: what a login by an unknown address is checked against, so that it
    /// takes as long as any other.
    nobody: Arc<str>,
}

impl Passwords {
    /// A bound of one hash for each processor.
    ///
    /// # Errors
    /// If argon2 cannot work here at all.
    pub fn new(random: &Random) -> Result<Self> {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let nobody = hash_now(&random.bytes::<32>(), &random.bytes())?;
        Ok(Self { turns: Arc::new(Semaphore::new(processors)), nobody: nobody.into() })
    }

    /// The hash to keep, as a PHC string.
    pub(super) async fn hash(&self, password: String, random: &Random) -> Result<String> {
        let salt = random.bytes();
        self.work(move || hash_now(password.as_bytes(), &salt)).await?
    }

    /// Whether the password is the one of the hash. Takes as long without a hash as with one.
    pub(crate) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        let fits = self.work(move || verify_now(password.as_bytes(), &hash)).await?;
        Ok(fits && known)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned())
            .await
            .ok()
            .and_then(|turn| turn.ok())
            .ok_or_else(|| Error::Unavailable("too many passwords are being checked".into()))?;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await
        .map_err(|error| Error::Internal(format!("a password check ended early: {error}")))
    }
}

/// m = 19 MiB, t = 2, p = 1: the OWASP Password Storage Cheat Sheet's first choice for argon2id.
fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| internal(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8], salt: &[u8; 16]) -> Result<String> {
    let hash = argon2()?.hash_password_with_salt(password, salt).map_err(|e| internal(&e))?;
    Ok(hash.to_string())
}

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

    #[test]
    fn a_thousand_common_passwords_are_refused_in_any_case() {
        assert_eq!(COMMON.len(), 1000);
        assert!(COMMON.iter().all(|password| password.len() >= 8));
        assert!(uncommon("PassWord1").is_err());
        assert!(uncommon("correct horse battery staple").is_ok());
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let random = Random::system();
        let passwords = Passwords::new(&random).expect("argon2 works");
        let hash = passwords.hash("a good one".into(), &random).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let verify = |password: &str, hash| passwords.verify(password.to_owned(), hash);
        assert!(verify("a good one", Some(hash.clone())).await.expect("checked"));
        assert!(!verify("a bad one", Some(hash)).await.expect("checked"));
        assert!(!verify("a good one", None).await.expect("checked"));
    }
}
