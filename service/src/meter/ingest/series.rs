//! What a series is called: the same points have the same name, in whatever order their tags are.

use std::fmt::Write;

use crate::meter::line_protocol::Point;

/// How many characters the name of a meter has at most.
const MAX_NAME: usize = 100;

/// The sources of the fields of a point, in their order: `home/sensor,room=Kitchen temperature`. Names are escaped as
/// in the line protocol, and tags are in the order of their keys.
pub(super) fn sources(bucket: &str, point: &Point<'_>) -> impl Iterator<Item = String> {
    let mut series = format!("{bucket}/{}", escaped(&point.measurement, &[',', ' ']));
    let mut tags: Vec<_> = point.tags.iter().collect();
    tags.sort_unstable();
    for (key, value) in tags {
        let _ = write!(series, ",{}={}", escaped(key, SPECIAL), escaped(value, SPECIAL));
    }
    point.fields.iter().map(move |(key, _)| format!("{series} {}", escaped(key, SPECIAL)))
}

const SPECIAL: &[char] = &[',', '=', ' '];

fn escaped(text: &str, special: &[char]) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if special.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// What a meter is called that is made of a source: as much of its end as a name holds, which tells it from others.
pub(super) fn name(source: &str) -> String {
    let count = source.chars().count();
    let end: String = source.chars().skip(count.saturating_sub(MAX_NAME)).collect();
    end.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::line_protocol::points;

    fn sources_of(line: &str) -> Vec<String> {
        let (_, point) = points(line).next().expect("a line");
        sources("home", &point.expect("a point")).collect()
    }

    #[test]
    fn a_series_has_one_name() {
        let expected = [
            "home/°C,area=ground,room=Living\\ Room value",
            "home/°C,area=ground,room=Living\\ Room max",
        ];
        assert_eq!(sources_of("°C,room=Living\\ Room,area=ground value=1,max=2 5"), expected);
        assert_eq!(sources_of("°C,area=ground,room=Living\\ Room value=3,max=4"), expected);
        assert_eq!(sources_of("a=b\\,c f=1"), ["home/a=b\\,c f"]);
    }

    #[test]
    fn a_name_is_the_end_of_a_long_source() {
        assert_eq!(name("home/a b"), "home/a b");
        let long = format!("home/{} value", "ä".repeat(200));
        assert!(name(&long).ends_with("ä value"));
        assert_eq!(name(&long).chars().count(), 100);
    }
}
