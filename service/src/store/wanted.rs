use std::{
    collections::BTreeSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

/// Of which organizations something is wanted that is derived from their rows and not there yet. In memory: who misses
/// it again asks again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted(Arc<Mutex<BTreeSet<Uuid>>>);

impl Wanted {
    pub(crate) fn add(&self, organization_id: Uuid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(organization_id);
    }

    pub(crate) fn take(&self) -> BTreeSet<Uuid> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
