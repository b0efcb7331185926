//! What is pure: which events a webhook asks for, when to try again.

use std::{str::FromStr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use validator::ValidationError;

use crate::{catalogue, outbound, role::Role, text::refusal};

/// The role as which a webhook sees: it was made by an administrator, and belongs to no person.
pub(super) const VIEWER_ROLE: Role = Role::Admin;
/// How long an endpoint may fail before it is disabled.
pub(super) const DISABLE_AFTER: TimeDelta = TimeDelta::days(5);
/// How long an endpoint can make us wait.
pub(super) const MAX_RETRY_AFTER: TimeDelta = TimeDelta::hours(24);

/// Refuses a URL that could never be called. Where it leads shows when it is called.
pub(super) fn url(url: &str) -> Result<(), ValidationError> {
    match outbound::parse(url) {
        Ok(_) => Ok(()),
        Err(error) => Err(refusal("url", error.to_string())),
    }
}

/// Refuses kinds that no event has.
pub(super) fn kinds(kinds: &[String]) -> Result<(), ValidationError> {
    match kinds.iter().find(|kind| !is_known(kind)) {
        None => Ok(()),
        Some(_) => {
            Err(refusal("kind", "must be kinds of events such as expense.approved, expense.* or *"))
        }
    }
}

fn is_known(kind: &str) -> bool {
    kind == "*"
        || catalogue::RESOURCES.iter().any(|resource| {
            kind.strip_suffix(".*") == Some(resource.entity) || resource.has_kind(kind)
        })
}

/// Whether a webhook that asked for `kinds` gets an event of this kind.
pub(super) fn wants(kinds: &[String], entity: &str, kind: &str) -> bool {
    catalogue::resource(entity).is_some_and(|resource| VIEWER_ROLE.may(resource.read))
        && kinds.iter().any(|asked| {
            asked == "*" || asked == kind || asked.strip_suffix(".*").is_some_and(|it| it == entity)
        })
}

/// How long to wait before each attempt: as many attempts as there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retries(Vec<Duration>);

/// The example of the Standard Webhooks specification: 75 hours in all.
impl Default for Retries {
    fn default() -> Self {
        let (minute, hour) = (60, 3600);
        let seconds = [
            0,
            5,
            5 * minute,
            30 * minute,
            2 * hour,
            5 * hour,
            10 * hour,
            14 * hour,
            20 * hour,
            24 * hour,
        ];
        Self(seconds.map(Duration::from_secs).to_vec())
    }
}

/// Why a text is no schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write the seconds before each attempt, 1 to 50 of them, as 0,5,300")]
pub struct NotRetries;

impl FromStr for Retries {
    type Err = NotRetries;

    fn from_str(text: &str) -> Result<Self, NotRetries> {
        let waits: Option<Vec<Duration>> = text
            .split(',')
            .map(|part| part.trim().parse().ok().filter(|it: &f64| (0.0..=1e6).contains(it)))
            .map(|seconds| seconds.map(Duration::from_secs_f64))
            .collect();
        match waits {
            Some(waits) if (1..=50).contains(&waits.len()) => Ok(Self(waits)),
            _ => Err(NotRetries),
        }
    }
}

impl Retries {
    /// How long the wait is at most that follows so many attempts, for each of them.
    pub(super) fn max_waits(&self) -> impl Iterator<Item = TimeDelta> {
        (0..).map_while(|tries| self.after(tries, 999))
    }

    /// How long to wait after so many attempts; none if there is no further one. `jitter`, from 0 to
    /// 999, makes it up to a tenth longer, so that what failed together does not come back together.
    pub(super) fn after(&self, tries: i64, jitter: u64) -> Option<TimeDelta> {
        let wait = self.0.get(usize::try_from(tries).ok()?)?;
        let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
        let more = micros / 10_000 * i64::try_from(jitter.min(999)).unwrap_or(0);
        Some(TimeDelta::microseconds(micros.saturating_add(more)))
    }
}

/// How long an endpoint asks to be left alone: `Retry-After` (RFC 9110, section 10.2.3), in seconds or as a
/// date.
pub(super) fn retry_after(text: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = text.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => TimeDelta::seconds(seconds.into()),
        Err(_) => DateTime::<Utc>::from(httpdate::parse_http_date(text).ok()?) - now,
    };
    Some(wait.clamp(TimeDelta::zero(), MAX_RETRY_AFTER))
}

/// The beginning of what an endpoint has said: what people need to see what is wrong, and what both
/// databases keep.
pub(super) fn excerpt(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text: String = text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect();
    let text: String = text.trim().chars().take(500).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_is_the_one_of_the_specification() {
        let retries = Retries::default();
        let waits = (0..10).map(|tries| retries.after(tries, 0).expect("a wait").num_seconds());
        let expected = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
        assert!(waits.eq(expected));
        assert_eq!(retries.after(10, 0), None);
        let late = retries.after(2, 999).expect("a wait");
        assert!(late > TimeDelta::seconds(329) && late < TimeDelta::seconds(330));
        assert_eq!(
            "0, 0.5".parse::<Retries>().expect("two").after(1, 0),
            Some(TimeDelta::milliseconds(500))
        );
        for bad in ["", "x", "-1", "1,,2", "NaN", "inf"] {
            assert_eq!(bad.parse::<Retries>(), Err(NotRetries), "{bad}");
        }
    }

    #[test]
    fn an_endpoint_can_ask_for_a_day_at_most() {
        let now = "2026-11-21T08:00:00Z".parse().expect("an instant");
        let seconds = |text| retry_after(text, now).map(|wait| wait.num_seconds());
        assert_eq!(seconds("120"), Some(120));
        assert_eq!(seconds("Sat, 21 Nov 2026 08:01:00 GMT"), Some(60));
        assert_eq!(seconds("Sat, 21 Nov 2026 07:00:00 GMT"), Some(0));
        assert_eq!(seconds("Saturday, 21-Nov-26 08:01:00 GMT"), Some(60));
        assert_eq!(seconds("Sat Nov 21 08:01:00 2026"), Some(60));
        assert_eq!(seconds("Fri, 31 Dec 9999 23:59:59 GMT"), Some(86_400));
        assert_eq!(seconds("2026-11-21T08:01:00Z"), None);
        assert_eq!(seconds("4294967295"), Some(86_400));
        assert_eq!(seconds("soon"), None);
    }

    #[test]
    fn a_webhook_gets_what_it_asked_for() {
        let asked = |kinds: &[&str], kind: &str| {
            let kinds: Vec<String> = kinds.iter().map(|it| (*it).to_owned()).collect();
            let (entity, _) = kind.split_once('.').expect("a kind");
            wants(&kinds, entity, kind)
        };
        assert!(asked(&["*"], "expense.created") && asked(&["expense.*"], "expense.created"));
        assert!(asked(&["member.joined", "expense.created"], "expense.created"));
        assert!(!asked(&["expense.approved", "budget.*"], "expense.created"));
        for bad in ["", "expense", "expense.", "expense.flown", "nothing.*", "*.*", ".created"] {
            assert!(!is_known(bad), "{bad}");
        }
        assert!(is_known("*") && is_known("webhook.disabled"));
    }

    #[test]
    fn an_excerpt_is_what_a_database_keeps() {
        assert_eq!(excerpt(b" \x00a\xffb\n "), Some("a\u{fffd}b".into()));
        assert_eq!(excerpt(b"\0"), None);
        assert_eq!(excerpt(&[b'x'; 2000]).map(|text| text.len()), Some(500));
    }
}
