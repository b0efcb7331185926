use actix_web::{
    HttpRequest,
    http::{
        Method,
        header::{Accept, Header, Quality},
    },
    web,
};
use service::{
    error::{Error, Result},
    spreadsheet,
};

use crate::paths::Paths;

/// The parameter that names a format.
pub(crate) const PARAMETER: &str = "format";
const JSON: &str = "application/json";

/// What a list or a report is answered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Table(spreadsheet::Format),
}

/// Of formats that a client likes equally, the first.
const FORMATS: [Format; 3] = [
    Format::Json,
    Format::Table(spreadsheet::Format::Csv),
    Format::Table(spreadsheet::Format::Xlsx),
];

impl Format {
    /// That which the parameter of a request names, or else its `Accept` prefers. JSON where the route has no other.
    ///
    /// # Errors
    /// If the parameter names none.
    pub(crate) fn of(request: &HttpRequest) -> Result<Self> {
        if !is_offered(request) {
            return Ok(Self::Json);
        }
        match Self::read(request.query_string())? {
            Some(format) => Ok(format),
            None => {
                Ok(Accept::parse(request).map_or(Self::Json, |accept| Self::preferred(&accept)))
            }
        }
    }

    fn read(query: &str) -> Result<Option<Self>> {
        let at = || format!("?{PARAMETER}");
        let pairs = form_urlencoded::parse(query.as_bytes());
        let mut named = pairs.filter(|(name, _)| name == PARAMETER).map(|(_, value)| value);
        let Some(name) = named.next() else { return Ok(None) };
        if named.next().is_some() {
            return Err(Error::invalid(at(), "duplicate_field", "must not be repeated"));
        }
        let format = FORMATS.into_iter().find(|format| format.name() == name);
        let none = || Error::invalid(at(), "value", "must be one of `json`, `csv`, `xlsx`");
        format.map(Some).ok_or_else(none)
    }

    /// RFC 9110, section 12.5.1: of the ranges that fit a type, the most specific one says how much it is liked.
    fn preferred(accept: &Accept) -> Self {
        let quality = |format: &Self| {
            let media_type = format.media_type();
            let (kind, _) = media_type.split_once('/').unwrap_or_default();
            let ranges = [media_type.to_owned(), format!("{kind}/*"), "*/*".to_owned()];
            let liked = |range: &String| {
                let same = |of: &str| of.eq_ignore_ascii_case(range);
                accept.0.iter().find(|it| same(it.item.essence_str())).map(|it| it.quality)
            };
            ranges.iter().find_map(liked).unwrap_or(Quality::ZERO)
        };
        let better = |best: Self, other: Self| match quality(&other) > quality(&best) {
            true => other,
            false => best,
        };
        FORMATS.into_iter().reduce(better).unwrap_or(Self::Json)
    }

    /// What the parameter calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Table(format) => format.extension(),
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Table(format) => format.media_type(),
        }
    }

    /// What the parameter can name.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        FORMATS.into_iter().map(Self::name)
    }
}

/// Whether a request is one for a list or a report.
pub(crate) fn is_offered(request: &HttpRequest) -> bool {
    let paths = request.app_data::<web::Data<Paths>>();
    let known = paths.and_then(|paths| paths.find(request));
    request.method() == Method::GET && known.is_some_and(|known| known.has_tables)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_format_is_called_by_its_name() {
        let read = |query| Format::read(query).map(|format| format.map(Format::name));
        assert_eq!(read("limit=1").expect("none"), None);
        assert_eq!(read("limit=1&format=csv").expect("CSV"), Some("csv"));
        for query in ["format=", "format", "format=CSV", "format=csv&format=csv", "format=pdf"] {
            assert!(read(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_format_is_the_one_that_is_preferred() {
        const XLSX: &str = spreadsheet::Format::Xlsx.media_type();
        let preferred = |accept: &str| {
            let request = TestRequest::get().insert_header(("accept", accept)).to_http_request();
            Accept::parse(&request).map_or("none", |accept| Format::preferred(&accept).name())
        };
        for (accept, format) in [
            ("*/*", "json"),
            ("text/csv", "csv"),
            ("Text/CSV; charset=utf-8", "csv"),
            (XLSX, "xlsx"),
            ("text/csv, */*;q=0.1", "csv"),
            ("text/csv;q=0.2, application/json;q=0.3", "json"),
            ("application/*", "json"),
            ("text/*", "csv"),
            ("application/json;q=0, */*", "csv"),
            ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "json"),
            ("image/png", "json"),
        ] {
            assert_eq!(preferred(accept), format, "{accept}");
        }
    }
}
