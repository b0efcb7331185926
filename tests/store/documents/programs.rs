//! Random programs of writes and reads, beside a model of what an engine promises.

use std::{
    collections::BTreeMap,
    ops::Bound::{self, Excluded, Included, Unbounded},
};

use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    strategy::ValueTree,
    string::string_regex,
    test_runner::{Config, TestRunner},
};
use service::{
    document::engine::{Delete, Outcome, Precondition, Put, Query, Stored},
    random::Random,
};

use super::{
    cases,
    queries::PATH,
    room::{Room, delete, entry, put},
};

cases![
    programs_of_one_key_do_what_the_model_does,
    programs_of_several_keys_do_what_the_model_does,
    programs_of_queries_find_what_the_model_finds,
    programs_of_pages_meet_what_the_model_has,
    programs_of_changes_tell_what_the_model_has_seen,
    programs_whose_writes_are_sent_again_do_each_once,
    programs_of_writers_at_once_lose_no_write,
];

/// How many programs a case runs.
const PROGRAMS: usize = 6;

const KEYS: &[&str] = &["a", "a\u{1f600}", "ab", "b/%2F é"];
const VALUES: &[&[u8]] = &[b"\x00", b"a", b"a\x00", b"a\xff", b"b"];

/// Which version a write names.
#[derive(Debug, Clone, Copy)]
enum Named {
    Absent,
    /// So many before the current one.
    Back(i64),
}

#[derive(Debug, Clone)]
enum Step {
    Put { key: &'static str, named: Named, body: String, value: Option<&'static [u8]> },
    Delete { key: &'static str, back: i64 },
    Get { key: &'static str },
    Pages { limit: usize },
    Query { from: Bound<&'static [u8]>, to: Bound<&'static [u8]>, limit: usize },
    Changes { limit: usize },
}

fn named() -> impl Strategy<Value = Named> {
    select(vec![
        Named::Absent,
        Named::Absent,
        Named::Back(0),
        Named::Back(0),
        Named::Back(0),
        Named::Back(1),
        Named::Back(-1),
    ])
}

fn body() -> impl Strategy<Value = String> {
    let number = "-?[1-9][0-9]{0,24}(\\.[0-9]{1,9})?(e-?[0-9]{1,3})?";
    let text = "\"[ -!#-\\[\\]-~]*\"";
    let member = format!("\"[a-z\u{e9}\u{1f600}]{{0,3}}\":({number}|{text}|null|\\[\\])");
    let member = string_regex(&member).expect("a regular expression");
    member.prop_map(|member| format!("{{{member}}}"))
}

fn bound() -> impl Strategy<Value = Bound<&'static [u8]>> {
    let value = || select(VALUES.to_vec());
    prop_oneof![Just(Unbounded), value().prop_map(Included), value().prop_map(Excluded)]
}

fn writes(keys: &'static [&'static str]) -> impl Strategy<Value = Step> {
    let key = || select(keys.to_vec());
    let value = proptest::option::of(select(VALUES.to_vec()));
    let put = (key(), named(), body(), value);
    prop_oneof![
        3 => put.prop_map(|(key, named, body, value)| Step::Put { key, named, body, value }),
        1 => (key(), select(vec![0, 0, 0, 1])).prop_map(|(key, back)| Step::Delete { key, back }),
    ]
}

fn get(keys: &'static [&'static str]) -> impl Strategy<Value = Step> {
    select(keys.to_vec()).prop_map(|key| Step::Get { key })
}

fn pages() -> impl Strategy<Value = Step> {
    (1_usize..4).prop_map(|limit| Step::Pages { limit })
}

fn query() -> impl Strategy<Value = Step> {
    (bound(), bound(), 1_usize..4).prop_map(|(from, to, limit)| Step::Query { from, to, limit })
}

fn changes() -> impl Strategy<Value = Step> {
    (1_usize..4).prop_map(|limit| Step::Changes { limit })
}

/// What an engine is to have.
#[derive(Default)]
struct Model {
    /// As the last write left each, deleted ones among them.
    documents: BTreeMap<&'static str, (Stored, Option<&'static [u8]>)>,
    /// The keys in the order of their last writes, from the last that was told.
    untold: Vec<&'static str>,
    cursor: Option<String>,
}

impl Model {
    fn present(&self, key: &str) -> Option<&Stored> {
        self.documents.get(key).map(|(stored, _)| stored).filter(|stored| !stored.is_deleted())
    }

    fn version(&self, key: &str, back: i64) -> i64 {
        self.documents.get(key).map_or(1, |(stored, _)| stored.version) - back
    }

    fn precondition(&self, key: &str, named: Named) -> Precondition {
        match named {
            Named::Absent => Precondition::Absent,
            Named::Back(back) => Precondition::Version(self.version(key, back)),
        }
    }

    fn holds(&self, key: &str, precondition: Precondition) -> bool {
        match precondition {
            Precondition::Absent => self.present(key).is_none(),
            Precondition::Version(version) => {
                self.present(key).is_some_and(|stored| stored.version == version)
            }
        }
    }

    /// Compares what became of a write, and keeps it.
    fn write(
        &mut self,
        (key, value): (&'static str, Option<&'static [u8]>),
        precondition: Precondition,
        body: Option<&str>,
        outcome: Outcome,
    ) {
        let before = self.documents.get(key).map(|(stored, _)| stored.clone());
        let stored = match (self.holds(key, precondition), outcome) {
            (true, Outcome::Written(stored)) => stored,
            (false, Outcome::Conflict(current)) => return assert_eq!(current, before),
            (holds, outcome) => panic!("{outcome:?} where {precondition:?} holds: {holds}"),
        };
        let version = before.as_ref().map_or(1, |before| before.version + 1);
        assert_eq!(
            (stored.key.as_str(), stored.version, stored.body.as_deref()),
            (key, version, body)
        );
        let created = self.present(key).map_or(stored.updated_at, |present| present.created_at);
        assert_eq!(stored.created_at, created);
        assert!(before.is_none_or(|before| before.updated_at < stored.updated_at));
        self.documents.insert(key, (stored, value));
        self.untold.retain(|told| *told != key);
        self.untold.push(key);
    }

    fn all(&self) -> Vec<Stored> {
        self.documents.keys().filter_map(|key| self.present(key).cloned()).collect()
    }

    fn found(&self, (from, to): (Bound<&[u8]>, Bound<&[u8]>)) -> Vec<Stored> {
        let value =
            |stored: &Stored| self.documents.get(stored.key.as_str()).and_then(|(_, value)| *value);
        let within = |stored: &Stored| {
            value(stored).is_some_and(|value| {
                let after = match from {
                    Included(least) => value >= least,
                    Excluded(least) => value > least,
                    Unbounded => true,
                };
                after
                    && match to {
                        Included(most) => value <= most,
                        Excluded(most) => value < most,
                        Unbounded => true,
                    }
            })
        };
        let mut found = self.all();
        found.retain(within);
        found.sort_by_key(|stored| (value(stored), stored.key.clone()));
        found
    }

    /// Does a step in a room, and compares. A write is sent so many times.
    async fn step(&mut self, room: &Room, step: &Step, times: usize) {
        match step {
            Step::Put { key, named, body, value } => {
                let precondition = self.precondition(key, *named);
                let entries = value.iter().map(|value| entry(PATH, value)).collect();
                let sent = Put { entries, ..put(precondition, body) };
                let outcome = room.put(key, &sent).await;
                for _ in 1..times {
                    assert_eq!(room.put(key, &sent).await, outcome);
                }
                self.write((key, *value), precondition, Some(body), outcome);
            }
            Step::Delete { key, back } => {
                let version = self.version(key, *back);
                let sent: Delete = delete(version);
                let outcome = room.engine.delete(room.collection, key, &sent).await.unwrap();
                for _ in 1..times {
                    let again = room.engine.delete(room.collection, key, &sent).await.unwrap();
                    assert_eq!(again, outcome);
                }
                self.write((key, None), Precondition::Version(version), None, outcome);
            }
            Step::Get { key } => {
                let expected = self.documents.get(key).map(|(stored, _)| stored.clone());
                assert_eq!(room.get(key).await, expected);
            }
            Step::Pages { limit } => assert_eq!(room.all(*limit).await, self.all()),
            Step::Query { from, to, limit } => {
                assert_eq!(
                    self.all_found(room, (*from, *to), *limit).await,
                    self.found((*from, *to))
                );
            }
            Step::Changes { limit } => self.changes(room, *limit).await,
        }
    }

    async fn all_found(
        &self,
        room: &Room,
        (from, to): (Bound<&[u8]>, Bound<&[u8]>),
        limit: usize,
    ) -> Vec<Stored> {
        let (from, to) = (from.map(<[u8]>::to_vec), to.map(<[u8]>::to_vec));
        let mut query = Query { path: PATH.to_owned(), from, to, after: None, limit };
        let mut found = Vec::<Stored>::new();
        loop {
            let page = room.query(&query).await;
            found.extend(page.documents);
            if !page.more {
                return found;
            }
            let last = found.last().expect("a page with more behind it").key.clone();
            let value = self.documents[last.as_str()].1.expect("a value");
            query.after = Some((value.to_vec(), last));
        }
    }

    async fn changes(&mut self, room: &Room, limit: usize) {
        let mut told = Vec::new();
        loop {
            let changes = room.changes(self.cursor.as_deref(), limit).await.unwrap();
            told.extend(changes.documents);
            self.cursor = Some(changes.cursor);
            if !changes.more {
                break;
            }
        }
        let expected = std::mem::take(&mut self.untold);
        let expected: Vec<_> = expected.iter().map(|key| self.documents[key].0.clone()).collect();
        assert_eq!(told, expected);
    }
}

fn generated(steps: impl Strategy<Value = Step>) -> Vec<Vec<Step>> {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let programs = vec(vec(steps, 1..24), PROGRAMS);
    programs.new_tree(&mut runner).expect("programs").current()
}

/// Runs programs, each in a collection of its own; whoever fails is shown whole.
async fn run(room: &Room, steps: impl Strategy<Value = Step>, times: usize) {
    for program in generated(steps) {
        println!("{program:?}");
        let (room, mut model) = (room.beside(), Model::default());
        for step in &program {
            model.step(&room, step, times).await;
        }
        assert_eq!(room.all(2).await, model.all());
    }
}

async fn programs_of_one_key_do_what_the_model_does(room: &Room) {
    run(room, prop_oneof![3 => writes(&KEYS[..1]), 1 => get(&KEYS[..1])], 1).await;
}

async fn programs_of_several_keys_do_what_the_model_does(room: &Room) {
    run(room, prop_oneof![5 => writes(KEYS), 1 => get(KEYS), 1 => pages()], 1).await;
}

async fn programs_of_queries_find_what_the_model_finds(room: &Room) {
    run(room, prop_oneof![2 => writes(KEYS), 1 => query()], 1).await;
}

async fn programs_of_pages_meet_what_the_model_has(room: &Room) {
    run(room, prop_oneof![2 => writes(KEYS), 1 => pages()], 1).await;
}

async fn programs_of_changes_tell_what_the_model_has_seen(room: &Room) {
    run(room, prop_oneof![3 => writes(KEYS), 1 => changes()], 1).await;
}

async fn programs_whose_writes_are_sent_again_do_each_once(room: &Room) {
    run(room, prop_oneof![4 => writes(KEYS), 1 => get(KEYS), 1 => changes()], 2).await;
}

/// Writes what it has read, or deletes it, or creates it, and counts what was done.
async fn writer(room: &Room, random: Random) -> BTreeMap<&'static str, i64> {
    let mut done = BTreeMap::new();
    for _ in 0..12 {
        let key = KEYS[usize::try_from(random.below(2)).expect("small")];
        let present = room.get(key).await.filter(|stored| !stored.is_deleted());
        let outcome = match present {
            None => room.put(key, &put(Precondition::Absent, "{}")).await,
            Some(stored) if random.below(4) == 0 => room.try_delete(key, stored.version).await,
            Some(stored) => room.try_update(key, stored.version, r#"{"n":1}"#).await,
        };
        if matches!(outcome, Outcome::Written(_)) {
            *done.entry(key).or_insert(0) += 1;
        }
    }
    done
}

async fn programs_of_writers_at_once_lose_no_write(room: &Room) {
    for round in 0..2 {
        let room = room.beside();
        let writers = (0..4).map(|number| writer(&room, Random::seeded(round * 4 + number)));
        let mut done = BTreeMap::new();
        for (key, count) in join_all(writers).await.into_iter().flatten() {
            *done.entry(key).or_insert(0) += count;
        }
        for (key, count) in done {
            assert_eq!(room.get(key).await.unwrap().version, count, "{key}");
        }
    }
}
