use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::random::hexadecimal;

/// What tells each row of a file from every other: what it says, and how many before it said the same. So
/// a file imported twice brings nothing the second time, and two equal rows of one file are two.
#[derive(Debug, Default)]
pub struct Keys {
    occurrences: HashMap<[u8; 16], u32>,
}

impl Keys {
    /// The key of the next row, which says this.
    pub fn next<'a>(&mut self, parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
        let mut hash = Sha256::new();
        for part in parts {
            // Lengths keep ("ab", "c") apart from ("a", "bc"), and none from empty.
            hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        let digest = hash.finalize();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        let count = self.occurrences.entry(short).or_insert(0);
        *count += 1;
        let key = Sha256::new().chain_update(digest).chain_update(count.to_be_bytes());
        hexadecimal(&key.finalize())
    }
}
