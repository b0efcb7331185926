//! Texts, amounts and documents that databases are known to treat each in its own way.

use serde_json::{Value, json};

use super::choice::Choice;

/// Texts that sort, fold, match or escape differently from one system to another.
pub(super) const TEXTS: &[&str] = &[
    "Bakery",
    "bakery",
    "Bäckerei",
    "ÄPFEL",
    "äpfel",
    "Apfel",
    "a",
    "Z",
    "_",
    "a_b",
    "a%b",
    "axb",
    "ß",
    "SS",
    "ss",
    "İstanbul",
    "istanbul",
    "ISTANBUL",
    "ıI",
    "Σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "ǅ",
    "ﬀ",
    "e\u{301}",
    "é",
    "日本語",
    "😀",
    "  spaced  ",
    "\u{a0}space\u{2003}",
    "back\\slash",
    "it's",
    "\"quoted\"",
    "two\nlines",
    "tab\there",
    "\u{200b}",
    "\u{7f}",
    "\u{ffff}",
    "\u{10ffff}",
    "NULL",
    "0",
    "-1",
    "1e3",
    "true",
    "$1",
    "?",
    ":name",
    "%",
    "\\%",
    "--",
    "/*",
    "İİİİİİİİİİ",
];

/// Texts that are no good anywhere, or only where they are not long.
pub(super) fn bad_text(choice: &mut Choice) -> Value {
    match choice.below(6) {
        0 => json!("x\u{0}y"),
        1 => json!("ä".repeat(3000)),
        2 => json!(""),
        3 => json!(" \u{a0}\t"),
        4 => json!(7),
        _ => json!(["a"]),
    }
}

/// Amounts from the smallest to the largest that there is.
pub(super) fn amount(choice: &mut Choice) -> i64 {
    match choice.below(10) {
        0 => 1,
        1 => 9_007_199_254_740_991,
        2 => 9_007_199_254_740_990,
        3 => 4_294_967_296,
        4 => 4_294_967_295,
        _ => i64::try_from(choice.below(100_000)).unwrap_or(0) + 1,
    }
}

/// Days in a few months, and the first and last that there are.
pub(super) fn day(choice: &mut Choice) -> String {
    match choice.below(20) {
        0 => "1000-01-01".into(),
        1 => "9999-12-31".into(),
        2 => "2024-02-29".into(),
        _ => format!("2026-{:02}-{:02}", choice.below(12) + 1, choice.below(28) + 1),
    }
}

/// What is no day.
pub(super) const BAD_DAYS: &[&str] = &[
    "2026-02-29",
    "2026-13-01",
    "0999-12-31",
    "10000-01-01",
    "+12026-01-01",
    "-0001-01-01",
    "21.11.2026",
    "2026-11-21T00:00:00Z",
    "",
    "0000-00-00",
    "٢٠٢٦-١١-٢١",
];

/// Documents of JSON with numbers and names that are kept differently.
pub(super) fn details(choice: &mut Choice) -> Value {
    let text = choice.of(TEXTS);
    let other = choice.of(TEXTS);
    match choice.below(8) {
        0 => json!({ "n": [1e19, -0.0, 1.0, 1e-7, 1.5, 1e300, 5e-324, 0.1, 1e21, 123456789.125] }),
        1 => json!({ "n": [u64::MAX, i64::MIN, i64::MAX, 9_007_199_254_740_993_u64, 2e19, -1e19] }),
        2 => (0..60).fold(json!({ "deep": true }), |inner, _| json!({ "in": [inner, null] })),
        3 => json!({ "bb": 1, "a": 2, "ccc": { "z": 1, "y": 2, "Z": 3 }, "": 4, "ä": 5 }),
        4 => json!({ text: other, other: text }),
        5 => json!({}),
        6 => json!({ "empty": [[], {}, "", null, false] }),
        _ => json!({ "text": text, "at": "2026-11-21T08:00:00Z", "many": vec![7; 300] }),
    }
}

/// Details that are refused: too large, or not to be kept.
pub(super) fn bad_details(choice: &mut Choice) -> Value {
    match choice.below(4) {
        0 => json!({ "large": "x".repeat(20_000) }),
        1 => json!({ "nul": ["\u{0}"] }),
        2 => json!({ "\u{0}": 1 }),
        _ => json!([1]),
    }
}
