use argon2::{Algorithm, Argon2, Params, Version, password_hash::phc};

/// What argon2id takes to hash a password, on one thread. A hash names the cost that it was made at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// The memory, in KiB.
    pub memory_kib: u32,
    /// The passes over it.
    pub iterations: u32,
}

/// m = 19 MiB, t = 2, p = 1: the OWASP Password Storage Cheat Sheet's first choice for argon2id.
impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, iterations: 2 }
    }
}

impl PasswordCost {
    pub(super) fn argon2(self) -> Result<Argon2<'static>, argon2::Error> {
        let params = Params::new(self.memory_kib, self.iterations, 1, None)?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }

    /// Whether a hash was made with less memory or fewer passes.
    pub(super) fn exceeds(self, hash: &str) -> bool {
        let params = phc::PasswordHash::new(hash).ok().and_then(|it| Params::try_from(&it).ok());
        params.is_some_and(|of| of.m_cost() < self.memory_kib || of.t_cost() < self.iterations)
    }
}
