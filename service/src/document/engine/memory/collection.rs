//! One collection in memory: documents, and the orders in which they are found.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{self, Excluded, Included, Unbounded},
};

use super::{
    super::{Changes, Entry, Page, Query, Stored},
    not_a_cursor,
};
use crate::error::Result;

#[derive(Default)]
pub(super) struct Collection {
    /// Deleted ones among them.
    documents: BTreeMap<String, Kept>,
    /// The keys of those that are not deleted.
    present: BTreeSet<String>,
    /// By path: values and keys.
    entries: BTreeMap<String, BTreeSet<(Vec<u8>, String)>>,
    /// The key of the last write, by position.
    changes: BTreeMap<u64, String>,
    /// The position of the last write; zero if there was none.
    head: u64,
}

struct Kept {
    stored: Stored,
    entries: Vec<Entry>,
    position: u64,
}

impl Collection {
    pub(super) fn get(&self, key: &str) -> Option<&Stored> {
        self.documents.get(key).map(|kept| &kept.stored)
    }

    /// Puts a document in the place of the one of its key.
    pub(super) fn store(&mut self, stored: Stored, entries: &[Entry]) {
        let key = stored.key.clone();
        if let Some(before) = self.documents.remove(&key) {
            self.changes.remove(&before.position);
            for Entry { path, value } in before.entries {
                if let Some(found) = self.entries.get_mut(&path) {
                    found.remove(&(value, key.clone()));
                }
            }
        }
        if stored.is_deleted() {
            self.present.remove(&key);
        } else {
            self.present.insert(key.clone());
        }
        for Entry { path, value } in entries {
            let found = self.entries.entry(path.clone()).or_default();
            found.insert((value.clone(), key.clone()));
        }
        self.head += 1;
        self.changes.insert(self.head, key.clone());
        let kept = Kept { stored, entries: entries.to_vec(), position: self.head };
        self.documents.insert(key, kept);
    }

    pub(super) fn scan(&self, after: Option<&str>, limit: usize) -> Page {
        let from = after.map_or(Unbounded, Excluded);
        self.page(self.present.range::<str, _>((from, Unbounded)), limit)
    }

    pub(super) fn query(&self, query: &Query) -> Page {
        let from = match &query.from {
            Included(value) => (value.clone(), String::new()),
            Excluded(value) => ([value.as_slice(), &[0]].concat(), String::new()),
            Unbounded => Default::default(),
        };
        let from = match &query.after {
            Some(after) if *after >= from => Excluded(after.clone()),
            _ => Included(from),
        };
        let Some(entries) = self.entries.get(&query.path) else { return Page::default() };
        let found = entries.range((from, Unbounded));
        let found = found.take_while(|(value, _)| is_below(value, &query.to)).map(|(_, key)| key);
        self.page(found, query.limit)
    }

    pub(super) fn changes(&self, since: u64, limit: usize) -> Result<Changes> {
        if since > self.head {
            return Err(not_a_cursor());
        }
        let mut found = self.changes.range((Excluded(since), Unbounded));
        let page: Vec<_> = found.by_ref().take(limit).collect();
        let cursor = page.last().map_or(since, |(position, _)| **position);
        let documents = page.into_iter().filter_map(|(_, key)| self.get(key)).cloned().collect();
        Ok(Changes { documents, cursor: cursor.to_string(), more: found.next().is_some() })
    }

    fn page<'a>(&self, mut keys: impl Iterator<Item = &'a String>, limit: usize) -> Page {
        let found = keys.by_ref().take(limit).filter_map(|key| self.get(key));
        let documents = found.cloned().collect();
        Page { documents, more: keys.next().is_some() }
    }
}

fn is_below(value: &[u8], bound: &Bound<Vec<u8>>) -> bool {
    match bound {
        Included(most) => value <= most.as_slice(),
        Excluded(most) => value < most.as_slice(),
        Unbounded => true,
    }
}
