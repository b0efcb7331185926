//! The paths that there are, and the methods of each: what can be said of a request before the router has
//! found who answers it.

use std::{collections::BTreeSet, io};

use actix_web::{
    HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
};
use matchit::Router;
use utoipa::openapi::{OpenApi, path::PathItem};

use crate::{openapi::fields, problem::Failure};

/// The paths that there are.
#[derive(Debug)]
pub(crate) struct Paths(Router<KnownPath>);

/// A path, or all that differ in its variables alone.
#[derive(Debug)]
pub(crate) struct KnownPath {
    /// The path with its variables: `/v1/organizations/{organization_id}`.
    pub(crate) pattern: String,
    methods: Vec<Method>,
    /// The properties of the resources that its GET answers with, if it does.
    pub(crate) properties: BTreeSet<String>,
}

impl Paths {
    /// Those of the document, and these, which have a GET alone.
    ///
    /// # Errors
    /// If two are the same.
    pub(crate) fn of(document: &OpenApi, pages: &[&str]) -> io::Result<Self> {
        let documented = document.paths.paths.iter().map(|(path, item)| {
            let properties = item.get.as_ref().map(|get| fields::properties(document, get));
            (&**path, methods(item), properties.unwrap_or_default())
        });
        let get = || vec![Method::GET, Method::HEAD];
        let pages = pages.iter().map(|path| (*path, get(), BTreeSet::new()));
        let mut router = Router::new();
        for (pattern, mut methods, properties) in documented.chain(pages) {
            methods.push(Method::OPTIONS);
            let known = KnownPath { pattern: pattern.to_owned(), methods, properties };
            router.insert(pattern, known).map_err(io::Error::other)?;
        }
        Ok(Self(router))
    }

    /// The one that a path is. `/v1/sessions/current` is none of `/v1/sessions/{session_id}`.
    pub(crate) fn find(&self, path: &str) -> Option<&KnownPath> {
        self.0.at(path).ok().map(|found| found.value)
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
    ];
    let offered = offered.into_iter().filter(|(offered, _)| *offered);
    offered.map(|(_, method)| method).collect()
}

impl KnownPath {
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
