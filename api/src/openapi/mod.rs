//! The OpenAPI document, made from the code.

mod examples;
pub(crate) mod fields;
mod headers;
mod limits;
mod schemas;
pub(crate) mod tables;

use actix_web::App;
use service::input::MAX_VALUES;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        KnownFormat, RefOr, Schema, SchemaFormat,
        path::{Operation, Parameter, ParameterStyle},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
        tag::TagBuilder,
    },
};
use utoipa_actix_web::AppExt;

use crate::{problem::Problem, routes::routes};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "steward",
        description = "steward is a self-hosted back office for households and small companies: \
                       people, jobs, time, tasks and money behind one REST API. It covers \
                       approval, a ledger and reports, and automates work with rules, webhooks \
                       and sagas. Clients can work offline and synchronize later. docs/api.md \
                       describes what all operations have in common.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The server that serves this document.")),
    components(schemas(Problem)),
    tags(
        (name = "users", description = "People who can log in."),
        (name = "sessions", description = "Logins of users, and their tokens."),
        (
            name = "organizations",
            description = "Households and companies: the tenants to which all other data belongs.",
        ),
        (name = "members", description = "People in an organization, with or without a login."),
        (name = "invitations", description = "Invitations to become a member with a login."),
        (name = "API keys", description = "Credentials with which programs act for members."),
        (
            name = "projects",
            description = "Jobs to which time, expenses, tasks, reports and incidents belong.",
        ),
        (name = "tasks", description = "Work to be done, once or recurrently."),
        (name = "time entries", description = "Time that members worked, and timers."),
        (name = "timecards", description = "Approval of the time of one member in one week."),
        (name = "daily reports", description = "Reports of what happened on a project on one day."),
        (name = "incidents", description = "Injuries and illnesses at work, with the OSHA forms."),
        (name = "categories", description = "Tree of categories that classify expenses."),
        (
            name = "expenses",
            description = "Purchases and refunds of members, with approval and reimbursement.",
        ),
        (name = "budgets", description = "Limits of spending by category and period."),
        (name = "accounts", description = "Accounts of the ledger, and their balances."),
        (name = "journal entries", description = "Balanced entries of the ledger."),
        (name = "reports", description = "Sums of spending, hours and costs."),
        (name = "rules", description = "Automation that reacts to events of expenses."),
        (
            name = "sagas",
            description = "Payouts, offboardings and other processes of several steps.",
        ),
        (name = "imports", description = "Imports of CSV files in the background."),
        (name = "events", description = "Log of all changes in an organization, and its stream."),
        (name = "webhooks", description = "Delivery of events to URLs."),
        (name = "sync", description = "Synchronization of clients that work offline."),
        (name = "operations", description = "Health, readiness, metrics and database of the server."),
    ),
    security(("bearer" = [])),
    modifiers(&Bearer),
)]
pub(crate) struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("Token of a session (`POST /v1/sessions`) or of an API key."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The document of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new().into_utoipa_app().openapi(Document::openapi()).configure(routes);
    let mut document = app.split_for_parts().1;
    for (path, item) in &mut document.paths.paths {
        item.get.iter_mut().for_each(fields::declare);
        item.get.iter_mut().for_each(tables::declare);
        item.post.iter_mut().for_each(headers::declare_key);
        let operations =
            [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            describe_ids(operation);
            separate_by_commas(operation);
            headers::declare(operation);
            if path.starts_with("/v1/") {
                headers::declare_position(operation);
            }
            bound_parameters(operation);
            describe_upload(operation);
        }
    }
    describe_tags(&mut document);
    let components = document.components.get_or_insert_default();
    headers::share(components);
    schemas::complete(&mut components.schemas);
    examples::complete(&mut components.schemas);
    document
}

/// What takes several values in a query takes them in one parameter ([`service::input::AnyOf`]).
fn separate_by_commas(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if let Some(RefOr::T(Schema::Array(values))) = &mut parameter.schema {
            (values.min_items, values.max_items) = (Some(1), Some(MAX_VALUES));
            (parameter.style, parameter.explode) = (Some(ParameterStyle::Form), Some(false));
        }
    }
}

/// The body of an upload is a file: some generators of SDKs take a text for a value that is to be encoded.
fn describe_upload(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for media_type in ["text/csv", "application/x-ndjson"] {
        let Some(RefOr::T(content)) = body.content.get_mut(media_type) else { continue };
        if let Some(RefOr::T(Schema::Object(file))) = &mut content.schema {
            file.format = Some(SchemaFormat::KnownFormat(KnownFormat::Binary));
        }
    }
}

fn bound_parameters(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(Parameter { name, schema: Some(schema), .. }) = parameter {
            limits::bound_parameter(name, schema);
        }
    }
}

/// Adds the tags that [`Document`] does not list: each is described by the first sentence of its resource's schema.
fn describe_tags(document: &mut utoipa::openapi::OpenApi) {
    let tags = document.tags.get_or_insert_default();
    let schemas = document.components.as_ref().map(|components| &components.schemas);
    for get in document.paths.paths.values().filter_map(|item| item.get.as_ref()) {
        let is_listed = |tag: &&String| tags.iter().any(|listed| listed.name == **tag);
        let Some(tag) = get.tags.iter().flatten().next().filter(|tag| !is_listed(tag)) else {
            continue;
        };
        let Some(schema) = resource(get).and_then(|name| schemas?.get(name)) else { continue };
        let schema = serde_json::to_value(schema).unwrap_or_default();
        let text = schema["description"].as_str().unwrap_or_default().replace('\n', " ");
        let sentence = text.split_inclusive(". ").next().map(str::trim_end);
        tags.push(TagBuilder::new().name(tag).description(sentence).build());
    }
}

/// The name of the schema of the resource that an operation gets by its id.
fn resource(get: &Operation) -> Option<&str> {
    if !get.operation_id.as_ref()?.starts_with("get_") {
        return None;
    }
    let RefOr::T(response) = get.responses.responses.get("200")? else { return None };
    let RefOr::T(content) = response.content.get("application/json")? else { return None };
    match content.schema.as_ref()? {
        RefOr::Ref(named) => named.ref_location.rsplit('/').next(),
        RefOr::T(_) => None,
    }
}

/// The ids in paths are named after what they identify.
fn describe_ids(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if let Some(of) = parameter.name.strip_suffix("_id") {
            let of = of.replace('_', " ").replace("api", "API");
            parameter.description.get_or_insert(format!("Identifier of the {of}."));
        }
    }
}
