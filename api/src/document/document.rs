use actix_web::{HttpResponse, delete, get, http::header, patch, post, put, web};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use service::{
    Store,
    document::document::{
        self, Document, DocumentBulk, DocumentBulkResult, DocumentChanges, DocumentChangesQuery,
        DocumentInput, DocumentQuery, DocumentReplacementInput, EffectiveConfigurationQuery,
        EffectiveConfigurations, NewDocument,
    },
    error,
    event::{At, AtQuery, Event, RevertInput},
    input::{Change, Deferred, DeferredExact, TransitionBody, patch::Patch},
    resource,
    store::{
        page::{Page, PageQuery},
        versioned::Expected,
    },
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{
        Body, BodyOf, CollectionName, DocumentKey, Idempotent, IfMatch, IfNoneMatch, PatchOf,
        Query, ReplicaRead, Require, Version,
    },
    permission::{self, PermissionType},
    problem,
    response::{
        FeedResponse, NotModified, ResourceResponse, Response, Result, created_without_location,
        ok, ok_json,
    },
    state::State,
    table::Listing,
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
        .service(revert_document)
        .service(write_documents)
        .service(list_effective_configurations);
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
    listing: Listing,
    CollectionName(collection): CollectionName,
    Query(query): Query<DocumentQuery>,
) -> Result<HttpResponse> {
    let read = async |query: &DocumentQuery| {
        document::list(&state.store, &caller.actor, &collection, query).await
    };
    Ok(listing.answer(&query, read).await?)
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
/// A JSON Merge Patch (RFC 7396): members that are omitted stay as they are, null removes a member of the body. Or, as
/// `application/json-patch+json`, a JSON Patch (RFC 6902) with paths such as `/body/servings`, which names its version
/// by `If-Match`. Where an operation does not fit the document, the status is 409 `patch_failed`, with a pointer to the
/// operation.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), DocumentKey),
    extensions(("x-permission" = json!(permission::WriteDocuments::name()))),
    request_body(content((DocumentUpdate = "application/json"), (Patch = "application/json-patch+json"))),
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
    body: PatchOf<Document, DocumentInput>,
) -> Result<ResourceResponse<Document>> {
    let change = body.change;
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
    listing: Listing,
    key: DocumentKey,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse> {
    let work = async |store: &Store| {
        let read = async |page: &PageQuery| {
            document::history(store, &caller.actor, key.pair(), page).await
        };
        listing.answer(&page, read).await
    };
    replica.run(work).await
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

/// Write several documents
///
/// Applies the writes in their order, in one transaction. By default, each is applied by itself and has a result of its
/// own: what is refused leaves nothing, and the others go on. With `atomic`, all are applied or none, and the pointers
/// of a refusal begin with the write, such as `/items/2/body/servings`.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), CollectionName),
    extensions(("x-permission" = json!(permission::WriteDocuments::name()))),
    request_body = DocumentBulk,
    responses(
        (status = 200, description = "Results of the writes", body = DocumentBulkResult),
        problem::Create,
    ),
)]
#[post("/collections/{collection}/bulk")]
async fn write_documents(
    caller: Require<permission::WriteDocuments>,
    idempotent: Idempotent,
    CollectionName(collection): CollectionName,
    Body(body): Body<DeferredExact<DocumentBulk>>,
) -> Result<HttpResponse> {
    idempotent
        .respond(ok_json, async |store| {
            document::write_many(store, &caller.actor, &collection, body).await
        })
        .await
}

/// List effective configurations
///
/// Of a collection of the template `configurations`: the value of each key that holds for a member, the member's own or
/// else the organization's, ordered by the bytes of the keys. Secrets are decrypted for roles that may write the
/// documents of the collection, and omitted for others.
#[utoipa::path(
    tag = "documents",
    params(("organization_id" = uuid::Uuid, Path), CollectionName, EffectiveConfigurationQuery),
    extensions(("x-permission" = json!(permission::ReadDocuments::name()))),
    responses(
        (status = 200, description = "Configurations", body = EffectiveConfigurations),
        problem::Read,
    ),
)]
#[get("/collections/{collection}/effective")]
async fn list_effective_configurations(
    state: web::Data<State>,
    caller: Require<permission::ReadDocuments>,
    CollectionName(collection): CollectionName,
    Query(query): Query<EffectiveConfigurationQuery>,
) -> Result<HttpResponse> {
    let found = document::effective(&state.store, &caller.actor, &collection, &query).await?;
    // There may be secrets in it.
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(found))
}
