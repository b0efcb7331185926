//! Properties that hold for whatever proptest makes up, asked of a running steward.

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestRunner},
};
use tokio::{runtime::Handle, task};

/// Holds `property` against so many values, and shrinks one that breaks it. For tests with
/// `flavor = "multi_thread"`.
///
/// # Panics
/// If a value breaks the property.
pub fn for_all<S: Strategy>(cases: u32, values: &S, property: impl AsyncFn(S::Value)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    task::block_in_place(|| {
        let runtime = Handle::current();
        let held = TestRunner::new(config).run(values, |value| {
            runtime.block_on(property(value));
            Ok(())
        });
        held.unwrap_or_else(|broken| panic!("{broken}"));
    });
}
