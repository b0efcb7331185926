//! Which documents a query reads, and in which order: decided from the selector, the order and the declared
//! indexes alone.
//!
//! What is read is tested by the whole selector, so that a plan may take in more than the answer, and never less.

mod explain;

pub use explain::{AccessKind, Explanation, ReadExplanation};

use super::{
    order::{self, Type},
    path::Path,
    range::{self, Point, Range},
    selector::{Comparison, Listed, Selector, Test},
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

#[cfg(test)]
mod tests;
