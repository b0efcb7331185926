//! The OpenAPI document, made from the code.

use actix_web::App;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Header, Object, RefOr, Required, Type,
        path::{Operation, ParameterBuilder, ParameterIn},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;

use crate::{
    problem::{self, Problem},
    routes::routes,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "steward",
        description = "The back office of a household or a small crew: people and money behind one \
                       REST API. docs/api.md tells what all operations have in common.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem)),
    security(("bearer" = [])),
    modifiers(&Bearer),
)]
pub(crate) struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The token of a session (POST /v1/sessions) or of an API key."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The document of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new().into_utoipa_app().openapi(Document::openapi()).configure(routes);
    let mut document = app.split_for_parts().1;
    for item in document.paths.paths.values_mut() {
        item.post.iter_mut().for_each(name_key);
        let operations =
            [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            name(operation);
            name_precondition(operation);
        }
    }
    document
}

/// Handlers of different files have the same name; operations must not.
fn name(operation: &mut Operation) {
    let tag =
        operation.tags.iter().flatten().next().map(|tag| tag.replace(' ', "_").to_lowercase());
    if let (Some(tag), Some(id)) = (tag, &mut operation.operation_id) {
        *id = format!("{tag}_{id}");
    }
}

/// What can be made against a version can name it in a header.
fn name_precondition(operation: &mut Operation) {
    if !operation.responses.responses.contains_key("428") {
        return;
    }
    let if_match = ParameterBuilder::new()
        .name("If-Match")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The ETag of the version that this was made against."))
        .schema(Some(Object::with_type(Type::String)));
    operation.parameters.get_or_insert_default().push(if_match.build().into());
}

/// Every POST can be sent again with its key ([`crate::extract::Once`]).
fn name_key(operation: &mut Operation) {
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1 to 255 visible ASCII characters, best a random UUID: the same request with the same \
             key is done once, and its answer given again for 24 hours.",
        ))
        .schema(Some(Object::with_type(Type::String)));
    operation.parameters.get_or_insert_default().push(key.build().into());
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let mut header = Header::new(Object::with_type(Type::String));
            header.description = Some("`true` on an answer that is given again.".to_owned());
            response.headers.insert("Idempotent-Replayed".to_owned(), header.into());
        }
    }
    for (status, problem) in problem::responses(&[problem::RETRIED]) {
        operation.responses.responses.entry(status).or_insert(problem);
    }
}
