//! What clients of InfluxDB write readings of meters with: `POST /api/v2/write` of version 2, `POST /write` of
//! version 1, and what they ask before. docs/influxdb.md tells which part of the protocols there is.
//!
//! These paths are InfluxDB's, and so are their answers: they are no part of the OpenAPI document.

mod answer;
mod parameters;
mod query;
mod write;

use actix_web::{
    HttpResponse, Resource,
    dev::HttpServiceFactory,
    http::Method,
    middleware::from_fn,
    web::{self, ServiceConfig},
};

use crate::extract;

/// The paths, each with its methods besides OPTIONS.
pub(crate) const PATHS: &[(&str, &[Method])] = &[
    (WRITE_V2, &[Method::POST]),
    (WRITE_V1, &[Method::POST]),
    (QUERY, &[Method::GET, Method::POST]),
    (PING, &[Method::GET]),
];
const WRITE_V2: &str = "/api/v2/write";
const WRITE_V1: &str = "/write";
const QUERY: &str = "/query";
const PING: &str = "/ping";

/// Whether a path is one of an organization, which the key of the caller says.
pub(crate) fn is_in_organization(path: &str) -> bool {
    [WRITE_V2, WRITE_V1, QUERY].contains(&path)
}

/// Every path of the protocols.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let query = web::resource(QUERY).route(web::get().to(query::query));
    config
        .service(of_key(web::resource(WRITE_V2).route(web::post().to(write::version_2))))
        .service(of_key(web::resource(WRITE_V1).route(web::post().to(write::version_1))))
        .service(of_key(query.route(web::post().to(query::query))))
        .service(web::resource(PING).route(web::get().to(ping)));
}

/// In the organization of the caller's key.
fn of_key(resource: Resource) -> impl HttpServiceFactory {
    resource
        .wrap(from_fn(extract::enter))
        .wrap(from_fn(extract::identify))
        .wrap(from_fn(answer::speak))
}

/// Says that there is somebody, to whoever asks.
async fn ping() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header(("X-Influxdb-Version", VERSION))
        .insert_header(("X-Influxdb-Build", "steward"))
        .finish()
}

/// What clients show as the version of the server.
const VERSION: &str = concat!("steward-", env!("CARGO_PKG_VERSION"));
