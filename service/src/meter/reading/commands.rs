//! How readings are written.

use super::{Appended, Entry};
use crate::{
    actor::Actor,
    error::{Error, Result},
    store::Tx,
};

/// Writes a batch of readings, of one meter or of several; all of them, or none. It records an event of each meter.
///
/// The caller has checked that the actor may record readings. The batch has at most [`super::MAX_BATCH`] readings.
///
/// # Errors
/// With pointers to the readings by their index, `/items/3/value`: [`Error::Invalid`] for a meter that there is not, an
/// instant or a value that the meter does not keep; [`Error::Conflicts`] `reading_conflict` for those at whose instant
/// there is another value, by the rule of the meter.
pub async fn append(tx: &Tx, actor: &Actor, batch: &[Entry]) -> Result<Appended> {
    let _ = (tx, actor, batch);
    Err(Error::Internal("readings are not written yet".into()))
}
