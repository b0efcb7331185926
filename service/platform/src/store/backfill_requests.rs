use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

/// Of which organizations the spending totals are to be backfilled. In memory: who misses them
/// again asks again.
#[derive(Debug, Clone, Default)]
pub struct BackfillRequests(Arc<Mutex<BTreeSet<Uuid>>>);

impl BackfillRequests {
    pub fn add(&self, organization_id: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(organization_id);
    }

    pub fn drain(&self) -> BTreeSet<Uuid> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
