//! What this process holds of bodies that it reads: bounded in all, and with a part that callers
//! who are not authenticated cannot take.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Failure;

/// Of which part of all those who are not authenticated may have: one of so many.
const UNAUTHENTICATED_SHARE: usize = 8;

/// The bytes of bodies that may be held. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Intake {
    all: Arc<Semaphore>,
    unauthenticated: Arc<Semaphore>,
}

/// Bytes that are reserved, until this goes.
#[derive(Debug, Default)]
pub(crate) struct Reservation(Vec<OwnedSemaphorePermit>);

impl Intake {
    /// So many bytes in all.
    pub fn new(bytes: usize) -> Self {
        let bytes = bytes.min(Semaphore::MAX_PERMITS);
        let semaphore = |bytes| Arc::new(Semaphore::new(bytes));
        Self { all: semaphore(bytes), unauthenticated: semaphore(bytes / UNAUTHENTICATED_SHARE) }
    }

    /// Reserves some more bytes.
    ///
    /// # Errors
    /// Where there is no room just now.
    pub(crate) fn reserve(
        &self,
        reserved: &mut Reservation,
        bytes: usize,
        authenticated: bool,
    ) -> Result<(), Failure> {
        let full = || {
            let why = "too many bodies are being read".to_owned();
            Failure::from(service::Error::Unavailable(why))
        };
        let count = u32::try_from(bytes).map_err(|_| full())?;
        let from = |bytes: &Arc<Semaphore>| bytes.clone().try_acquire_many_owned(count);
        let unauthenticated = (!authenticated)
            .then(|| from(&self.unauthenticated))
            .transpose()
            .map_err(|_| full())?;
        reserved.0.extend(unauthenticated);
        reserved.0.push(from(&self.all).map_err(|_| full())?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unauthenticated_callers_leave_room_for_the_authenticated() {
        let intake = Intake::new(800);
        let mut unauthenticated = Reservation::default();
        intake.reserve(&mut unauthenticated, 100, false).expect("their part");
        assert!(intake.reserve(&mut Reservation::default(), 1, false).is_err());
        let mut authenticated = Reservation::default();
        intake.reserve(&mut authenticated, 700, true).expect("the rest");
        assert!(intake.reserve(&mut Reservation::default(), 1, true).is_err());
        drop(unauthenticated);
        intake.reserve(&mut authenticated, 100, true).expect("what they left");
    }
}
