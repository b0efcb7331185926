use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;
use validator::Validate;

use super::{MeterExchange, MeterExchangeDecision};
use crate::{
    actor::Actor,
    error::{Error, Result},
    meter::{meter, ranges::Range, rollup::exchanges},
    store::{
        Store, Tx,
        page::{DEFAULT_LIMIT, Page, paged},
    },
};

/// Page of where a counter began anew.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MeterExchangeQuery {
    /// Maximum number of items in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    #[param(default = 50)]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page. Omit it for the first
    /// page.
    pub cursor: Option<String>,
}

paged!(MeterExchangeQuery);

/// What to take back.
#[crate::input::bounded]
#[derive(Debug, Clone, Copy, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MeterExchangeDeletionQuery {
    /// How the counter began anew, as it was decided or entered. If something else was said by now, nothing is taken
    /// back.
    #[param(inline)]
    pub kind: MeterExchangeDecision,
}

/// A page of where a counter began anew, in the order of time.
pub async fn list(
    store: &Store,
    actor: &Actor,
    meter_id: Uuid,
    query: MeterExchangeQuery,
) -> Result<Page<MeterExchange>> {
    let MeterExchangeQuery { limit, cursor } = query;
    // The last one of the page before.
    let last = cursor.map(|cursor| cursor.parse::<i64>()).transpose();
    let last = last.map_err(|_| {
        Error::invalid("?cursor", "cursor", "must be the next_cursor of a page of exchanges")
    })?;
    let from = last.map_or(i64::MIN, |last| last.saturating_add(1));
    let (limit, organization_id) = (limit.unwrap_or(DEFAULT_LIMIT), actor.organization_id);
    store
        .snapshot(async move |tx: &Tx| {
            let meter = meter::repository::get(tx, organization_id, meter_id).await?;
            let range = Range { meter_id, from, to: i64::MAX };
            let mut rows = exchanges::list(tx, organization_id, range, limit + 1).await?;
            let shown = usize::try_from(limit).unwrap_or(usize::MAX);
            let is_last = rows.len() <= shown;
            rows.truncate(shown);
            let next_cursor = rows.last().filter(|_| !is_last).map(|last| last.at.to_string());
            let items = rows.iter().map(|row| MeterExchange::of(&meter, row));
            Ok(Page { items: items.collect::<Result<_>>()?, next_cursor })
        })
        .await
}
