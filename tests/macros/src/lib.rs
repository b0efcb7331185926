//! Attributes that make one test for each database of one `async fn name(database: Database)`:
//! `name::sqlite` and `name::postgresql`. Where `TEST_POSTGRES_URL` is not set, the second says so
//! and passes. What is in parentheses goes to `tokio::test`: `#[each_database(flavor = "…")]`.

use proc_macro::{TokenStream, TokenTree};

/// What a test is called, and the function of `tests::database` that gives it its database.
type Run = (&'static str, &'static str);

const SQLITE: Run = ("sqlite", "run_on_sqlite");
const SQLITE_FILE: Run = ("sqlite", "run_on_sqlite_file");
const POSTGRESQL: Run = ("postgresql", "run_on_postgresql");

/// A test on SQLite, in memory, and one on PostgreSQL.
#[proc_macro_attribute]
pub fn each_database(arguments: TokenStream, function: TokenStream) -> TokenStream {
    with_tests(function, &arguments, &[SQLITE, POSTGRESQL])
}

/// The same with SQLite in a file: what a power cut would leave, and what several connections see.
#[proc_macro_attribute]
pub fn each_lasting_database(arguments: TokenStream, function: TokenStream) -> TokenStream {
    with_tests(function, &arguments, &[SQLITE_FILE, POSTGRESQL])
}

/// A test on PostgreSQL alone.
#[proc_macro_attribute]
pub fn on_postgresql(arguments: TokenStream, function: TokenStream) -> TokenStream {
    with_tests(function, &arguments, &[POSTGRESQL])
}

/// The function as it is, and beside it a module of its name with the tests.
fn with_tests(function: TokenStream, arguments: &TokenStream, runs: &[Run]) -> TokenStream {
    let name = name(function.clone());
    let tests: String = runs
        .iter()
        .map(|(test, run)| {
            format!(
                "#[::tokio::test({arguments})]
                async fn {test}() {{
                    ::tests::database::{run}(super::{name}).await;
                }}"
            )
        })
        .collect();
    let module: TokenStream = format!("mod {name} {{ {tests} }}").parse().expect("a module");
    function.into_iter().chain(module).collect()
}

/// The name of a function.
fn name(function: TokenStream) -> String {
    let mut tokens = function.into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(word) if word.to_string() == "fn"));
    tokens.next().expect("the attribute is on a function").to_string()
}
