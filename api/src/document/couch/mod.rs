//! CouchDB's replication protocol, for clients that keep documents while they are offline: PouchDB, and what is built
//! on it. A database is a collection, and is called `{organization}~{collection}`. docs/documents.md tells which part
//! of the protocol there is.
//!
//! These paths are CouchDB's, and so are their answers: they are no part of the OpenAPI document.

mod answer;
mod attachment;
mod changes;
mod continuous;
mod database;
mod document;
mod multipart;
mod parameters;

use actix_web::{
    HttpResponse,
    dev::HttpServiceFactory,
    http::Method,
    middleware::from_fn,
    web::{self, delete, get, post, put},
};

use crate::extract;

/// The paths, each with its methods besides OPTIONS.
pub(crate) const PATHS: &[(&str, &[Method])] = &[
    ("/couch", &[Method::GET]),
    ("/couch/", &[Method::GET]),
    ("/couch/{database}", DATABASE),
    ("/couch/{database}/", DATABASE),
    ("/couch/{database}/_all_docs", &[Method::GET, Method::POST]),
    ("/couch/{database}/_bulk_docs", &[Method::POST]),
    ("/couch/{database}/_bulk_get", &[Method::POST]),
    ("/couch/{database}/_changes", &[Method::GET, Method::POST]),
    ("/couch/{database}/_compact", &[Method::POST]),
    ("/couch/{database}/_design/{name}", DOCUMENT),
    ("/couch/{database}/_design/{name}/{*attachment}", DOCUMENT),
    ("/couch/{database}/_ensure_full_commit", &[Method::POST]),
    ("/couch/{database}/_local/{id}", DOCUMENT),
    ("/couch/{database}/_revs_diff", &[Method::POST]),
    ("/couch/{database}/_revs_limit", &[Method::GET]),
    ("/couch/{database}/{document}", DOCUMENT),
    ("/couch/{database}/{document}/{*attachment}", DOCUMENT),
];
const DATABASE: &[Method] = &[Method::GET, Method::PUT, Method::POST, Method::DELETE];
const DOCUMENT: &[Method] = &[Method::GET, Method::PUT, Method::DELETE];

/// Every path of the protocol.
pub(crate) fn scope() -> impl HttpServiceFactory {
    let database = web::scope("/{organization_id:[^/~]+}~{collection:[^/]+}")
        .wrap(from_fn(extract::enter))
        .route("", get().to(database::info))
        .route("/", get().to(database::info))
        .route("", put().to(database::create))
        .route("/", put().to(database::create))
        .route("", delete().to(database::delete))
        .route("/", delete().to(database::delete))
        .route("", post().to(document::post))
        .route("/", post().to(document::post))
        .route("/_all_docs", get().to(database::list))
        .route("/_all_docs", post().to(database::list_keys))
        .route("/_bulk_docs", post().to(document::bulk))
        .route("/_bulk_get", post().to(document::bulk_get))
        .route("/_changes", get().to(changes::changes))
        .route("/_changes", post().to(changes::changes_of))
        .route("/_compact", post().to(database::compact))
        .route("/_ensure_full_commit", post().to(database::commit))
        .route("/_revs_diff", post().to(document::revisions_diff))
        .route("/_local/{id}", get().to(document::get_local))
        .route("/_local/{id}", put().to(document::put_local))
        .route("/_local/{id}", delete().to(document::delete_local))
        .route("/_revs_limit", get().to(database::revisions_limit))
        .route("/_design/{name}", get().to(document::get))
        .route("/_design/{name}", put().to(document::put))
        .route("/_design/{name}", delete().to(document::delete))
        .route("/_design/{name}/{attachment:.+}", get().to(attachment::get))
        .route("/_design/{name}/{attachment:.+}", put().to(attachment::put))
        .route("/_design/{name}/{attachment:.+}", delete().to(attachment::delete))
        .route("/{document}", get().to(document::get))
        .route("/{document}", put().to(document::put))
        .route("/{document}", delete().to(document::delete))
        .route("/{document}/{attachment:.+}", get().to(attachment::get))
        .route("/{document}/{attachment:.+}", put().to(attachment::put))
        .route("/{document}/{attachment:.+}", delete().to(attachment::delete));
    web::scope("/couch")
        .wrap(from_fn(extract::identify))
        .wrap(from_fn(answer::speak))
        .route("", get().to(welcome))
        .route("/", get().to(welcome))
        .service(database)
}

async fn welcome() -> HttpResponse {
    let vendor = serde_json::json!({ "name": "steward", "version": env!("CARGO_PKG_VERSION") });
    HttpResponse::Ok().json(serde_json::json!({ "couchdb": "Welcome", "vendor": vendor }))
}
