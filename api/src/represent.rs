//! How an answer is sent: not again to a client that has it, compressed to one that asks for that, and without its
//! body to a HEAD.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_http::encoding::Encoder;
use actix_web::{
    HttpMessage, HttpResponse,
    body::{BodySize, MessageBody},
    dev::ServiceRequest,
    http::{
        Method, StatusCode,
        header::{
            self, AcceptEncoding, ContentEncoding, Encoding, EntityTag, HeaderMap, HeaderValue,
            IfNoneMatch,
        },
    },
    web::Bytes,
};

use service::spreadsheet::Format;

use crate::limit::{RATE_LIMIT, RATE_LIMIT_POLICY};

/// The codings that an answer can have, and none.
static CODINGS: [Encoding; 4] =
    [Encoding::identity(), Encoding::brotli(), Encoding::zstd(), Encoding::gzip()];
/// How many bytes a body has at least that is compressed: of a smaller one, hardly a packet is saved.
const COMPRESSED_FROM: u64 = 1024;

/// What a request says of how it wants to be answered, whatever it is about.
#[derive(Debug)]
pub(crate) struct Asked {
    is_head: bool,
    /// What the client has, by its entity tags: asked of a GET alone.
    known: Option<IfNoneMatch>,
    /// The coding that the client likes best, if any.
    coding: Option<ContentEncoding>,
}

impl Asked {
    pub(crate) fn of(request: &ServiceRequest) -> Self {
        let is_head = request.method() == Method::HEAD;
        let reads = is_head || request.method() == Method::GET;
        let known = if reads { request.get_header() } else { None };
        let codings: Option<AcceptEncoding> = request.get_header();
        let coding = match codings.and_then(|codings| codings.negotiate(CODINGS.iter())) {
            Some(Encoding::Known(ContentEncoding::Identity) | Encoding::Unknown(_)) | None => None,
            Some(Encoding::Known(coding)) => Some(coding),
        };
        Self { is_head, known, coding }
    }

    pub(crate) fn is_head(&self) -> bool {
        self.is_head
    }

    /// RFC 9110, section 13.1.2: 304 where the client has what it would get.
    pub(crate) fn unless_unchanged(&self, response: HttpResponse) -> HttpResponse {
        let etag = response.headers().get(header::ETAG).cloned();
        let (Some(known), Some(etag)) = (&self.known, etag) else { return response };
        if response.status() != StatusCode::OK || !includes(known, &etag) {
            return response;
        }
        let mut unchanged =
            HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish();
        for name in [RATE_LIMIT_POLICY, RATE_LIMIT] {
            if let Some(value) = response.headers().get(&name) {
                unchanged.headers_mut().insert(name, value.clone());
            }
        }
        unchanged
    }

    /// Compressed, where that was asked for.
    pub(crate) fn compressed(&self, mut response: HttpResponse) -> HttpResponse {
        if !is_compressible(response.body().size(), response.headers()) {
            return response;
        }
        let Some(coding) = self.coding else {
            let vary = HeaderValue::from_static("accept-encoding");
            response.headers_mut().append(header::VARY, vary);
            return response;
        };
        let response = response.map_body(|head, body| Encoder::response(coding, head, body));
        response.map_into_boxed_body()
    }

    /// To a HEAD, the headers of the answer to a GET.
    pub(crate) fn unless_head(&self, response: HttpResponse) -> HttpResponse {
        if !self.is_head {
            return response;
        }
        response.map_body(|_, body| Unsent(body.size())).map_into_boxed_body()
    }
}

/// Whether an answer may be compressed: not where it goes on, nor where its strong tag is that of these very bytes
/// (RFC 9110, section 8.8.3.3), nor what is compressed already.
fn is_compressible(size: BodySize, headers: &HeaderMap) -> bool {
    let begins = |name: header::HeaderName, beginning: &[u8]| {
        headers.get(name).is_some_and(|value| value.as_bytes().starts_with(beginning))
    };
    matches!(size, BodySize::Sized(size) if size >= COMPRESSED_FROM)
        && !begins(header::ETAG, b"\"")
        && !begins(header::CONTENT_TYPE, b"image/")
        && !begins(header::CONTENT_TYPE, Format::Xlsx.media_type().as_bytes())
        && !headers.contains_key(header::CONTENT_ENCODING)
}

/// Whether a tag is among those that a client has.
fn includes(known: &IfNoneMatch, etag: &header::HeaderValue) -> bool {
    let current = etag.to_str().ok().and_then(|text| text.parse::<EntityTag>().ok());
    matches!(known, IfNoneMatch::Any) || current.is_some_and(|current| names(known, &current))
}

/// Whether a client names a tag, by the weak comparison: a proxy that compresses makes weak tags of strong ones.
pub(crate) fn names(known: &IfNoneMatch, current: &EntityTag) -> bool {
    let IfNoneMatch::Items(known) = known else { return false };
    known.iter().any(|tag| tag.weak_eq(current))
}

/// A body of which the length alone is said.
struct Unsent(BodySize);

impl MessageBody for Unsent {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// The status of a response to a request with these headers.
    fn status(request: TestRequest, headers: &[&str], response: HttpResponse) -> StatusCode {
        let with = |request: TestRequest, value: &&str| {
            request.append_header((header::IF_NONE_MATCH, *value))
        };
        let request = headers.iter().fold(request, with).to_srv_request();
        Asked::of(&request).unless_unchanged(response).status()
    }

    fn version_4() -> HttpResponse {
        HttpResponse::Ok().insert_header((header::ETAG, "\"4\"")).finish()
    }

    #[test]
    fn what_a_client_has_is_not_sent_again() {
        let unchanged: [&[&str]; 7] = [
            &["\"4\""],
            &["W/\"4\""],
            &["\"3\", \"4\""],
            &["\"3\",W/\"4\" , \"5\""],
            &["\"3\"", "\"4\""],
            &["\"4\", 5"],
            &["*"],
        ];
        for headers in unchanged {
            let status = status(TestRequest::get(), headers, version_4());
            assert_eq!(status, StatusCode::NOT_MODIFIED, "{headers:?}");
        }
    }

    #[test]
    fn what_a_client_does_not_have_is_sent() {
        let changed: [&[&str]; 8] =
            [&[], &[""], &["\"3\""], &["W/\"40\""], &["4"], &["w/\"4\""], &["\"4"], &["\"*\""]];
        for headers in changed {
            let status = status(TestRequest::get(), headers, version_4());
            assert_eq!(status, StatusCode::OK, "{headers:?}");
        }
    }

    #[test]
    fn the_coding_is_the_one_that_the_client_likes_best() {
        let coding = |asked: &str| {
            let request = TestRequest::get().insert_header((header::ACCEPT_ENCODING, asked));
            let asked = Asked::of(&request.to_srv_request());
            let response = asked.compressed(HttpResponse::Ok().body("x".repeat(2000)));
            assert!(response.headers().get(header::VARY).is_some_and(|it| it == "accept-encoding"));
            let coding = response.headers().get(header::CONTENT_ENCODING);
            coding.map(|coding| coding.to_str().expect("a coding").to_owned())
        };
        assert_eq!(coding("gzip"), Some("gzip".to_owned()));
        assert_eq!(coding("gzip, deflate, br, zstd"), Some("br".to_owned()));
        assert_eq!(coding("gzip, br;q=0.5, zstd;q=0.8"), Some("gzip".to_owned()));
        assert_eq!(coding("br;q=0, zstd"), Some("zstd".to_owned()));
        for none in ["identity", "deflate", "gzip;q=0", "*", "", "snappy", "gzip;q=0.5, identity"] {
            assert_eq!(coding(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_small_or_tagged_or_compressed_is_sent_as_it_is() {
        let request = TestRequest::get().insert_header((header::ACCEPT_ENCODING, "gzip"));
        let asked = Asked::of(&request.to_srv_request());
        let large = || "x".repeat(2000);
        let ok = HttpResponse::Ok;
        for response in [
            ok().body("x".repeat(1023)),
            ok().insert_header((header::ETAG, "\"4\"")).body(large()),
            ok().insert_header((header::CONTENT_ENCODING, "gzip")).body(large()),
            ok().insert_header((header::CONTENT_TYPE, "image/png")).body(large()),
        ] {
            let (before, size) = (response.headers().len(), response.body().size());
            let response = asked.compressed(response);
            assert_eq!((response.headers().len(), response.body().size()), (before, size));
        }
        let weak = ok().insert_header((header::ETAG, "W/\"4\"")).body(large());
        assert!(asked.compressed(weak).headers().contains_key(header::CONTENT_ENCODING));
    }

    #[test]
    fn only_a_get_that_succeeds_can_be_unchanged() {
        let known: &[&str] = &["\"4\""];
        assert_eq!(status(TestRequest::post(), known, version_4()), StatusCode::OK);
        let untagged = HttpResponse::Ok().finish();
        assert_eq!(status(TestRequest::get(), &["*"], untagged), StatusCode::OK);
        let stale = HttpResponse::Conflict().insert_header((header::ETAG, "\"4\"")).finish();
        assert_eq!(status(TestRequest::get(), known, stale), StatusCode::CONFLICT);
    }
}
