//! Files in a body, which are stored as they come: several as multipart/form-data (RFC 7578), or one as the whole body
//! with its name in Content-Disposition (RFC 6266).

use actix_multipart::{Field, Multipart};
use actix_web::{
    HttpMessage, HttpRequest,
    dev::Payload,
    http::{
        StatusCode,
        header::{self, ContentDisposition},
    },
    web,
    web::Bytes,
};
use futures_util::{Stream, StreamExt};
use service::{
    attachment::{self, MAX_FILES, NewFile, ParentKind, media, safe_name},
    error::Error,
    objects::{ObjectWriter, PART_BYTES, Staged},
};
use tokio::time::timeout;

use super::{
    body::{Reading, announced, is_media_type, require_plain, state, too_slow},
    idempotent::BodyDigest,
};
use crate::{intake::Reservation, problem::Failure, state::State};

const MULTIPART: &[&str] = &["multipart/form-data"];

/// Who receives the files of one request.
struct Receiver<'a> {
    request: &'a HttpRequest,
    state: web::Data<State>,
    kind: ParentKind,
    reading: Reading,
}

/// Receives the files of a body for a kind of resource. What was received is removed if it is dropped.
pub(crate) async fn receive(
    request: &HttpRequest,
    payload: Payload,
    kind: ParentKind,
) -> Result<Vec<NewFile>, Failure> {
    require_plain(request)?;
    let state = state(request)?;
    reserve(request, &state)?;
    let reading = Reading::of(request);
    let receiver = Receiver { request, state, kind, reading };
    let digest = BodyDigest::of(request);
    receiver.reading.begin();
    let files = match is_media_type(request, MULTIPART) {
        true => receiver.several(payload).await?,
        false => vec![receiver.whole(payload).await?],
    };
    receiver.reading.end();
    // The boundary between files is another one each time that a client sends them.
    for file in &files {
        digest.update(file.name.as_bytes());
        digest.update(file.staged.sha256.as_bytes());
    }
    Ok(files)
}

/// A part of the file is in memory until its request is answered.
fn reserve(request: &HttpRequest, state: &State) -> Result<(), Failure> {
    let length = announced(request).unwrap_or(PART_BYTES).min(PART_BYTES);
    let mut reserved = Reservation::default();
    state.intake.reserve(&mut reserved, length, true)?;
    request.extensions_mut().insert(reserved);
    Ok(())
}

impl Receiver<'_> {
    async fn whole(&self, payload: Payload) -> Result<NewFile, Failure> {
        let limit = self.state.settings.attachments.max_size;
        if announced(self.request).is_some_and(|length| length as u64 > limit) {
            return Err(too_large(limit));
        }
        let named = self.request.headers().get(header::CONTENT_DISPOSITION);
        let named = named.and_then(|value| ContentDisposition::from_raw(value).ok());
        let name = named.as_ref().and_then(name_of).unwrap_or_default();
        self.file(payload, &name).await
    }

    async fn several(&self, payload: Payload) -> Result<Vec<NewFile>, Failure> {
        let mut parts = Multipart::new(self.request.headers(), payload);
        let mut files = Vec::new();
        while let Some(part) = self.next(&mut parts).await? {
            let part: Field = part.map_err(|_| malformed())?;
            let name = part.content_disposition().and_then(name_of).ok_or_else(|| {
                let name = part.name().unwrap_or_default().chars().take(100).collect::<String>();
                let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                Error::invalid(pointer, "file", "must be a file with a name")
            })?;
            if files.len() == MAX_FILES {
                let message = format!("must have at most {MAX_FILES} files");
                return Err(Error::invalid("", "length", message).into());
            }
            files.push(self.file(part, &name).await?);
        }
        if files.is_empty() {
            return Err(Error::invalid("", "required", "must have a file").into());
        }
        Ok(files)
    }

    async fn file<E>(
        &self,
        bytes: impl Stream<Item = Result<Bytes, E>>,
        name: &str,
    ) -> Result<NewFile, Failure> {
        let (mut writer, key) = attachment::writer(&self.state.store, self.kind)?;
        self.write(&mut writer, bytes).await?;
        if writer.size() == 0 {
            return Err(Error::invalid("", "empty", "must not be empty").into());
        }
        let staged: Staged = writer.finish().await?;
        let media_type = media::of(&staged.head);
        self.state.settings.attachments.types.check(media_type)?;
        Ok(NewFile { staged, key, name: safe_name(name), media_type })
    }

    async fn write<E>(
        &self,
        writer: &mut ObjectWriter,
        bytes: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<(), Failure> {
        let limit = self.state.settings.attachments.max_size;
        let mut bytes = std::pin::pin!(bytes);
        while let Some(some) = self.next(&mut bytes).await? {
            let some = some.map_err(|_| malformed())?;
            if writer.size() + some.len() as u64 > limit {
                return Err(too_large(limit));
            }
            self.reading.progress(some.len());
            writer.write(some).await?;
        }
        Ok(())
    }

    async fn next<S: Stream + Unpin>(&self, stream: &mut S) -> Result<Option<S::Item>, Failure> {
        let patience = self.state.settings.limits.body_timeout;
        timeout(patience, stream.next()).await.map_err(|_| too_slow())
    }
}

/// What a file is called, if it is said.
fn name_of(disposition: &ContentDisposition) -> Option<String> {
    let extended = disposition.get_filename_ext();
    let extended = extended.and_then(|name| String::from_utf8(name.value.clone()).ok());
    extended.or_else(|| disposition.get_filename().map(str::to_owned))
}

fn malformed() -> Failure {
    Failure::of_status(StatusCode::BAD_REQUEST).detail("the body could not be read to its end")
}

fn too_large(limit: u64) -> Failure {
    Failure::of_status(StatusCode::PAYLOAD_TOO_LARGE)
        .detail(format!("a file must have at most {limit} bytes"))
}
