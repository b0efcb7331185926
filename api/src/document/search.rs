use actix_web::{HttpResponse, post};
use serde::Serialize;
use service::{
    Actor,
    document::{
        query::plan::Explanation,
        search::{self, AggregationInput, AggregationResult, QueryInput, QueryResult},
    },
    error,
    idempotency::WriteOnce,
    input::DeferredExact,
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Body, CollectionName, Idempotent, Require},
    permission::{self, PermissionType},
    problem,
    response::{Result, ok_json},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(query_documents).service(explain_document_query).service(aggregate_documents);
}

/// What is asked of a collection, by who may read documents.
type Asked<I> =
    (Require<permission::ReadDocuments>, Idempotent, CollectionName, Body<DeferredExact<I>>);

/// Answers what is asked.
async fn answer<I, T: Serialize + 'static>(
    (caller, idempotent, CollectionName(collection), Body(input)): Asked<I>,
    search: impl AsyncFnOnce(WriteOnce<'_, T>, &Actor, &str, DeferredExact<I>) -> error::Result<T>,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_json, async |store| search(store, &caller.actor, &collection, input).await)
        .await
}

/// Query documents
///
/// Returns the documents that a selector takes. A request reads at most 10,000 documents; where that is not enough, the
/// page ends early and `next_cursor` goes on.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), CollectionName),
    extensions(("x-permission" = json!(permission::ReadDocuments::name()))),
    request_body = QueryInput,
    responses(
        (status = 200, description = "Page of documents", body = QueryResult),
        problem::Create,
    ),
)]
#[post("/collections/{collection}/query")]
async fn query_documents(asked: Asked<QueryInput>) -> Result<HttpResponse> {
    answer(asked, search::query).await
}

/// Explain a query
///
/// Returns how a query is answered: which index is read, in which range, and what is tested on the documents. Reads no
/// document.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), CollectionName),
    extensions(("x-permission" = json!(permission::ReadDocuments::name()))),
    request_body = QueryInput,
    responses(
        (status = 200, description = "Plan of the query", body = Explanation),
        problem::Create,
    ),
)]
#[post("/collections/{collection}/explain")]
async fn explain_document_query(asked: Asked<QueryInput>) -> Result<HttpResponse> {
    answer(asked, search::explain).await
}

/// Aggregate documents
///
/// Groups the documents that a selector takes, and computes sums, averages, extremes and counts of each group. Sums are
/// exact; averages have 34 digits. A request reads at most 50,000 documents and makes at most 10,000 groups.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), CollectionName),
    extensions(("x-permission" = json!(permission::ReadDocuments::name()))),
    request_body = AggregationInput,
    responses(
        (status = 200, description = "Groups", body = AggregationResult),
        problem::Create,
    ),
)]
#[post("/collections/{collection}/aggregate")]
async fn aggregate_documents(asked: Asked<AggregationInput>) -> Result<HttpResponse> {
    answer(asked, search::aggregate).await
}
