//! The server: the routes, and what stands around them.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::{HttpServiceFactory, Server},
    http::header::{self, ContentType},
    middleware::{DefaultHeaders, from_fn},
    web,
};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    config::Serve, document::couch, influx, observe::observe, openapi, paths::Paths,
    routes::routes, shutdown::Shutdown, state::State,
};

/// Where a server listens.
#[derive(Debug)]
pub struct Listeners {
    api: TcpListener,
    /// For operators alone, if not beside the API.
    operations: Option<TcpListener>,
}

impl Listeners {
    /// Those that are bound already.
    pub fn new(api: TcpListener, operations: Option<TcpListener>) -> Self {
        Self { api, operations }
    }

    /// Binds those of the settings.
    ///
    /// # Errors
    /// If that cannot be, with the address.
    pub fn bind(serve: &Serve) -> Result<Self, String> {
        let bind = |address: SocketAddr| {
            TcpListener::bind(address)
                .map_err(|error| format!("cannot listen on {address}: {error}"))
        };
        let operations = serve.operations_listen.map(bind).transpose()?;
        Ok(Self { api: bind(serve.listen)?, operations })
    }

    /// The address of the API.
    ///
    /// # Errors
    /// If the system does not tell it.
    pub fn api_address(&self) -> io::Result<SocketAddr> {
        self.api.local_addr()
    }

    /// The address for operators, if it is another.
    ///
    /// # Errors
    /// If the system does not tell it.
    pub fn operations_address(&self) -> io::Result<Option<SocketAddr>> {
        self.operations.as_ref().map(TcpListener::local_addr).transpose()
    }
}

impl From<TcpListener> for Listeners {
    fn from(api: TcpListener) -> Self {
        Self { api, operations: None }
    }
}

/// Builds the server on listeners that are bound already, and the way to stop it: it heeds no signal.
///
/// # Errors
/// If it cannot listen.
pub fn server(
    state: State,
    listeners: impl Into<Listeners>,
    serve: &Serve,
) -> io::Result<(Server, Shutdown)> {
    let listeners = listeners.into();
    let document = openapi::document();
    let operations = listeners.operations_address()?;
    let paths =
        Paths::of(&document, (&PAGES, &[couch::PATHS, influx::PATHS].concat()), operations)?;
    let paths = web::Data::new(paths);
    let document = web::Bytes::from(document.to_json()?);
    let state = web::Data::new(state);
    let connections = state.connections.clone();
    let same_listener = listeners.api.try_clone()?;
    let factory_state = state.clone();
    let server = HttpServer::new(move || {
        let document = document.clone();
        App::new()
            .app_data(factory_state.clone())
            .app_data(paths.clone())
            .wrap(from_fn(observe))
            .into_utoipa_app()
            .configure(routes)
            .into_app()
            .service(couch::scope())
            .configure(influx::routes)
            .service(web::redirect("/", DOCS))
            .service(web::redirect("/docs", DOCS))
            .service(documentation())
            .route(DOCUMENT, web::get().to(move || json(document.clone())))
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
        .listen(listeners.api)?;
    let server = match listeners.operations {
        Some(operations) => server.listen(operations)?,
        None => server,
    };
    let server = server.run();
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

/// Its page takes scripts and the document from here alone, and is part of no other page. What Swagger UI writes into
/// the page itself is styles.
fn documentation() -> impl HttpServiceFactory {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                          img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
                          form-action 'none'; frame-ancestors 'none'";
    let headers = DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, POLICY))
        .add((header::X_FRAME_OPTIONS, "DENY"));
    // The validator is a service of others, which would be told where this is.
    let config = Config::from(DOCUMENT).validator_url("none");
    web::scope("/docs").wrap(headers).service(SwaggerUi::new("/{_:.*}").config(config))
}
