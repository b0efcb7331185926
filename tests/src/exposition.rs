//! A strict reader of the text in which Prometheus is told metrics
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>): it takes what the format says and nothing else.

use std::collections::{BTreeMap, BTreeSet};

/// The metrics of an answer, by their names.
pub type Families = BTreeMap<String, Family>;
/// The labels of a sample, by their names.
pub type Labels = BTreeMap<String, String>;

/// A metric with all of its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// `counter`, `gauge`, `histogram`.
    pub kind: String,
    /// What it says of itself.
    pub help: String,
    /// Its series, in order.
    pub samples: Vec<Sample>,
}

/// A line with a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name, which has a suffix in a histogram.
    pub name: String,
    /// The labels.
    pub labels: Labels,
    /// The value.
    pub value: f64,
}

/// Reads all of it.
///
/// # Errors
/// The first line that is not in order, or the metric that is not.
pub fn parse(text: &str) -> Result<Families, String> {
    if !text.ends_with('\n') {
        return Err("the last line does not end".into());
    }
    let mut families = Families::new();
    // The metric whose lines these are, its help, and, once that is known, its kind.
    let mut current: Option<(String, String, Option<String>)> = None;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let wrong = |why: &str| format!("{why}: {line}");
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or_else(|| wrong("a help without text"))?;
            if families.contains_key(name) || current.as_ref().is_some_and(|it| it.0 == name) {
                return Err(wrong("a metric in two places"));
            }
            current = Some((
                name.to_owned(),
                unescaped(help, false).ok_or_else(|| wrong("escape"))?,
                None,
            ));
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or_else(|| wrong("a type without one"))?;
            if !["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind) {
                return Err(wrong("an unknown type"));
            }
            match &mut current {
                Some((of, _, known @ None)) if of == name => *known = Some(kind.to_owned()),
                _ => return Err(wrong("a type that does not follow its help")),
            }
        } else if line.starts_with('#') {
            return Err(wrong("a comment"));
        } else {
            let sample = sample(line).ok_or_else(|| wrong("not a sample"))?;
            let Some((name, help, Some(kind))) = &current else { return Err(wrong("no type")) };
            let of = base(&sample.name, kind);
            if of != name {
                return Err(wrong("a sample of another metric"));
            }
            let new = || Family { kind: kind.clone(), help: help.clone(), samples: Vec::new() };
            families.entry(name.clone()).or_insert_with(new).samples.push(sample);
        }
    }
    for (name, family) in &families {
        family.check().map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(families)
}

/// The name of the metric that a sample is of.
fn base<'a>(name: &'a str, kind: &str) -> &'a str {
    let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[] };
    suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

fn is_name(text: &str, others: &[char]) -> bool {
    let is_letter = |it: char| it.is_ascii_alphabetic() || it == '_' || others.contains(&it);
    let mut letters = text.chars();
    letters.next().is_some_and(is_letter) && letters.all(|it| is_letter(it) || it.is_ascii_digit())
}

fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, labels) = match series.split_once('{') {
        Some((name, rest)) => (name, labels(rest)?),
        None => (series, Labels::new()),
    };
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        // Rust reads words that are none here, such as `infinity`.
        number if number.starts_with(|it: char| it.is_ascii_digit() || it == '-') => {
            number.parse().ok()?
        }
        _ => return None,
    };
    is_name(name, &[':']).then(|| Sample { name: name.to_owned(), labels, value })
}

/// What follows the opening brace: `a="1",b="2"}`.
fn labels(mut rest: &str) -> Option<Labels> {
    let mut labels = Labels::new();
    loop {
        if rest == "}" {
            return Some(labels);
        }
        let (name, value) = rest.split_once("=\"")?;
        let mut escaped = false;
        let end = value.find(|it| {
            let ends = it == '"' && !escaped;
            escaped = it == '\\' && !escaped;
            ends
        })?;
        let is_new = labels.insert(name.to_owned(), unescaped(&value[..end], true)?).is_none();
        if !is_name(name, &[]) || !is_new {
            return None;
        }
        let after = &value[end + 1..];
        rest = match after.strip_prefix(',') {
            Some(more) if more != "}" => more,
            _ => after,
        };
        if rest.is_empty() || (after == rest && rest != "}") {
            return None;
        }
    }
}

fn unescaped(text: &str, has_quotes: bool) -> Option<String> {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => match letters.next()? {
                'n' => '\n',
                '\\' => '\\',
                '"' if has_quotes => '"',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

impl Family {
    /// The value of the one series with these labels, if there is one.
    pub fn value(&self, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |sample: &&Sample| {
            sample.labels.len() == labels.len()
                && labels
                    .iter()
                    .all(|(name, value)| sample.labels.get(*name).is_some_and(|it| it == value))
        };
        self.samples.iter().find(has).map(|sample| sample.value)
    }

    fn check(&self) -> Result<(), String> {
        let mut series = BTreeSet::new();
        for sample in &self.samples {
            let (name, labels) = (&sample.name, &sample.labels);
            if !series.insert((name, labels)) {
                return Err(format!("{name} {labels:?} is there twice"));
            }
            if self.kind == "counter" && !(sample.value.is_finite() && sample.value >= 0.0) {
                return Err(format!("a counter is {}", sample.value));
            }
        }
        match self.kind.as_str() {
            "histogram" => self.check_buckets(),
            _ => Ok(()),
        }
    }

    /// Each series has buckets that ascend and hold ever more, up to all, which are counted, and a sum.
    fn check_buckets(&self) -> Result<(), String> {
        let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
        for sample in self.samples.iter().filter(|it| it.name.ends_with("_bucket")) {
            let mut labels = sample.labels.clone();
            let bound = labels.remove("le").ok_or("a bucket without a bound")?;
            let bound = if bound == "+Inf" { Some(f64::INFINITY) } else { bound.parse().ok() };
            let bound = bound.ok_or("a bound that is no number")?;
            buckets.entry(labels).or_default().push((bound, sample.value));
        }
        for (labels, buckets) in buckets {
            let ascend = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
            let of = |suffix: &str| {
                let mut series = self.samples.iter();
                series
                    .find(|it| it.name.ends_with(suffix) && it.labels == labels)
                    .map(|it| it.value)
            };
            let all = buckets.last().filter(|(bound, _)| *bound == f64::INFINITY).map(|it| it.1);
            if !buckets.windows(2).all(ascend) || all.is_none() || all != of("_count") {
                return Err(format!("buckets of {labels:?}: {buckets:?}"));
            }
            of("_sum").ok_or(format!("{labels:?} has no sum"))?;
        }
        Ok(())
    }
}
