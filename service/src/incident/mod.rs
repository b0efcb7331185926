//! Incidents: who was hurt at work, when, where and how, for those who answer for it and nobody else
//! (docs/work.md, "Incidents").
//!
//! What happened to the body, how, and who saw it is sealed ([`Secrets`]): in the row, and in the log.

mod commands;
mod csv;
mod osha;
mod repository;
pub mod rules;
mod secrets;

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use validator::Validate;

pub use osha::{CsvFile, OshaQuery, log_300, summary_300a};
use secrets::Secrets;

use crate::{store::page::PageQuery, text};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident as $schema:ident { $($(#[$of:meta])* $variant:ident $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = $schema)]
        pub enum $name {
            $($(#[$of])* $variant),*
        }

        impl $name {
            /// Each of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As it is written in JSON and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            pub(crate) fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.as_str() == word)
            }
        }
    };
}

words! {
    /// How far an incident is.
    Status as IncidentStatus {
        /// Somebody has told of it.
        Reported "reported",
        /// It is being looked into.
        Open "open",
        /// It is done with; it may be opened again.
        Closed "closed",
    }
}

words! {
    /// What came of it, as columns (G) to (J) of OSHA's Form 300 ask.
    Classification as IncidentClassification {
        /// Death.
        Death "death",
        /// Days away from work.
        DaysAway "days_away",
        /// Job transfer or restriction.
        Restricted "restricted",
        /// Another recordable case.
        OtherRecordable "other_recordable",
    }
}

words! {
    /// What kind of injury or illness, as column (M) of OSHA's Form 300 asks.
    InjuryType as IncidentInjuryType {
        /// An injury.
        Injury "injury",
        /// A skin disorder.
        SkinDisorder "skin_disorder",
        /// A respiratory condition.
        Respiratory "respiratory",
        /// Poisoning.
        Poisoning "poisoning",
        /// Hearing loss.
        HearingLoss "hearing_loss",
        /// Any other illness.
        OtherIllness "other_illness",
    }
}

/// What a client may write of an incident. It does not show itself.
#[derive(Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = rules::classified))]
pub struct IncidentInput {
    /// Who was hurt.
    pub member_id: Uuid,
    /// When.
    #[validate(custom(function = text::instant))]
    pub occurred_at: DateTime<Utc>,
    /// Where.
    #[validate(length(max = 500))]
    #[schema(max_length = 500)]
    pub place: Option<String>,
    /// On which project, archived ones too: a report is never refused for that.
    pub project_id: Option<Uuid>,
    /// How far it is; `reported` if it is left out.
    #[serde(default = "reported")]
    pub status: Status,
    /// The injured member's job.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub job_title: Option<String>,
    /// Which part of the body.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub body_part: Option<String>,
    /// The nature of the injury or illness.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub nature: Option<String>,
    /// What caused it.
    #[validate(length(max = 2000))]
    #[schema(max_length = 2000)]
    pub cause: Option<String>,
    /// How it was treated.
    #[validate(length(max = 2000))]
    #[schema(max_length = 2000)]
    pub treatment: Option<String>,
    /// What happened.
    #[validate(length(max = 20000))]
    #[schema(max_length = 20000)]
    pub narrative: Option<String>,
    /// Who saw it.
    #[serde(default)]
    #[validate(length(max = 50), custom(function = rules::witnesses))]
    #[schema(max_items = 50)]
    pub witnesses: Vec<String>,
    /// Whether it goes into the OSHA 300 log.
    #[serde(default)]
    pub recordable: bool,
    /// What came of it. A recordable one has it.
    pub classification: Option<Classification>,
    /// Injury, or which kind of illness. A recordable one has it.
    pub injury_type: Option<InjuryType>,
    /// Whether the name is left out of the log (29 CFR 1904.29(b)(6) to (9)).
    #[serde(default)]
    pub privacy_case: bool,
    /// Calendar days away from work.
    #[serde(default)]
    #[validate(range(min = 0, max = 99999))]
    #[schema(minimum = 0, maximum = 99999)]
    pub days_away: i64,
    /// Calendar days of job transfer or restriction.
    #[serde(default)]
    #[validate(range(min = 0, max = 99999))]
    #[schema(minimum = 0, maximum = 99999)]
    pub days_restricted: i64,
    /// The insurer's number of the claim.
    #[validate(length(max = 100))]
    #[schema(max_length = 100)]
    pub claim_number: Option<String>,
    /// The insurer.
    #[validate(length(max = 200))]
    #[schema(max_length = 200)]
    pub insurer: Option<String>,
}

fn reported() -> Status {
    Status::Reported
}

/// An incident. It does not show itself.
#[derive(Clone, Serialize, ToSchema)]
pub struct Incident {
    /// The id.
    pub id: Uuid,
    /// The version.
    pub version: i64,
    /// Its number among the organization's incidents, as the OSHA 300 log calls it.
    pub case_number: i64,
    /// Who was hurt.
    pub member_id: Uuid,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// Where.
    pub place: Option<String>,
    /// On which project.
    pub project_id: Option<Uuid>,
    /// How far it is.
    pub status: Status,
    /// The injured member's job.
    pub job_title: Option<String>,
    /// Which part of the body.
    pub body_part: Option<String>,
    /// The nature of the injury or illness.
    pub nature: Option<String>,
    /// What caused it.
    pub cause: Option<String>,
    /// How it was treated.
    pub treatment: Option<String>,
    /// What happened.
    pub narrative: Option<String>,
    /// Who saw it.
    pub witnesses: Vec<String>,
    /// Whether it goes into the OSHA 300 log.
    pub recordable: bool,
    /// What came of it.
    pub classification: Option<Classification>,
    /// Injury, or which kind of illness.
    pub injury_type: Option<InjuryType>,
    /// Whether the name is left out of the log.
    pub privacy_case: bool,
    /// Calendar days away from work.
    pub days_away: i64,
    /// Calendar days of job transfer or restriction.
    pub days_restricted: i64,
    /// The insurer's number of the claim.
    pub claim_number: Option<String>,
    /// The insurer.
    pub insurer: Option<String>,
    /// When it was reported.
    pub created_at: DateTime<Utc>,
    /// When this was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Incident {
    /// A row with what is sealed in it.
    fn of(row: entity::incident::Model, secrets: Secrets) -> Self {
        let Secrets { body_part, nature, cause, treatment, narrative, witnesses } = secrets;
        Self {
            id: row.id,
            version: row.version,
            case_number: row.case_number,
            member_id: row.member_id,
            occurred_at: row.occurred_at.to_utc(),
            place: row.place,
            project_id: row.project_id,
            status: Status::of(&row.status).unwrap_or(Status::Reported),
            job_title: row.job_title,
            body_part,
            nature,
            cause,
            treatment,
            narrative,
            witnesses,
            recordable: row.recordable,
            classification: row.classification.as_deref().and_then(Classification::of),
            injury_type: row.injury_type.as_deref().and_then(InjuryType::of),
            privacy_case: row.privacy_case,
            days_away: row.days_away,
            days_restricted: row.days_restricted,
            claim_number: row.claim_number,
            insurer: row.insurer,
            created_at: row.created_at.to_utc(),
            updated_at: row.updated_at.to_utc(),
        }
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

/// Which incidents.
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IncidentQuery {
    /// In this status.
    #[param(inline)]
    pub status: Option<Status>,
    /// Of this member.
    pub member_id: Option<Uuid>,
    /// On this project.
    pub project_id: Option<Uuid>,
    /// On this day or later, in the organization's time zone.
    #[validate(custom(function = text::day))]
    pub from: Option<NaiveDate>,
    /// On this day or earlier.
    #[validate(custom(function = text::day))]
    pub to: Option<NaiveDate>,
    /// How many items, 1 to 500.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50, minimum = 1, maximum = 500)]
    pub limit: Option<u64>,
    /// Where to go on: `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl IncidentQuery {
    fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}
