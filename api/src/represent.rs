//! How an answer is sent: not again to a client that has it, and without its body to a HEAD.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    HttpMessage, HttpResponse,
    body::{BodySize, MessageBody},
    dev::ServiceRequest,
    http::{
        Method, StatusCode,
        header::{self, EntityTag, IfNoneMatch},
    },
    web::Bytes,
};

/// What a request says of how it wants to be answered, whatever it is about.
#[derive(Debug)]
pub(crate) struct Asked {
    is_head: bool,
    /// What the client has, by its entity tags: asked of a GET alone.
    known: Option<IfNoneMatch>,
}

impl Asked {
    pub(crate) fn of(request: &ServiceRequest) -> Self {
        let is_head = request.method() == Method::HEAD;
        let reads = is_head || request.method() == Method::GET;
        Self { is_head, known: if reads { request.get_header() } else { None } }
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
        HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish()
    }

    /// To a HEAD, the headers of the answer to a GET.
    pub(crate) fn unless_head(&self, response: HttpResponse) -> HttpResponse {
        if !self.is_head {
            return response;
        }
        response.map_body(|_, body| Unsent(body.size())).map_into_boxed_body()
    }
}

/// Whether a tag is among those that a client has, by the weak comparison: a proxy that compresses makes
/// weak tags of strong ones.
fn includes(known: &IfNoneMatch, etag: &header::HeaderValue) -> bool {
    let IfNoneMatch::Items(known) = known else { return true };
    let current = etag.to_str().ok().and_then(|text| text.parse::<EntityTag>().ok());
    current.is_some_and(|current| known.iter().any(|tag| tag.weak_eq(&current)))
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
    fn only_a_get_that_succeeds_can_be_unchanged() {
        let known: &[&str] = &["\"4\""];
        assert_eq!(status(TestRequest::post(), known, version_4()), StatusCode::OK);
        let untagged = HttpResponse::Ok().finish();
        assert_eq!(status(TestRequest::get(), &["*"], untagged), StatusCode::OK);
        let stale = HttpResponse::Conflict().insert_header((header::ETAG, "\"4\"")).finish();
        assert_eq!(status(TestRequest::get(), known, stale), StatusCode::CONFLICT);
    }
}
