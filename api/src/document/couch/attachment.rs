//! Attachments of documents, one by one.

use actix_web::{HttpResponse, http::header, web};
use serde_json::json;
use service::document::{
    attachment::Attachment,
    couch::{self, Written},
};

use super::{
    answer::Answer,
    parameters::{AttachmentName, Database, Key, Parameters},
};
use crate::{
    extract::{RawBody, Require},
    permission,
    state::State,
};

type Reader = Require<permission::ReadDocuments>;

/// As the client has sent it. A browser that is led to it runs nothing of it.
pub(super) async fn get(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    Key(key): Key,
    AttachmentName(name): AttachmentName,
    parameters: Parameters,
) -> Answer {
    let path = (&*collection, &*key, &*name);
    let which = parameters.which()?;
    let found = couch::get_attachment(&state.store, &caller.actor, path, which).await?;
    let (Attachment { content_type, digest, .. }, bytes) = found;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::ETAG, format!("\"{digest}\"")))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .body(bytes))
}

fn written(mut answer: actix_web::HttpResponseBuilder, written: Written) -> HttpResponse {
    let Written { id, revision } = written;
    answer.json(json!({ "ok": true, "id": id, "rev": revision }))
}

pub(super) async fn put(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    Key(key): Key,
    AttachmentName(name): AttachmentName,
    parameters: Parameters,
    RawBody { content_type, bytes }: RawBody,
) -> Answer {
    let (path, revision) = ((&*collection, &*key, &*name), parameters.revision("rev")?);
    let (store, actor) = (&state.store, &caller.actor);
    let content = (Some((content_type, bytes)), state.settings.attachments.quota);
    let edit = couch::edit_attachment(store, actor, path, revision, content).await?;
    Ok(written(HttpResponse::Created(), edit))
}

pub(super) async fn delete(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    Key(key): Key,
    AttachmentName(name): AttachmentName,
    parameters: Parameters,
) -> Answer {
    let (path, revision) = ((&*collection, &*key, &*name), parameters.revision("rev")?);
    let (store, actor, content) = (&state.store, &caller.actor, (None, None));
    let edit = couch::edit_attachment(store, actor, path, revision, content).await?;
    Ok(written(HttpResponse::Ok(), edit))
}
