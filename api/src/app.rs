//! The server: the routes, and what stands around them.

use std::{collections::BTreeSet, net::TcpListener};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::{ResourceDef, Server},
    http::{
        Method, StatusCode,
        header::{self, ContentType},
    },
    middleware::from_fn,
    web,
};
use utoipa::openapi::path::PathItem;
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    config::Serve, observe::observe, openapi, operations, problem::Failure, routes::routes,
    shutdown::Shutdown, state::State,
};

/// Builds the server on a listener that is bound already, and the way to stop it: it heeds no signal.
///
/// # Errors
/// If it cannot listen.
pub fn server(
    state: State,
    listener: TcpListener,
    serve: &Serve,
) -> std::io::Result<(Server, Shutdown)> {
    let document = openapi::document();
    let known = web::Data::new(KnownPaths::of(&document));
    let document = web::Bytes::from(document.to_json()?);
    let state = web::Data::new(state);
    let connections = state.connections.clone();
    let same_listener = listener.try_clone()?;
    let prometheus = operations::recorder();
    let factory_state = state.clone();
    let server = HttpServer::new(move || {
        let docs = SwaggerUi::new("/docs/{_:.*}").config(Config::from(DOCUMENT));
        let document = document.clone();
        App::new()
            .app_data(factory_state.clone())
            .app_data(known.clone())
            .app_data(web::Data::new(prometheus.clone()))
            .wrap(from_fn(observe))
            .into_utoipa_app()
            .configure(routes)
            .into_app()
            .service(web::redirect("/docs", "/docs/"))
            .service(docs)
            .route(DOCUMENT, web::get().to(move || json(document.clone())))
            .default_service(web::to(unmatched))
    });
    let server = match serve.workers {
        Some(workers) => server.workers(workers),
        None => server,
    };
    let seconds = std::time::Duration::from_secs;
    let server = server
        .client_request_timeout(seconds(serve.header_timeout))
        .client_disconnect_timeout(seconds(5))
        .max_connections(serve.max_connections)
        // A client that has hung up waits for no answer: a stream notices that at once.
        .h1_allow_half_closed(false)
        .on_connect(move |io, data| connections.on_connect(io, data))
        .shutdown_timeout(serve.shutdown_timeout)
        .disable_signals()
        .listen(listener)?
        .run();
    let waits = (seconds(serve.shutdown_delay), seconds(serve.shutdown_timeout));
    let shutdown = Shutdown::new((server.handle(), same_listener), &state, waits);
    Ok((server, shutdown))
}

/// Where the OpenAPI document is. It is written once, and is the same for all workers.
const DOCUMENT: &str = "/openapi.json";

async fn json(text: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(text)
}

/// The paths of the document, to tell a wrong method from a wrong path.
#[derive(Debug)]
struct KnownPaths(Vec<(ResourceDef, Vec<Method>)>);

impl KnownPaths {
    fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let paths = document.paths.paths.iter();
        Self(paths.map(|(path, item)| (ResourceDef::new(path.as_str()), methods(item))).collect())
    }

    /// Several paths may fit: `/v1/sessions/current` is one of `/v1/sessions/{session_id}` too.
    fn methods(&self, path: &str) -> Option<String> {
        let fitting = self.0.iter().filter(|(definition, _)| definition.is_match(path));
        let allowed: BTreeSet<&str> =
            fitting.flat_map(|(_, methods)| methods).map(Method::as_str).collect();
        (!allowed.is_empty()).then(|| allowed.into_iter().collect::<Vec<_>>().join(", "))
    }
}

fn methods(item: &PathItem) -> Vec<Method> {
    let offered = [
        (item.get.is_some(), Method::GET),
        (item.post.is_some(), Method::POST),
        (item.put.is_some(), Method::PUT),
        (item.patch.is_some(), Method::PATCH),
        (item.delete.is_some(), Method::DELETE),
    ];
    let offered = offered.into_iter().filter(|(offered, _)| *offered);
    offered.map(|(_, method)| method).collect()
}

async fn unmatched(request: HttpRequest, known: web::Data<KnownPaths>) -> HttpResponse {
    let Some(allowed) = known.methods(request.path()) else {
        return HttpResponse::from_error(
            Failure::of_status(StatusCode::NOT_FOUND).detail("the path does not exist"),
        );
    };
    let failure = Failure::of_status(StatusCode::METHOD_NOT_ALLOWED)
        .detail(format!("the path supports {allowed}"));
    let mut response = HttpResponse::from_error(failure);
    if let Ok(value) = header::HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}
