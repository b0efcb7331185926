//! The content of an attachment, whole or a range of it (RFC 9110, section 14), so that nothing is run that somebody
//! has uploaded.

use std::ops::Range;

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    body::SizedStream,
    get,
    http::{
        StatusCode,
        header::{self, EntityTag, IfNoneMatch},
    },
    web,
};
use futures_util::TryStreamExt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use service::attachment::{self, Attachment, media};

use crate::{
    extract::{Require, ResourceId},
    permission::{self, PermissionType},
    problem::{self, Failure},
    represent::names,
    response::{NotModified, Result},
    state::State,
};

/// Nothing of a content is run, and nothing is fetched for it.
const POLICY: &str =
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:";

/// Get the content of an attachment
///
/// Returns the bytes, whole or one range of them (`Range`, `If-Range`). The ETag is the SHA-256 of the content. Images,
/// PDFs and plain text are shown by browsers (`inline`); everything else is saved.
#[utoipa::path(
    tag = "attachments",
    params(
        ("organization_id" = uuid::Uuid, Path),
        ("attachment_id" = uuid::Uuid, Path),
        ("Range" = Option<String>, Header, description = "One range of bytes, such as `bytes=0-1023`.",
            max_length = 100, pattern = "^bytes="),
        ("If-Range" = Option<String>, Header, description = "ETag without which the whole content is returned.",
            max_length = 100),
    ),
    extensions(("x-permission" = json!(permission::ReadAttachments::name()))),
    responses(
        (status = 200, description = "Whole content", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "Range of the content", body = Vec<u8>, content_type = "application/octet-stream"),
        NotModified,
        problem::Download,
    ),
)]
#[get("/attachments/{attachment_id}/content")]
pub(super) async fn get_attachment_content(
    state: web::Data<State>,
    caller: Require<permission::ReadAttachments>,
    ResourceId(id): ResourceId,
    request: HttpRequest,
) -> Result<HttpResponse> {
    let content = attachment::content(&state.store, &caller.actor, id).await?;
    let (attachment, size) = (&content.attachment, content.size());
    let tag = EntityTag::new_strong(attachment.sha256.clone());
    if is_known(&request, &tag) {
        // `observe` makes a 304 of it.
        return Ok(HttpResponse::Ok().insert_header((header::ETAG, tag.to_string())).finish());
    }
    let asked = asked_range(&request, &tag);
    let (status, range) = match asked.map(|asked| resolve(&asked, size)) {
        None | Some(Resolved::Whole) => (StatusCode::OK, 0..size),
        Some(Resolved::Part(range)) => (StatusCode::PARTIAL_CONTENT, range),
        Some(Resolved::Unsatisfiable) => return Ok(unsatisfiable(size)),
    };
    let bytes = content.read(&state.store, range.clone()).await?;
    // What goes wrong now can only end the connection.
    let bytes = bytes.inspect_err(|error| tracing::error!(%error, "a content ends too early"));
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::ETAG, tag.to_string()))
        .insert_header((header::ACCEPT_RANGES, "bytes"))
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CONTENT_DISPOSITION, disposition(attachment)))
        .content_type(media_type(attachment));
    if status == StatusCode::PARTIAL_CONTENT {
        let shown = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        response.insert_header((header::CONTENT_RANGE, shown));
    }
    Ok(response.body(SizedStream::new(range.end - range.start, bytes)))
}

/// Text is UTF-8, as it was found to be.
fn media_type(attachment: &Attachment) -> String {
    match &*attachment.media_type {
        "text/plain" => "text/plain; charset=utf-8".to_owned(),
        other => other.to_owned(),
    }
}

/// What stands in an extended value as it is: `attr-char` of RFC 8187.
const NAMED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// RFC 6266, with the name in ASCII too, for old clients.
fn disposition(attachment: &Attachment) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"\\%".contains(c) || c == ' ';
    let name = &attachment.name;
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let extended = utf8_percent_encode(name, NAMED);
    let kind = if media::is_shown(&attachment.media_type) { "inline" } else { "attachment" };
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{extended}")
}

fn is_known(request: &HttpRequest, tag: &EntityTag) -> bool {
    let known: Option<IfNoneMatch> = request.get_header();
    known.is_some_and(|known| matches!(known, IfNoneMatch::Any) || names(&known, tag))
}

/// The range that the client asks for, unless what it has a part of is something else (RFC 9110, section 13.1.5).
fn asked_range(request: &HttpRequest, tag: &EntityTag) -> Option<String> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let range = header(header::RANGE)?;
    match header(header::IF_RANGE) {
        None => Some(range.to_owned()),
        Some(condition) if condition == tag.to_string() => Some(range.to_owned()),
        Some(_) => None,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Resolved {
    /// It asks for nothing that is understood, or for several ranges.
    Whole,
    Part(Range<u64>),
    Unsatisfiable,
}

/// The bytes that a header asks for (RFC 9110, section 14.1.2).
fn resolve(asked: &str, size: u64) -> Resolved {
    let Some((unit, range)) = asked.split_once('=') else { return Resolved::Whole };
    let Some((first, last)) = range.trim().split_once('-') else { return Resolved::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Resolved::Whole;
    }
    // A number that does not fit is one that is larger than every content.
    let number = |text: &str| match text.trim() {
        "" => Some(None),
        text if text.bytes().all(|it| it.is_ascii_digit()) => {
            Some(Some(text.parse::<u64>().unwrap_or(u64::MAX)))
        }
        _ => None,
    };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(last)) => {
            let last = last.unwrap_or(u64::MAX);
            match () {
                () if last < first => Resolved::Whole,
                () if first >= size => Resolved::Unsatisfiable,
                () => Resolved::Part(first..last.saturating_add(1).min(size)),
            }
        }
        (Some(None), Some(Some(0))) => Resolved::Unsatisfiable,
        (Some(None), Some(Some(last))) => Resolved::Part(size.saturating_sub(last)..size),
        _ => Resolved::Whole,
    }
}

fn unsatisfiable(size: u64) -> HttpResponse {
    let title = "Range not satisfiable";
    let failure = Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", title)
        .detail(format!("the content has {size} bytes"));
    let mut response = HttpResponse::from_error(failure);
    if let Ok(shown) = header::HeaderValue::try_from(format!("bytes */{size}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, shown);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_resolved_as_rfc_9110_says() {
        for (asked, range) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-4", 2..5),
            ("bytes=2-", 2..10),
            ("bytes=8-99999999999999999999999", 8..10),
            ("bytes=-3", 7..10),
            ("bytes=-30", 0..10),
            ("Bytes = 1-2", 1..3),
        ] {
            assert_eq!(resolve(asked, 10), Resolved::Part(range), "{asked}");
        }
        for asked in ["bytes=10-", "bytes=99-100", "bytes=-0"] {
            assert_eq!(resolve(asked, 10), Resolved::Unsatisfiable, "{asked}");
        }
        for asked in ["bytes=4-2", "bytes=0-1,3-4", "items=0-1", "bytes=", "bytes=-", "bytes=a-b"] {
            assert_eq!(resolve(asked, 10), Resolved::Whole, "{asked}");
        }
    }
}
