use actix_web::{HttpResponse, get, web};
use serde::Deserialize;
use service::event::{self, EventPage, EventQuery, Filter};
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use crate::{
    answer::Result,
    extract::{LastEventId, May, Query, Staying},
    may::{self, Requires},
    problem,
    state::State,
    stream::{self, Wanted},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(list).service(live);
}

/// What has happened, in the order in which it is told
///
/// As far as one's role may read it. `next_after` is where to go on, at once or later.
#[utoipa::path(
    tag = "events",
    params(("organization_id" = uuid::Uuid, Path), EventQuery),
    extensions(("x-permission" = json!(may::ReadOrganization::name()))),
    responses((status = 200, body = EventPage), problem::Read),
)]
#[get("/events")]
async fn list(
    state: web::Data<State>,
    may: May<may::ReadOrganization>,
    Query(query): Query<EventQuery>,
) -> Result<web::Json<EventPage>> {
    Ok(web::Json(event::list(&state.store, &may.actor, &query).await?))
}

/// Which events, from where.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StreamQuery {
    /// After this position, unless Last-Event-ID names one; from now on if neither does.
    #[validate(range(min = 0))]
    #[param(minimum = 0)]
    after: Option<i64>,
    /// Of these kinds: `expense.approved,budget.*`.
    #[validate(length(max = 2000))]
    #[param(max_length = 2000)]
    kinds: Option<String>,
    /// About this kind of resource, or about one: `expense`, `expense/ID`.
    #[validate(length(max = 100))]
    #[param(max_length = 100)]
    entity: Option<String>,
}

/// The same as it happens, as server-sent events
///
/// The id of each is its position: `Last-Event-ID` goes on where a stream ended. A line of comment comes
/// from time to time where nothing happens.
#[utoipa::path(
    tag = "events",
    params(
        ("organization_id" = uuid::Uuid, Path),
        StreamQuery,
        ("Last-Event-ID" = Option<i64>, Header, description = "The position of the last event seen."),
    ),
    extensions(("x-permission" = json!(may::ReadOrganization::name()))),
    responses(
        (status = 200, body = String, content_type = stream::MEDIA_TYPE),
        (status = 429, body = problem::Problem, content_type = problem::MEDIA_TYPE,
         description = "The organization has as many streams open as it may"),
        problem::Read,
    ),
)]
#[get("/events/stream")]
async fn live(
    state: web::Data<State>,
    may: May<may::ReadOrganization>,
    reader: Staying,
    Query(query): Query<StreamQuery>,
    LastEventId(last): LastEventId,
) -> Result<HttpResponse> {
    let StreamQuery { after, kinds, entity } = query;
    let filter = Filter::of(&EventQuery { kinds, entity, ..EventQuery::default() })?;
    let wanted = Wanted { filter, after: last.or(after) };
    stream::open(&state, &may.actor, reader, wanted).await
}
