use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{MeterExchange, MeterExchangeDecision, MeterExchangeDeletionQuery, MeterExchangeInput};
use crate::{
    actor::Actor,
    error::{Error, Result},
    event::Verb,
    input::Deferred,
    meter::{
        consumption::{Cause, ExchangeKind, Kept, Point},
        decimal::Decimal,
        meter::{self, Kind, Meter},
        ranges::Range,
        reading,
        rollup::{
            self, Change, Scope,
            exchanges::{self, Said},
        },
    },
    store::{Store, Tx},
};

/// Says what a drop of a counter means, or that the counter was exchanged for another one at an instant.
///
/// # Errors
/// [`Error::NotFound`] for a meter that there is not, [`Error::State`] where the counter does not drop at the instant,
/// [`Error::Invalid`] and [`Error::Conflicts`] where the readings contradict it.
pub async fn put(
    store: &Store,
    actor: &Actor,
    (meter_id, at): (Uuid, DateTime<Utc>),
    body: Deferred<MeterExchangeInput>,
) -> Result<MeterExchange> {
    let (actor, at) = (actor.clone(), at.timestamp_micros());
    store
        .read_committed()
        .write(async move |tx| {
            let organization_id = actor.organization_id;
            let (meter, state) = meter::repository::hold_one(tx, organization_id, meter_id).await?;
            let input = body.read()?;
            require_counter(&meter)?;
            let there = exchanges::find(tx, (organization_id, meter_id), at).await?;
            let there = there.as_ref().map(exchanges::kept).transpose()?;
            let row = match input.kind {
                MeterExchangeDecision::Exchange => entered(&meter, at, input)?,
                _ => decided(tx, organization_id, &meter, (at, there), input).await?,
            };
            let said = Said { by_member_id: actor.member_id, at: tx.now().timestamp_micros() };
            exchanges::write_said(tx, organization_id, &[(meter_id, row)], Some(said)).await?;
            let last = state.last_at.zip(state.last_value).map(|(at, value)| Point { at, value });
            renew(tx, organization_id, &meter, (last, at)).await?;
            let written = exchanges::find(tx, (organization_id, meter_id), at).await?;
            let written = written.ok_or_else(|| Error::Internal("an exchange was lost".into()))?;
            let shown = MeterExchange::of(&meter, &written)?;
            notice(tx, &actor, &meter, (at, Some(&shown))).await?;
            Ok(shown)
        })
        .await
}

/// Takes back what somebody has said of where a counter began anew: then the rule of the meter holds again.
///
/// # Errors
/// [`Error::NotFound`] where there is nothing; [`Error::State`] where nobody has said anything, or something else.
pub async fn remove(
    store: &Store,
    actor: &Actor,
    (meter_id, at): (Uuid, DateTime<Utc>),
    query: MeterExchangeDeletionQuery,
) -> Result<()> {
    let (actor, at) = (actor.clone(), at.timestamp_micros());
    store
        .read_committed()
        .write(async move |tx| {
            let organization_id = actor.organization_id;
            let (meter, state) = meter::repository::hold_one(tx, organization_id, meter_id).await?;
            let there = exchanges::find(tx, (organization_id, meter_id), at).await?;
            let there = exchanges::kept(&there.ok_or_else(exchanges::not_found)?)?;
            if there.cause == Cause::Rule {
                let detail = "nobody has decided this: it follows from the rule of the meter";
                return Err(Error::state("by_rule", detail));
            }
            if there.kind != query.kind.into() {
                return Err(Error::state("another_kind", "something else was said by now"));
            }
            exchanges::remove(tx, organization_id, meter_id, &[at]).await?;
            let last = state.last_at.zip(state.last_value).map(|(at, value)| Point { at, value });
            renew(tx, organization_id, &meter, (last, at)).await?;
            notice(tx, &actor, &meter, (at, None)).await
        })
        .await
}

fn require_counter(meter: &Meter) -> Result<()> {
    if meter.kind == Kind::Counter {
        return Ok(());
    }
    Err(Error::state("not_a_counter", "only a counter begins anew"))
}

fn scaled(meter: &Meter, field: &str, value: Option<Decimal>) -> Result<Option<i64>> {
    let units = value.map(|value| value.scaled(meter.digits())).transpose();
    let units = units
        .map_err(|reason| Error::invalid(format!("/{field}"), reason.code(), reason.to_string()))?;
    match units {
        Some(negative) if negative < 0 => {
            Err(Error::invalid(format!("/{field}"), "range", "must not be below 0"))
        }
        units => Ok(units),
    }
}

/// The row of an exchange at any instant.
fn entered(meter: &Meter, at: i64, input: MeterExchangeInput) -> Result<Kept> {
    let before = scaled(meter, "before", input.before)?;
    let before = before.ok_or_else(|| Error::invalid("/before", "required", "is required"))?;
    let after = scaled(meter, "after", input.after)?.unwrap_or_default();
    Ok(Kept { at, kind: ExchangeKind::Exchange, before, after, cause: Cause::Entry })
}

/// The row of a drop, as somebody decides.
async fn decided(
    tx: &Tx,
    organization_id: Uuid,
    meter: &Meter,
    (at, there): (i64, Option<Kept>),
    input: MeterExchangeInput,
) -> Result<Kept> {
    let no_drop = || Error::state("no_drop", "the counter does not drop at the instant");
    there.filter(|there| there.cause != Cause::Entry).ok_or_else(no_drop)?;
    let range = Range { meter_id: meter.id, from: at, to: at + 1 };
    let points = reading::with_neighbours(tx, organization_id, range, 1).await?.unwrap_or_default();
    let previous = points.iter().rfind(|point| point.at < at).ok_or_else(no_drop)?;
    let lower = points.iter().find(|point| point.at == at).ok_or_else(no_drop)?;
    let maximum = scaled(meter, "before", meter.rollover_at)?;
    let given = scaled(meter, "before", input.before)?;
    let (kind, before) = match input.kind {
        MeterExchangeDecision::Rollover => (ExchangeKind::Rollover, given.or(maximum)),
        _ => (ExchangeKind::Reset, given.or(Some(previous.value))),
    };
    let before = before.ok_or_else(|| Error::invalid("/before", "required", "is required"))?;
    let after = scaled(meter, "after", input.after)?.unwrap_or_default();
    if before < previous.value {
        let message = "must not be below the reading before";
        return Err(Error::invalid("/before", "range", message));
    }
    if after > lower.value {
        return Err(Error::invalid("/after", "range", "must not be above the reading"));
    }
    Ok(Kept { at, kind, before, after, cause: Cause::Decision })
}

/// Renews what an exchange at an instant changes.
async fn renew(
    tx: &Tx,
    organization_id: Uuid,
    meter: &Meter,
    (last, at): (Option<Point>, i64),
) -> Result<()> {
    let change = Change { meter, last, points: &[], added: false, others: &[at] };
    let renewed = rollup::renew(Scope { tx, organization_id }, &[change]).await?;
    renewed.map_err(|_| {
        let detail =
            "readings before it are higher than before, or those after it lower than after";
        Error::state("contradicts_readings", detail)
    })
}

async fn notice(
    tx: &Tx,
    actor: &Actor,
    meter: &Meter,
    (at, exchange): (i64, Option<&MeterExchange>),
) -> Result<()> {
    let data = json!({
        "id": meter.id,
        "at": DateTime::<Utc>::from_timestamp_micros(at),
        "exchange": exchange,
    });
    let of = (meter.id, meter.version);
    tx.record_notice::<Meter>(&actor.into(), Verb::ExchangeChanged, of, data).await
}
