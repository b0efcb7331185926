//! Which documents a query reads, and in which order: decided from the selector, the order and the declared
//! indexes alone.
//!
//! What is read is tested by the whole selector, so that a plan may take in more than the answer, and never less.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    order::{self, Type},
    path::Path,
    range::{self, Point, Range},
    selector::{Comparison, Condition, Listed, Operand, Selector, Test},
    sort::Sort,
};

/// How many documents one request reads at most.
pub const MAX_DOCUMENTS: u64 = 10_000;
/// How many bytes of bodies one request reads at most, but for the last document.
pub const MAX_BYTES: u64 = 64 * 1_024 * 1_024;
/// How many entries of an index are few enough to read and sort them all, where another one has the order.
pub const FEW: u64 = 1_000;

/// Ids of documents from one to another; whether the ends are within.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdRange {
    /// From where.
    pub from: Option<(String, bool)>,
    /// To where.
    pub to: Option<(String, bool)>,
}

/// How documents are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// There are none.
    Nothing,
    /// These, by their ids, in the order of ids.
    Ids(Vec<String>),
    /// All of the collection with ids in a range, in the order of ids.
    Scan(IdRange),
    /// Those that have an entry of an index at one of these points, in the order of ids.
    Points {
        /// The index.
        index: Path,
        /// The points, of which a document may have several.
        points: Vec<Point>,
    },
    /// Those of which the value is in a range of an index, in the order of the values and then the ids.
    Range {
        /// The index.
        index: Path,
        /// The range.
        range: Range,
    },
}

/// What a query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How documents are found.
    pub access: Access,
    /// Another way, which is taken if it has at most [`FEW`] entries; what it finds is sorted in memory.
    pub few: Option<Access>,
    /// The order of the answer.
    pub sort: Sort,
    /// Whether all that is found is sorted in memory, since [`Self::access`] is in another order.
    pub sorted_in_memory: bool,
}

/// What the tests of one path leave of its index.
struct Candidate<'a> {
    path: &'a Path,
    points: Option<Vec<Point>>,
    range: Range,
}

/// How much less than all of a collection an access is likely to read. From the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Narrowness {
    Ids,
    Points(usize),
    Between,
    From,
}

impl Plan {
    /// Decides how to answer a query, in the order that was asked for; if none was, in that of what is read.
    pub fn of(selector: &Selector, sort: Option<&Sort>, indexes: &[Path]) -> Self {
        let candidates: Vec<_> = indexes.iter().map(|path| Candidate::of(path, selector)).collect();
        let id = Path::id();
        let mut ids = Candidate::of(&id, selector);
        ids.range = ids.range.and(Range::of_type(Type::String));
        if selector.is_never() || candidates.iter().chain([&ids]).any(Candidate::is_empty) {
            let sort = sort.cloned().unwrap_or_default();
            return Self { access: Access::Nothing, few: None, sort, sorted_in_memory: false };
        }
        let narrow = candidates.iter().filter_map(Candidate::narrow).chain(by_id(selector));
        let narrow = narrow.min_by_key(|(narrowness, _)| *narrowness).map(|(_, access)| access);
        let scan = Access::Scan(id_range(&ids.range));
        match sort {
            None => Self::in_any_order(narrow.unwrap_or(scan)),
            Some(sort) => Self::in_order(sort, narrow, scan, &candidates),
        }
    }

    fn in_any_order(access: Access) -> Self {
        let sort = match &access {
            Access::Range { index, .. } => Sort::ascending(index.clone()),
            _ => Sort::default(),
        };
        Self { access, few: None, sort, sorted_in_memory: false }
    }

    fn in_order(
        sort: &Sort,
        narrow: Option<Access>,
        scan: Access,
        candidates: &[Candidate<'_>],
    ) -> Self {
        let sort = sort.clone();
        let by_ids = sort.values().is_empty();
        if by_ids && !matches!(narrow, Some(Access::Range { .. })) {
            let access = narrow.unwrap_or(scan);
            return Self { access, few: None, sort, sorted_in_memory: false };
        }
        let index = sort.only_value().map(|field| &field.path);
        let index = candidates.iter().find(|candidate| Some(candidate.path) == index);
        let in_order = index.map(Candidate::walk).or(by_ids.then_some(scan.clone()));
        match in_order {
            Some(access) => {
                let of_one_value = index.is_some_and(|index| index.range.point().is_some());
                let few = narrow.filter(|narrow| *narrow != access && !of_one_value);
                Self { access, few, sort, sorted_in_memory: false }
            }
            None => {
                let access = narrow.unwrap_or(scan);
                Self { access, few: None, sort, sorted_in_memory: true }
            }
        }
    }
}

impl<'a> Candidate<'a> {
    fn of(path: &'a Path, selector: &Selector) -> Self {
        let (mut points, mut range) = (None::<Vec<Point>>, Range::ALL);
        for (_, test) in selector.conjuncts().into_iter().filter(|(tested, _)| *tested == path) {
            if let Some(bounds) = Range::of(test) {
                range = range.and(bounds);
            }
            let found = range::points(test);
            points = [points, found].into_iter().flatten().min_by_key(Vec::len);
        }
        Self { path, points, range }
    }

    fn is_empty(&self) -> bool {
        self.range.is_empty() || self.points.as_ref().is_some_and(Vec::is_empty)
    }

    /// All of the index that the tests leave, in its order.
    fn walk(&self) -> Access {
        Access::Range { index: self.path.clone(), range: self.range.clone() }
    }

    /// The part of the index that the tests leave, if that is less than all values that are there.
    fn narrow(&self) -> Option<(Narrowness, Access)> {
        if let Some(points) = &self.points {
            let access = Access::Points { index: self.path.clone(), points: points.clone() };
            return Some((Narrowness::Points(points.len()), access));
        }
        if self.range == Range::ALL || self.range == Range::PRESENT {
            return None;
        }
        // One byte is the end of a type.
        let ends = [Some(&self.range.from), self.range.to.as_ref()];
        let between = ends.iter().all(|end| end.is_some_and(|end| end.bytes.len() > 1));
        let narrowness = if between { Narrowness::Between } else { Narrowness::From };
        Some((narrowness, self.walk()))
    }
}

/// Documents whose ids are named.
fn by_id(selector: &Selector) -> Option<(Narrowness, Access)> {
    let tests = selector.conjuncts().into_iter().filter(|(path, _)| path.is_id());
    let named = tests.filter_map(|(_, test)| match test {
        Test::Compare(Comparison::Equal, operand) => Some(std::slice::from_ref(operand)),
        Test::In(Listed(operands)) => Some(operands.as_slice()),
        _ => None,
    });
    let named = named.min_by_key(|operands| operands.len())?;
    let mut ids: Vec<_> =
        named.iter().filter_map(|operand| operand.value.as_str().map(str::to_owned)).collect();
    ids.sort_unstable();
    Some((Narrowness::Ids, Access::Ids(ids)))
}

/// The range of ids, which are strings.
fn id_range(range: &Range) -> IdRange {
    let end = |bound: &range::Bound| Some((order::decode_string(&bound.bytes)?, bound.inclusive));
    IdRange { from: end(&range.from), to: range.to.as_ref().and_then(end) }
}

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(selector: Value, sort: Option<Value>, indexes: &[&str]) -> (Plan, Selector) {
        let selector = Selector::parse(selector.as_object().expect("an object"), "");
        let selector = selector.expect("a selector");
        let sort =
            sort.map(|sort| Sort::parse(sort.as_array().expect("an array"), "").expect("a sort"));
        let indexes: Vec<_> =
            indexes.iter().map(|index| Path::from_pointer(index).expect("a pointer")).collect();
        (Plan::of(&selector, sort.as_ref(), &indexes), selector)
    }

    fn explained(selector: Value, sort: Option<Value>, indexes: &[&str]) -> Explanation {
        let (plan, selector) = plan(selector, sort, indexes);
        plan.explain(&selector)
    }

    /// How documents are found, by which index, and what is left to be tested.
    fn read(selector: Value, indexes: &[&str]) -> (AccessKind, Option<String>, usize) {
        let read = explained(selector, None, indexes).read;
        (read.access, read.index, read.filters.len())
    }

    #[test]
    fn the_index_that_leaves_least_is_used() {
        let (a, b) = (|| Some("/a".to_owned()), || Some("/b".to_owned()));
        let indexes = &["/a", "/b"][..];
        for (selector, expected) in [
            (json!({}), (AccessKind::Scan, None, 0)),
            (json!({ "c": 1 }), (AccessKind::Scan, None, 1)),
            (json!({ "a": 1 }), (AccessKind::Points, a(), 0)),
            (json!({ "a": { "$gt": 1 }, "b": 2 }), (AccessKind::Points, b(), 1)),
            (json!({ "a": { "$in": [1, 2] }, "b": 2 }), (AccessKind::Points, b(), 1)),
            (
                json!({ "a": { "$gt": 1, "$lt": 5 }, "b": { "$gt": 1 } }),
                (AccessKind::Range, a(), 1),
            ),
            (
                json!({ "a": { "$gt": 1 }, "b": { "$gt": 1, "$lt": 5 } }),
                (AccessKind::Range, b(), 1),
            ),
            (json!({ "a": { "$type": "number" } }), (AccessKind::Range, a(), 0)),
            (json!({ "a": { "$ne": 1 } }), (AccessKind::Scan, None, 1)),
            (json!({ "a": { "$gt": null, "$exists": true } }), (AccessKind::Range, a(), 0)),
            (json!({ "a": { "$exists": true } }), (AccessKind::Scan, None, 1)),
            (json!({ "a": { "$exists": false } }), (AccessKind::Points, a(), 0)),
            (json!({ "a": { "$all": [1, 2] } }), (AccessKind::Points, a(), 1)),
            (json!({ "a": { "$elemMatch": { "$eq": 1 } } }), (AccessKind::Points, a(), 1)),
            (json!({ "a": { "$elemMatch": { "$gt": 1 } } }), (AccessKind::Range, a(), 1)),
            (json!({ "$or": [{ "a": 1 }, { "b": 1 }] }), (AccessKind::Scan, None, 1)),
            (json!({ "_id": "x", "a": 1 }), (AccessKind::Ids, None, 1)),
            (json!({ "_id": { "$in": ["x", 1] } }), (AccessKind::Ids, None, 0)),
            (json!({ "_id": { "$gt": "x" }, "c": 1 }), (AccessKind::Scan, None, 1)),
            (json!({ "_id": 7 }), (AccessKind::Nothing, None, 1)),
            (json!({ "a": { "$in": [] } }), (AccessKind::Nothing, None, 1)),
            (json!({ "a": { "$gt": 2, "$lt": 1 } }), (AccessKind::Nothing, None, 2)),
            (json!({ "_id": { "$lt": 1 } }), (AccessKind::Nothing, None, 1)),
        ] {
            assert_eq!(read(selector.clone(), indexes), expected, "{selector}");
        }
    }

    #[test]
    fn ids_are_read_within_their_range() {
        let (found, _) = plan(json!({ "_id": { "$gt": "a", "$lte": "b\u{0}" } }), None, &[]);
        let (from, to) = (("a".to_owned(), false), ("b\u{0}".to_owned(), true));
        assert_eq!(found.access, Access::Scan(IdRange { from: Some(from), to: Some(to) }));
        let (found, _) = plan(json!({ "_id": { "$gt": null, "$lt": [] } }), None, &[]);
        assert_eq!(found.access, Access::Scan(IdRange::default()));
    }

    #[test]
    fn an_index_in_the_order_of_the_sort_is_walked() {
        let walked = explained(json!({ "b": 2 }), Some(json!([{ "a": "desc" }])), &["/a", "/b"]);
        assert_eq!(walked.read.index.as_deref(), Some("/a"));
        assert!(walked.read.scans && !walked.sorted_in_memory);
        assert_eq!(walked.few.and_then(|few| few.index).as_deref(), Some("/b"));
        assert_eq!(walked.sort, json!([{ "a": "desc" }, { "_id": "desc" }]));

        let ranged = explained(json!({ "a": { "$gte": 2 } }), Some(json!(["a"])), &["/a"]);
        assert_eq!(ranged.read.bounds, [json!({ "a": { "$gte": 2 } })]);
        assert!(!ranged.read.scans && ranged.few.is_none());

        let listed = explained(json!({ "a": { "$in": [1, 2] } }), Some(json!(["a"])), &["/a"]);
        assert_eq!(listed.few.map(|few| few.access), Some(AccessKind::Points));
        assert_eq!(explained(json!({ "a": 1 }), Some(json!(["a"])), &["/a"]).few, None);
    }

    #[test]
    fn what_no_index_sorts_is_sorted_in_memory() {
        for (sort, indexes) in [
            (json!(["a"]), &["/b"][..]),
            (json!(["a", "b"]), &["/a", "/b"]),
            (json!([{ "a": "desc" }, "_id"]), &["/a"]),
        ] {
            assert!(explained(json!({}), Some(sort.clone()), indexes).sorted_in_memory, "{sort}");
        }
        let by_id =
            explained(json!({ "a": { "$gt": 1, "$lt": 3 } }), Some(json!(["_id"])), &["/a"]);
        assert!(!by_id.sorted_in_memory);
        assert_eq!(
            (by_id.read.access, by_id.few.map(|few| few.access)),
            (AccessKind::Scan, Some(AccessKind::Range))
        );
        let points = explained(json!({ "a": 1 }), Some(json!([{ "_id": "desc" }])), &["/a"]);
        assert_eq!((points.read.access, points.sorted_in_memory), (AccessKind::Points, false));
    }

    #[test]
    fn the_order_is_that_of_what_is_read() {
        for (selector, sort) in [
            (json!({}), json!([{ "_id": "asc" }])),
            (json!({ "a": 1 }), json!([{ "_id": "asc" }])),
            (json!({ "a": { "$gt": 1 } }), json!([{ "a": "asc" }, { "_id": "asc" }])),
        ] {
            assert_eq!(explained(selector, None, &["/a"]).sort, sort);
        }
    }
}
