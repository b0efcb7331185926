//! Days whose months are named in other languages than English.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::text::nfc;

/// The months, in English and in Danish, Dutch, French, German, Italian, Norwegian, Portuguese, Spanish and
/// Swedish, as [`key`] gives them. No word is the name of two.
const MONTHS: [(&str, &[&str]); 12] = [
    (
        "January",
        &[
            "januar", "januari", "janvier", "janv", "enero", "ene", "gennaio", "gen", "janeiro",
            "janner",
        ],
    ),
    (
        "February",
        &["februar", "februari", "fevrier", "fevr", "fev", "febrero", "febbraio", "fevereiro"],
    ),
    ("March", &["marz", "maerz", "mrz", "mars", "marzo", "maart", "mrt", "marco", "marts"]),
    ("April", &["avril", "avr", "abril", "abr", "aprile"]),
    ("May", &["mai", "mayo", "maggio", "mag", "mei", "maio", "maj"]),
    ("June", &["juni", "juin", "junio", "giugno", "giu", "junho"]),
    ("July", &["juli", "juillet", "juil", "julio", "luglio", "lug", "julho"]),
    ("August", &["aout", "agosto", "ago", "augustus", "augusti"]),
    ("September", &["sept", "septembre", "septiembre", "settembre", "set", "setembro"]),
    ("October", &["oktober", "okt", "octobre", "octubre", "ottobre", "ott", "outubro", "out"]),
    ("November", &["novembre", "noviembre", "novembro"]),
    (
        "December",
        &[
            "dezember",
            "dez",
            "decembre",
            "diciembre",
            "dic",
            "dicembre",
            "dezembro",
            "desember",
            "des",
        ],
    ),
];

/// What follows the number of a day: `1er`, `1º`, `2nd`.
const ORDINALS: [&str; 6] = ["er", "º", "st", "nd", "rd", "th"];
/// What stands between the parts of a day: `2 de marzo de 2026`.
const OF: [&str; 2] = ["de", "del"];

/// A word without case and marks on letters.
fn key(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    word.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// The English name of a month. English has it, too: its own abbreviations may have a point.
fn english(word: &str) -> Option<&'static str> {
    // No name of a month is shorter or longer, and most words of a file are none.
    if !(3..=10).contains(&word.chars().count()) {
        return None;
    }
    let key = key(word);
    let is_it = |(english, others): &&(&str, &[&str])| {
        let is_own = |name: &str| name.eq_ignore_ascii_case(&key);
        is_own(english) || is_own(&english[..3]) || others.contains(&&*key)
    };
    MONTHS.iter().find(is_it).map(|(english, _)| *english)
}

/// A day with its month in English: `1. März 2026` as `1. March 2026`. Without ordinals, without `de`, and without
/// the point of an abbreviation before a space. None where it says nothing else then.
pub(super) fn in_english(text: &str) -> Option<String> {
    let text = nfc(text);
    let mut written = String::with_capacity(text.len() + 6);
    let mut rest: &str = &text;
    while let Some(at) = rest.find(char::is_alphabetic) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| !c.is_alphabetic()).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        written.push_str(before);
        rest = after;
        if let Some(month) = english(word) {
            written.push_str(month);
            rest = after.strip_prefix('.').filter(|it| it.starts_with(' ')).unwrap_or(after);
        } else if OF.contains(&word) && before.ends_with(' ') && after.starts_with(' ') {
            rest = after.trim_start();
        } else if !(ORDINALS.contains(&word) && before.ends_with(|c: char| c.is_ascii_digit())) {
            written.push_str(word);
        }
    }
    written.push_str(rest);
    if *text == *written { None } else { Some(written) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_in_the_languages_of_banks() {
        for (text, expected) in [
            ("1. März 2026", Some("1. March 2026")),
            ("1. Ma\u{308}rz 2026", Some("1. March 2026")),
            ("12. Okt. 2026", Some("12. October 2026")),
            ("02 août 2026", Some("02 August 2026")),
            ("1er févr. 2026", Some("1 February 2026")),
            ("2 de marzo de 2026", Some("2 March 2026")),
            ("3 mag 2026", Some("3 May 2026")),
            ("4 mei 2026", Some("4 May 2026")),
            ("5-out-2026", Some("5-October-2026")),
            ("6 maj 2026", Some("6 May 2026")),
            ("7 DEZ 2026", Some("7 December 2026")),
            ("Jan. 2, 2026", Some("January 2, 2026")),
            ("2nd March 2026", Some("2 March 2026")),
            ("2026-03-02T10:00:00Z", None),
            ("Café de Flore", Some("Café Flore")),
            ("", None),
        ] {
            assert_eq!(in_english(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn no_word_is_the_name_of_two_months() {
        let all =
            || MONTHS.iter().flat_map(|(month, others)| others.iter().map(move |it| (*month, *it)));
        for (month, word) in all() {
            assert_eq!((key(word).as_str(), english(word)), (word, Some(month)));
            assert!(all().filter(|(_, other)| *other == word).count() == 1, "{word}");
        }
    }
}
