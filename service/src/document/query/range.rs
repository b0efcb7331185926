//! Ranges of an index: what tests of one path leave of it.

use serde_json::{Map, Value};

use super::{
    order::{self, BEYOND, MAX_KEY, Type},
    path::Path,
    selector::{Comparison, Listed, Operand, Test},
};

/// An end of a range, as an index has values: the beginning of their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether what has these bytes is within.
    pub inclusive: bool,
}

/// Keys of an index ([`order::key`]) from one to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// From where.
    pub from: Bound,
    /// To where; to the end if nothing is said.
    pub to: Option<Bound>,
}

/// A key of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Whether it is a key of elements of arrays, and not of whole values.
    pub element: bool,
    /// The key.
    pub key: Vec<u8>,
}

/// In place of the keys of its elements, for an array that has too many.
pub const MANY_ELEMENTS: [u8; 1] = [BEYOND];
/// How many elements of an array an index has.
pub const MAX_ELEMENTS: usize = 256;

impl Range {
    /// All values that are there: what has none has no bytes.
    pub const PRESENT: Self =
        Self { from: Bound { bytes: Vec::new(), inclusive: false }, to: None };
    /// Everything, and what has no value too.
    pub const ALL: Self = Self { from: Bound { bytes: Vec::new(), inclusive: true }, to: None };

    /// One key.
    fn only(bytes: Vec<u8>) -> Self {
        let bound = Bound { bytes, inclusive: true };
        Self { from: bound.clone(), to: Some(bound) }
    }

    /// The values for which a test may hold; none if it says nothing about an order. What is at its ends is still
    /// to be tested.
    pub fn of(test: &Test) -> Option<Self> {
        match test {
            Test::Compare(comparison, operand) => Self::of_comparison(*comparison, operand),
            Test::Exists(true) => Some(Self::PRESENT),
            Test::Exists(false) => Some(Self::only(Vec::new())),
            Test::Type(named) => Some(Self::of_type(*named)),
            Test::Regex(_) => Some(Self::of_type(Type::String)),
            Test::Size(_) | Test::All(_) | Test::ElemMatch(_) => Some(Self::of_type(Type::Array)),
            Test::In(_) | Test::Not(_) => None,
        }
    }

    /// All values of a type.
    pub fn of_type(named: Type) -> Self {
        let (from, to) = named.bounds();
        Self {
            from: Bound { bytes: vec![from], inclusive: true },
            to: Some(Bound { bytes: vec![to], inclusive: false }),
        }
    }

    fn of_comparison(comparison: Comparison, operand: &Operand) -> Option<Self> {
        let key = cut(operand);
        // Of a longer value only the beginning is known.
        let whole = operand.bytes.len() <= MAX_KEY;
        let from = |inclusive| Self { from: Bound { bytes: key.clone(), inclusive }, to: None };
        let to = |inclusive| {
            let to = Some(Bound { bytes: key.clone(), inclusive });
            Self { to, ..Self::PRESENT }
        };
        match comparison {
            Comparison::Equal => Some(Self::only(key)),
            Comparison::NotEqual => None,
            Comparison::Greater => Some(from(!whole)),
            Comparison::GreaterOrEqual => Some(from(true)),
            Comparison::Less => Some(to(!whole)),
            Comparison::LessOrEqual => Some(to(true)),
        }
    }

    /// What is in both.
    pub fn and(self, other: Self) -> Self {
        let later = |one: Bound, other: Bound| {
            let first = (&one.bytes, !one.inclusive) >= (&other.bytes, !other.inclusive);
            if first { one } else { other }
        };
        let earlier = |one: Bound, other: Bound| {
            let first = (&one.bytes, one.inclusive) <= (&other.bytes, other.inclusive);
            if first { one } else { other }
        };
        let to = match (self.to, other.to) {
            (Some(one), Some(other)) => Some(earlier(one, other)),
            (one, other) => one.or(other),
        };
        Self { from: later(self.from, other.from), to }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| match self.from.bytes.cmp(&to.bytes) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => !(self.from.inclusive && to.inclusive),
            std::cmp::Ordering::Greater => true,
        })
    }

    /// Whether a key is in it.
    pub fn has(&self, key: &[u8]) -> bool {
        let after = match key.cmp(&self.from.bytes) {
            std::cmp::Ordering::Equal => self.from.inclusive,
            order => order.is_gt(),
        };
        after
            && self.to.as_ref().is_none_or(|to| match key.cmp(&to.bytes) {
                std::cmp::Ordering::Equal => to.inclusive,
                order => order.is_lt(),
            })
    }

    /// The one key in it.
    pub fn point(&self) -> Option<&[u8]> {
        let to = self.to.as_ref().filter(|to| to.inclusive && self.from.inclusive)?;
        (to.bytes == self.from.bytes).then_some(&to.bytes)
    }
}

/// The keys of an index of which one is there if a test holds; none if the test says nothing of the kind.
pub fn points(test: &Test) -> Option<Vec<Point>> {
    let whole = |key| Point { element: false, key };
    let element = |key| Point { element: true, key };
    let many = || element(MANY_ELEMENTS.to_vec());
    match test {
        Test::Compare(Comparison::Equal, operand) => Some(vec![whole(cut(operand))]),
        Test::Exists(false) => Some(vec![whole(Vec::new())]),
        Test::In(Listed(operands)) => {
            let keys = || operands.iter().map(cut);
            let mut points: Vec<_> = keys().map(whole).chain(keys().map(element)).collect();
            if !points.is_empty() {
                points.push(many());
            }
            points.dedup();
            Some(points)
        }
        // Of one array the whole may be meant, which is not among its elements.
        Test::All(operands) => match operands.as_slice() {
            [] => None,
            [only] if only.value.is_array() => {
                Some(vec![whole(cut(only)), element(cut(only)), many()])
            }
            [first, ..] => Some(vec![element(cut(first)), many()]),
        },
        Test::ElemMatch(condition) => {
            let key = condition.equal_element()?;
            Some(vec![element(key), many()])
        }
        _ => None,
    }
}

impl super::selector::Condition {
    /// The key of what an element must be equal to.
    fn equal_element(&self) -> Option<Vec<u8>> {
        match self {
            Self::Test(path, Test::Compare(Comparison::Equal, operand)) if path.is_empty() => {
                Some(cut(operand))
            }
            Self::And(parts) => parts.iter().find_map(Self::equal_element),
            _ => None,
        }
    }
}

fn cut(operand: &Operand) -> Vec<u8> {
    operand.bytes[..operand.bytes.len().min(MAX_KEY)].to_vec()
}

/// What an index of a path has of a document: the key of the value, and of each element if it is an array.
pub fn entries(path: &Path, body: &Map<String, Value>) -> Vec<Point> {
    let value = path.find_in(body);
    let mut entries = vec![Point { element: false, key: order::key(value) }];
    let Some(Value::Array(items)) = value else { return entries };
    let mut keys: Vec<_> =
        items.iter().take(MAX_ELEMENTS + 1).map(|item| order::key(Some(item))).collect();
    if items.len() > MAX_ELEMENTS {
        keys = vec![MANY_ELEMENTS.to_vec()];
    }
    keys.sort_unstable();
    keys.dedup();
    entries.extend(keys.into_iter().map(|key| Point { element: true, key }));
    entries
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{
        super::{generate, matches::Subject, selector::Selector},
        *,
    };

    fn test(test: Value) -> Test {
        let selector = json!({ "a": test });
        let selector = selector.as_object().expect("an object");
        let selector = Selector::parse(selector, "").expect("a selector");
        selector.conjuncts()[0].1.clone()
    }

    #[test]
    fn ranges_meet() {
        let of = |value| Range::of(&test(value)).expect("a range");
        let both = of(json!({ "$gte": 3 })).and(of(json!({ "$lt": 5 })));
        for (number, within) in [(2, false), (3, true), (4, true), (5, false)] {
            assert_eq!(both.has(&order::encode(&json!(number))), within, "{number}");
        }
        assert!(!both.has(&order::key(None)));
        assert!(of(json!({ "$gt": 5 })).and(of(json!({ "$lt": 5 }))).is_empty());
        assert!(of(json!({ "$gt": 5 })).and(of(json!({ "$lte": 5 }))).is_empty());
        assert!(!of(json!({ "$gte": 5 })).and(of(json!({ "$lte": 5 }))).is_empty());
        assert!(of(json!({ "$exists": false })).and(of(json!({ "$gt": null }))).is_empty());
        let point = of(json!({ "$gte": 5 })).and(of(json!({ "$lte": 5 })));
        assert_eq!(point.point(), Some(order::encode(&json!(5)).as_slice()));
        assert_eq!(both.point(), None);
    }

    #[test]
    fn the_ends_of_long_values_are_within() {
        let long = |end: &str| json!(format!("{}{end}", "x".repeat(MAX_KEY)));
        let greater = Range::of(&test(json!({ "$gt": long("a") }))).expect("a range");
        assert!(greater.has(&order::key(Some(&long("b")))));
        let less = Range::of(&test(json!({ "$lt": long("b") }))).expect("a range");
        assert!(less.has(&order::key(Some(&long("a")))));
    }

    #[test]
    fn an_index_has_values_and_elements() {
        let path = Path::parse("a", "").expect("a path");
        let entries = |body: Value| {
            let entries = entries(&path, body.as_object().expect("an object"));
            entries.into_iter().map(|entry| (entry.element, entry.key)).collect::<Vec<_>>()
        };
        let key = |value: Value| order::key(Some(&value));
        assert_eq!(entries(json!({})), [(false, vec![])]);
        assert_eq!(entries(json!({ "a": null })), [(false, key(json!(null)))]);
        assert_eq!(
            entries(json!({ "a": [2, 1, 1.0] })),
            [(false, key(json!([2, 1, 1]))), (true, key(json!(1))), (true, key(json!(2)))],
        );
        let many: Vec<_> = (0..=MAX_ELEMENTS).collect();
        let found = entries(json!({ "a": many }));
        assert_eq!(found[1..], [(true, MANY_ELEMENTS.to_vec())]);
    }

    proptest! {
        /// What an index leaves out is never an answer.
        #[test]
        fn no_answer_is_out_of_range(selector in generate::selector(), body in generate::body()) {
            let selector = Selector::parse(selector.as_object().expect("an object"), "").expect("a selector");
            if !selector.matches(&Subject::new("id", &body)) {
                return Ok(());
            }
            for (path, test) in selector.conjuncts() {
                if path.is_id() {
                    continue;
                }
                let entries = entries(path, &body);
                if let Some(range) = Range::of(test) {
                    prop_assert!(range.has(&entries[0].key), "{test:?}");
                }
                if let Some(points) = points(test) {
                    prop_assert!(entries.iter().any(|entry| points.contains(entry)), "{test:?}");
                }
            }
        }
    }
}
