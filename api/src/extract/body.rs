use std::{future::Future, io::Write, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::{StatusCode, header},
    web,
};
use futures_util::StreamExt;
use service::input::{self, FromBody};
use tempfile::NamedTempFile;

use super::once::BodyDigest;
use crate::{problem::Failure, state::State};

/// A body of JSON.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: FromBody> FromRequest for Body<T> {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let expected =
            is_media_type(request, &["application/json", "application/merge-patch+json"]);
        let bytes = web::Bytes::from_request(request, payload);
        let digest = BodyDigest::of(request);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|error| unread(&error))?;
            digest.update(&bytes);
            if !bytes.is_empty() && !expected {
                return Err(Failure::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                    .detail("send JSON, with Content-Type: application/json"));
            }
            Ok(Self(T::from_body(input::parse(&bytes)?)?))
        })
    }
}

fn is_media_type(request: &HttpRequest, wanted: &[&str]) -> bool {
    let value = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    wanted.iter().any(|wanted| essence.eq_ignore_ascii_case(wanted))
}

fn unread(error: &actix_web::Error) -> Failure {
    let status = error.as_response_error().status_code();
    Failure::of_status(status).detail("the body could not be read")
}

/// A file of CSV, in a temporary file that goes when this goes.
#[derive(Debug)]
pub struct Upload(pub NamedTempFile);

impl FromRequest for Upload {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let expected = is_media_type(request, &["text/csv"]);
        let limit = request
            .app_data::<web::Data<State>>()
            .map_or(0, |state| state.settings.limits.upload_bytes);
        let mut payload = payload.take();
        let digest = BodyDigest::of(request);
        Box::pin(async move {
            if !expected {
                return Err(Failure::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                    .detail("send CSV, with Content-Type: text/csv"));
            }
            let mut file = NamedTempFile::new().map_err(full)?;
            let mut size = 0;
            while let Some(chunk) = payload.next().await {
                let chunk = chunk.map_err(|error: PayloadError| unread(&error.into()))?;
                size += chunk.len();
                if size > limit {
                    return Err(Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE)
                        .detail(format!("a file may have {limit} bytes")));
                }
                digest.update(&chunk);
                file.write_all(&chunk).map_err(full)?;
            }
            Ok(Self(file))
        })
    }
}

fn full(error: std::io::Error) -> Failure {
    service::Error::Unavailable(format!("a temporary file: {error}")).into()
}
