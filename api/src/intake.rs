//! What this process holds of bodies that it reads: bounded in all, and with a part that those whom
//! nobody knows cannot take.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Failure;

/// Of which part of all strangers may have: one of so many.
const STRANGERS_SHARE: usize = 8;

/// The bytes of bodies that may be held. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    all: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

/// Bytes that are held, until this goes.
#[derive(Debug, Default)]
pub(crate) struct Held(Vec<OwnedSemaphorePermit>);

impl Intake {
    /// So many bytes in all.
    pub fn new(bytes: usize) -> Self {
        let bytes = bytes.min(Semaphore::MAX_PERMITS);
        let semaphore = |bytes| Arc::new(Semaphore::new(bytes));
        Self { all: semaphore(bytes), strangers: semaphore(bytes / STRANGERS_SHARE) }
    }

    /// Holds some more bytes.
    ///
    /// # Errors
    /// Where there is no room just now.
    pub(crate) fn hold(&self, held: &mut Held, bytes: usize, known: bool) -> Result<(), Failure> {
        let full = || {
            let why = "too many bodies are being read".to_owned();
            Failure::from(service::Error::Unavailable(why))
        };
        let count = u32::try_from(bytes).map_err(|_| full())?;
        let from = |bytes: &Arc<Semaphore>| bytes.clone().try_acquire_many_owned(count);
        let strangers = (!known).then(|| from(&self.strangers)).transpose().map_err(|_| full())?;
        held.0.extend(strangers);
        held.0.push(from(&self.all).map_err(|_| full())?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_leave_room_for_those_who_are_known() {
        let intake = Intake::new(800);
        let mut strangers = Held::default();
        intake.hold(&mut strangers, 100, false).expect("their part");
        assert!(intake.hold(&mut Held::default(), 1, false).is_err());
        let mut known = Held::default();
        intake.hold(&mut known, 700, true).expect("the rest");
        assert!(intake.hold(&mut Held::default(), 1, true).is_err());
        drop(strangers);
        intake.hold(&mut known, 100, true).expect("what they left");
    }
}
