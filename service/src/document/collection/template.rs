//! Ready-made collections: what a new one has where the client leaves it out.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CollectionInput;
use crate::input::ExactObject;

/// The schemas as docs/examples shows them.
const AGENTS: &str = include_str!("../../../../docs/examples/agents.schema.json");
const CONFIGURATIONS: &str = include_str!("../../../../docs/examples/configurations.schema.json");

/// Ready-made collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CollectionTemplate)]
pub enum Template {
    /// Language models with instructions and tools.
    Agents,
    /// Values of keys, for the organization and for its members.
    Configurations,
}

impl Template {
    fn schema(self) -> Option<ExactObject> {
        let text = match self {
            Self::Agents => AGENTS,
            Self::Configurations => CONFIGURATIONS,
        };
        serde_json::from_str(text).ok().map(ExactObject)
    }

    fn indexes(self) -> &'static [&'static str] {
        match self {
            Self::Agents => &["/name", "/visibility"],
            Self::Configurations => &[],
        }
    }

    /// Fills in what the client leaves out.
    pub(super) fn fill(self, input: &mut CollectionInput) {
        if input.schema.is_none() {
            input.schema = self.schema();
        }
        if input.indexes.is_empty() {
            input.indexes = self.indexes().iter().map(|&pointer| pointer.to_owned()).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::{document::schema::Schema, error::Error};

    fn compiled(template: Template) -> Schema {
        let schema = template.schema().expect("a schema");
        Schema::compile(&Value::Object(schema.0)).expect("a schema")
    }

    fn check(template: Template, body: Value) -> Option<String> {
        let body: Map<String, Value> = body.as_object().cloned().expect("an object");
        match compiled(template).check(&body) {
            Ok(()) => None,
            Err(Error::Invalid(found)) => Some(format!("{} {}", found[0].pointer, found[0].code)),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_template_of_agents_takes_agents() {
        let agent = || {
            json!({
                "name": "Accountant", "models": ["small", "large"], "visibility": "organization",
                "tools": [{"name": "list_expenses", "parameters": {"type": "object"}}],
            })
        };
        assert_eq!(check(Template::Agents, agent()), None);
        for (pointer, value, refused) in [
            ("/visibility", json!("all"), "/visibility enum"),
            ("/models", json!([]), "/models minItems"),
            ("/tools/0/name", json!("a b"), "/tools/0/name pattern"),
            ("/tools/0", json!({}), "/tools/0/name required"),
            ("/name", json!(""), "/name minLength"),
        ] {
            let mut body = agent();
            *body.pointer_mut(pointer).expect("a place") = value;
            assert_eq!(check(Template::Agents, body).as_deref(), Some(refused));
        }
    }

    #[test]
    fn the_template_of_configurations_takes_a_value_or_a_secret() {
        assert_eq!(check(Template::Configurations, json!({"value": [1, null]})), None);
        assert_eq!(check(Template::Configurations, json!({"value": null})), None);
        assert_eq!(check(Template::Configurations, json!({"secret": "s"})), None);
        assert!(compiled(Template::Configurations).has_secrets());
        for body in [json!({}), json!({"value": 1, "secret": "s"})] {
            assert_eq!(check(Template::Configurations, body).as_deref(), Some(" oneOf"));
        }
    }
}
