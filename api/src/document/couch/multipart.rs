//! Documents whose attachments follow them as they are: `multipart/related` (RFC 2387), as CouchDB has it. The first
//! part is the document; in `_attachments` it says `"follows": true` of each of the others, in their order.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::header::{self, HeaderMap},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use service::{input, store::log::hashed_id};
use sha2::{Digest, Sha256};

use super::{answer::Refused, document::Exact};
use crate::{
    extract::{Body, RawBody},
    problem::Failure,
};

const MEDIA_TYPE: &str = "multipart/related";

/// A document, whose attachments are in it by now.
#[derive(Debug)]
pub(super) struct Document(pub(super) Value);

impl FromRequest for Document {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let boundary = match boundary(request.headers()) {
            Some(boundary) => boundary,
            None => {
                let body = Body::<Exact>::from_request(request, payload);
                return Box::pin(async move {
                    let Body(Exact(document)) = body.await?;
                    Ok(Self(document))
                });
            }
        };
        let body = RawBody::from_request(request, payload);
        Box::pin(async move {
            let RawBody { bytes, .. } = body.await?;
            let malformed = || Failure::from(malformed());
            let mut parts = parts(&bytes, &boundary).ok_or_else(malformed)?.into_iter();
            let mut document = input::parse(parts.next().ok_or_else(malformed)?, &[""])?;
            attach(&mut document, parts).ok_or_else(malformed)?;
            Ok(Self(document))
        })
    }
}

fn malformed() -> service::Error {
    let message =
        "must be a document and, in their order, the attachments of which it says that they follow";
    service::Error::invalid("", "multipart", message)
}

/// What stands between the parts, if the media type of a request is this.
fn boundary(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let mut parts = value.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(MEDIA_TYPE) {
        return None;
    }
    let boundary = parts.find_map(|it| it.split_once('=').filter(|(name, _)| *name == "boundary"));
    let boundary = boundary.map(|(_, value)| value.trim_matches('"').to_owned());
    // One that is missing is in no body.
    Some(boundary.unwrap_or_default())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// The contents of the parts of a body.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<&'a [u8]>> {
    if boundary.is_empty() {
        return None;
    }
    let (first, next) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    let mut rest = &body[find(body, first.as_bytes())? + first.len()..];
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let end = find(rest, next.as_bytes())?;
        let part = &rest[..end];
        // After the boundary and the header fields, of which there may be none.
        let content = find(part, b"\r\n\r\n")? + 4;
        parts.push(&part[content..]);
        rest = &rest[end + next.len()..];
    }
    Some(parts)
}

/// Puts the bytes of attachments into the document that says that they follow it.
fn attach<'a>(document: &mut Value, mut parts: impl Iterator<Item = &'a [u8]>) -> Option<()> {
    let attachments = document.get_mut("_attachments").and_then(Value::as_object_mut);
    for attachment in attachments.into_iter().flatten().map(|(_, it)| it) {
        let Some(members) = attachment.as_object_mut() else { continue };
        if members.get("follows") == Some(&Value::Bool(true)) {
            members.shift_remove("follows");
            members.insert("data".into(), STANDARD.encode(parts.next()?).into());
        }
    }
    parts.next().is_none().then_some(())
}

/// Whether a client takes a document in parts, and nothing else.
pub(super) fn is_asked_for(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains(MEDIA_TYPE) && !accept.contains("json"))
}

/// A document, followed by the attachments of which it has the bytes.
pub(super) fn answer(mut document: Map<String, Value>) -> Result<HttpResponse, Refused> {
    let mut following = Vec::new();
    let attachments = document.get_mut("_attachments").and_then(Value::as_object_mut);
    for (name, attachment) in attachments.into_iter().flatten() {
        let Some(members) = attachment.as_object_mut() else { continue };
        let Some(Value::String(data)) = members.shift_remove("data") else { continue };
        let unreadable = |_| service::Error::Internal("an attachment is not in base64".into());
        let bytes = STANDARD.decode(data).map_err(unreadable)?;
        members.insert("follows".into(), true.into());
        members.insert("length".into(), bytes.len().into());
        let content_type = members.get("content_type").and_then(Value::as_str).unwrap_or_default();
        following.push((name.clone(), content_type.to_owned(), bytes));
    }
    // No bytes that a client has chosen can hold it: it is made of the document that names their hashes.
    let document = Value::Object(document).to_string();
    let boundary = hashed_id(Sha256::new_with_prefix(&document)).simple().to_string();
    let mut body =
        format!("--{boundary}\r\nContent-Type: application/json\r\n\r\n{document}").into_bytes();
    for (name, content_type, bytes) in following {
        let name = json!(name);
        let head = format!(
            "\r\n--{boundary}\r\nContent-Disposition: attachment; filename={name}\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            bytes.len()
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&bytes);
    }
    body.extend_from_slice(format!("\r\n--{boundary}--").as_bytes());
    let media_type = format!("{MEDIA_TYPE}; boundary=\"{boundary}\"");
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, media_type)).body(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] =
        b"--x\r\nContent-Type: application/json\r\n\r\n{}\r\n--x\r\n\r\n\r\none\r\n--x--";

    #[test]
    fn parts_are_what_stands_between_the_boundaries() {
        assert_eq!(parts(BODY, "x"), Some(vec![&b"{}"[..], &b"\r\none"[..]]));
        for (body, boundary) in [(BODY, ""), (BODY, "y"), (&BODY[..BODY.len() - 7], "x")] {
            assert_eq!(parts(body, boundary), None);
        }
    }

    #[test]
    fn each_attachment_that_follows_is_one_part() {
        let document = json!({ "_attachments": {
            "a": { "follows": true, "length": 3 }, "b": { "stub": true }, "c": { "follows": true },
        } });
        let mut attached = document.clone();
        assert_eq!(attach(&mut attached, [&b"one"[..], b"two"].into_iter()), Some(()));
        assert_eq!(attached["_attachments"]["a"]["data"], STANDARD.encode("one"));
        assert_eq!(attached["_attachments"]["c"]["data"], STANDARD.encode("two"));
        assert_eq!(attach(&mut document.clone(), [&b"one"[..]].into_iter()), None);
        let three = [&b"1"[..], b"2", b"3"].into_iter();
        assert_eq!(attach(&mut document.clone(), three), None);
    }
}
