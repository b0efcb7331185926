use actix_web::{HttpResponse, delete, get, http::header, patch, post, put, web};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use service::{
    Store,
    document::document::{
        self, Document, DocumentChanges, DocumentChangesQuery, DocumentInput, DocumentQuery,
        DocumentReplacementInput, NewDocument,
    },
    error,
    event::{At, AtQuery, Event, RevertInput},
    input::{Change, Deferred, TransitionBody},
    resource,
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{
        BodyOf, CollectionName, DocumentKey, Idempotent, IfMatch, IfNoneMatch, Query, ReplicaRead,
        Require, Version,
    },
    permission::{self, PermissionType},
    problem,
    response::{
        FeedResponse, NotModified, PageResponse, ResourceResponse, Response, Result,
        created_without_location, ok,
    },
    state::State,
};

type DocumentPage = Page<Document>;
type EventPage = Page<Event>;
type DocumentUpdate = Change<DocumentInput>;
type DocumentReplacement = TransitionBody<DocumentReplacementInput>;
type Revert = TransitionBody<RevertInput>;

/// What may stand in a segment of a path as it is (RFC 3986, section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(get_document)
        .service(put_document)
        .service(update_document)
        .service(delete_document)
        .service(list_documents)
        .service(create_document)
        .service(list_document_changes)
        .service(list_document_history)
        .service(revert_document);
}

/// Create a document
///
/// The client may choose the `id`. If there is a document of this `id`, the status is 409. A document that was deleted
/// can be created again; its `version` counts on.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), CollectionName),
    extensions(("x-permission" = json!(permission::WriteDocuments::name()))),
    request_body = NewDocument,
    responses(
        (status = 201, description = "Created document", body = Document),
        problem::Create,
    ),
)]
#[post("/collections/{collection}/documents")]
async fn create_document(
    caller: Require<permission::WriteDocuments>,
    idempotent: Idempotent,
    CollectionName(collection): CollectionName,
    new: BodyOf<Document, Deferred<NewDocument>>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created, async |store| {
            document::create(store, &caller.actor, &collection, new.body).await
        })
        .await
}

/// A document as it was just made, in the collection that was asked.
fn created(made: &Document, path: &str) -> error::Result<Response> {
    let location = format!("{path}/{}", utf8_percent_encode(&made.id, SEGMENT));
    Ok(created_without_location(made, path)?.with(header::LOCATION, location))
}

/// List documents
///
/// Ordered by `id`, by the bytes of its UTF-8.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), CollectionName, DocumentQuery),
    extensions(("x-permission" = json!(permission::ReadDocuments::name()))),
    responses(
        (status = 200, description = "Page of the list", body = DocumentPage),
        problem::Read,
    ),
)]
#[get("/collections/{collection}/documents")]
async fn list_documents(
    state: web::Data<State>,
    caller: Require<permission::ReadDocuments>,
    CollectionName(collection): CollectionName,
    Query(query): Query<DocumentQuery>,
) -> Result<PageResponse<Document>> {
    Ok(PageResponse(document::list(&state.store, &caller.actor, &collection, &query).await?))
}

/// Get a document
///
/// With `as_of`, returns the document as it was at that time.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), DocumentKey, AtQuery),
    extensions(("x-permission" = json!(permission::ReadDocuments::name()))),
    responses(
        (status = 200, description = "State of the document", body = Document),
        NotModified,
        problem::Read,
    ),
)]
#[get("/collections/{collection}/documents/{document_id}")]
async fn get_document(
    state: web::Data<State>,
    caller: Require<permission::ReadDocuments>,
    key: DocumentKey,
    Query(at): Query<AtQuery>,
) -> Result<ResourceResponse<At<Document>>> {
    Ok(ResourceResponse(document::get_at(&state.store, &caller.actor, key.pair(), at).await?))
}

/// Change a whole document, or create it
///
/// With a version, replaces the body of the document. Without one, creates the document, if there is none. With
/// `If-None-Match: *`, only creates it: if there is a document, the status is 412.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), DocumentKey, IfNoneMatch),
    extensions(("x-permission" = json!(permission::WriteDocuments::name()))),
    request_body = DocumentReplacement,
    responses(
        (status = 200, description = "State of the document", body = Document),
        (status = 201, description = "Created document", body = Document),
        problem::Change,
    ),
)]
#[put("/collections/{collection}/documents/{document_id}")]
async fn put_document(
    state: web::Data<State>,
    caller: Require<permission::WriteDocuments>,
    key: DocumentKey,
    IfMatch(precondition): IfMatch,
    IfNoneMatch(must_be_new): IfNoneMatch,
    replacement: BodyOf<Document, DocumentReplacement>,
) -> Result<HttpResponse> {
    let body = replacement.body;
    let expected = (Expected::of(body.version(), precondition), must_be_new);
    let put = document::put(&state.store, &caller.actor, key.pair(), expected, body).await?;
    let render = if put.is_new { created_without_location } else { ok };
    Ok(render(&put.document, "")?.into())
}

/// Update a document
///
/// A JSON Merge Patch (RFC 7396): members that are omitted stay as they are, null removes a member of the body.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), DocumentKey),
    extensions(("x-permission" = json!(permission::WriteDocuments::name()))),
    request_body = DocumentUpdate,
    responses(
        (status = 200, description = "State of the document", body = Document),
        problem::Change,
    ),
)]
#[patch("/collections/{collection}/documents/{document_id}")]
async fn update_document(
    state: web::Data<State>,
    caller: Require<permission::WriteDocuments>,
    key: DocumentKey,
    IfMatch(precondition): IfMatch,
    change: BodyOf<Document, DocumentUpdate>,
) -> Result<ResourceResponse<Document>> {
    let change = change.body;
    let expected = Expected::of(change.version(), precondition);
    let id = key.id(state.store.read(), &caller.actor).await?;
    let changed = resource::change(&state.store, &caller.actor, id, expected, change).await?;
    Ok(ResourceResponse(changed))
}

/// Delete a document
///
/// The events of the document remain.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), DocumentKey, Version),
    extensions(("x-permission" = json!(permission::WriteDocuments::name()))),
    responses((status = 204, description = "Deleted"), problem::Remove),
)]
#[delete("/collections/{collection}/documents/{document_id}")]
async fn delete_document(
    state: web::Data<State>,
    caller: Require<permission::WriteDocuments>,
    key: DocumentKey,
    version: Version,
) -> Result<HttpResponse> {
    let id = key.id(state.store.read(), &caller.actor).await?;
    resource::delete::<Document>(&state.store, &caller.actor, id, version.expected).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List changes of documents
///
/// Returns the latest state of each document of the collection that has changed after a position of the log, and which
/// documents are deleted. `next_after` is the position from which to continue, at once while `more` is true, or later.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), CollectionName, DocumentChangesQuery),
    extensions(("x-permission" = json!(permission::ReadDocuments::name()))),
    responses(
        (status = 200, description = "Changes after the position", body = DocumentChanges),
        problem::Read,
    ),
)]
#[get("/collections/{collection}/changes")]
async fn list_document_changes(
    state: web::Data<State>,
    caller: Require<permission::ReadDocuments>,
    CollectionName(collection): CollectionName,
    Query(query): Query<DocumentChangesQuery>,
) -> Result<FeedResponse<DocumentChanges>> {
    let changes = document::changes(&state.store, &caller.actor, &collection, &query).await?;
    Ok(FeedResponse(changes))
}

/// List a document's events
///
/// Latest first. Deleted documents keep their events.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), DocumentKey, PageQuery),
    extensions(("x-permission" = json!(permission::ReadDocuments::name()))),
    responses(
        (status = 200, description = "Page of the list", body = EventPage),
        problem::Read,
    ),
)]
#[get("/collections/{collection}/documents/{document_id}/history")]
async fn list_document_history(
    caller: Require<permission::ReadDocuments>,
    replica: ReplicaRead,
    key: DocumentKey,
    Query(page): Query<PageQuery>,
) -> Result<PageResponse<Event>> {
    let work =
        async |store: &Store| document::history(store, &caller.actor, key.pair(), &page).await;
    Ok(PageResponse(replica.run(work).await?))
}

/// Revert a document to an earlier version
///
/// Creates a new version, which must satisfy the current rules.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), DocumentKey),
    extensions(("x-permission" = json!(permission::WriteDocuments::name()))),
    request_body = Revert,
    responses(
        (status = 200, description = "State of the document", body = Document),
        problem::Change,
    ),
)]
#[post("/collections/{collection}/documents/{document_id}/revert")]
async fn revert_document(
    caller: Require<permission::WriteDocuments>,
    idempotent: Idempotent,
    key: DocumentKey,
    IfMatch(precondition): IfMatch,
    body: BodyOf<Document, Revert>,
) -> Result<HttpResponse> {
    let body = body.body;
    let expected = Expected::of(body.version(), precondition);
    idempotent
        .respond(ok, async |store| {
            let id = key.id(store.read(), &caller.actor).await?;
            resource::revert::<Document>(store, &caller.actor, id, expected, body).await
        })
        .await
}
