//! Texts: how they are compared, and what is refused of them.

use std::borrow::Cow;

use icu_properties::{CodePointSetData, props::DefaultIgnorableCodePoint};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use validator::ValidationError;

/// A text in NFC (UAX #15): texts that are canonically equal are the same then.
pub fn nfc(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    }
}

/// A text as it is compared and sorted: without case, without space around it, and one for all that are
/// canonically equal.
pub fn fold(text: &str) -> String {
    lower(text.trim())
}

/// A text without case, in NFC. A sigma is one whether or not it ends its word, so that a part of a
/// text is a part of the lower text too.
pub fn lower(text: &str) -> String {
    let lower = nfc(text).to_lowercase().replace('ς', "σ");
    match nfc(&lower) {
        Cow::Borrowed(_) => lower,
        Cow::Owned(composed) => composed,
    }
}

/// An email address as it is compared: folded, and its domain as DNS has it (IDNA, UTS #46), so that
/// `@büro.example` is `@xn--bro-hoa.example`.
pub fn address_key(address: &str) -> String {
    let domain = address.trim().rsplit_once('@').map(|(_, domain)| idna::domain_to_ascii(domain));
    let folded = fold(address);
    match (folded.rsplit_once('@'), domain) {
        (Some((local, _)), Some(Ok(domain))) => format!("{local}@{domain}"),
        _ => folded,
    }
}

/// Whether a text shows nothing: it has only space, control characters, and those that Unicode has
/// ignored by default, such as a zero-width space.
pub fn is_blank(text: &str) -> bool {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    // That of Braille is a symbol. The fillers of Hangul are among those that are ignored.
    let shows_nothing =
        |c: char| c.is_whitespace() || c.is_control() || c == '\u{2800}' || ignorable.contains(c);
    text.chars().all(shows_nothing)
}

/// Refuses a name that shows nothing.
pub fn visible(text: &str) -> Result<(), ValidationError> {
    if is_blank(text) {
        return Err(refusal("blank", "must not be blank"));
    }
    Ok(())
}

/// How many characters a tag has at most.
pub(crate) const MAX_TAG_LENGTH: usize = 50;

/// Refuses a tag that shows nothing or is too long.
pub fn tag(tag: &str) -> Result<(), ValidationError> {
    visible(tag)?;
    if tag.chars().count() > MAX_TAG_LENGTH {
        return Err(refusal("length", format!("must have a length of at most {MAX_TAG_LENGTH}")));
    }
    Ok(())
}

/// Refuses tags of which one is no tag, or stands there twice.
pub fn tags(tags: &[String]) -> Result<(), ValidationError> {
    let mut seen = std::collections::HashSet::new();
    for (index, one) in tags.iter().enumerate() {
        let known = !seen.insert(fold(one));
        let twice = || Err(refusal("duplicate", "must be unique"));
        let refused = tag(one).and_then(|()| if known { twice() } else { Ok(()) });
        refused.map_err(|refusal| at(index, refusal))?;
    }
    Ok(())
}

/// Refuses tags to look for of which one is no tag.
pub fn any_of_tags(tags: &crate::input::AnyOf<String>) -> Result<(), ValidationError> {
    tags.iter().try_for_each(|one| tag(one))
}

/// Refuses an address that is too long to be kept as it is written or as it is compared: its domain
/// may be longer in ASCII.
pub fn address(address: &str) -> Result<(), ValidationError> {
    if address.chars().count().max(address_key(address).chars().count()) > 254 {
        return Err(refusal("length", "must have a length of at most 254"));
    }
    Ok(())
}

/// Refuses what the tz database does not know.
pub fn time_zone(name: &str) -> Result<(), ValidationError> {
    match name.parse::<crate::zone::Zone>() {
        Ok(_) => Ok(()),
        Err(_) => Err(refusal("time_zone", "must be a time zone such as Europe/Zurich")),
    }
}

/// Refuses days of which a year does not have four digits: they would not sort as days.
pub fn day(day: &chrono::NaiveDate) -> Result<(), ValidationError> {
    use chrono::Datelike;
    if (1000..=9999).contains(&day.year()) {
        return Ok(());
    }
    Err(refusal("day", "must be in the years 1000 to 9999"))
}

/// Refuses instants of which a year does not have four digits, as RFC 3339 does.
pub fn instant(at: &chrono::DateTime<chrono::Utc>) -> Result<(), ValidationError> {
    day(&at.date_naive())
}

/// Refuses instants that the databases would round: finer than a microsecond, or leap seconds.
pub fn microseconds(at: &chrono::DateTime<chrono::Utc>) -> Result<(), ValidationError> {
    let nanoseconds = at.timestamp_subsec_nanos();
    if nanoseconds < 1_000_000_000 && nanoseconds.is_multiple_of(1000) {
        return Ok(());
    }
    Err(refusal("precision", "must have whole microseconds, and no leap second"))
}

/// The same, told at a field, or at an item of a list.
pub fn at(field: impl ToString, mut refusal: ValidationError) -> ValidationError {
    refusal.add_param("field".into(), &field.to_string());
    refusal
}

/// A broken rule with a code and a message.
pub fn refusal(code: &'static str, message: impl Into<Cow<'static, str>>) -> ValidationError {
    ValidationError::new(code).with_message(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_are_canonically_equal_are_compared_as_one() {
        for (one, other) in [
            ("Caf\u{e9}", "cafe\u{301}"),
            ("\u{212b}", "\u{e5}"),
            ("\u{1100}\u{1161}", "\u{ac00}"),
            (" a\u{323}\u{307}", "A\u{307}\u{323} "),
            ("ΟΔΟΣ", "οδος"),
            ("\u{130}", "i\u{307}"),
        ] {
            assert_eq!(fold(one), fold(other), "{one:?}");
        }
        assert_ne!(fold("\u{ff21}"), fold("A"), "compatible is not equal");
        assert_ne!(fold("e"), fold("é"));
    }

    #[test]
    fn an_address_is_one_however_its_domain_is_written() {
        let key = "ada@xn--bro-hoa.example";
        let spellings =
            ["Ada@Büro.example", " ada@bu\u{308}ro.EXAMPLE ", "ADA@XN--BRO-HOA.example"];
        for address in spellings {
            assert_eq!(address_key(address), key, "{address}");
        }
        assert_ne!(address_key("ada@ως.example"), address_key("ada@ωσ.example"), "two domains");
        assert_eq!(address_key("Ada"), "ada");
        assert_eq!(address_key("ada@[127.0.0.1]"), "ada@[127.0.0.1]");
    }

    #[test]
    fn what_shows_nothing_is_blank() {
        for text in
            ["", " \t", "\u{200b}", "\u{feff}\u{2060} ", "\u{3164}", "\u{2800}", "\u{e0020}"]
        {
            assert!(visible(text).is_err(), "{text:?}");
        }
        for text in ["a", "\u{200b}a", "👩\u{200d}🌾", "\u{301}"] {
            assert!(visible(text).is_ok(), "{text:?}");
        }
    }
}
