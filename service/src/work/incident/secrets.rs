//! What of an incident is sealed, column for column.

use entity::incident;
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

use super::IncidentInput;
use crate::{
    error::{Error, Result},
    random::Random,
    seal::{
        INCIDENT_BODY_PART, INCIDENT_CAUSE, INCIDENT_NARRATIVE, INCIDENT_NATURE,
        INCIDENT_TREATMENT, INCIDENT_WITNESSES, Keyring, Sealed,
    },
};

/// The fields, as the log knows them.
pub(super) const FIELDS: &[&str] =
    &["body_part", "nature", "cause", "treatment", "narrative", "witnesses"];

/// What is sealed, open.
pub(super) struct Secrets {
    pub(super) body_part: Option<String>,
    pub(super) nature: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) treatment: Option<String>,
    pub(super) narrative: Option<String>,
    pub(super) witnesses: Vec<String>,
}

impl From<&IncidentInput> for Secrets {
    fn from(input: &IncidentInput) -> Self {
        Self {
            body_part: input.body_part.clone(),
            nature: input.nature.clone(),
            cause: input.cause.clone(),
            treatment: input.treatment.clone(),
            narrative: input.narrative.clone(),
            witnesses: input.witnesses.clone(),
        }
    }
}

impl Secrets {
    /// The columns of a row in which they are sealed.
    pub(super) fn seal(
        &self,
        keyring: &Keyring,
        random: &Random,
        (organization_id, id): (Uuid, Uuid),
    ) -> Result<incident::ActiveModel> {
        // Where there is nothing to seal, too: what cannot be read is not written.
        keyring.require()?;
        let seal = |column: Sealed, plain: Option<&str>| {
            let associated_data = column.at(organization_id, id);
            plain.map(|plain| keyring.seal(random, &associated_data, plain.as_bytes())).transpose()
        };
        let witnesses = (!self.witnesses.is_empty())
            .then(|| serde_json::to_string(&self.witnesses).map_err(|_| none()))
            .transpose()?;
        Ok(incident::ActiveModel {
            body_part: Set(seal(INCIDENT_BODY_PART, self.body_part.as_deref())?),
            nature: Set(seal(INCIDENT_NATURE, self.nature.as_deref())?),
            cause: Set(seal(INCIDENT_CAUSE, self.cause.as_deref())?),
            treatment: Set(seal(INCIDENT_TREATMENT, self.treatment.as_deref())?),
            narrative: Set(seal(INCIDENT_NARRATIVE, self.narrative.as_deref())?),
            witnesses: Set(seal(INCIDENT_WITNESSES, witnesses.as_deref())?),
            ..Default::default()
        })
    }

    /// What is sealed in a row.
    pub(super) fn open(keyring: &Keyring, row: &incident::Model) -> Result<Self> {
        let open = |column: Sealed, sealed: &Option<String>| {
            let associated_data = column.at(row.organization_id, row.id);
            let plain = sealed
                .as_deref()
                .map(|sealed| keyring.open(&associated_data, sealed))
                .transpose()?;
            plain.map(|plain| String::from_utf8(plain).map_err(|_| none())).transpose()
        };
        let witnesses = open(INCIDENT_WITNESSES, &row.witnesses)?;
        let witnesses = witnesses.map(|json| serde_json::from_str(&json).map_err(|_| none()));
        Ok(Self {
            body_part: open(INCIDENT_BODY_PART, &row.body_part)?,
            nature: open(INCIDENT_NATURE, &row.nature)?,
            cause: open(INCIDENT_CAUSE, &row.cause)?,
            treatment: open(INCIDENT_TREATMENT, &row.treatment)?,
            narrative: open(INCIDENT_NARRATIVE, &row.narrative)?,
            witnesses: witnesses.transpose()?.unwrap_or_default(),
        })
    }
}

fn none() -> Error {
    Error::Internal("what is sealed in an incident is none of it".into())
}
