//! Incidents: who was hurt at work, when, where and how, for those who answer for it and nobody else
//! (docs/work.md, "Incidents").
//!
//! What happened to the body, how, and who saw it is sealed ([`Secrets`]): in the row, and in the log.

mod commands;
mod example;
mod osha;
mod repository;
pub mod rules;
mod secrets;

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use entity::incident::Column;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use osha::{CsvFile, OshaQuery, log_300, summary_300a};
use secrets::Secrets;

use crate::{
    error::Result,
    input::{AnyOf, AnyOrNone, IdOrNone},
    store::{page::paged, stored},
    text,
};

/// Status of an incident.
///
/// - `reported`: Reported and not investigated yet.
/// - `open`: Under investigation.
/// - `closed`: Closed. A closed incident may be reopened.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = IncidentStatus)]
pub enum Status {
    /// Reported and not investigated yet.
    Reported,
    /// Under investigation.
    Open,
    /// Closed. A closed incident may be reopened.
    Closed,
}

/// Outcome of an incident, as in columns (G) to (J) of OSHA's Form 300.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = IncidentClassification)]
pub enum Classification {
    /// Death.
    Death,
    /// Days away from work.
    DaysAway,
    /// Job transfer or restriction.
    Restricted,
    /// Other recordable case.
    OtherRecordable,
}

/// Type of injury or illness, as in column (M) of OSHA's Form 300.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[schema(as = IncidentInjuryType)]
pub enum InjuryType {
    /// Injury.
    Injury,
    /// Skin disorder.
    SkinDisorder,
    /// Respiratory condition.
    Respiratory,
    /// Poisoning.
    Poisoning,
    /// Hearing loss.
    HearingLoss,
    /// Any other illness.
    OtherIllness,
}

/// Writable properties of an incident. The server encrypts `body_part`, `nature`, `cause`,
/// `treatment`, `narrative` and `witnesses`.
#[crate::input::bounded]
#[derive(Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::classified))]
#[schema(examples(Self::example))]
pub struct IncidentInput {
    /// Identifier of the injured member.
    pub member_id: Uuid,
    /// Time of the incident (RFC 3339, UTC).
    #[validate(custom(function = text::instant))]
    pub occurred_at: DateTime<Utc>,
    /// Place of the incident, at most 500 characters.
    #[validate(length(max = 500))]
    pub place: Option<String>,
    /// Identifier of the project; null for none. Archived projects are accepted.
    pub project_id: Option<Uuid>,
    /// Status of the incident. Defaults to `reported`.
    #[serde(default = "reported")]
    pub status: Status,
    /// Job title of the injured member, at most 200 characters.
    #[validate(length(max = 200))]
    pub job_title: Option<String>,
    /// Part of the body that was injured, at most 200 characters.
    #[validate(length(max = 200))]
    pub body_part: Option<String>,
    /// Nature of the injury or illness, at most 200 characters.
    #[validate(length(max = 200))]
    pub nature: Option<String>,
    /// Cause of the incident, at most 2000 characters.
    #[validate(length(max = 2000))]
    pub cause: Option<String>,
    /// Treatment of the injury or illness, at most 2000 characters.
    #[validate(length(max = 2000))]
    pub treatment: Option<String>,
    /// Description of the incident, at most 20000 characters.
    #[validate(length(max = 20000))]
    pub narrative: Option<String>,
    /// Names of the witnesses: at most 50 of 1 to 200 characters each.
    #[serde(default)]
    #[validate(length(max = 50), custom(function = rules::witnesses))]
    pub witnesses: Vec<String>,
    /// Whether the incident belongs in the OSHA 300 log. Defaults to false.
    #[serde(default)]
    pub recordable: bool,
    /// Outcome of the incident, for the OSHA 300 log. Required if `recordable` is true.
    pub classification: Option<Classification>,
    /// Type of injury or illness, for the OSHA 300 log. Required if `recordable` is true.
    pub injury_type: Option<InjuryType>,
    /// Whether the log omits the member's name (29 CFR 1904.29(b)(6) to (9)). Defaults to false.
    #[serde(default)]
    pub privacy_case: bool,
    /// Calendar days away from work, 0 to 99999. Defaults to 0.
    #[serde(default)]
    #[validate(range(min = 0, max = 99999))]
    pub days_away: i64,
    /// Calendar days of job transfer or restriction, 0 to 99999. Defaults to 0.
    #[serde(default)]
    #[validate(range(min = 0, max = 99999))]
    pub days_restricted: i64,
    /// Number of the insurance claim, at most 100 characters.
    #[validate(length(max = 100))]
    pub claim_number: Option<String>,
    /// Name of the insurer, at most 200 characters.
    #[validate(length(max = 200))]
    pub insurer: Option<String>,
}

fn reported() -> Status {
    Status::Reported
}

/// Injury or illness at work, for workers' compensation and the OSHA forms. Only administrators and
/// owners see incidents.
#[derive(Clone, Serialize, ToSchema)]
#[schema(examples(Self::example))]
pub struct Incident {
    /// Unique identifier (UUID), chosen by the client on creation or else set by the server.
    pub id: Uuid,
    /// Version of the resource, set by the server: 1 on creation, incremented by every change.
    pub version: i64,
    /// Number of the incident in the organization and in the OSHA 300 log, set by the server.
    pub case_number: i64,
    /// Identifier of the injured member.
    pub member_id: Uuid,
    /// Time of the incident (RFC 3339, UTC).
    pub occurred_at: DateTime<Utc>,
    /// Place of the incident, at most 500 characters.
    pub place: Option<String>,
    /// Identifier of the project; null for none. Archived projects are accepted.
    pub project_id: Option<Uuid>,
    /// Status of the incident.
    pub status: Status,
    /// Job title of the injured member, at most 200 characters.
    pub job_title: Option<String>,
    /// Part of the body that was injured, at most 200 characters.
    pub body_part: Option<String>,
    /// Nature of the injury or illness, at most 200 characters.
    pub nature: Option<String>,
    /// Cause of the incident, at most 2000 characters.
    pub cause: Option<String>,
    /// Treatment of the injury or illness, at most 2000 characters.
    pub treatment: Option<String>,
    /// Description of the incident, at most 20000 characters.
    pub narrative: Option<String>,
    /// Names of the witnesses: at most 50 of 1 to 200 characters each.
    pub witnesses: Vec<String>,
    /// Whether the incident belongs in the OSHA 300 log.
    pub recordable: bool,
    /// Outcome of the incident, for the OSHA 300 log.
    pub classification: Option<Classification>,
    /// Type of injury or illness, for the OSHA 300 log.
    pub injury_type: Option<InjuryType>,
    /// Whether the log omits the member's name (29 CFR 1904.29(b)(6) to (9)).
    pub privacy_case: bool,
    /// Calendar days away from work, 0 to 99999.
    pub days_away: i64,
    /// Calendar days of job transfer or restriction, 0 to 99999.
    pub days_restricted: i64,
    /// Number of the insurance claim, at most 100 characters.
    pub claim_number: Option<String>,
    /// Name of the insurer, at most 200 characters.
    pub insurer: Option<String>,
    /// Time of the creation (RFC 3339, UTC), set by the server.
    pub created_at: DateTime<Utc>,
    /// Time of the last change (RFC 3339, UTC), set by the server.
    pub updated_at: DateTime<Utc>,
}

impl Incident {
    /// A row with what is sealed in it.
    fn of(row: entity::incident::Model, secrets: Secrets) -> Result<Self> {
        let entity::incident::Model {
            organization_id: _,
            id,
            version,
            created_at,
            updated_at,
            case_number,
            member_id,
            project_id,
            occurred_at,
            place,
            job_title,
            status,
            recordable,
            classification,
            injury_type,
            privacy_case,
            days_away,
            days_restricted,
            claim_number,
            insurer,
            body_part: _,
            nature: _,
            cause: _,
            treatment: _,
            narrative: _,
            witnesses: _,
        } = row;
        let classification = classification.as_deref();
        let classification = classification.map(|it| stored::word(Column::Classification, id, it));
        let injury_type = injury_type.as_deref();
        let injury_type = injury_type.map(|it| stored::word(Column::InjuryType, id, it));
        let Secrets { body_part, nature, cause, treatment, narrative, witnesses } = secrets;
        Ok(Self {
            id,
            version,
            case_number,
            member_id,
            occurred_at: occurred_at.to_utc(),
            place,
            project_id,
            status: stored::word(Column::Status, id, &status)?,
            job_title,
            body_part,
            nature,
            cause,
            treatment,
            narrative,
            witnesses,
            recordable,
            classification: classification.transpose()?,
            injury_type: injury_type.transpose()?,
            privacy_case,
            days_away,
            days_restricted,
            claim_number,
            insurer,
            created_at: created_at.to_utc(),
            updated_at: updated_at.to_utc(),
        })
    }
}

impl fmt::Debug for IncidentInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IncidentInput").finish_non_exhaustive()
    }
}

impl fmt::Debug for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, version, .. } = self;
        let mut shown = f.debug_struct("Incident");
        shown.field("id", id).field("version", version).finish_non_exhaustive()
    }
}

/// Filters and page of a list of incidents.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IncidentQuery {
    /// Return incidents with one of these statuses.
    #[param(value_type = Option<Vec<Status>>, inline)]
    pub status: Option<AnyOf<Status>>,
    /// Return incidents of one of these members.
    #[param(value_type = Option<Vec<Uuid>>)]
    pub member_id: Option<AnyOf<Uuid>>,
    /// Return incidents of one of these projects, or with `none` those without a project.
    #[param(value_type = Option<Vec<IdOrNone>>, inline)]
    pub project_id: Option<AnyOrNone<Uuid>>,
    /// Return incidents of this day or later (`YYYY-MM-DD`), in the organization's time zone.
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// Return incidents of this day or earlier (`YYYY-MM-DD`), in the organization's time zone.
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(IncidentQuery);
