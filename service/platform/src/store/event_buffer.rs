use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use entity::event;

/// What was recorded in a transaction, or in a part of it, and is not written yet. What was recorded around a
/// part comes before what is recorded in it.
#[derive(Debug, Default)]
pub(super) struct EventBuffer {
    events: Mutex<Vec<event::Model>>,
    outer: Option<Arc<EventBuffer>>,
    /// Whether this part has written what waited around it: if it stands, that is written.
    wrote_outer: AtomicBool,
}

impl EventBuffer {
    /// Of a savepoint, or another part, of the transaction of `outer`.
    pub(super) fn nested(outer: &Arc<Self>) -> Self {
        Self { outer: Some(outer.clone()), ..Self::default() }
    }

    pub(super) fn is_nested(&self) -> bool {
        self.outer.is_some()
    }

    pub(super) fn add(&self, event: event::Model) {
        self.events().push(event);
    }

    /// How many wait that were recorded here.
    pub(super) fn len(&self) -> usize {
        self.events().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events().is_empty() && self.unwritten_outer().is_none_or(Self::is_empty)
    }

    /// What is to be written now, in its order. What was recorded around this part still waits there: this part
    /// may be taken back.
    pub(super) fn drain(&self) -> Vec<event::Model> {
        let mut events = Vec::new();
        if let Some(outer) = self.unwritten_outer() {
            outer.copy_into(&mut events);
            self.wrote_outer.store(true, Ordering::Relaxed);
        }
        events.append(&mut self.events());
        events
    }

    /// Ends a part that stands: what it has recorded is left to the outer one.
    pub(super) fn merge_into_outer(&self) {
        let Some(outer) = &self.outer else { return };
        if self.wrote_outer.load(Ordering::Relaxed) {
            outer.mark_written();
        }
        outer.events().append(&mut self.events());
    }

    fn copy_into(&self, events: &mut Vec<event::Model>) {
        if let Some(outer) = self.unwritten_outer() {
            outer.copy_into(events);
        }
        events.extend(self.events().iter().cloned());
    }

    fn mark_written(&self) {
        self.wrote_outer.store(true, Ordering::Relaxed);
        self.events().clear();
    }

    fn unwritten_outer(&self) -> Option<&Self> {
        self.outer.as_deref().filter(|_| !self.wrote_outer.load(Ordering::Relaxed))
    }

    fn events(&self) -> MutexGuard<'_, Vec<event::Model>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn event(ordinal: i64) -> event::Model {
        event::Model {
            organization_id: Uuid::nil(),
            id: Uuid::nil(),
            at: DateTime::UNIX_EPOCH.fixed_offset(),
            ordinal,
            kind: String::new(),
            entity: String::new(),
            entity_id: Uuid::nil(),
            entity_version: 1,
            effect: String::new(),
            author: String::new(),
            author_id: None,
            request_id: None,
            data_digest: String::new(),
            data: None,
            sealed: None,
            scope_id: None,
            position: None,
            previous_chain: None,
            chain: None,
        }
    }

    fn ordinals(events: &[event::Model]) -> Vec<i64> {
        events.iter().map(|event| event.ordinal).collect()
    }

    #[test]
    fn what_a_part_records_waits_with_the_whole_once_the_part_stands() {
        let whole = Arc::new(EventBuffer::default());
        whole.add(event(1));
        let part = Arc::new(EventBuffer::nested(&whole));
        part.add(event(2));
        // Taken back.
        EventBuffer::nested(&part).add(event(3));
        part.merge_into_outer();
        drop(part);
        assert_eq!(ordinals(&whole.drain()), [1, 2]);
        assert!(whole.is_empty());
    }

    #[test]
    fn what_a_part_writes_for_the_whole_is_written_if_the_part_stands() {
        let whole = Arc::new(EventBuffer::default());
        whole.add(event(1));
        let part = Arc::new(EventBuffer::nested(&whole));
        part.add(event(2));
        let inner = EventBuffer::nested(&part);
        inner.add(event(3));
        assert_eq!(ordinals(&inner.drain()), [1, 2, 3]);
        assert!(inner.is_empty());
        assert!(!part.is_empty(), "it may still be taken back");
        inner.add(event(4));
        inner.merge_into_outer();
        assert_eq!(ordinals(&part.drain()), [4], "the others are written");
        drop(part);
        assert_eq!(ordinals(&whole.drain()), [1], "the part was taken back");
    }
}
