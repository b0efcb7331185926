use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use service::{
    Store,
    catalogue::RESOURCES,
    event::{self, EventPage, EventQuery, Filter},
};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    extract::{LastEventId, Query, ReplicaRead, Require, StreamSession},
    permission::{self, PermissionType},
    problem,
    response::{FeedResponse, Result},
    state::State,
    stream::{self, Subscription},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list_events).service(stream_events);
}

/// List events
///
/// Returns the events that the role may read, in the order of their positions. `next_after` is the
/// position from which to continue, at once or later.
#[utoipa::path(
    tag = "events",
    params(("organization_id" = uuid::Uuid, Path), EventQuery),
    extensions(("x-permission" = json!(permission::ReadOrganization::name()))),
    responses(
        (status = 200, description = "Events after the position", body = EventPage),
        problem::Read,
    ),
)]
#[get("/events")]
async fn list_events(
    caller: Require<permission::ReadOrganization>,
    replica: ReplicaRead,
    Query(query): Query<EventQuery>,
) -> Result<FeedResponse<EventPage>> {
    let work = async |store: &Store| event::list(store, RESOURCES, &caller.actor, &query).await;
    Ok(FeedResponse(replica.run(work).await?))
}

/// Position and filters of a stream of events.
#[service::input::bounded]
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StreamQuery {
    /// Send events after this position. Ignored if `Last-Event-ID` is sent; without either, the
    /// stream starts with the next event.
    #[validate(range(min = 0))]
    after: Option<i64>,
    /// Send events of these kinds, separated by commas: `expense.approved,budget.*`. At most 2000
    /// characters.
    #[validate(length(max = 2000))]
    kinds: Option<String>,
    /// Send events of this type of resource, or of one resource: `expense`, `expense/ID`. At most
    /// 100 characters.
    #[validate(length(max = 100))]
    entity: Option<String>,
}

/// Stream events
///
/// Sends the events that the role may read as server-sent events, as they occur. The id of a
/// message is the position of its event; `Last-Event-ID` resumes after it. Comment lines keep an
/// idle stream open.
#[utoipa::path(
    tag = "events",
    params(
        ("organization_id" = uuid::Uuid, Path),
        StreamQuery,
        (
            "Last-Event-ID" = Option<i64>,
            Header,
            description = "Position of the last event received."
        ),
    ),
    extensions(("x-permission" = json!(permission::ReadOrganization::name()))),
    responses(
        (
            status = 200,
            description = "Stream of events",
            body = String,
            content_type = stream::MEDIA_TYPE,
        ),
        problem::Stream,
    ),
)]
#[get("/events/stream")]
async fn stream_events(
    state: web::Data<State>,
    caller: Require<permission::ReadOrganization>,
    reader: StreamSession,
    Query(query): Query<StreamQuery>,
    LastEventId(last): LastEventId,
) -> Result<HttpResponse> {
    let StreamQuery { after, kinds, entity } = query;
    let filter = Filter::of(RESOURCES, &EventQuery { kinds, entity, ..EventQuery::default() })?;
    let last = last.map(|position| (position, "Last-Event-ID"));
    let after = last.or(after.map(|position| (position, "?after")));
    let subscription = Subscription { filter, after };
    stream::open(&state, &caller.actor, reader, subscription).await
}
