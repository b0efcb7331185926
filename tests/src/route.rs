//! The routes as the OpenAPI document tells them, so that a guard over all of them needs no list of
//! its own; and requests whose answers are held against that document.

use std::{collections::BTreeSet, sync::LazyLock};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{Answer, Client};

/// The headers that the document declares for each response that has them.
const HEADERS: [&str; 6] =
    ["ETag", "Age", "Location", "Link", "Retry-After", "Idempotent-Replayed"];
/// Those of them that every response has for which they are declared.
const ALWAYS: [&str; 2] = ["ETag", "Location"];

/// What every path of an organization starts with.
pub const ORGANIZATION: &str = "/v1/organizations/{organization_id}";

/// The OpenAPI document.
///
/// # Panics
/// If it cannot be written as JSON.
pub fn document() -> &'static Value {
    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::to_value(api::openapi::document()).unwrap());
    &DOCUMENT
}

/// One operation of the document.
#[derive(Debug, Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its variables: `/v1/organizations/{organization_id}`.
    pub path: String,
    operation: Value,
}

impl Route {
    /// Every route.
    ///
    /// # Panics
    /// If the document has no paths.
    pub fn all() -> Vec<Self> {
        let paths = document()["paths"].as_object().expect("the document has paths");
        let mut routes = Vec::new();
        for (path, operations) in paths {
            for (method, operation) in operations.as_object().into_iter().flatten() {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let operation = resolved(operation);
                routes.push(Self { method, path: path.clone(), operation });
            }
        }
        routes
    }

    /// The routes below one organization, itself included.
    pub fn of_organization() -> Vec<Self> {
        Self::all().into_iter().filter(|route| route.path.starts_with(ORGANIZATION)).collect()
    }

    /// The routes that take a body of JSON.
    pub fn with_json() -> Vec<Self> {
        Self::all().into_iter().filter(|route| route.takes() == Some("application/json")).collect()
    }

    /// How the route is called: `GET /v1/users/me`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// What the document says of it.
    pub fn operation(&self) -> &Value {
        &self.operation
    }

    /// The variables of the path, in their order.
    pub fn variables(&self) -> Vec<&str> {
        let opened = self.path.split('{').skip(1);
        opened.filter_map(|rest| rest.split('}').next()).collect()
    }

    /// Whether a path without variables is one of this route's.
    pub fn fits(&self, path: &str) -> bool {
        let (path, pattern) = (path.split('/'), self.path.split('/'));
        path.clone().count() == pattern.clone().count()
            && path.zip(pattern).all(|(part, known)| part == known || known.starts_with('{'))
    }

    /// Whether the path names a row besides the organization.
    pub fn has_row(&self) -> bool {
        self.variables().iter().any(|variable| *variable != "organization_id")
    }

    /// Whether it is open to everybody.
    pub fn is_public(&self) -> bool {
        self.operation["security"] == serde_json::json!([{}])
    }

    /// The permission that it takes.
    pub fn permission(&self) -> Option<&str> {
        self.operation["x-permission"].as_str()
    }

    /// The media type of its body, if it takes one.
    pub fn takes(&self) -> Option<&str> {
        let content = self.operation["requestBody"]["content"].as_object()?;
        content.keys().next().map(String::as_str)
    }

    /// Whether its answer goes on for as long as somebody listens.
    pub fn streams(&self) -> bool {
        self.operation["responses"]["200"]["content"].get("text/event-stream").is_some()
    }

    /// The names of its query parameters.
    pub fn query(&self) -> Vec<&str> {
        self.query_where(|_| true)
    }

    /// The names of the query parameters that it cannot do without.
    pub fn required_query(&self) -> Vec<&str> {
        self.query_where(|parameter| parameter["required"] == true)
    }

    /// The values that a query parameter takes, if they are few.
    pub fn values(&self, parameter: &str) -> Vec<String> {
        let parameters = self.operation["parameters"].as_array().into_iter().flatten();
        let schema = parameters.filter(|known| known["name"] == parameter).map(|it| &it["schema"]);
        let few = |schema: &Value| match schema["type"] == "boolean" {
            true => vec!["true".to_owned(), "false".to_owned()],
            false => {
                let schema = if self.takes_several(parameter) { &schema["items"] } else { schema };
                let values = schema["enum"].as_array().into_iter().flatten();
                values.filter_map(Value::as_str).map(str::to_owned).collect()
            }
        };
        schema.flat_map(few).collect()
    }

    /// Whether a query parameter takes several values, separated by commas.
    pub fn takes_several(&self, parameter: &str) -> bool {
        self.query_where(|known| known["name"] == parameter && known["schema"]["type"] == "array")
            .len()
            == 1
    }

    /// Whether a query parameter takes `none`.
    pub fn takes_none(&self, parameter: &str) -> bool {
        let has_none = |schema: &Value| {
            let items = schema["items"]["anyOf"].as_array().into_iter().flatten();
            items.into_iter().any(|item| item["enum"] == serde_json::json!(["none"]))
        };
        !self
            .query_where(|known| known["name"] == parameter && has_none(&known["schema"]))
            .is_empty()
    }

    fn query_where(&self, fits: impl Fn(&Value) -> bool) -> Vec<&str> {
        let parameters = self.operation["parameters"].as_array().into_iter().flatten();
        parameters
            .filter(|parameter| parameter["in"] == "query" && fits(parameter))
            .filter_map(|parameter| parameter["name"].as_str())
            .collect()
    }

    /// The statuses that it can answer with, as the document says.
    pub fn statuses(&self) -> BTreeSet<u16> {
        let responses = self.operation["responses"].as_object().into_iter().flatten();
        responses.filter_map(|(status, _)| status.parse().ok()).collect()
    }

    /// Whether it is made against a version: whether it can miss one.
    pub fn is_versioned(&self) -> bool {
        self.statuses().contains(&428)
    }

    /// The name of the schema of its 200, if that is a resource with a version.
    pub fn resource(&self) -> Option<&str> {
        let schema = &self.operation["responses"]["200"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str()?.rsplit('/').next()?;
        let properties = &document()["components"]["schemas"][name]["properties"];
        properties.get("version").map(|_| name)
    }

    /// The fields of its body that its schema knows.
    pub fn fields(&self) -> Vec<&str> {
        let schema = &self.operation["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        let schema = &document()["components"]["schemas"][name.unwrap_or_default()];
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| &**name).collect()
    }

    /// The properties of its body, and those in them: `/items`, `/items/name`.
    pub fn properties(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let body = &self.operation["requestBody"]["content"]["application/json"]["schema"];
        properties(body, "", &mut found);
        found
    }

    /// A request of this route to a path that fits it.
    pub fn request(&self, path: impl Into<String>) -> Request<'_> {
        Request { route: self, path: path.into(), content_type: "", body: None, headers: vec![] }
    }

    /// Holds an answer against the document, and a problem against RFC 9457.
    ///
    /// # Panics
    /// If they do not fit.
    #[track_caller]
    fn check(&self, answer: &Answer) {
        let (name, status) = (self.name(), answer.status.as_u16());
        let statuses = self.statuses();
        assert!(statuses.contains(&status), "{name} gave {status}: {}", answer.text);
        assert!(status < 500, "{name}: {}", answer.text);
        self.check_headers(answer);
        if answer.status.is_client_error() {
            let code = answer.json["code"].as_str().unwrap_or_default().to_owned();
            let problem = answer.clone().expect_problem(status, &code);
            assert_ne!(problem["detail"], "the path does not exist", "{name} is not served");
        }
    }

    #[track_caller]
    fn check_headers(&self, answer: &Answer) {
        let declared = &self.operation["responses"][answer.status.as_str()]["headers"];
        for header in HEADERS {
            let known = declared.get(header).is_some();
            let sent = answer.headers.contains_key(header);
            let fits = if ALWAYS.contains(&header) { sent == known } else { known || !sent };
            let status = answer.status;
            assert!(fits, "{} {status}: {header} is sent: {sent}, declared: {known}", self.name());
        }
    }
}

/// A part of the document with the parameters, responses and headers that it refers to in their places. References to
/// schemas stay.
pub fn resolved(part: &Value) -> Value {
    match part {
        Value::Object(fields) => match shared(fields) {
            Some(shared) => resolved(shared),
            None => Value::Object(
                fields.iter().map(|(name, field)| (name.clone(), resolved(field))).collect(),
            ),
        },
        Value::Array(items) => items.iter().map(resolved).collect(),
        other => other.clone(),
    }
}

fn shared(fields: &serde_json::Map<String, Value>) -> Option<&'static Value> {
    let pointer = fields.get("$ref")?.as_str()?.strip_prefix('#')?;
    let is_schema = pointer.starts_with("/components/schemas/");
    document().pointer(pointer).filter(|_| !is_schema)
}

fn properties(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        properties(&document()["components"]["schemas"][name], at, found);
    }
    for schema in schema["oneOf"].as_array().into_iter().flatten().chain(schema.get("items")) {
        properties(schema, at, found);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        properties(property, &at, found);
        found.insert(at);
    }
}

/// A request of a route, on its way.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    route: &'a Route,
    path: String,
    content_type: &'a str,
    body: Option<Vec<u8>>,
    headers: Vec<(&'static str, String)>,
}

impl<'a> Request<'a> {
    /// With a query, after what the path has already.
    #[must_use]
    pub fn query(mut self, query: &str) -> Self {
        if !query.is_empty() {
            self.path += if self.path.contains('?') { "&" } else { "?" };
            self.path += query;
        }
        self
    }

    /// With a body of JSON.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a body.
    #[must_use]
    pub fn body(self, content_type: &'a str, body: impl Into<Vec<u8>>) -> Self {
        Self { content_type, body: Some(body.into()), ..self }
    }

    /// With a version, where the route takes one: in the query of a DELETE, else in the body.
    #[must_use]
    pub fn version(self, version: i64) -> Self {
        if self.route.method == Method::DELETE {
            self.query(&format!("version={version}"))
        } else {
            self.json(&serde_json::json!({ "version": version }))
        }
    }

    /// Its path, with the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its body.
    pub fn text(&self) -> Option<String> {
        self.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned())
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sends it. The answer is one that the document knows, and a problem is well-formed.
    pub async fn send(self, client: &Client) -> Answer {
        let route = self.route;
        let answer = self.send_unchecked(client).await;
        route.check(&answer);
        answer
    }

    /// Sends it, whatever the document says of the answer.
    pub async fn send_unchecked(self, client: &Client) -> Answer {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        let method = self.route.method.clone();
        client.send_bytes(method, &self.path, self.content_type, self.body, &headers).await
    }
}

impl Answer {
    /// The body without what tells one occurrence of a problem from another.
    pub fn without_occurrence(&self) -> (StatusCode, Value) {
        let mut body = self.json.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.remove("request_id");
            fields.remove("instance");
        }
        (self.status, body)
    }
}
