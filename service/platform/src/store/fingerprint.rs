//! What tells statements apart without telling their values: for metrics, the log and operators.

use std::iter::Peekable;

use sha2::{Digest, Sha256};

use crate::random::hexadecimal;

/// How much of a statement is shown, in characters.
const MAX_TEXT: usize = 2000;
/// How many tables a summary names.
const MAX_TABLES: usize = 4;

/// A statement without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// What it is known by: the same for statements that differ in values alone, and in how many of them a list has.
    pub id: String,
    /// Its text, with `?` for each value and each list of values, cut to 2,000 characters.
    pub text: String,
    /// What it does, and the tables that it names first: `SELECT expense member`.
    pub summary: String,
}

impl Fingerprint {
    /// That of a statement of either database.
    pub fn of(sql: &str) -> Self {
        let whole = without_values(sql);
        let digest = Sha256::digest(whole.as_bytes());
        let summary = summary(&whole);
        let text = match whole.char_indices().nth(MAX_TEXT) {
            Some((end, _)) => format!("{}…", &whole[..end]),
            None => whole,
        };
        Self { id: hexadecimal(&digest[..8]), text, summary }
    }
}

type Characters<'a> = Peekable<std::str::Chars<'a>>;

/// The text with `?` for each literal and parameter, without comments, and with one space for all that separates.
fn without_values(sql: &str) -> String {
    let mut rest = sql.chars().peekable();
    let mut text = String::with_capacity(sql.len());
    while let Some(character) = rest.next() {
        match character {
            '\'' => literal(&mut rest, false, &mut text),
            '"' => quoted_name(&mut rest, &mut text),
            '$' => dollar(&mut rest, &mut text),
            '-' if rest.next_if_eq(&'-').is_some() => {
                while rest.next_if(|it| *it != '\n').is_some() {}
                space(&mut text);
            }
            '/' if rest.next_if_eq(&'*').is_some() => {
                comment(&mut rest);
                space(&mut text);
            }
            '?' => {
                while rest.next_if(char::is_ascii_digit).is_some() {}
                text.push('?');
            }
            it if it.is_whitespace() => space(&mut text),
            it if it.is_ascii_digit() => number(&mut rest, &mut text),
            it if it.is_alphabetic() || it == '_' => word(it, &mut rest, &mut text),
            it => text.push(it),
        }
    }
    text.truncate(text.trim_end().len());
    without_lists(text)
}

fn space(text: &mut String) {
    if !text.is_empty() && !text.ends_with(' ') {
        text.push(' ');
    }
}

/// The rest of a text literal: one that is cut off ends with the statement.
fn literal(rest: &mut Characters<'_>, has_escapes: bool, text: &mut String) {
    while let Some(character) = rest.next() {
        if character == '\\' && has_escapes {
            rest.next();
        } else if character == '\'' && rest.next_if_eq(&'\'').is_none() {
            break;
        }
    }
    text.push('?');
}

fn quoted_name(rest: &mut Characters<'_>, text: &mut String) {
    text.push('"');
    for character in rest.by_ref() {
        text.push(character);
        if character == '"' {
            break;
        }
    }
}

/// A parameter, a literal between tags (`$body$…$body$`), or a sign.
fn dollar(rest: &mut Characters<'_>, text: &mut String) {
    if rest.next_if(char::is_ascii_digit).is_some() {
        while rest.next_if(char::is_ascii_digit).is_some() {}
        text.push('?');
        return;
    }
    let mut tag = String::from("$");
    while let Some(letter) = rest.next_if(|it| it.is_alphanumeric() || *it == '_') {
        tag.push(letter);
    }
    if rest.next_if_eq(&'$').is_none() {
        text.push_str(&tag);
        return;
    }
    tag.push('$');
    let mut body = String::new();
    for character in rest.by_ref() {
        body.push(character);
        if body.ends_with(&tag) {
            break;
        }
    }
    text.push('?');
}

/// The rest of a comment, which may have others in it.
fn comment(rest: &mut Characters<'_>) {
    let mut depth = 1;
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'/').is_some() => depth -= 1,
            '/' if rest.next_if_eq(&'*').is_some() => depth += 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
}

fn number(rest: &mut Characters<'_>, text: &mut String) {
    let mut last = '0';
    while let Some(part) = rest.next_if(|it| {
        let is_sign_of_exponent = matches!(it, '+' | '-') && matches!(last, 'e' | 'E');
        it.is_ascii_alphanumeric() || matches!(it, '.' | '_') || is_sign_of_exponent
    }) {
        last = part;
    }
    text.push('?');
}

/// A name or a keyword, or what stands before a literal of another form (`E'…'`, `X'…'`).
fn word(first: char, rest: &mut Characters<'_>, text: &mut String) {
    let mut word = String::from(first);
    while let Some(letter) = rest.next_if(|it| it.is_alphanumeric() || matches!(it, '_' | '$')) {
        word.push(letter);
    }
    let is = |words: &[&str]| words.iter().any(|it| word.eq_ignore_ascii_case(it));
    if is(&["e", "b", "x", "n"]) && rest.next_if_eq(&'\'').is_some() {
        literal(rest, is(&["e"]), text);
    } else if is(&["true", "false"]) {
        text.push('?');
    } else {
        text.push_str(&word);
    }
}

/// Lists of values, and lists of such lists, are as one value: how many there are is no other statement.
fn without_lists(text: String) -> String {
    let mut text = text.replace("?,?", "?, ?").replace("( ?", "(?").replace("? )", "?)");
    for (several, one) in [("?, ?", "?"), ("(?), (?)", "(?)"), ("(?),(?)", "(?)")] {
        while text.contains(several) {
            text = text.replace(several, one);
        }
    }
    text
}

/// A plan with `?` for each text literal: all that a statement says itself and not in a parameter.
pub(super) fn without_literals(plan: &str) -> String {
    let mut rest = plan.chars().peekable();
    let mut text = String::with_capacity(plan.len());
    while let Some(character) = rest.next() {
        match character {
            '\'' => literal(&mut rest, false, &mut text),
            other => text.push(other),
        }
    }
    text
}

fn summary(text: &str) -> String {
    let plain = |word: &str| {
        let name = word.trim_matches(|it: char| !it.is_alphanumeric() && it != '_');
        name.rsplit(['.', '"']).next().unwrap_or_default().to_owned()
    };
    let mut words = text.split(' ');
    let mut summary = vec![plain(words.next().unwrap_or_default()).to_uppercase()];
    let mut before = summary[0].clone();
    for word in words {
        let names_table = ["FROM", "JOIN", "INTO", "UPDATE", "TABLE"].contains(&before.as_str());
        if names_table && !word.starts_with('(') && summary.len() <= MAX_TABLES {
            let table = plain(word);
            if !table.is_empty() && !summary.contains(&table) {
                summary.push(table);
            }
        }
        before = word.trim_start_matches('(').to_uppercase();
    }
    summary.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_left() {
        for (sql, text) in [
            ("SELECT 'a''b', 1.5e-3, x FROM t1", "SELECT ?, x FROM t1"),
            (r"SELECT E'it\'s' || X'00ff' || 'c\'", "SELECT ? || ? || ?"),
            ("SELECT $$a ' b$$ || $tag$ $$ $tag$ WHERE a=$12", "SELECT ? || ? WHERE a=?"),
            ("SELECT a -- 'secret'\nFROM /* 1 /* 2 */ 'x' */ b", "SELECT a FROM b"),
            (
                "SELECT \"we'ird\" FROM \"t2\" WHERE ok = TRUE",
                "SELECT \"we'ird\" FROM \"t2\" WHERE ok = ?",
            ),
            ("ALTER ROLE a PASSWORD 'cut off", "ALTER ROLE a PASSWORD ?"),
            ("SELECT a FROM t LIMIT 10 OFFSET ?2", "SELECT a FROM t LIMIT ? OFFSET ?"),
            ("  SELECT\n\t1  ", "SELECT ?"),
            ("SELECT é FROM t WHERE é = 'ü'", "SELECT é FROM t WHERE é = ?"),
        ] {
            assert_eq!(Fingerprint::of(sql).text, text);
        }
    }

    #[test]
    fn statements_that_differ_in_values_alone_are_one() {
        let same = |one: &str, other: &str| {
            assert_eq!(Fingerprint::of(one).id, Fingerprint::of(other).id, "{one}\n{other}");
        };
        same("SELECT a FROM t WHERE b = $1", "SELECT a FROM t WHERE b =  'x'");
        same("SELECT a FROM t WHERE b IN ($1, $2, $3)", "SELECT a FROM t WHERE b IN ($1)");
        same("INSERT INTO t VALUES (?, ?), (?, ?)", "INSERT INTO t VALUES (?, ?)");
        let other = Fingerprint::of("SELECT a FROM t WHERE c = $1").id;
        assert_ne!(Fingerprint::of("SELECT a FROM t WHERE b = $1").id, other);
        assert_eq!(other.len(), 16);
    }

    #[test]
    fn a_plan_keeps_its_numbers_and_no_text() {
        let plan = "Index Scan (cost=0.15..8.17 rows=1)\n  Filter: (note = 'it''s'::text)";
        let shown = "Index Scan (cost=0.15..8.17 rows=1)\n  Filter: (note = ?::text)";
        assert_eq!(without_literals(plan), shown);
    }

    #[test]
    fn a_summary_names_the_tables() {
        for (sql, summary) in [
            (r#"SELECT "a"."b" FROM "a" INNER JOIN "c" ON 1"#, "SELECT a c"),
            (r#"INSERT INTO "public"."event" ("id") VALUES ($1)"#, "INSERT event"),
            (r#"UPDATE "lease" SET "term" = $1"#, "UPDATE lease"),
            ("delete from only_this", "DELETE only_this"),
            ("SELECT a FROM (SELECT b FROM t) AS x", "SELECT t"),
            ("", ""),
        ] {
            assert_eq!(Fingerprint::of(sql).summary, summary);
        }
    }

    #[test]
    fn a_long_statement_is_cut_and_still_another() {
        let columns = |last: &str| format!("SELECT {} {last} FROM t", "é, ".repeat(3000));
        let (one, other) = (Fingerprint::of(&columns("a")), Fingerprint::of(&columns("b")));
        assert_eq!(one.text.chars().count(), MAX_TEXT + 1);
        assert_eq!(one.text, other.text);
        assert_ne!(one.id, other.id);
    }
}
