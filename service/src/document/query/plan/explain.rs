//! What a plan does, for people.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    super::{
        path::Path,
        range::{self, Range},
        selector::{Comparison, Condition, Operand, Selector, Test},
    },
    Access, IdRange, MAX_DOCUMENTS, Plan,
};

/// How documents are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = DocumentAccess)]
pub enum AccessKind {
    /// No document can match.
    Nothing,
    /// By their ids.
    Ids,
    /// All of the collection, in the order of ids, within a range of ids if the selector has one.
    Scan,
    /// By values in an index.
    Points,
    /// By a range of an index.
    Range,
}

/// Way to find documents.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = DocumentRead)]
pub struct ReadExplanation {
    /// How documents are found.
    pub access: AccessKind,
    /// Index that is used, as a JSON pointer; null if none is.
    pub index: Option<String>,
    /// Conditions of the selector that limit what is read.
    #[schema(value_type = Vec<Object>)]
    pub bounds: Vec<Value>,
    /// Conditions of the selector that are tested on the documents that are read.
    #[schema(value_type = Vec<Object>)]
    pub filters: Vec<Value>,
    /// Whether nothing limits what is read but the selector's tests of each document.
    pub scans: bool,
}

/// How a query is answered.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = DocumentQueryPlan, examples(Self::example))]
pub struct Explanation {
    /// Way to find the documents.
    pub read: ReadExplanation,
    /// Way that is taken instead if it has at most 1000 entries of its index; null if there is none.
    pub few: Option<ReadExplanation>,
    /// Order of the answer, with the id in the end.
    #[schema(value_type = Vec<Object>)]
    pub sort: Value,
    /// Whether all matching documents are read and then sorted. A request fails if it would read more than
    /// `max_documents` for it.
    pub sorted_in_memory: bool,
    /// Selector in full, with its negations at the tests.
    #[schema(value_type = Object)]
    pub selector: Value,
    /// Number of documents that a request reads at most. A query then ends with a cursor.
    pub max_documents: u64,
}

impl Plan {
    /// What it does, for people.
    pub fn explain(&self, selector: &Selector) -> Explanation {
        Explanation {
            read: self.access.explain(selector),
            few: self.few.as_ref().map(|few| few.explain(selector)),
            sort: self.sort.to_json(),
            sorted_in_memory: self.sorted_in_memory,
            selector: selector.to_json(),
            max_documents: MAX_DOCUMENTS,
        }
    }
}

impl Explanation {
    fn example() -> Self {
        let price = || Path::from_pointer("/price").unwrap_or_default();
        let operand = Operand::of(&Value::from(10));
        let root = Condition::Test(price(), Test::Compare(Comparison::Less, operand));
        let selector = Selector { root };
        Plan::of(&selector, None, &[price()]).explain(&selector)
    }
}

impl Access {
    fn explain(&self, selector: &Selector) -> ReadExplanation {
        let parts = selector.parts().into_iter();
        let bounds = parts.clone().filter(|part| self.is_bounded_by(part));
        let filters = parts.filter(|part| !self.is_bounded_by(part) || !is_exact(part));
        let index = match self {
            Self::Points { index, .. } | Self::Range { index, .. } => Some(index.to_pointer()),
            _ => None,
        };
        let scans = match self {
            Self::Scan(range) => *range == IdRange::default(),
            Self::Range { range, .. } => [Range::ALL, Range::PRESENT].contains(range),
            _ => false,
        };
        ReadExplanation {
            access: self.kind(),
            index,
            bounds: bounds.map(Condition::to_json).collect(),
            filters: filters.map(Condition::to_json).collect(),
            scans,
        }
    }

    fn kind(&self) -> AccessKind {
        match self {
            Self::Nothing => AccessKind::Nothing,
            Self::Ids(_) => AccessKind::Ids,
            Self::Scan(_) => AccessKind::Scan,
            Self::Points { .. } => AccessKind::Points,
            Self::Range { .. } => AccessKind::Range,
        }
    }

    fn is_bounded_by(&self, part: &Condition) -> bool {
        let Condition::Test(path, test) = part else { return false };
        match self {
            Self::Nothing => false,
            Self::Ids(_) => {
                path.is_id() && matches!(test, Test::In(_) | Test::Compare(Comparison::Equal, _))
            }
            Self::Scan(range) => {
                let bounded = *range != IdRange::default();
                bounded && path.is_id() && Range::of(test).is_some()
            }
            Self::Points { index, points } => {
                path == index && range::points(test).as_ref() == Some(points)
            }
            Self::Range { index, .. } => path == index && Range::of(test).is_some(),
        }
    }
}

/// Whether what bounds an index by a test holds for all that is found there.
fn is_exact(part: &Condition) -> bool {
    use Test::{Compare, Exists, In, Type};
    matches!(part, Condition::Test(_, Compare(..) | Exists(_) | In(_) | Type(_)))
}
