//! What a lower value of a counter means: a rollover, a reset, or what somebody has to decide. Each has a row, which
//! stays as long as the values drop there.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use super::Point;
use crate::meter::meter::DropRule;

/// How a counter began anew.
///
/// - `rollover`: It has passed its maximum and begun at 0.
/// - `reset`: It has begun at another value, by itself.
/// - `exchange`: It was exchanged for another one.
/// - `undecided`: Nobody has said yet. Until then, nothing was consumed there.
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
#[schema(as = MeterExchangeKind)]
pub enum ExchangeKind {
    /// It has passed its maximum and begun at 0.
    Rollover,
    /// It has begun at another value, by itself.
    Reset,
    /// It was exchanged for another one.
    Exchange,
    /// Nobody has said yet.
    Undecided,
}

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The rule of the meter.
    Rule,
    /// A member, who has decided what a drop means.
    Decision,
    /// A member, who has entered it: it is there whatever the values are.
    Entry,
}

/// A row of where a counter began anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// When: of a drop, that of the lower reading.
    pub at: i64,
    /// How.
    pub kind: ExchangeKind,
    /// What the counter showed last.
    pub before: i64,
    /// What it showed then.
    pub after: i64,
    /// Who says so.
    pub cause: Cause,
}

/// Readings of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stretch {
    /// All that there are from the first to the last.
    Whole(Vec<Point>),
    /// The first and the last of some that have not changed.
    Ends(Point, Point),
    /// There may be others, which have not changed.
    Break,
}

impl Stretch {
    fn ends(&self) -> Option<(Point, Point)> {
        match self {
            Self::Whole(points) => points.first().copied().zip(points.last().copied()),
            Self::Ends(first, last) => Some((*first, *last)),
            Self::Break => None,
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        let points = match self {
            Self::Whole(points) => &**points,
            Self::Ends(..) | Self::Break => &[],
        };
        points.windows(2).filter_map(|pair| match pair {
            [from, to] => Some((*from, *to)),
            _ => None,
        })
    }
}

/// A reading that contradicts an exchange that was entered: the counter showed less before it, or more after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contradiction {
    /// The instant of the later one of the two readings around it.
    pub at: i64,
    /// That of the exchange.
    pub exchange_at: i64,
}

/// What changes where a counter drops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drops {
    /// Rows that go.
    pub removed: Vec<i64>,
    /// Rows that come, or change.
    pub put: Vec<Kept>,
}

impl Drops {
    /// What follows from stretches of readings, in their order and each next to the one before, and from the rows that
    /// there are after the first of them and not after the last, in their order.
    ///
    /// # Errors
    /// For readings that contradict what was entered.
    pub fn of(
        (rule, rollover_at): (DropRule, Option<i64>),
        stretches: &[Stretch],
        rows: &[Kept],
    ) -> Result<Self, Contradiction> {
        let mut drops = Self::default();
        let mut last: Option<Point> = None;
        for stretch in stretches {
            if *stretch == Stretch::Break {
                last = None;
            }
            let Some((first, end)) = stretch.ends() else { continue };
            let across = last.map(|last| (last, first));
            for (from, to) in across.into_iter().chain(stretch.pairs()) {
                drops.look((rule, rollover_at), from, to, within(rows, from.at, to.at))?;
            }
            last = Some(end);
        }
        Ok(drops)
    }

    /// Looks at two neighbouring readings, and at the rows after the first and not after the second.
    fn look(
        &mut self,
        rule: (DropRule, Option<i64>),
        from: Point,
        to: Point,
        rows: &[Kept],
    ) -> Result<(), Contradiction> {
        let entered = || rows.iter().filter(|row| row.cause == Cause::Entry);
        let mut value = from.value;
        for row in entered() {
            if row.before < value {
                return Err(Contradiction { at: to.at, exchange_at: row.at });
            }
            value = row.after;
        }
        if let Some(row) = entered().next_back()
            && to.value < value
        {
            return Err(Contradiction { at: to.at, exchange_at: row.at });
        }
        let is_drop = to.value < value;
        let here = rows.iter().find(|row| row.at == to.at && row.cause != Cause::Entry);
        let wanted = is_drop.then(|| meaning(rule, here, from, to));
        for row in rows.iter().filter(|row| row.cause != Cause::Entry) {
            if wanted.is_none_or(|wanted| wanted.at != row.at) {
                self.removed.push(row.at);
            }
        }
        self.put.extend(wanted.filter(|wanted| here != Some(wanted)));
        Ok(())
    }
}

/// What a drop means: what was said of it, if that still holds, or what the rule says.
fn meaning(
    (rule, rollover_at): (DropRule, Option<i64>),
    said: Option<&Kept>,
    from: Point,
    to: Point,
) -> Kept {
    if let Some(said) = said.filter(|said| said.cause == Cause::Decision)
        && said.before >= from.value
        && said.after <= to.value
    {
        return *said;
    }
    let by_rule = said.filter(|said| said.cause == Cause::Rule).map(|said| said.kind);
    let kind = by_rule.unwrap_or(match rule {
        DropRule::Rollover => ExchangeKind::Rollover,
        DropRule::Reset => ExchangeKind::Reset,
        DropRule::Ask => ExchangeKind::Undecided,
    });
    let (kind, before, after) = match (kind, rollover_at) {
        (ExchangeKind::Rollover, Some(maximum)) if maximum >= from.value => (kind, maximum, 0),
        (ExchangeKind::Reset, _) if to.value >= 0 => (kind, from.value, 0),
        _ => (ExchangeKind::Undecided, from.value, to.value),
    };
    Kept { at: to.at, kind, before, after, cause: Cause::Rule }
}

/// Those of some rows, in their order, that come after an instant, and not after another one.
fn within(rows: &[Kept], after: i64, until: i64) -> &[Kept] {
    let first = rows.partition_point(|row| row.at <= after);
    let end = rows.partition_point(|row| row.at <= until);
    rows.get(first..end).unwrap_or_default()
}
