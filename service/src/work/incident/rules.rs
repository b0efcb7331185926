//! The way of an incident, and what a log needs of it: pure.

use validator::ValidationError;

use super::{IncidentInput, Status};
use crate::{
    error::{Error, Result},
    store::stored::StoredWord,
    text::{at, refusal, visible},
};

/// How many characters a witness has at most.
const MAX_WITNESS_LENGTH: usize = 200;

/// Whether an incident can go from one status to another. It does not become unreported; what is closed may
/// be opened again.
///
/// # Errors
/// [`Error::State`] where it cannot.
pub fn check_transition(from: Status, to: Status) -> Result<()> {
    use Status::{Closed, Open, Reported};
    let allowed = match from {
        Reported => [Open, Closed].contains(&to),
        Open => to == Closed,
        Closed => to == Open,
    };
    if allowed || from == to {
        return Ok(());
    }
    let (from, to) = (from.as_str(), to.as_str());
    Err(Error::state("wrong_status", format!("the status cannot change from {from} to {to}")))
}

/// Refuses a recordable incident of which the log would have no column to mark.
pub fn classified(input: &IncidentInput) -> Result<(), ValidationError> {
    let missing = match (input.classification, input.injury_type) {
        _ if !input.recordable => return Ok(()),
        (None, _) => "classification",
        (_, None) => "injury_type",
        _ => return Ok(()),
    };
    Err(at(missing, refusal("required", "is required for a recordable incident")))
}

/// Refuses a witness without a name, or with a story for one.
pub fn witnesses(witnesses: &[String]) -> Result<(), ValidationError> {
    for (index, one) in witnesses.iter().enumerate() {
        let long = one.chars().count() > MAX_WITNESS_LENGTH;
        let short = || {
            let most = format!("must have a length of at most {MAX_WITNESS_LENGTH}");
            if long { Err(refusal("length", most)) } else { Ok(()) }
        };
        visible(one).and_then(|()| short()).map_err(|refusal| at(index, refusal))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_incident_may_be_opened_again_and_none_is_unreported() {
        use Status::{Closed, Open, Reported};
        let allowed = [(Reported, Open), (Reported, Closed), (Open, Closed), (Closed, Open)];
        for from in Status::ALL {
            for to in Status::ALL {
                let expected = from == to || allowed.contains(&(*from, *to));
                assert_eq!(check_transition(*from, *to).is_ok(), expected, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn witnesses_have_names() {
        let of = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
            witnesses(&names)
        };
        assert!(of(&[]).is_ok() && of(&["Grace", "Grace"]).is_ok());
        let refused = of(&["Grace", " "]).expect_err("blank");
        assert_eq!((&*refused.code, refused.params["field"].as_str()), ("blank", Some("1")));
        assert!(of(&[&"x".repeat(200)]).is_ok() && of(&[&"x".repeat(201)]).is_err());
    }
}
