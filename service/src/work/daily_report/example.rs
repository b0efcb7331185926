use super::{Crew, DailyReport, DailyReportInput, Item, ItemKind, Status, Weather};
use crate::example;

impl DailyReportInput {
    pub(super) fn example() -> Self {
        let weather = Weather {
            conditions: example::some("Rain in the morning"),
            temperature_low_tenths: Some(-15),
            temperature_high_tenths: Some(64),
            precipitation_tenths: Some(42),
            wind_kmh: Some(20),
        };
        let member =
            Crew { member_id: Some(example::MEMBER), trade: None, count: 1, seconds: 8 * 60 * 60 };
        let plumbers = Crew {
            member_id: None,
            trade: example::some("Plumbing"),
            count: 2,
            seconds: 2 * 4 * 60 * 60,
        };
        let work = Item {
            kind: ItemKind::Work,
            text: "Installed cabinets".to_owned(),
            quantity_milli: Some(6000),
            unit: example::some("pcs"),
            minutes: None,
        };
        let delay = Item {
            kind: ItemKind::Delay,
            text: "Waited for the delivery".to_owned(),
            quantity_milli: None,
            unit: None,
            minutes: Some(45),
        };
        Self {
            project_id: example::PROJECT,
            day: example::day(),
            weather: Some(weather),
            summary: example::some("Installed the cabinets."),
            crew: vec![member, plumbers],
            items: vec![work, delay],
        }
    }
}

impl DailyReport {
    pub(super) fn example() -> Self {
        let DailyReportInput { project_id, day, weather, summary, crew, items } =
            DailyReportInput::example();
        Self {
            id: example::DAILY_REPORT,
            version: 1,
            project_id,
            day,
            status: Status::Draft,
            weather,
            summary,
            crew,
            items,
            created_by_member_id: Some(example::MEMBER),
            changed_by_member_id: None,
            submitted_at: None,
            submitted_by_member_id: None,
            amended_at: None,
            amended_by_member_id: None,
            amendment_reason: None,
            decided_at: None,
            decided_by_member_id: None,
            decision_note: None,
            created_at: example::at(16),
            updated_at: example::at(16),
        }
    }
}
