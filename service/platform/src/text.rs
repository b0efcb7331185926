//! Texts: how they are compared, and what is refused of them.

use std::borrow::Cow;

use validator::ValidationError;

/// A text as it is compared and sorted: without case and without space around it.
pub fn fold(text: &str) -> String {
    lower(text.trim())
}

/// A text without case. A sigma is one whether or not it ends its word, so that a part of a text
/// is a part of the lower text too.
pub fn lower(text: &str) -> String {
    text.to_lowercase().replace('ς', "σ")
}

/// Refuses a name that shows nothing.
pub fn visible(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() {
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

/// Refuses an address that is too long to be kept as it is written or as it is compared: some
/// letters are two when folded.
pub fn address(address: &str) -> Result<(), ValidationError> {
    if address.chars().count().max(fold(address).chars().count()) > 254 {
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
