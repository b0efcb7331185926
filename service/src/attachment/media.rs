//! What a file is, by its content alone, and what a browser may do with it.

use crate::error::{Error, Result};

/// What is known by nothing.
const UNKNOWN: &str = "application/octet-stream";
const TEXT: &str = "text/plain";
const SVG: &str = "image/svg+xml";

/// What a browser shows without running anything of it.
const SHOWN: [&str; 12] = [
    "application/pdf",
    "audio/mpeg",
    "audio/ogg",
    "audio/x-wav",
    "image/avif",
    "image/gif",
    "image/heif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/plain",
    "video/mp4",
];

/// The media type of a content that begins so.
pub fn of(head: &[u8]) -> &'static str {
    if is_svg(head) {
        return SVG;
    }
    match infer::get(head) {
        Some(kind) => kind.mime_type(),
        None if is_text(head) => TEXT,
        None => UNKNOWN,
    }
}

/// Whether a browser may show it where it is, and not only save it.
pub fn is_shown(media_type: &str) -> bool {
    SHOWN.contains(&media_type)
}

/// A text that names the element of SVG: a browser would run the scripts in it.
fn is_svg(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('<') && text.to_ascii_lowercase().contains("<svg")
}

/// UTF-8 without control characters but those of lines and tabs; the last character may be cut off.
fn is_text(head: &[u8]) -> bool {
    let valid = match str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty() && valid.chars().all(|c| !c.is_control() || "\t\r\n\u{c}".contains(c))
}

/// Which media types are taken: `image/*`, `application/pdf`. All, if none is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaTypes(Vec<String>);

impl MediaTypes {
    /// Refuses a type that is not taken.
    ///
    /// # Errors
    /// [`Error::UnsupportedMediaType`].
    pub fn check(&self, media_type: &str) -> Result<()> {
        let fits = |known: &String| match known.strip_suffix('*') {
            Some(beginning) => media_type.starts_with(beginning),
            None => media_type == known,
        };
        if self.0.is_empty() || self.0.iter().any(fits) {
            return Ok(());
        }
        let taken = self.0.join(", ");
        Err(Error::UnsupportedMediaType(format!(
            "files of the type {media_type} are not accepted, but of {taken}"
        )))
    }
}

impl std::str::FromStr for MediaTypes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let known = |part: &str| {
            let is_name = |name: &str| {
                !name.is_empty()
                    && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&c))
            };
            let sound = part
                .split_once('/')
                .is_some_and(|(kind, sub)| is_name(kind) && (sub == "*" || is_name(sub)));
            let bad = || format!("{part:?} is no media type as in image/* or application/pdf");
            if sound { Ok(part.to_ascii_lowercase()) } else { Err(bad()) }
        };
        parts.map(known).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_says_what_it_is() {
        let png: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        for (head, media_type) in [
            (b"%PDF-1.7\n" as &[u8], "application/pdf"),
            (png, "image/png"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
            (b"<!DOCTYPE html><html><script>", "text/html"),
            (b"<?xml version=\"1.0\"?>\n<svg onload=\"x()\">", SVG),
            (b" \n<SVG xmlns=\"http://www.w3.org/2000/svg\">", SVG),
            ("Grüße\n".as_bytes(), TEXT),
            (&"Grüße".as_bytes()[..3], TEXT),
            (b"\0\x01\x02\x03", UNKNOWN),
            (b"", UNKNOWN),
        ] {
            assert_eq!(of(head), media_type, "{head:?}");
        }
        assert!(is_shown("image/png") && !is_shown(SVG) && !is_shown("text/html"));
    }

    #[test]
    fn types_are_limited_by_name_or_by_kind() {
        let types: MediaTypes = "image/*, application/PDF".parse().expect("types");
        assert!(types.check("image/png").is_ok() && types.check("application/pdf").is_ok());
        assert!(types.check("text/html").is_err() && types.check("application/pdfx").is_err());
        assert!(MediaTypes::default().check("text/html").is_ok());
        for bad in ["image", "/png", "image/", "image/p ng", "*/*x"] {
            assert!(bad.parse::<MediaTypes>().is_err(), "{bad}");
        }
    }
}
