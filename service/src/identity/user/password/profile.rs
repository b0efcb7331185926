//! How passwords are compared: RFC 8265, section 4.2, the OpaqueString profile.

use unicode_normalization::UnicodeNormalization;

/// The password as it is compared: every space is the ASCII one, and the text is in NFC. Nothing where
/// it is no password: it is empty, or holds a control character.
///
/// Characters that Unicode has not assigned yet are let through, where RFC 8264 would have them refused:
/// which those are depends on the tables of the day, and a password must fit tomorrow.
pub(super) fn prepare(password: &str) -> Option<String> {
    if password.is_empty() || password.chars().any(char::is_control) {
        return None;
    }
    Some(password.chars().map(|c| if is_space(c) { ' ' } else { c }).nfc().collect())
}

/// Unicode's general category Zs.
fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 8265, section 4.3, and what it refuses.
    #[test]
    fn passwords_are_prepared_as_the_rfc_says() {
        for same in [
            "correct horse battery staple",
            "Correct Horse Battery Staple",
            "\u{3c0}\u{df}\u{e5}",
            "Jack of \u{2666}s",
            "foo bar",
            " my cat is a  by ",
        ] {
            assert_eq!(prepare(same).as_deref(), Some(same));
        }
        assert_eq!(prepare("foo\u{1680}bar").as_deref(), Some("foo bar"));
        assert_eq!(prepare("e\u{301}").as_deref(), Some("\u{e9}"));
        assert_eq!(prepare("\u{212b}").as_deref(), Some("\u{c5}"), "the sign of the angstrom");
        assert_eq!(prepare("\u{ff21}").as_deref(), Some("\u{ff21}"), "no other width, no NFKC");
        for refused in ["", "my cat is a \u{9}by", "\u{0}", "\u{7f}", "\u{85}"] {
            assert_eq!(prepare(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn what_is_prepared_stays_as_it_is() {
        proptest::proptest!(|(text in ".*")| {
            if let Some(once) = prepare(&text) {
                let twice = prepare(&once);
                proptest::prop_assert_eq!(twice.as_deref(), Some(once.as_str()));
            }
        });
    }
}
