//! When a task comes again: an RRULE of RFC 5545, counted on the clock on the wall: pure.
//!
//! The crate `rrule` is given times without a zone. What instants they are is said here, so that a task
//! comes at the same local time on both sides of a change of the clock: a time that the clock leaves out is
//! as long after the change as it would have been, and of one that it shows twice it is the first
//! (RFC 5545, section 3.3.5).

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use rrule::{RRule, RRuleSet, Unvalidated};

use super::rules::Due;
use crate::zone::{Shown, Zone};

/// Why a recurrence is refused: a code, and what is wrong.
type Refusal = (&'static str, String);

/// The parts that a rule may have.
const PARTS: [&str; 13] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYDAY",
    "BYMONTH",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYWEEKNO",
    "BYSETPOS",
    "BYHOUR",
    "BYMINUTE",
];

/// The years in which what recurs can begin.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2200;

/// How often a day it recurs at most, and how often in all where that is said.
const MAX_PER_DAY: usize = 24;
const MAX_COUNT: u32 = 10_000;

/// How many occurrences are looked at for the next one: two centuries of days, or thirty years of hours.
const MAX_SEARCHED: usize = 250_000;

/// Where a recurrence counts from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Start {
    Day(NaiveDate),
    Local(NaiveDateTime, Zone),
}

impl Start {
    fn of(due: Due, zone: Zone) -> Self {
        match due {
            Due::Day(day) => Self::Day(day),
            Due::At(at) => Self::Local(zone.local(at), zone),
        }
    }

    /// As RFC 5545 writes it.
    fn write(self) -> String {
        match self {
            Self::Day(day) => format!("DTSTART;VALUE=DATE:{}", day.format("%Y%m%d")),
            Self::Local(at, zone) => {
                format!("DTSTART;TZID={}:{}", zone.name(), at.format("%Y%m%dT%H%M%S"))
            }
        }
    }

    fn read(text: &str) -> Option<Self> {
        if let Some(day) = text.strip_prefix("DTSTART;VALUE=DATE:") {
            return NaiveDate::parse_from_str(day, "%Y%m%d").ok().map(Self::Day);
        }
        let (zone, at) = text.strip_prefix("DTSTART;TZID=")?.split_once(':')?;
        let at = NaiveDateTime::parse_from_str(at, "%Y%m%dT%H%M%S").ok()?;
        Some(Self::Local(at, zone.parse().ok()?))
    }

    fn local(self) -> NaiveDateTime {
        match self {
            Self::Day(day) => day.and_time(NaiveTime::MIN),
            Self::Local(at, _) => at,
        }
    }
}

/// Where a recurrence counts from that begins with what is due then: a DTSTART.
pub fn start(due: Due, zone: Zone) -> String {
    Start::of(due, zone).write()
}

/// Refuses what is no rule, or a rule that never comes to pass.
///
/// # Errors
/// What is wrong with it.
pub fn check(rule: &str, due: Due) -> Result<(), Refusal> {
    check_parts(rule, due)?;
    let start = Start::of(due, Zone::utc());
    if !YEARS.contains(&start.local().year()) {
        return Err(("range", "must begin in the years 1970 to 2200".into()));
    }
    // Past its UNTIL, it is the last one that was put off.
    let mut series = Series { until: None, ..Series::read(rule, start)? };
    match series.occurrences().next() {
        Some(_) => Ok(()),
        None => Err(("never", "must have an occurrence".into())),
    }
}

/// What the crate would pass over, or take for something else.
fn check_parts(rule: &str, due: Due) -> Result<(), Refusal> {
    let mut met = Vec::new();
    let mut a_day = 1;
    for part in rule.split(';') {
        let (name, value) =
            part.split_once('=').ok_or_else(|| no_rule("must consist of NAME=VALUE"))?;
        if !PARTS.contains(&name) || met.contains(&name) {
            return Err(no_rule(format!("must contain each of {} at most once", PARTS.join(", "))));
        }
        let known = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase() || "+-,".contains(c);
        if value.is_empty() || !value.chars().all(known) {
            return Err(no_rule(format!("must have a valid {name}")));
        }
        match name {
            "FREQ" if !["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].contains(&value) => {
                return Err(no_rule("must have FREQ=DAILY, WEEKLY, MONTHLY or YEARLY"));
            }
            "BYDAY" if !value.split(',').all(is_weekday) => {
                return Err(no_rule("must have a valid BYDAY"));
            }
            "BYHOUR" | "BYMINUTE" if due.on().is_some() => {
                return Err(no_rule(format!("must not contain {name} if due_on is set")));
            }
            "BYHOUR" | "BYMINUTE" => a_day *= value.split(',').count(),
            "COUNT" if value.parse().is_ok_and(|count: u32| count > MAX_COUNT) => {
                return Err(("range", format!("must have a COUNT of at most {MAX_COUNT}")));
            }
            _ => {}
        }
        met.push(name);
    }
    if a_day > MAX_PER_DAY {
        return Err(("range", format!("must not recur more than {MAX_PER_DAY} times a day")));
    }
    if met.contains(&"COUNT") && met.contains(&"UNTIL") {
        return Err(no_rule("must not contain both COUNT and UNTIL"));
    }
    Ok(())
}

/// Refuses what RFC 5545 (3.3.10) does not allow, though the crate reads it in one way or another. What is stored is
/// not looked at again: a series that began with such a rule goes on as it did.
///
/// # Errors
/// What is wrong with it.
pub fn check_new(rule: &str) -> Result<(), Refusal> {
    let value = |name| rule.split(';').find_map(|part| value_of(part, name));
    let by_ordinal =
        value("BYDAY").is_some_and(|days| days.split(',').any(|it| ordinal(it).is_some()));
    let freq = value("FREQ").unwrap_or_default();
    if by_ordinal && !["MONTHLY", "YEARLY"].contains(&freq) {
        return Err(no_rule(format!("must not contain a number in BYDAY with FREQ={freq}")));
    }
    if by_ordinal && value("BYWEEKNO").is_some() {
        return Err(no_rule("must not contain a number in BYDAY together with BYWEEKNO"));
    }
    if value("BYMONTHDAY").is_some_and(|days| days.split(',').any(|day| day.parse() == Ok(0))) {
        return Err(no_rule("must not contain a BYMONTHDAY of 0"));
    }
    let others = |part: &str| part.starts_with("BY") && value_of(part, "BYSETPOS").is_none();
    if value("BYSETPOS").is_some() && !rule.split(';').any(others) {
        return Err(no_rule("must not contain BYSETPOS without another part that begins with BY"));
    }
    Ok(())
}

fn no_rule(why: impl std::fmt::Display) -> Refusal {
    ("rrule", format!("must be an RRULE that recurs by days or longer: {why}"))
}

/// `MO`, `1MO`, `+1MO` or `-1MO`.
fn is_weekday(text: &str) -> bool {
    let Some((number, day)) = text.split_at_checked(text.len().saturating_sub(2)) else {
        return false;
    };
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    // Another sign is none of a number's, though Rust would read it.
    let numbered = !digits.starts_with('+') && matches!(digits.parse(), Ok(1..=53_u8));
    let bare = number.is_empty();
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].contains(&day) && (bare || numbered)
}

/// When a task is due next that was due then and is finished now: the first time that comes after both.
/// None where the rule has come to its end.
pub fn next(
    rule: &str,
    recurs_from: &str,
    due: Due,
    (now, today): (DateTime<Utc>, NaiveDate),
) -> Option<Due> {
    let start = Start::read(recurs_from)?;
    let mut series = Series::read(rule, start).ok()?;
    let occurrences = series.occurrences();
    match (start, due) {
        (Start::Day(_), Due::Day(due)) => {
            let mut days = occurrences.map(|at| at.date());
            days.find(|day| *day > due.max(today)).map(Due::Day)
        }
        (Start::Local(_, zone), Due::At(due)) => {
            let mut instants = occurrences.map(|at| instant(at, zone));
            instants.find(|at| *at > due.max(now)).map(Due::At)
        }
        _ => None,
    }
}

/// The time of a series that is nearest to an instant, if one is less than a day away.
pub fn nearest(rule: &str, recurs_from: &str, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let start = Start::read(recurs_from)?;
    let Start::Local(_, zone) = start else { return None };
    let mut series = Series::read(rule, start).ok()?;
    let day = TimeDelta::days(1);
    let times = series.occurrences().map(|local| instant(local, zone));
    let near = times.skip_while(|it| *it <= at - day).take_while(|it| *it < at + day);
    near.min_by_key(|it| (*it - at).abs())
}

/// A rule, where it starts and where it ends.
struct Series {
    rules: RRuleSet,
    until: Option<NaiveDateTime>,
    /// How often it comes in all, where the crate does not count that.
    count: usize,
}

impl Series {
    /// UNTIL is looked at here: the crate takes one without a zone for the machine's.
    fn read(rule: &str, start: Start) -> Result<Self, Refusal> {
        let (mut rest, mut until) = (Vec::new(), None);
        for part in rule.split(';') {
            match part.strip_prefix("UNTIL=") {
                Some(text) => until = Some(last(text, start)?),
                None => rest.push(part),
            }
        }
        let (lines, count) = lines(&rest)?;
        // What the crate knows of zones is of another year than what service::zone knows: it counts in UTC,
        // whose days have no holes.
        #[expect(clippy::disallowed_types, reason = "a clock without a zone")]
        let start = rrule::Tz::UTC.from_utc_datetime(&start.local());
        let mut rules = RRuleSet::new(start);
        for line in lines {
            let line: RRule<Unvalidated> = line.parse().map_err(no_rule)?;
            rules = rules.rrule(line.validate(start).map_err(no_rule)?);
        }
        Ok(Self { rules: rules.limit(), until, count })
    }

    /// What the clock on the wall says each time, in its order.
    fn occurrences(&mut self) -> impl Iterator<Item = NaiveDateTime> {
        let (until, mut last) = (self.until, None);
        let all = (&self.rules).into_iter().map(|at| at.naive_utc()).take(MAX_SEARCHED);
        // What two lines give, comes once.
        let all = all.filter(move |at| last.replace(*at) != Some(*at)).take(self.count);
        all.take_while(move |at| until.is_none_or(|until| *at <= until))
    }
}

/// A rule as lines that the crate takes, and how often it comes in all where that is not in them.
///
/// The crate refuses the weekdays that are counted furthest from the end: the 53rd last of a year, the fifth last of
/// a month. Those are the ones that lie a certain number of days before the end, where there are as many days.
fn lines(parts: &[&str]) -> Result<(Vec<String>, usize), Refusal> {
    let value = |name| parts.iter().find_map(|part| value_of(part, name));
    let (furthest, days_before_the_end, takes_no) = match value("FREQ") {
        Some("YEARLY") => (-53, "BYYEARDAY=-365,-366", &["BYMONTH", "BYYEARDAY", "BYWEEKNO"][..]),
        Some("MONTHLY") => (-5, "BYMONTHDAY=-29,-30,-31", &["BYMONTHDAY"][..]),
        _ => return Ok((vec![parts.join(";")], usize::MAX)),
    };
    let days = value("BYDAY").into_iter().flat_map(|days| days.split(','));
    let (far, near): (Vec<_>, Vec<_>) = days.partition(|day| ordinal(day) == Some(furthest));
    if far.is_empty() {
        return Ok((vec![parts.join(";")], usize::MAX));
    }
    if let Some(name) = takes_no.iter().find(|name| value(name).is_some()) {
        return Err(no_rule(format!(
            "must not contain {name} together with a BYDAY of {furthest}"
        )));
    }
    let mixed = !near.is_empty();
    if mixed && value("BYSETPOS").is_some() {
        return Err(no_rule(format!(
            "must not contain BYSETPOS together with a BYDAY of {furthest} and others"
        )));
    }
    let is_kept = |part: &&&str| {
        value_of(part, "BYDAY").is_none() && !(mixed && value_of(part, "COUNT").is_some())
    };
    let kept = parts.iter().filter(is_kept).copied().collect::<Vec<_>>().join(";");
    let bare: Vec<_> = far.iter().filter_map(|day| day.get(day.len() - 2..)).collect();
    let far = format!("{kept};BYDAY={};{days_before_the_end}", bare.join(","));
    if !mixed {
        return Ok((vec![far], usize::MAX));
    }
    let count =
        value("COUNT").map(|count| count.parse().map_err(|_| no_rule("must have a valid COUNT")));
    let near = format!("{kept};BYDAY={}", near.join(","));
    Ok((vec![near, far], count.transpose()?.unwrap_or(usize::MAX)))
}

fn value_of<'a>(part: &'a str, name: &str) -> Option<&'a str> {
    part.strip_prefix(name)?.strip_prefix('=')
}

/// Which of its weekdays it is: -1 of `-1MO`, none of `MO`.
fn ordinal(day: &str) -> Option<i8> {
    day.get(..day.len().checked_sub(2)?)?.parse().ok()
}

/// What the clock on the wall says at the end of it: a day is to be over.
fn last(until: &str, start: Start) -> Result<NaiveDateTime, Refusal> {
    let day = NaiveDate::parse_from_str(until, "%Y%m%d").ok().filter(|_| until.len() == 8);
    let local = || NaiveDateTime::parse_from_str(until, "%Y%m%dT%H%M%S").ok();
    let zulu = || {
        let at = NaiveDateTime::parse_from_str(until, "%Y%m%dT%H%M%SZ").ok()?.and_utc();
        match start {
            Start::Day(_) => Some(at.naive_utc()),
            Start::Local(_, zone) => Some(zone.local(at)),
        }
    };
    let end = day.and_then(|day| day.and_hms_opt(23, 59, 59));
    end.or_else(local).or_else(zulu).ok_or_else(|| no_rule("must have a valid UNTIL"))
}

/// The instant at which the clock on the wall says this.
fn instant(local: NaiveDateTime, zone: Zone) -> DateTime<Utc> {
    match zone.shown(local) {
        Shown::Once(at) | Shown::Twice(at, _) | Shown::Never { at: _, as_if: at } => at,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> Due {
        Due::Day(text.parse().expect("a day"))
    }

    fn named(name: &str) -> Zone {
        name.parse().expect("a time zone")
    }

    fn at(text: &str) -> Due {
        Due::At(text.parse().expect("an instant"))
    }

    /// The times of a series of which each is finished as soon as it is due, the first one included.
    fn series(rule: &str, due: Due, zone: Zone, many: usize) -> Vec<Due> {
        let from = start(due, zone);
        let follow = |due: &Due| next(rule, &from, *due, moment(*due, zone));
        std::iter::successors(Some(due), follow).take(many).collect()
    }

    fn moment(due: Due, zone: Zone) -> (DateTime<Utc>, NaiveDate) {
        match due {
            Due::At(at) => (at, zone.local(at).date()),
            Due::Day(day) => (day.and_time(NaiveTime::MIN).and_utc(), day),
        }
    }

    #[test]
    fn a_time_that_is_left_out_or_comes_twice() {
        let zurich = [
            "2027-03-27T01:30:00Z", // 02:30, before the clock is put forward
            "2027-03-28T01:30:00Z", // 02:30 is left out: 03:30
            "2027-03-29T00:30:00Z", // 02:30
        ];
        let from = at(zurich[0]);
        assert_eq!(series("FREQ=DAILY", from, named("Europe/Zurich"), 3), zurich.map(at));
        let new_york = [
            "2026-10-31T05:30:00Z", // 01:30
            "2026-11-01T05:30:00Z", // 01:30, which comes twice: the first
            "2026-11-02T06:30:00Z", // 01:30
        ];
        let from = at(new_york[0]);
        assert_eq!(series("FREQ=DAILY", from, named("America/New_York"), 3), new_york.map(at));
    }

    #[test]
    fn weeks_stay_where_they_were_anchored() {
        let every_other =
            series("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", day("2026-11-23"), Zone::utc(), 3);
        assert_eq!(every_other, ["2026-11-23", "2026-12-07", "2026-12-21"].map(day));
        // One that was put off, and one that is late: the series goes on as it was.
        let from = start(day("2026-11-23"), Zone::utc());
        let rule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO";
        let late = |due, today| next(rule, &from, day(due), moment(day(today), Zone::utc()));
        assert_eq!(late("2026-12-08", "2026-12-08"), Some(day("2026-12-21")));
        assert_eq!(late("2026-11-23", "2026-12-21"), Some(day("2027-01-04")));
        assert_eq!(late("2026-11-23", "2026-11-20"), Some(day("2026-12-07")), "done early");
    }

    #[test]
    fn a_series_ends() {
        let ends = |rule: &str| series(rule, day("2026-01-31"), Zone::utc(), 99);
        assert_eq!(
            ends("FREQ=MONTHLY;COUNT=3"),
            ["2026-01-31", "2026-03-31", "2026-05-31"].map(day)
        );
        assert_eq!(ends("FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20260331").len(), 3);
        assert_eq!(ends("FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20260330").len(), 2);
        let zurich = |until: &str| {
            let rule = format!("FREQ=DAILY;UNTIL={until}");
            series(&rule, at("2026-11-20T23:30:00Z"), named("Europe/Zurich"), 99).len()
        };
        assert_eq!(zurich("20261122"), 2, "the 21st and the 22nd, at half past midnight");
        assert_eq!(zurich("20261121T233000Z"), 2);
        assert_eq!(zurich("20261121T232959Z"), 1);
        assert_eq!(zurich("20261122T003000"), 2);
    }

    /// Counted day by day, over 60 years.
    #[test]
    fn weekdays_are_counted_from_the_end() {
        let days = || {
            let first = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
            first.iter_days().take_while(|day| day.year() < 2086)
        };
        let same_weekdays = |day: NaiveDate, within: fn(NaiveDate, NaiveDate) -> bool| {
            let later = day.iter_weeks().take_while(|other| within(day, *other)).count();
            i8::try_from(later).expect("a small number")
        };
        let in_year = |one: NaiveDate, other: NaiveDate| one.year() == other.year();
        let in_month = |one: NaiveDate, other: NaiveDate| {
            (one.year(), one.month()) == (other.year(), other.month())
        };
        let weekdays = [("MO", chrono::Weekday::Mon), ("FR", chrono::Weekday::Fri)];
        for (name, weekday) in weekdays {
            for (freq, number, within) in [
                ("YEARLY", 53, in_year as fn(NaiveDate, NaiveDate) -> bool),
                ("YEARLY", 52, in_year),
                ("MONTHLY", 5, in_month),
                ("MONTHLY", 4, in_month),
            ] {
                let rule = format!("FREQ={freq};BYDAY=-{number}{name}");
                check(&rule, day("2026-01-01")).expect("a rule");
                check_new(&rule).expect("a rule");
                let mut series = Series::read(&rule, Start::of(day("2026-01-01"), Zone::utc()))
                    .unwrap_or_else(|(_, why)| panic!("{rule} {why}"));
                let found: Vec<_> = series
                    .occurrences()
                    .map(|at| at.date())
                    .take_while(|day| day.year() < 2086)
                    .collect();
                let expected: Vec<_> = days()
                    .filter(|it| it.weekday() == weekday && same_weekdays(*it, within) == number)
                    .collect();
                assert!(expected.len() > 5, "{rule}");
                assert_eq!(found, expected, "{rule}");
            }
        }
        // Beside others, in their order, each day once, and counted together.
        let mixed =
            series("FREQ=MONTHLY;BYDAY=-5MO,1MO,-1FR;COUNT=5", day("2026-11-02"), Zone::utc(), 99);
        let expected = ["2026-11-02", "2026-11-27", "2026-12-07", "2026-12-25", "2027-01-04"];
        assert_eq!(mixed, expected.map(day));
        let set =
            series("FREQ=MONTHLY;BYDAY=-5MO,-5TU;BYSETPOS=-1", day("2026-11-02"), Zone::utc(), 3);
        assert_eq!(set, ["2026-11-02", "2026-12-01", "2027-03-02"].map(day));
    }

    #[test]
    fn what_the_rfc_does_not_allow_is_refused_when_it_is_new() {
        for bad in [
            "FREQ=WEEKLY;BYDAY=1MO",
            "FREQ=WEEKLY;BYDAY=TU,-1MO",
            "FREQ=DAILY;BYDAY=2FR",
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO",
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "FREQ=MONTHLY;BYMONTHDAY=1,-0",
            "FREQ=DAILY;BYSETPOS=1",
        ] {
            assert_eq!(check_new(bad).err().map(|(code, _)| code), Some("rrule"), "{bad}");
        }
        for fine in [
            "FREQ=WEEKLY;BYDAY=MO,TU",
            "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
            "FREQ=MONTHLY;BYMONTHDAY=10,-1",
            "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1",
            "FREQ=YEARLY;BYDAY=-53FR,53FR",
        ] {
            assert_eq!(check_new(fine), Ok(()), "{fine}");
        }
    }

    /// One zone's rules are asked, and not those of the crate: with its own, this would be 16:00Z.
    #[test]
    fn the_crate_counts_without_a_zone() {
        let vancouver = named("America/Vancouver");
        let due = ["2026-10-26T15:00:00Z", "2026-11-02T15:00:00Z", "2026-11-09T15:00:00Z"];
        assert_eq!(series("FREQ=WEEKLY", at(due[0]), vancouver, 3), due.map(at));
        assert!(start(at(due[0]), vancouver).ends_with("T080000"));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let code = |rule: &str| check(rule, at("2026-11-21T12:00:00Z")).err().map(|(code, _)| code);
        for fine in [
            "FREQ=WEEKLY;BYDAY=MO",
            "FREQ=MONTHLY;BYDAY=-1FR,+1MO",
            "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;WKST=SU",
            "BYWEEKNO=53;FREQ=YEARLY",
            "FREQ=YEARLY;BYDAY=-53FR",
            "FREQ=MONTHLY;BYDAY=-5MO",
            "FREQ=DAILY;COUNT=1",
            "FREQ=DAILY;UNTIL=20250101",
        ] {
            assert_eq!(code(fine), None, "{fine}");
        }
        for bad in [
            "",
            "daily",
            "FREQ=daily",
            "RRULE:FREQ=DAILY",
            "FREQ=HOURLY",
            "FREQ=SECONDLY",
            "FREQ=DAILY;FREQ=WEEKLY",
            "FREQ=DAILY;",
            "FREQ=DAILY;INTERVAL=x",
            "FREQ=DAILY;INTERVAL=99999",
            "FREQ=DAILY;BYSECOND=1",
            "FREQ=DAILY;BYEASTER=1",
            "FREQ=WEEKLY;BYDAY=XXMO",
            "FREQ=WEEKLY;BYDAY=0MO",
            "FREQ=WEEKLY;BYDAY=M",
            "FREQ=WEEKLY;BYDAY=é",
            "FREQ=MONTHLY;BYDAY=++1MO",
            "FREQ=MONTHLY;BYDAY=-+1MO",
            "FREQ=MONTHLY;BYDAY=-5MO;BYMONTHDAY=1",
            "FREQ=MONTHLY;BYDAY=-5MO,MO;BYSETPOS=1",
            "FREQ=MONTHLY;BYMONTHDAY=32",
            "FREQ=DAILY;UNTIL=2026",
            "FREQ=DAILY;UNTIL=20269999",
            "FREQ=DAILY;COUNT=3;UNTIL=20270101",
            "FREQ=DAILY\nX:1",
            "INTERVAL=2",
        ] {
            assert_eq!(code(bad), Some("rrule"), "{bad}");
        }
        for range in ["FREQ=DAILY;COUNT=10001", "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5"] {
            assert_eq!(code(range), Some("range"), "{range}");
        }
        for never in [
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;INTERVAL=0",
        ] {
            assert_eq!(code(never), Some("never"), "{never}");
        }
        assert!(check("FREQ=DAILY", at("1969-11-21T12:00:00Z")).is_err());
        assert!(check("FREQ=DAILY;BYHOUR=9", day("2026-11-21")).is_err());
    }

    #[test]
    fn a_search_comes_to_its_end() {
        let begun = std::time::Instant::now();
        let _ = check("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", day("2026-11-21"));
        let _ = check("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", day("1970-01-01"));
        let hours = (0..24).map(|hour| hour.to_string()).collect::<Vec<_>>().join(",");
        let from = start(at("1970-01-01T00:00:00Z"), Zone::utc());
        let rule = format!("FREQ=DAILY;BYHOUR={hours}");
        let late =
            next(&rule, &from, at("2200-01-01T00:00:00Z"), moment(day("2200-01-01"), Zone::utc()));
        assert_eq!(late, None, "so much later nobody looks for it any more");
        eprintln!("searched for {:?}", begun.elapsed());
        assert!(begun.elapsed().as_secs() < 30);
    }

    fn zone() -> impl Strategy<Value = Zone> {
        prop::sample::select(Zone::all().collect::<Vec<_>>())
    }

    proptest! {
        /// In every zone: the same local time each day, or where the clock leaves it out, as long after
        /// the change as it would have been.
        #[test]
        fn each_day_at_the_same_local_time(
            zone in zone(), days in 0..18_000_i64, seconds in 0..86_400_i64,
        ) {
            let local = NaiveDate::from_ymd_opt(1990, 1, 1).expect("a day").and_time(NaiveTime::MIN)
                + TimeDelta::days(days) + TimeDelta::seconds(seconds);
            let first = instant(local, zone);
            let local = zone.local(first);
            for due in series("FREQ=DAILY", Due::At(first), zone, 8) {
                let at = due.at().expect("an instant");
                let expected = zone.local(at).date().and_time(local.time());
                if zone.local(at) == expected {
                    let earliest = zone.shown(expected).instants().next();
                    prop_assert!(due == Due::At(first) || earliest == Some(at));
                } else {
                    // The expected time may lie on the day before, where a gap goes over midnight.
                    let expected = [expected, expected - TimeDelta::days(1)];
                    let gap = expected.iter().any(|at| zone.shown(*at).instants().next().is_none());
                    prop_assert!(gap, "{at:?} of {zone}");
                }
            }
        }

        #[test]
        fn what_is_made_up_is_refused_or_taken_and_nothing_else(rule in "[A-Z=;,0-9é -]{0,60}") {
            let _ = check(&rule, day("2026-11-21"));
        }

        #[test]
        fn a_start_comes_back(zone in zone(), seconds in 0..7_258_118_400_i64) {
            let due = Due::At(DateTime::from_timestamp(seconds, 0).expect("an instant"));
            prop_assert_eq!(Start::read(&start(due, zone)), Some(Start::of(due, zone)));
            prop_assert!(start(due, zone).len() <= 200);
        }
    }
}
