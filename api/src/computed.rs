//! Answers that are computed from an organization's rows, and kept under the state of the log that they include. While
//! nothing happens in the organization, they are computed once.
//!
//! What is kept is looked for by the state that the log is in at the moment of the request, so that a client finds
//! all that was written before, on whichever node.

use std::fmt::Write;

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::header::{self, ContentType, EntityTag, HeaderMap, IfNoneMatch},
};
use service::{
    Store,
    cache::{Entry, Key},
    error,
    event::{self, LogState},
    report::{self, Report},
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    extract::ReplicaRead,
    represent,
    response::{Result, not_serializable, tag_of},
    state::State,
    table::{self, Format},
};

/// How much of a hash is in a tag, in hexadecimal digits: 64 bits, besides the position.
const TAG_DIGITS: usize = 16;

/// What a report answers: from what is kept, or from the database.
///
/// # Errors
/// What is wrong with the query.
pub(crate) async fn respond<R: Report>(
    replica: ReplicaRead,
    organization_id: Uuid,
    query: R,
) -> Result<HttpResponse> {
    let (state, request) = (replica.state().clone(), replica.request().clone());
    let work = async |store: &Store| answer(&state, store, &request, organization_id, &query).await;
    replica.run(work).await
}

async fn answer<R: Report>(
    state: &State,
    store: &Store,
    request: &HttpRequest,
    organization_id: Uuid,
    query: &R,
) -> error::Result<HttpResponse> {
    // Read once, and before anything is: an answer is at least as old as its age says.
    let now = store.now();
    let format = Format::of(request)?;
    let keeps = format == Format::Json && state.cache.is_enabled() && !asks_anew(request.headers());
    if keeps && let Some(log) = event::state(store.read(), organization_id).await? {
        let kept = Kept::of::<R>(request, organization_id, (&log, format));
        let known: Option<IfNoneMatch> = request.get_header();
        if known.is_some_and(|known| represent::names(&known, &kept.tag)) {
            let mut unchanged = HttpResponse::NotModified();
            return Ok(unchanged.insert_header((header::ETAG, kept.tag)).finish());
        }
        if let Some(entry) = state.cache.get(&kept.key, now).await {
            let age = entry.age(now).num_seconds();
            let mut response = ok(kept.tag);
            return Ok(response.insert_header((header::AGE, age)).body(entry.body.to_vec()));
        }
    }
    let computed = report::compute(store, organization_id, query.clone()).await?;
    let kept = computed.state.map(|log| Kept::of::<R>(request, organization_id, (&log, format)));
    if let Format::Table(format) = format {
        let rows = R::rows(computed.answer);
        return table::report(request, format, &rows, kept.map(|kept| kept.tag)).await;
    }
    let body = serde_json::to_vec(&computed.answer).map_err(not_serializable)?;
    let Some(kept) = kept else { return Ok(ok(tag_of(&body)).body(body)) };
    if keeps {
        state.cache.put(&kept.key, &Entry { made_at: now, body: body.as_slice().into() });
    }
    Ok(ok(kept.tag).body(body))
}

fn ok(tag: EntityTag) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type(ContentType::json())
        .insert_header((header::ETAG, tag))
        .insert_header((header::VARY, "accept"));
    response
}

/// What an answer is kept under, and what clients know it by.
struct Kept {
    key: Key,
    tag: EntityTag,
}

impl Kept {
    /// The query is that of the request, as it was sent: in other words it is another one.
    fn of<R: Report>(
        request: &HttpRequest,
        organization_id: Uuid,
        (log, format): (&LogState, Format),
    ) -> Self {
        let digest = Sha256::new()
            .chain_update(&log.chain)
            .chain_update(env!("CARGO_PKG_VERSION"))
            .chain_update(request.path())
            .chain_update("\0")
            .chain_update(request.query_string())
            .chain_update("\0")
            .chain_update(format.name())
            .finalize();
        let id = digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let tag = EntityTag::new_weak(format!("{}-{}", log.position, &id[..TAG_DIGITS]));
        Self { key: Key { entity: R::NAME, organization_id, id }, tag }
    }
}

/// Whether a client does not take what is kept (RFC 9111, section 5.2.1).
fn asks_anew(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CACHE_CONTROL).filter_map(|value| value.to_str().ok());
    let mut directives = values.flat_map(|value| value.split(',')).map(str::trim);
    directives.any(|directive| {
        ["no-cache", "no-store", "max-age=0"].iter().any(|it| directive.eq_ignore_ascii_case(it))
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use service::report::{BudgetsQuery, HoursQuery};

    use super::*;

    #[test]
    fn a_client_asks_anew_by_cache_control() {
        let asks = |value: &str| {
            let request = TestRequest::get().insert_header((header::CACHE_CONTROL, value));
            asks_anew(request.to_http_request().headers())
        };
        for value in ["no-cache", "No-Cache", "max-age=60, no-cache", "no-store", "max-age=0"] {
            assert!(asks(value), "{value}");
        }
        for value in ["", "max-age=60", "no-transform", "only-if-cached", "no-cache-please"] {
            assert!(!asks(value), "{value}");
        }
    }

    #[test]
    fn what_is_kept_has_a_key_of_its_own() {
        let log = |chain: &str| LogState { position: 7, chain: chain.to_owned() };
        let kept = |uri: &str, chain: &str| {
            let request = TestRequest::with_uri(uri).to_http_request();
            Kept::of::<BudgetsQuery>(&request, Uuid::nil(), (&log(chain), Format::Json))
        };
        let one = kept("/budgets?on=2026-11-01", "a");
        assert_eq!(one.key, kept("/budgets?on=2026-11-01", "a").key);
        assert_eq!(one.tag, kept("/budgets?on=2026-11-01", "a").tag);
        assert!(one.tag.to_string().starts_with("W/\"7-"), "{}", one.tag);
        for other in [
            kept("/budgets?on=2026-11-02", "a"),
            kept("/budgets?on=2026-11-01", "b"),
            kept("/hours?on=2026-11-01", "a"),
            kept("/budgets?on=2026-11-01&", "a"),
        ] {
            assert!(other.key != one.key && other.tag != one.tag, "{:?}", other.key);
        }
        let request = TestRequest::with_uri("/budgets?on=2026-11-01").to_http_request();
        let of_hours = Kept::of::<HoursQuery>(&request, Uuid::nil(), (&log("a"), Format::Json));
        assert_ne!(of_hours.key, one.key);
        let table = Format::Table(service::spreadsheet::Format::Csv);
        let of_table = Kept::of::<BudgetsQuery>(&request, Uuid::nil(), (&log("a"), table));
        assert_ne!(of_table.tag, one.tag);
    }
}
