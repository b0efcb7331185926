//! How the days of a file are written: decided by all of them, or asked.

use crate::{csv::parse_day, text};

/// Which part of a day comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Year,
    Month,
    Day,
}

const FORMATS: &[(&str, Order)] = &[
    ("%Y-%m-%d", Order::Year),
    ("%Y/%m/%d", Order::Year),
    ("%Y.%m.%d", Order::Year),
    ("%Y.%m.%d.", Order::Year),
    ("%Y%m%d", Order::Year),
    ("%Y年%m月%d日", Order::Year),
    ("%Y-%B-%d", Order::Year),
    ("%d.%m.%Y", Order::Day),
    ("%d.%m.%Y.", Order::Day),
    ("%d/%m/%Y", Order::Day),
    ("%d-%m-%Y", Order::Day),
    ("%d %m %Y", Order::Day),
    ("%d%m%Y", Order::Day),
    ("%d.%m.%y", Order::Day),
    ("%d/%m/%y", Order::Day),
    ("%d-%m-%y", Order::Day),
    ("%m/%d/%Y", Order::Month),
    ("%m-%d-%Y", Order::Month),
    ("%m/%d/%y", Order::Month),
    ("%m-%d-%y", Order::Month),
    ("%B %d, %Y", Order::Month),
    ("%B %d %Y", Order::Month),
    ("%B. %d, %Y", Order::Month),
    ("%A, %B %d, %Y", Order::Month),
    ("%a, %B %d, %Y", Order::Month),
    ("%d %B %Y", Order::Day),
    ("%d. %B %Y", Order::Day),
    ("%d-%B-%Y", Order::Day),
    ("%d/%B/%Y", Order::Day),
    ("%d %B %y", Order::Day),
    ("%d-%B-%y", Order::Day),
    ("%d. %B %y", Order::Day),
    ("%d %B, %Y", Order::Day),
    ("%a %d %B %Y", Order::Day),
    ("%a, %d %B %Y", Order::Day),
    ("%d%B%Y", Order::Day),
    ("%d.%B.%Y", Order::Day),
    ("%y/%m/%d", Order::Year),
    ("%y-%m-%d", Order::Year),
];

/// Whether a text is a day, however it is written.
pub(super) fn is_day(text: &str) -> bool {
    let may_be = text.len() <= 60 && text.contains(|c: char| c.is_ascii_digit());
    may_be && FORMATS.iter().any(|(format, _)| fits(text, format, true))
}

fn fits(text: &str, format: &str, ignore_time: bool) -> bool {
    parse_day(text, format, ignore_time).is_some_and(|day| text::day(&day).is_ok())
}

/// What is known of the days of a file.
#[derive(Debug, Default)]
pub(super) struct Days {
    seen: u64,
    /// By the place of the format: how many days it fits, and how many of these have no time.
    fitting: Vec<(usize, u64, u64)>,
    /// How often the first number was another one than in the row before, and how often the second was.
    changes: [u64; 2],
    last: Option<[u32; 2]>,
    has_zone: bool,
}

/// How days are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) format: &'static str,
    pub(super) ignore_time: bool,
    /// The other format that fits as well, if nothing tells which one it is.
    pub(super) or: Option<&'static str>,
    /// Whether times are those of a zone, where it may have been another day.
    pub(super) has_zone: bool,
}

impl Days {
    pub(super) fn look_at(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() || text.len() > 60 {
            return;
        }
        if self.seen == 0 {
            self.fitting = (0..FORMATS.len()).map(|at| (at, 0, 0)).collect();
        }
        self.seen += 1;
        for (at, any, whole) in &mut self.fitting {
            let (format, _) = FORMATS[*at];
            if fits(text, format, true) {
                *any += 1;
                *whole += u64::from(fits(text, format, false));
            }
        }
        if self.seen == 100 {
            // What fits none of a hundred is not looked for any more.
            self.fitting.retain(|(_, any, _)| *any > 0);
        }
        let mut numbers =
            text.split(|c: char| !c.is_ascii_digit()).filter_map(|it| it.parse().ok());
        if let (Some(first), Some(second)) = (numbers.next(), numbers.next()) {
            if let Some(last) = self.last {
                self.changes[0] += u64::from(last[0] != first);
                self.changes[1] += u64::from(last[1] != second);
            }
            self.last = Some([first, second]);
        }
        let colon = text.rfind(':').map(|at| &text[at..]);
        self.has_zone |= colon.is_some_and(|rest| rest.contains(['Z', '+', 'U', 'G']))
            || text.contains("+0")
            || text.contains("+1");
    }

    /// How the days are written. `expected` is which part comes first where the file is from, and
    /// `is_sure` whether that decides.
    pub(super) fn found(&self, expected: Order, is_sure: bool) -> Option<Found> {
        let most = self.fitting.iter().map(|(_, any, _)| *any).max().filter(|most| *most > 0)?;
        let best: Vec<_> = self.fitting.iter().filter(|(_, any, _)| *any == most).collect();
        let first = |order| best.iter().find(|(at, ..)| FORMATS[*at].1 == order);
        let (day, month) = (first(Order::Day), first(Order::Month));
        let give = |one: &&(usize, u64, u64), or: Option<&&(usize, u64, u64)>| Found {
            format: FORMATS[one.0].0,
            ignore_time: one.2 < one.1,
            or: or.map(|other| FORMATS[other.0].0),
            has_zone: self.has_zone && one.2 < one.1,
        };
        let (Some(day), Some(month)) = (day, month) else {
            return best.first().map(|one| give(one, None));
        };
        let (expected, other) = if expected == Order::Month { (month, day) } else { (day, month) };
        // Within a statement, the day changes more often than the month.
        let [a, b] = self.changes;
        let changing = if a > b { Some(day) } else { (b > a).then_some(month) };
        let agrees = changing.is_some_and(|it| it.0 == expected.0);
        Some(give(expected, (!is_sure && !agrees).then_some(other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(days: &[&str], expected: Order, is_sure: bool) -> Option<Found> {
        let mut all = Days::default();
        days.iter().for_each(|day| all.look_at(day));
        all.found(expected, is_sure)
    }

    #[test]
    fn all_days_together_say_how_they_are_written() {
        for (days, format) in [
            (&["2026-01-02"][..], "%Y-%m-%d"),
            (&["2026.02.01.", "2026.02.02."], "%Y.%m.%d."),
            (&["2026. 02. 01.", "2026. 02. 02."], "%Y.%m.%d."),
            (&["20260401", "20260402"], "%Y%m%d"),
            (&["02.10.2026", "05.10.2026"], "%d.%m.%Y"),
            (&["1. 2. 2026"], "%d.%m.%Y"),
            (&["01/02/2026", "13/02/2026"], "%d/%m/%Y"),
            (&["01/02/2026", "01/13/2026"], "%m/%d/%Y"),
            (&["01/02/26", "13/02/26"], "%d/%m/%y"),
            (&["Jan 2, 2026", "Jan 14, 2026"], "%B %d, %Y"),
            (&["January 2, 2026"], "%B %d, %Y"),
            (&["2 Jan 2026"], "%d %B %Y"),
            (&["02-Jan-26"], "%d-%B-%y"),
            (&["20260102", "20261112"], "%Y%m%d"),
            (&["02.01.26", "13.01.26"], "%d.%m.%y"),
            (&["2026/1/2", "2026/11/12"], "%Y/%m/%d"),
            (&["1. März 2026", "12. Okt. 2026"], "%d. %B %Y"),
            (&["2. Dez. 26"], "%d. %B %y"),
            (&["02 août 2026", "1er févr. 2026"], "%d %B %Y"),
            (&["2 de marzo de 2026", "12 de ago. de 2026"], "%d %B %Y"),
            (&["3 maggio 2026", "3 mei 2026", "3 maj 2026", "3 maio 2026"], "%d %B %Y"),
            (&["2026年2月1日"], "%Y年%m月%d日"),
        ] {
            let expected = Found { format, ignore_time: false, or: None, has_zone: false };
            assert_eq!(
                found(days, Order::Year, false).map(|it| Found { or: None, ..it }),
                Some(expected),
                "{days:?}"
            );
        }
        assert_eq!(found(&["x", ""], Order::Day, false), None);
    }

    #[test]
    fn what_nothing_tells_is_asked() {
        let or = |days, order, sure| found(days, order, sure).map(|it| (it.format, it.or));
        let (dmy, mdy) = ("%d/%m/%Y", "%m/%d/%Y");
        let days = &["03/04/2026", "04/04/2026", "05/04/2026"][..];
        assert_eq!(or(days, Order::Day, false), Some((dmy, None)));
        assert_eq!(or(days, Order::Month, false), Some((mdy, Some(dmy))), "the first changes");
        assert_eq!(or(&["03/04/2026"], Order::Day, false), Some((dmy, Some(mdy))));
        assert_eq!(or(&["03/04/2026"], Order::Day, true), Some((dmy, None)));
    }

    #[test]
    fn a_time_is_told() {
        let times = found(&["2026-02-03 14:22", "2026-02-03T01:02:03"], Order::Day, true);
        let expected = Found { format: "%Y-%m-%d", ignore_time: true, or: None, has_zone: false };
        assert_eq!(times, Some(expected));
        assert!(found(&["2026-02-03T14:22:10Z"], Order::Day, true).expect("a format").has_zone);
        assert_eq!(found(&["2026-02-03x"], Order::Day, true), None);
    }
}
