use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use crate::{
    actor::{Actor, Settings},
    error::{Error, Result},
    event,
    identity::organization::Organization,
    resource::Resource,
    store::page::PageQuery,
    zone::{UnknownZone, Zone},
};

/// How long an organization's settings are remembered elsewhere after they have changed, and more.
const CACHE_TTL: TimeDelta = TimeDelta::minutes(5);

/// The time zones that an organization has had, and since when: what was written in one stays in it.
#[derive(Debug, Clone)]
pub(crate) struct Zones {
    /// In their order; the first one since ever.
    since: Vec<(DateTime<Utc>, Settings)>,
}

impl Zones {
    /// Those that an organization's log tells of.
    pub(crate) async fn read(connection: &impl ConnectionTrait, actor: &Actor) -> Result<Self> {
        let id = actor.organization_id;
        let mut named: Vec<(DateTime<Utc>, String)> = Vec::new();
        let mut query = PageQuery { limit: Some(500), cursor: None };
        loop {
            let entity = Organization::ENTITY;
            let page = event::repository::history(connection, id, entity, id, &query).await?;
            for event in page.items {
                let zone = event.data.as_ref().and_then(|data| data["time_zone"].as_str());
                named.extend(zone.map(|zone| (event.at.to_utc(), zone.to_owned())));
            }
            query.cursor = page.next_cursor;
            if query.cursor.is_none() {
                break;
            }
        }
        // The latest came first.
        named.reverse();
        named.dedup_by(|later, earlier| later.1 == earlier.1);
        let unknown = |error: UnknownZone| Error::Internal(error.to_string());
        let settings = |time_zone: Zone| Settings { time_zone, ..(*actor.settings).clone() };
        let parsed = named.into_iter().map(|(at, name)| Ok((at, settings(name.parse()?))));
        let mut since: Vec<_> = parsed.collect::<Result<_, UnknownZone>>().map_err(unknown)?;
        if since.is_empty() {
            since.push((DateTime::UNIX_EPOCH, (*actor.settings).clone()));
        }
        Ok(Self { since })
    }

    /// Those that it may have had while something was written, in their order: at least one.
    pub(crate) fn between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> &[(DateTime<Utc>, Settings)] {
        let begun = self.since.partition_point(|(at, _)| *at <= from - CACHE_TTL);
        let until = self.since.partition_point(|(at, _)| *at <= to + CACHE_TTL);
        let first = begun.saturating_sub(1);
        &self.since[first..until.max(first + 1)]
    }
}
