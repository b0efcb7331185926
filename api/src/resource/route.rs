//! A route with its part of the OpenAPI document: what `#[utoipa::path]` is for a handler of one type, for
//! generic ones.

use actix_web::{
    FromRequest, Handler, Resource, Responder,
    dev::{AppService, HttpServiceFactory},
    guard::{self, Guard},
    http::StatusCode,
};
use serde_json::Value;
use service::{attachment::MAX_FILES, store::page::Page};
use utoipa::{
    IntoParams, IntoResponses, ToSchema,
    openapi::{
        ArrayBuilder, Content, KnownFormat, ObjectBuilder, PathItem, Paths, Ref, RefOr, Required,
        Response, ResponseBuilder, Schema, SchemaFormat, Type,
        extensions::ExtensionsBuilder,
        path::{
            HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathsBuilder,
        },
        request_body::RequestBodyBuilder,
    },
};
use utoipa_actix_web::OpenApiFactory;

use crate::permission::PermissionType;

const JSON: &str = "application/json";

/// A route of an organization.
pub(crate) struct Route {
    resource: Resource,
    method: HttpMethod,
    path: String,
    operation: Operation,
    /// Made when they are asked for: all routes of a worker are there at the same time, and many have the same.
    schemas: Vec<Schemas>,
}

/// Gives a schema by its name, and all that it refers to.
type Schemas = fn(&mut Vec<(String, RefOr<Schema>)>);

fn schemas<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

impl Route {
    /// A GET that takes this permission: the tag, the id and the path of the operation.
    pub(super) fn get<P: PermissionType>(tag: &str, id: &str, path: &str) -> Self {
        Self::new::<P>((HttpMethod::Get, guard::Get()), tag, id, path)
    }

    /// A POST.
    pub(super) fn post<P: PermissionType>(tag: &str, id: &str, path: &str) -> Self {
        Self::new::<P>((HttpMethod::Post, guard::Post()), tag, id, path)
    }

    /// A PATCH.
    pub(super) fn patch<P: PermissionType>(tag: &str, id: &str, path: &str) -> Self {
        Self::new::<P>((HttpMethod::Patch, guard::Patch()), tag, id, path)
    }

    /// A DELETE.
    pub(super) fn delete<P: PermissionType>(tag: &str, id: &str, path: &str) -> Self {
        Self::new::<P>((HttpMethod::Delete, guard::Delete()), tag, id, path)
    }

    fn new<P: PermissionType>(
        (method, guard): (HttpMethod, impl Guard + 'static),
        tag: &str,
        id: &str,
        path: &str,
    ) -> Self {
        let permission = Value::from(P::name());
        let operation = OperationBuilder::new()
            .tag(tag)
            .operation_id(Some(id))
            .extensions(Some(ExtensionsBuilder::new().add("x-permission", permission).build()));
        let route = Self {
            resource: Resource::new(path).guard(guard),
            method,
            path: path.to_owned(),
            operation: operation.build(),
            schemas: Vec::new(),
        };
        route.id("organization_id")
    }

    /// Another id of the operation than the standard one.
    pub(crate) fn operation_id(mut self, id: &str) -> Self {
        self.operation.operation_id = Some(id.to_owned());
        self
    }

    /// What it does, in a few words.
    pub(crate) fn summary(mut self, summary: &str) -> Self {
        self.operation.summary = Some(summary.to_owned());
        self
    }

    /// What more there is to say.
    pub(crate) fn detail(mut self, detail: &str) -> Self {
        self.operation.description = Some(detail.to_owned());
        self
    }

    /// An id in the path.
    pub(super) fn id(mut self, name: &str) -> Self {
        let uuid = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        let id = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(uuid));
        self.operation.parameters.get_or_insert_default().push(id.build().into());
        self
    }

    /// What can be in the query.
    pub(super) fn query<Q: IntoParams>(mut self) -> Self {
        let parameters = Q::into_params(|| Some(ParameterIn::Query));
        let all = self.operation.parameters.get_or_insert_default();
        all.extend(parameters.into_iter().map(RefOr::from));
        self
    }

    /// What the body is.
    pub(super) fn body<T: ToSchema>(mut self) -> Self {
        let content = self.content(&T::name(), schemas::<T>);
        let body = RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True));
        self.operation.request_body = Some(body.build().into());
        self
    }

    /// The body is a file, or several.
    pub(super) fn files(mut self) -> Self {
        let binary = || {
            let format = Some(SchemaFormat::KnownFormat(KnownFormat::Binary));
            ObjectBuilder::new().schema_type(Type::String).format(format)
        };
        let several = ArrayBuilder::new().items(binary()).max_items(Some(MAX_FILES));
        let form = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("file", several)
            .required("file");
        let body = RequestBodyBuilder::new()
            .content("application/octet-stream", Content::new(Some(binary())))
            .content("multipart/form-data", Content::new(Some(form)))
            .required(Some(Required::True));
        self.operation.request_body = Some(body.build().into());
        self
    }

    /// What it answers where all goes well.
    pub(super) fn returns<T: ToSchema>(mut self, status: StatusCode) -> Self {
        let content = self.content(&T::name(), schemas::<T>);
        let description = if status == StatusCode::CREATED {
            "Created resource"
        } else {
            "State of the resource"
        };
        let response = ResponseBuilder::new().description(description).content(JSON, content);
        self.response(status, response.build())
    }

    /// It answers with a page of these.
    pub(super) fn page<T: ToSchema>(mut self) -> Self {
        let content = self.content(&Page::<T>::name(), schemas::<Page<T>>);
        let response =
            ResponseBuilder::new().description("Page of the list").content(JSON, content);
        self.response(StatusCode::OK, response.build())
    }

    /// It answers with nothing where all goes well.
    pub(super) fn no_content(self) -> Self {
        self.response(StatusCode::NO_CONTENT, ResponseBuilder::new().description("Deleted").build())
    }

    /// What else it can answer.
    pub(super) fn responses<T: IntoResponses>(mut self) -> Self {
        self.operation.responses.responses.extend(T::responses());
        self
    }

    /// What does it.
    pub(super) fn to<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.resource = self.resource.to(handler);
        self
    }

    fn response(mut self, status: StatusCode, response: Response) -> Self {
        self.operation.responses.responses.insert(status.as_str().to_owned(), response.into());
        self
    }

    /// A reference to a schema, which is put into the document with all that it refers to.
    fn content(&mut self, name: &str, schemas: Schemas) -> Content {
        self.schemas.push(schemas);
        Content::new(Some(Ref::from_schema_name(name)))
    }
}

impl OpenApiFactory for Route {
    fn paths(&self) -> Paths {
        let item = PathItem::new(self.method.clone(), self.operation.clone());
        PathsBuilder::new().path(&self.path, item).build()
    }

    fn schemas(&self, schemas: &mut Vec<(String, RefOr<Schema>)>) {
        self.schemas.iter().for_each(|add| add(schemas));
    }
}

impl HttpServiceFactory for Route {
    fn register(self, config: &mut AppService) {
        self.resource.register(config);
    }
}
