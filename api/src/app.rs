//! The server: the routes, and what stands around them.

use std::net::TcpListener;

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    http::{StatusCode, header::ContentType},
    middleware::from_fn,
    web,
};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    config::Serve, observe::observe, openapi, operations, paths::Paths, problem::Failure,
    routes::routes, shutdown::Shutdown, state::State,
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
    let paths = web::Data::new(Paths::of(&document, &PAGES)?);
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
            .app_data(paths.clone())
            .app_data(web::Data::new(prometheus.clone()))
            .wrap(from_fn(observe))
            .into_utoipa_app()
            .configure(routes)
            .into_app()
            .service(web::redirect("/", DOCS))
            .service(web::redirect("/docs", DOCS))
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

/// Where the documentation is, to which `/` leads.
const DOCS: &str = "/docs/";
/// What is served besides the operations of the document.
const PAGES: [&str; 5] = ["/", "/docs", DOCS, "/docs/{*file}", DOCUMENT];
/// Where the OpenAPI document is. It is written once, and is the same for all workers.
const DOCUMENT: &str = "/openapi.json";

async fn json(text: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(text)
}

async fn unmatched() -> HttpResponse {
    HttpResponse::from_error(
        Failure::of_status(StatusCode::NOT_FOUND).detail("the path does not exist"),
    )
}
