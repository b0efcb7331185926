//! Guards over all routes: the routes come from the OpenAPI document, the roles and the versioned
//! tables from the code, so that a new one is under guard from its first day. Every answer is also
//! held against the document ([`tests::route::Request::send`]). [`modules`] is over the tests
//! themselves: none is left out.

mod access;
mod input;
pub(crate) mod log;
mod modules;
mod positions;
mod retries;
mod routes;
mod stored;
mod sync;
mod tables;
mod tenancy;
mod versions;
