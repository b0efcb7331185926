use super::{Classification, Incident, IncidentInput, InjuryType, Status};
use crate::example;

impl IncidentInput {
    pub(super) fn example() -> Self {
        Self {
            member_id: example::MEMBER,
            occurred_at: example::at(10),
            place: example::some("Kitchen"),
            project_id: Some(example::PROJECT),
            status: Status::Open,
            job_title: example::some("Carpenter"),
            body_part: example::some("Left hand"),
            nature: example::some("Cut"),
            cause: example::some("The chisel slipped."),
            treatment: example::some("Three stitches"),
            narrative: example::some("Fitted a hinge when the chisel slipped."),
            witnesses: vec!["Charles Babbage".to_owned()],
            recordable: true,
            classification: Some(Classification::DaysAway),
            injury_type: Some(InjuryType::Injury),
            privacy_case: false,
            days_away: 2,
            days_restricted: 0,
            claim_number: example::some("C-2026-118"),
            insurer: example::some("Example Insurance"),
        }
    }
}

impl Incident {
    pub(super) fn example() -> Self {
        let input = IncidentInput::example();
        Self {
            id: example::INCIDENT,
            version: 1,
            case_number: 1,
            member_id: input.member_id,
            occurred_at: input.occurred_at,
            place: input.place,
            project_id: input.project_id,
            status: input.status,
            job_title: input.job_title,
            body_part: input.body_part,
            nature: input.nature,
            cause: input.cause,
            treatment: input.treatment,
            narrative: input.narrative,
            witnesses: input.witnesses,
            recordable: input.recordable,
            classification: input.classification,
            injury_type: input.injury_type,
            privacy_case: input.privacy_case,
            days_away: input.days_away,
            days_restricted: input.days_restricted,
            claim_number: input.claim_number,
            insurer: input.insurer,
            created_at: example::at(16),
            updated_at: example::at(16),
        }
    }
}
