//! The way of a project, and places: pure.

use std::collections::HashMap;

use entity::project;
use uuid::Uuid;
use validator::ValidationError;

use super::{ProjectInput, Status};
use crate::{
    error::{Error, Result},
    geo,
    store::stored::{self, StoredWord},
    text::{at, fold, refusal},
};

/// Whether a project can go from one status to another. What is planned may begin or be given up; what is
/// completed may be taken up again; what is archived comes back as completed, and from there.
///
/// # Errors
/// [`Error::State`] where it cannot.
pub fn check_transition(from: Status, to: Status) -> Result<()> {
    use Status::{Active, Archived, Completed, OnHold, Planned};
    let allowed = match from {
        Planned => [Active, OnHold, Archived].contains(&to),
        Active => [Planned, OnHold, Completed].contains(&to),
        OnHold => [Planned, Active, Completed, Archived].contains(&to),
        Completed => [Active, Archived].contains(&to),
        Archived => to == Completed,
    };
    if allowed || from == to {
        return Ok(());
    }
    let (from, to) = (from.as_str(), to.as_str());
    Err(Error::state("wrong_status", format!("the status cannot change from {from} to {to}")))
}

/// Whether a project takes something new.
///
/// # Errors
/// [`Error::State`] where it is archived.
pub fn ensure_accepts_new(status: Status) -> Result<()> {
    if status == Status::Archived {
        return Err(Error::state("project_archived", "the project is archived"));
    }
    Ok(())
}

/// What a word of a file means that stands for a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// This project.
    Open(Uuid),
    /// One that takes nothing new.
    Archived,
    /// Several, and so none.
    Several,
}

impl Word {
    /// What it means where it stands for another project too: an archived one is not meant.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Archived, word) | (word, Self::Archived) => word,
            _ => Self::Several,
        }
    }
}

/// What the folded job numbers and names of some projects mean. A job number goes before a name.
///
/// # Errors
/// [`Error::Internal`] for a status that this version does not know.
pub fn words(rows: Vec<project::Model>) -> Result<HashMap<String, Word>> {
    let (mut names, mut numbers) = (HashMap::new(), HashMap::new());
    for row in rows {
        let word = match stored::word::<Status>(project::Column::Status, row.id, &row.status)? {
            Status::Archived => Word::Archived,
            _ => Word::Open(row.id),
        };
        if let Some(number) = &row.job_number {
            numbers.insert(fold(number), word);
        }
        names
            .entry(row.name_key)
            .and_modify(|known: &mut Word| *known = known.or(word))
            .or_insert(word);
    }
    names.extend(numbers);
    Ok(names)
}

/// Refuses an end before the beginning.
pub fn in_order(input: &ProjectInput) -> Result<(), ValidationError> {
    match (input.starts_on, input.ends_on) {
        (Some(start), Some(end)) if end < start => {
            Err(at("ends_on", refusal("order", "must not be before starts_on")))
        }
        _ => Ok(()),
    }
}

/// Refuses half a place.
pub fn whole_place(input: &ProjectInput) -> Result<(), ValidationError> {
    geo::whole(input.latitude, input.longitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_a_project() {
        let go = |from, to| check_transition(from, to).is_ok();
        assert!(go(Status::Planned, Status::Active));
        assert!(go(Status::Active, Status::Completed));
        assert!(go(Status::Completed, Status::Archived));
        assert!(!go(Status::Active, Status::Archived), "it is completed first");
        assert!(!go(Status::Archived, Status::Active));
        assert!(go(Status::Archived, Status::Completed));
        for status in Status::ALL.iter().copied() {
            assert!(go(status, status), "staying is no move");
        }
    }

    #[test]
    fn a_word_means_one_project_or_none() {
        let [a, b] = [Word::Open(Uuid::from_u128(1)), Word::Open(Uuid::from_u128(2))];
        assert_eq!((a.or(b), a.or(Word::Archived), Word::Archived.or(b)), (Word::Several, a, b));
        assert_eq!(Word::Archived.or(Word::Archived), Word::Archived);
        assert_eq!(Word::Several.or(Word::Archived), Word::Several);
    }
}
