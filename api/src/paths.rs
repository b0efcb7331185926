//! The paths that there are, and the methods of each: what can be said of a request before the router has
//! found who answers it.

use std::{collections::BTreeSet, io, net::SocketAddr};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
};
use matchit::Router;
use utoipa::openapi::{OpenApi, path::PathItem};

use crate::{
    openapi::{fields, tables},
    operations,
    problem::Failure,
};

/// The paths that there are.
#[derive(Debug)]
pub(crate) struct Paths {
    known: Router<KnownPath>,
    /// Where operators ask, if not where the API is.
    operations: Option<SocketAddr>,
}

/// A path, or all that differ in its variables alone.
#[derive(Debug)]
pub(crate) struct KnownPath {
    /// The path with its variables: `/v1/organizations/{organization_id}`.
    pub(crate) pattern: String,
    methods: Vec<Method>,
    /// The properties of the resources that its GET answers with, if it does.
    pub(crate) properties: BTreeSet<String>,
    /// Whether its GET answers with a table, too.
    pub(crate) has_tables: bool,
    is_for_operators: bool,
}

impl Paths {
    /// Those of the document, these pages, which have a GET alone, and these of another protocol.
    ///
    /// # Errors
    /// If two are the same.
    pub(crate) fn of(
        document: &OpenApi,
        (pages, others): (&[&str], &[(&str, &[Method])]),
        operations: Option<SocketAddr>,
    ) -> io::Result<Self> {
        let mut known = Router::new();
        for (pattern, item) in &document.paths.paths {
            known
                .insert(pattern, KnownPath::of(document, pattern, item))
                .map_err(io::Error::other)?;
        }
        let get: &[Method] = &[Method::GET];
        let pages = pages.iter().map(|pattern| (*pattern, get));
        for (pattern, methods) in pages.chain(others.iter().copied()) {
            let path = KnownPath::undocumented(pattern, methods);
            known.insert(pattern, path).map_err(io::Error::other)?;
        }
        Ok(Self { known, operations })
    }

    /// The path of a request, if it is one where the request came in. `/v1/sessions/current` is none of
    /// `/v1/sessions/{session_id}`.
    pub(crate) fn find(&self, request: &HttpRequest) -> Option<&KnownPath> {
        let known = self.known.at(request.match_info().as_str()).ok()?.value;
        let is_there = match self.operations {
            None => true,
            Some(_) if self.is_for_operators(request) => known.is_for_operators,
            Some(_) => !operations::OPERATORS_ONLY.contains(&&*known.pattern),
        };
        is_there.then_some(known)
    }

    /// Whether a request came in where operators ask.
    pub(crate) fn is_for_operators(&self, request: &HttpRequest) -> bool {
        self.operations.is_none_or(|address| address == request.app_config().local_addr())
    }
}

/// Where there is a GET, there is a HEAD.
fn methods(item: &PathItem) -> Vec<Method> {
    let offered = [
        (item.delete.is_some(), Method::DELETE),
        (item.get.is_some(), Method::GET),
        (item.get.is_some(), Method::HEAD),
        (item.patch.is_some(), Method::PATCH),
        (item.post.is_some(), Method::POST),
        (item.put.is_some(), Method::PUT),
        (true, Method::OPTIONS),
    ];
    let offered = offered.into_iter().filter(|(offered, _)| *offered);
    offered.map(|(_, method)| method).collect()
}

impl KnownPath {
    fn of(document: &OpenApi, pattern: &str, item: &PathItem) -> Self {
        let get = item.get.as_ref();
        let tags = get.and_then(|get| get.tags.as_ref());
        Self {
            pattern: pattern.to_owned(),
            methods: methods(item),
            properties: get.map(|get| fields::properties(document, get)).unwrap_or_default(),
            has_tables: get.is_some_and(tables::are_offered),
            is_for_operators: tags.is_some_and(|tags| tags.iter().any(|it| it == operations::TAG)),
        }
    }

    fn undocumented(pattern: &str, methods: &[Method]) -> Self {
        let head = methods.contains(&Method::GET).then_some(Method::HEAD);
        Self {
            pattern: pattern.to_owned(),
            methods: methods.iter().cloned().chain(head).chain([Method::OPTIONS]).collect(),
            properties: BTreeSet::new(),
            has_tables: false,
            is_for_operators: false,
        }
    }

    /// The methods, as a header lists them.
    pub(crate) fn allowed(&self) -> String {
        self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
    }

    /// What whoever asks with a method is answered, where no handler is asked: an OPTIONS, and a method that the
    /// path does not have.
    pub(crate) fn answer(&self, method: &Method) -> Option<HttpResponse> {
        if method != Method::OPTIONS && self.methods.contains(method) {
            return None;
        }
        let allowed = self.allowed();
        let mut response = if method == Method::OPTIONS {
            HttpResponse::NoContent().finish()
        } else {
            let failure = Failure::of_status(StatusCode::METHOD_NOT_ALLOWED);
            HttpResponse::from_error(failure.detail(format!("the path supports {allowed}")))
        };
        if let Ok(allowed) = HeaderValue::from_str(&allowed) {
            response.headers_mut().insert(header::ALLOW, allowed);
        }
        Some(response)
    }
}
