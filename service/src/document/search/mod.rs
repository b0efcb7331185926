//! Queries and aggregation over the documents of a collection, by those who may read them. docs/documents.md tells
//! what selectors mean; [`super::query`] decides and evaluates, and this reads.

mod example;
mod read;
mod visit;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::Validate;

pub use read::{aggregate, explain, query};

use super::{
    document::Document,
    query::{aggregate, fields, sort},
};
use crate::input::{ExactMembers, ExactObject};

/// Which documents, in which order, and what of them.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = DocumentQueryInput, examples(Self::example))]
pub struct QueryInput {
    /// Which documents: an object of conditions, with the operators of CouchDB's Mango. Omit it for all.
    #[schema(value_type = Object)]
    pub selector: ExactObject,
    /// Order of the documents: at most 3 paths, or objects of one path and `asc` or `desc`. Omit it for the order of
    /// what is read, which `explain` tells.
    #[validate(length(max = 3))]
    pub sort: Option<Vec<Value>>,
    /// Paths of the members of bodies that are returned, at most 100. Omit it for all.
    #[validate(length(max = 100))]
    pub fields: Vec<String>,
    /// Maximum number of documents in the response, 1 to 500. Defaults to 50.
    #[validate(range(min = 1, max = 500))]
    pub limit: Option<u64>,
    /// Position at which the page starts: `next_cursor` of the previous page of the same query. Omit it for the first
    /// page.
    #[validate(length(max = 8192))]
    pub cursor: Option<String>,
}

impl ExactMembers for QueryInput {
    const EXACT: &'static [&'static str] = &["selector"];
}

/// Page of documents that a query selects.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DocumentQueryResult, examples(Self::example))]
pub struct QueryResult {
    /// Documents of the page, with the members of bodies that `fields` names.
    #[schema(max_items = 500)]
    pub items: Vec<Document>,
    /// Value to pass as `cursor` for the next page; null on the last page. A page may have fewer documents than
    /// `limit`, and none, before the last one: a request reads at most 10000 documents.
    pub next_cursor: Option<String>,
    /// Number of documents that were read for the page.
    pub visited: u64,
    /// Index that was read, as a JSON pointer; null if none was.
    pub index: Option<String>,
}

/// Groups of documents, and what is computed of each.
#[crate::input::bounded]
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = DocumentAggregationInput, examples(Self::example))]
pub struct AggregationInput {
    /// Which documents, as in a query. Omit it for all.
    #[schema(value_type = Object)]
    pub selector: ExactObject,
    /// By which values documents are grouped, at most 5: a path, or an object with a `path`, and perhaps a name (`as`),
    /// a `unit` (`day`, `week` or `month`) of instants (RFC 3339), and its `time_zone`, which is the organization's by
    /// default. Omit it for one group of all documents.
    #[validate(length(max = 5))]
    pub group_by: Vec<Value>,
    /// What is computed of each group, by name, at most 20: an object of a function (`sum`, `avg`, `min`, `max`,
    /// `count`, `count_distinct`) and its path.
    #[schema(value_type = Object)]
    pub measures: Map<String, Value>,
    /// Order of the groups: names of groups or measures, or objects of one name and `asc` or `desc`. Groups that are
    /// equal so far are in the order of their values.
    #[validate(length(max = 25))]
    pub sort: Vec<Value>,
    /// Maximum number of groups in the response, 1 to 1000. Defaults to 100.
    #[validate(range(min = 1, max = 1000))]
    pub limit: Option<u64>,
}

impl ExactMembers for AggregationInput {
    const EXACT: &'static [&'static str] = &["selector"];
}

/// Groups of documents.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = DocumentAggregation, examples(Self::example))]
pub struct AggregationResult {
    /// Groups, each with its values and measures by their names.
    #[schema(value_type = Vec<Object>, max_items = 1000)]
    pub items: Vec<Map<String, Value>>,
    /// Number of groups, with those beyond `limit`.
    pub total: u64,
    /// Number of documents that were read.
    pub visited: u64,
    /// Index that was read, as a JSON pointer; null if none was.
    pub index: Option<String>,
}

// The limits of the schemas are those of the parsers.
const _: () = assert!(sort::MAX_FIELDS == 3 && fields::MAX_FIELDS == 100);
const _: () = assert!(aggregate::MAX_GROUP_FIELDS == 5 && aggregate::MAX_LIMIT == 1000);
