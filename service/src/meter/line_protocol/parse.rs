use std::{borrow::Cow, iter};

use super::{LineError, Numbered, Point, Value};

/// What a line can be at most in bytes: a line that does not end is none.
const MAX_LINE: usize = 64 * 1024;
const TRUE: [&str; 5] = ["t", "T", "true", "True", "TRUE"];
const FALSE: [&str; 5] = ["f", "F", "false", "False", "FALSE"];

type Parsed<T> = Result<T, LineError>;

/// The lines of a text, each by itself: one that is wrong does not touch the others.
pub fn points(text: &str) -> impl Iterator<Item = Numbered<'_>> {
    let mut rest = text;
    let mut number = 1;
    let mut lines = iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = line_end(rest);
        let (line, after) = rest.split_at(end);
        rest = after.strip_prefix('\n').unwrap_or(after);
        let at = number;
        number += 1 + line.matches('\n').count();
        Some((at, line.strip_suffix('\r').unwrap_or(line)))
    });
    iter::from_fn(move || {
        let is_said = |(_, line): &(usize, &str)| {
            let line = line.trim_start_matches(is_blank);
            !line.is_empty() && !line.starts_with('#')
        };
        lines.find(is_said).map(|(number, line)| (number, point(line)))
    })
}

/// Where a line ends. A line break in a quoted text is part of it; a quotation mark means nothing but after the `=` of
/// a field, nor in a comment.
fn line_end(text: &str) -> usize {
    let plain = text.find('\n').unwrap_or(text.len());
    if text.trim_start_matches(is_blank).starts_with('#') || !text[..plain].contains('"') {
        return plain;
    }
    let mut escaped = false;
    let mut quoted = false;
    let mut in_fields = false;
    let mut before = b' ';
    for (place, byte) in text.bytes().enumerate() {
        if escaped && (quoted || byte != b'\n') {
            (escaped, before) = (false, b' ');
            continue;
        }
        match byte {
            b'\\' => escaped = true,
            b'"' if quoted => quoted = false,
            b'"' if in_fields && before == b'=' => quoted = true,
            b' ' if !quoted => in_fields = true,
            b'\n' if !quoted => return place,
            _ => {}
        }
        before = byte;
    }
    // A quotation mark that nothing closes does not swallow the lines after it.
    if quoted { plain } else { text.len() }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t')
}

fn point(line: &str) -> Parsed<Point<'_>> {
    if line.len() > MAX_LINE {
        return Err(LineError::new(format!("must have at most {MAX_LINE} bytes")));
    }
    let line = line.trim_matches(is_blank);
    let mut text = Text { rest: line };
    let measurement = text.until(&[',', ' '], &[',', ' '])?;
    named(&measurement, "measurement")?;
    let mut tags: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    while text.take(',') {
        let key = text.until(&['=', ',', ' '], &[',', '=', ' '])?;
        named(&key, "tag key")?;
        if !text.take('=') {
            return Err(LineError::new("has a tag without a value"));
        }
        let value = text.until(&['=', ',', ' '], &[',', '=', ' '])?;
        if value.is_empty() {
            return Err(LineError::new("has a tag without a value"));
        }
        if text.rest.starts_with('=') {
            return Err(LineError::new("has a tag value with an equals sign that is not escaped"));
        }
        if tags.iter().any(|(known, _)| *known == key) {
            return Err(LineError::new(format!("has the tag {key:?} twice")));
        }
        tags.push((key, value));
    }
    text.blanks();
    let fields = fields(&mut text)?;
    text.blanks();
    let timestamp = match text.rest {
        "" => None,
        digits => Some(timestamp(digits)?),
    };
    Ok(Point { measurement, tags, fields, timestamp })
}

fn fields<'a>(text: &mut Text<'a>) -> Parsed<Vec<(Cow<'a, str>, Value<'a>)>> {
    if text.rest.is_empty() {
        return Err(LineError::new("has no field"));
    }
    let mut fields: Vec<(Cow<'a, str>, Value<'a>)> = Vec::new();
    loop {
        let key = text.until(&['=', ',', ' '], &[',', '=', ' '])?;
        named(&key, "field key")?;
        if !text.take('=') {
            return Err(LineError::new("has a field without a value"));
        }
        let value = value(text)?;
        if fields.iter().any(|(known, _)| *known == key) {
            return Err(LineError::new(format!("has the field {key:?} twice")));
        }
        fields.push((key, value));
        if !text.take(',') {
            return Ok(fields);
        }
    }
}

/// What names something. Names that begin with an underscore are InfluxDB's own.
fn named(name: &str, what: &str) -> Parsed<()> {
    match name.chars().next() {
        None => Err(LineError::new(format!("has an empty {what}"))),
        Some('_') => Err(LineError::new(format!("has a {what} that begins with an underscore"))),
        Some(_) if name.contains('\0') => Err(LineError::new("has a NUL character")),
        Some(_) => Ok(()),
    }
}

fn value<'a>(text: &mut Text<'a>) -> Parsed<Value<'a>> {
    if text.take('"') {
        return text.quoted().map(Value::Text);
    }
    let end = text.rest.find([',', ' ', '\t']).unwrap_or(text.rest.len());
    let (word, rest) = text.rest.split_at(end);
    text.rest = rest;
    let beyond = |kind: &str| LineError::new(format!("has {word}, which is no {kind} of 64 bits"));
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_digit());
    match word {
        "" => Err(LineError::new("has a field without a value")),
        word if TRUE.contains(&word) => Ok(Value::Boolean(true)),
        word if FALSE.contains(&word) => Ok(Value::Boolean(false)),
        word if is_number(word) => Ok(Value::Float(word)),
        word => {
            let magnitude = word.strip_prefix('-').unwrap_or(word);
            if magnitude.strip_suffix('i').is_some_and(digits) {
                let number = word.trim_end_matches('i').parse();
                return number.map(Value::Integer).map_err(|_| beyond("integer"));
            }
            if word.strip_suffix('u').is_some_and(digits) {
                let number = word.trim_end_matches('u').parse();
                return number.map(Value::Unsigned).map_err(|_| beyond("unsigned integer"));
            }
            Err(LineError::new(format!("has {word:?}, which is no value of a field")))
        }
    }
}

/// `-1`, `1.5`, `1.`, `.5`, `1e-3`: a number that is finite. There is neither `NaN` nor `Inf`.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|it| it.strip_prefix(['+', '-']).unwrap_or(it));
    !(whole.is_empty() && part.is_empty())
        && digits(whole)
        && digits(part)
        && exponent.is_none_or(|it| !it.is_empty() && digits(it))
}

fn timestamp(text: &str) -> Parsed<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
    // The smallest and the largest are InfluxDB's own.
    let known = |number: &i64| number.unsigned_abs() < i64::MAX.unsigned_abs();
    let number = text.parse().ok().filter(|_| is_number).filter(known);
    number.ok_or_else(|| LineError::new(format!("has {text:?}, which is no timestamp")))
}

/// What is left of a line.
struct Text<'a> {
    rest: &'a str,
}

impl<'a> Text<'a> {
    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    /// What stands before one of these characters, unless it is escaped. A backslash before anything but these others
    /// is one.
    fn until(&mut self, ends: &[char], escapable: &[char]) -> Parsed<Cow<'a, str>> {
        let mut characters = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        let mut has_escapes = false;
        while let Some((place, character)) = characters.next() {
            if character == '\\' && characters.next_if(|(_, it)| escapable.contains(it)).is_some() {
                has_escapes = true;
            } else if ends.contains(&character) || character == '\t' && ends.contains(&' ') {
                end = place;
                break;
            } else if character == '\n' {
                return Err(LineError::new("has a line break outside of a quoted text"));
            }
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(if has_escapes { unescaped(text, escapable).into() } else { text.into() })
    }

    /// A text up to its closing quotation mark, after the opening one.
    fn quoted(&mut self) -> Parsed<Cow<'a, str>> {
        let mut escaped = false;
        let end = self.rest.bytes().position(|byte| match byte {
            _ if escaped => {
                escaped = false;
                false
            }
            b'\\' => {
                escaped = true;
                false
            }
            byte => byte == b'"',
        });
        let end = end.ok_or_else(|| LineError::new("has a text that nothing closes"))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        if !matches!(self.rest.chars().next(), None | Some(',' | ' ' | '\t')) {
            return Err(LineError::new(
                "has a text that is followed by neither a comma nor a space",
            ));
        }
        let has_escapes = text.contains('\\');
        Ok(if has_escapes { unescaped(text, &['"', '\\']).into() } else { text.into() })
    }
}

fn unescaped(text: &str, escapable: &[char]) -> String {
    let mut characters = text.chars().peekable();
    let mut plain = String::with_capacity(text.len());
    while let Some(character) = characters.next() {
        let escaped = match character {
            '\\' => characters.next_if(|it| escapable.contains(it)),
            _ => None,
        };
        plain.push(escaped.unwrap_or(character));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Parsed<Point<'_>> {
        let mut all = points(line);
        let (number, point) = all.next().expect("a line");
        assert_eq!((number, all.next()), (1, None), "{line}");
        point
    }

    fn field(value: &str) -> Parsed<String> {
        let line = format!("m f={value}");
        one(&line).map(|point| format!("{:?}", point.fields[0].1))
    }

    #[test]
    fn a_line_has_its_parts() {
        let point =
            one("home,room=Living\\ Room,floor=1 temp=21.50,hum=36i 1641024000").expect("one");
        assert_eq!(point.measurement, "home");
        let tags: Vec<(&str, &str)> = point.tags.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(tags, [("room", "Living Room"), ("floor", "1")]);
        assert_eq!(point.fields[0], ("temp".into(), Value::Float("21.50")));
        assert_eq!(point.fields[1], ("hum".into(), Value::Integer(36)));
        assert_eq!(point.timestamp, Some(1_641_024_000));
        assert_eq!(one("m f=1").expect("one").timestamp, None);
        assert_eq!(one("m\tf=1  \t5 ").expect("one").timestamp, Some(5));
    }

    /// The examples of the reference.
    #[test]
    fn what_is_special_is_escaped() {
        let point = one(r#"my\ Measurement,tag\,Key=tag\=Value field\ Key="a \"b\" \\ \n""#);
        let point = point.expect("one");
        assert_eq!(point.measurement, "my Measurement");
        assert_eq!(point.tags[0], ("tag,Key".into(), "tag=Value".into()));
        assert_eq!(point.fields[0], ("field Key".into(), Value::Text(r#"a "b" \ \n"#.into())));
        // In a measurement, an equals sign is one, and so is a quotation mark anywhere but around a value.
        let point = one(r#"m=x",t=" f=1"#).expect("one");
        assert_eq!(point.measurement, "m=x\"");
        assert_eq!(point.tags[0], ("t".into(), "\"".into()));
        assert_eq!(one(r"m\a,t=\b f=1").expect("one").measurement, r"m\a");
    }

    #[test]
    fn a_value_has_a_type() {
        for (text, value) in [
            ("1", "Float(\"1\")"),
            ("-1.50", "Float(\"-1.50\")"),
            ("1.", "Float(\"1.\")"),
            (".5", "Float(\".5\")"),
            ("1.5e-10", "Float(\"1.5e-10\")"),
            ("1E+3", "Float(\"1E+3\")"),
            ("12i", "Integer(12)"),
            ("-9223372036854775808i", "Integer(-9223372036854775808)"),
            ("18446744073709551615u", "Unsigned(18446744073709551615)"),
            ("\"\"", "Text(\"\")"),
            ("\"a,b=c d\"", "Text(\"a,b=c d\")"),
            ("t", "Boolean(true)"),
            ("FALSE", "Boolean(false)"),
        ] {
            assert_eq!(field(text).as_deref(), Ok(value), "{text}");
        }
        for text in [
            "",
            "1.2.3",
            "NaN",
            "Inf",
            "+1",
            "1e",
            "-",
            ".",
            "i",
            "1.0i",
            "-1u",
            "tRUE",
            "x",
            "\"a",
            "9223372036854775808i",
            "18446744073709551616u",
            "\"a\"b",
            "1ii",
            "--1i",
        ] {
            assert!(field(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_line_that_is_none_says_why() {
        for (line, reason) in [
            (",t=1 f=1", "has an empty measurement"),
            ("m", "has no field"),
            ("m,t=1", "has no field"),
            ("m 1", "has a field without a value"),
            ("m f", "has a field without a value"),
            ("m f=1,", "has an empty field key"),
            ("m =1", "has an empty field key"),
            ("m,t f=1", "has a tag without a value"),
            ("m,t= f=1", "has a tag without a value"),
            ("m,=x f=1", "has an empty tag key"),
            ("m, f=1", "has an empty tag key"),
            ("m,a=b=c f=1", "has a tag value with an equals sign that is not escaped"),
            ("m,t=1,t=2 f=1", "has the tag \"t\" twice"),
            ("m f=1,f=2", "has the field \"f\" twice"),
            ("m f=1 x", "has \"x\", which is no timestamp"),
            ("m f=1 1.5", "has \"1.5\", which is no timestamp"),
            ("m f=1 1 2", "has \"1 2\", which is no timestamp"),
            ("m f=1 9223372036854775807", "has \"9223372036854775807\", which is no timestamp"),
            ("_m f=1", "has a measurement that begins with an underscore"),
            ("m,_t=1 f=1", "has a tag key that begins with an underscore"),
            ("m _f=1", "has a field key that begins with an underscore"),
        ] {
            let error = one(line).expect_err(line);
            assert_eq!(error.reason, reason, "{line}");
        }
    }

    #[test]
    fn lines_are_numbered_and_stand_for_themselves() {
        let text =
            "# a comment \"\nm f=1\r\n\n  # another\nm x\nm f=\"a\nb\" 5\nm f=\"open\nm f=2\n\n";
        let found: Vec<(usize, bool)> =
            points(text).map(|(number, point)| (number, point.is_ok())).collect();
        assert_eq!(found, [(2, true), (5, false), (6, true), (8, false), (9, true)]);
        assert_eq!(points("").count() + points("\n").count() + points(" \r\n#").count(), 0);
    }
}
