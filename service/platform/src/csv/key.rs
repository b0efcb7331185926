use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{random::hexadecimal, text::nfc};

/// What a row of a file says, by which it is known again.
#[derive(Debug)]
pub struct Said<'a> {
    /// What every file says of such a row, and two of the same cannot differ in: whose it is, when it was.
    pub fixed: &'a [&'a str],
    /// The texts of columns that a file may have or not, always in this order: none where the column is not
    /// read, empty where it is and says nothing. A new column comes last.
    pub texts: &'a [Option<&'a str>],
}

/// By what a row of a file is known again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What tells it from every other row: what it says, and how many rows of the file before it say the same.
    pub key: String,
    /// What rows share of which the fixed part is the same. None of a row that was staged when rows had none.
    #[serde(default)]
    pub bucket: Option<String>,
    /// Its texts, as [`Self::is_same`] compares them.
    #[serde(default)]
    pub texts: Option<String>,
    /// The key that it had when keys knew fewer differences.
    #[serde(skip)]
    pub earlier_key: String,
}

/// A column that is not read, and one that says nothing.
const UNREAD: &str = "-";
const EMPTY: &str = "0";

/// How many bytes of a text's hash are compared, of texts within one bucket.
const TEXT_BYTES: usize = 6;

impl Identity {
    /// Whether a row that was read with other columns than this one may be the same: none of the columns that
    /// both have differs. At least one of the first `needed` columns says the same in both, if any is needed.
    pub fn is_same(&self, texts: &str, needed: usize) -> bool {
        let own: Vec<&str> = self.texts.as_deref().unwrap_or_default().split(' ').collect();
        let other: Vec<&str> = texts.split(' ').collect();
        let at =
            |place: usize| [&own, &other].map(|texts| texts.get(place).copied().unwrap_or(UNREAD));
        let pairs = || (0..own.len().max(other.len())).map(at);
        let differ_in_columns = pairs().any(|[own, other]| (own == UNREAD) != (other == UNREAD));
        let agree = |[own, other]: [&str; 2]| own == UNREAD || other == UNREAD || own == other;
        let says = |[own, other]: [&str; 2]| own == other && own != UNREAD && own != EMPTY;
        differ_in_columns && pairs().all(agree) && (needed == 0 || pairs().take(needed).any(says))
    }
}

/// The identities of the rows of one file. A file imported twice brings nothing the second time, and two equal
/// rows of one file are two.
#[derive(Debug, Default)]
pub struct Keys {
    rows: Occurrences,
    earlier: Occurrences,
}

impl Keys {
    /// The identity of the next row. Texts that differ only in space around them, or in how Unicode writes the
    /// same (NFC, NFD), are one. `earlier` is what its key was made of when keys knew fewer differences.
    pub fn next<'a>(
        &mut self,
        said: &Said<'_>,
        earlier: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Identity {
        let fixed: Vec<_> = said.fixed.iter().map(|text| nfc(text.trim())).collect();
        let bucket = hexadecimal(&hash(fixed.iter().map(|text| Some(&**text))));
        let texts: Vec<String> = said.texts.iter().map(|text| shown(*text)).collect();
        let texts = texts.join(" ");
        let key = self.rows.next([Some(&*bucket), Some(&*texts)]);
        let earlier_key = self.earlier.next(earlier);
        Identity { key, bucket: Some(bucket), texts: Some(texts), earlier_key }
    }
}

fn shown(text: Option<&str>) -> String {
    let Some(text) = text else { return UNREAD.to_owned() };
    match &*nfc(text.trim()) {
        "" => EMPTY.to_owned(),
        text => hexadecimal(&Sha256::digest(text)[..TEXT_BYTES]),
    }
}

/// How often each row was there so far.
#[derive(Debug, Default)]
struct Occurrences(HashMap<[u8; 16], u32>);

impl Occurrences {
    /// The key of the next row, which says this.
    fn next<'a>(&mut self, parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
        let digest = hash(parts);
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        let count = self.0.entry(short).or_insert(0);
        *count += 1;
        let key = Sha256::new().chain_update(digest).chain_update(count.to_be_bytes());
        hexadecimal(&key.finalize())
    }
}

fn hash<'a>(parts: impl IntoIterator<Item = Option<&'a str>>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths keep ("ab", "c") apart from ("a", "bc"), and none from empty.
        hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
        hash.update(part.unwrap_or_default());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(keys: &mut Keys, fixed: &[&str], texts: &[Option<&str>]) -> Identity {
        keys.next(&Said { fixed, texts }, [Some("x")])
    }

    /// The identity of a row that is alone in its file.
    fn alone(fixed: &[&str], texts: &[Option<&str>]) -> Identity {
        identity(&mut Keys::default(), fixed, texts)
    }

    #[test]
    fn equal_rows_of_a_file_are_two_and_those_of_two_files_one() {
        let texts = [Some("Caf\u{e9}"), None];
        let mut keys = Keys::default();
        let [one, other] = [(); 2].map(|()| identity(&mut keys, &["ada", "1"], &texts));
        assert_ne!(one.key, other.key);
        assert_eq!(one, alone(&["ada", " 1 "], &[Some(" Cafe\u{301}\u{a0}"), None]));
        assert_ne!(one.key, alone(&["bob", "1"], &texts).key);
        assert_ne!(one.key, alone(&["ada", "1"], &[Some("CAFÉ"), None]).key);
    }

    #[test]
    fn a_column_more_or_less_changes_nothing_unless_it_says_something_else() {
        let said = |texts: &[Option<&str>]| alone(&["ada"], texts);
        let is_same = |one: &[Option<&str>], other: &[Option<&str>], needed| {
            said(one).is_same(said(other).texts.as_deref().unwrap_or_default(), needed)
        };
        assert!(is_same(&[Some("Subway"), None], &[Some("Subway"), Some("lunch")], 0));
        assert!(is_same(&[Some("Subway"), Some("")], &[None, Some("")], 0));
        assert!(is_same(&[Some("Subway")], &[Some("Subway"), Some("lunch")], 0), "a new column");
        assert!(!is_same(&[Some("Subway"), None], &[Some("Bakery"), Some("lunch")], 0));
        assert!(!is_same(&[Some("Subway"), Some("")], &[Some("Subway"), Some("lunch")], 0));
        assert!(!is_same(&[Some("Subway"), None], &[Some("Subway"), None], 0), "told by the key");
        assert!(!is_same(&[Some("Ada"), None], &[None, Some("Ada")], 2));
        assert!(!is_same(&[Some(""), None], &[Some(""), Some("x")], 1));
        assert!(is_same(&[Some("Ada"), None], &[Some("Ada"), Some("x")], 1));
    }

    /// As rows are in databases that were there before.
    #[test]
    fn an_earlier_key_stays_as_it_was() {
        let earlier = Keys::default().next(&Said { fixed: &[], texts: &[] }, [Some("a"), None]);
        let known = "6e6b070c6dad78ae7fdb22b8d1123d1a1d8338b59bafb4aff173bb8b1594488b";
        assert_eq!(earlier.earlier_key, known);
    }
}
