use super::{ConflictRule, DropRule, Kind, Meter, MeterInput};
use crate::{example, meter::decimal::Decimal};

impl MeterInput {
    pub(super) fn example() -> Self {
        Self {
            name: "Electricity, main".to_owned(),
            unit: "kW.h".to_owned(),
            kind: Kind::Counter,
            project_id: None,
            place: example::some("Cellar"),
            interval_seconds: Some(900),
            precision: 1,
            on_drop: DropRule::Rollover,
            rollover_at: Decimal::parse("100000"),
            on_conflict: ConflictRule::Reject,
            low: None,
            high: None,
            hysteresis: Decimal::default(),
            source: example::some("home/power,device=main total"),
        }
    }
}

impl Meter {
    pub(super) fn example() -> Self {
        let input = MeterInput::example();
        Self {
            id: example::METER,
            version: 1,
            name: input.name,
            unit: input.unit,
            kind: input.kind,
            project_id: input.project_id,
            place: input.place,
            interval_seconds: input.interval_seconds,
            precision: input.precision,
            on_drop: input.on_drop,
            rollover_at: input.rollover_at,
            on_conflict: input.on_conflict,
            low: input.low,
            high: input.high,
            hysteresis: input.hysteresis,
            source: input.source,
            created_at: example::at(7),
            updated_at: example::at(7),
        }
    }
}
