//! What a meter may be.

use validator::ValidationError;

use super::{DropRule, Kind, Meter, MeterInput};
use crate::{
    error::Violation,
    meter::decimal::{Decimal, MAX_PRECISION},
    text::{at, refusal},
};

/// Refuses properties that contradict each other.
pub(super) fn in_itself(input: &MeterInput) -> Result<(), ValidationError> {
    let MeterInput { kind, precision, on_drop, rollover_at, low, high, hysteresis, .. } = input;
    let Ok(digits) = u8::try_from(*precision) else { return Ok(()) };
    let values = [
        ("rollover_at", *rollover_at),
        ("low", *low),
        ("high", *high),
        ("hysteresis", Some(*hysteresis)),
    ];
    for (field, value) in values {
        let kept = value.map(|value| value.scaled(digits.min(MAX_PRECISION))).transpose();
        kept.map_err(|reason| at(field, refusal(reason.code(), reason.to_string())))?;
    }
    let zero = Decimal::default();
    if rollover_at.is_some_and(|value| value <= zero) {
        return Err(at("rollover_at", refusal("range", "must be above 0")));
    }
    if *hysteresis < zero {
        return Err(at("hysteresis", refusal("range", "must not be below 0")));
    }
    if let (Some(low), Some(high)) = (low, high)
        && low >= high
    {
        return Err(at("high", refusal("order", "must be above low")));
    }
    match (kind, on_drop, rollover_at) {
        (Kind::Counter, DropRule::Rollover, None) => {
            Err(at("rollover_at", refusal("required", "is required for rollover")))
        }
        (Kind::Gauge | Kind::Delta, _, Some(_)) => {
            Err(at("rollover_at", refusal("kind", "must be omitted unless the meter is a counter")))
        }
        _ => Ok(()),
    }
}

/// Which properties a change has that say what the values are.
pub(super) fn changed_meaning(current: &Meter, input: &MeterInput) -> Vec<Violation> {
    let changed = [
        ("/kind", current.kind != input.kind),
        ("/precision", current.precision != input.precision),
        ("/rollover_at", current.rollover_at != input.rollover_at),
        ("/unit", current.unit != input.unit),
    ];
    let changed = changed.into_iter().filter(|(_, is_changed)| *is_changed);
    let message = "must not be changed: the meter has readings";
    changed.map(|(pointer, _)| Violation::new(pointer, "immutable", message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<Decimal> {
        Decimal::parse(text)
    }

    #[test]
    fn what_contradicts_itself_is_refused_where_it_does() {
        let sound = MeterInput::example;
        let refused = |input: MeterInput| {
            let refused = in_itself(&input).err()?;
            Some(refused.params["field"].as_str()?.to_owned())
        };
        assert_eq!(refused(sound()), None);
        for (input, field) in [
            (MeterInput { rollover_at: None, ..sound() }, "rollover_at"),
            (MeterInput { rollover_at: number("0"), ..sound() }, "rollover_at"),
            (MeterInput { kind: Kind::Gauge, ..sound() }, "rollover_at"),
            (MeterInput { high: number("0.25"), ..sound() }, "high"),
            (MeterInput { low: number("5"), high: number("5"), ..sound() }, "high"),
            (MeterInput { hysteresis: number("-1").unwrap_or_default(), ..sound() }, "hysteresis"),
        ] {
            assert_eq!(refused(input).as_deref(), Some(field));
        }
    }
}
