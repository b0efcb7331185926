//! Documents and their revisions.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};
use service::{
    document::{
        couch::{self, Edits, How, LocalSent, Refusal, Wanted},
        revision::Revision,
    },
    error,
    input::FromBody,
};

use super::{
    answer::{Answer, Refused},
    multipart,
    parameters::{Database, Key, LocalKey, Parameters},
};
use crate::{
    extract::{Body, Require},
    permission,
    state::State,
};

type Reader = Require<permission::ReadDocuments>;

/// A body of JSON, kept to the letter.
#[derive(Debug)]
pub(super) struct Exact(pub(super) Value);

impl Exact {
    /// A member of the body, or null.
    pub(super) fn take(&mut self, name: &str) -> Value {
        self.0.get_mut(name).map(Value::take).unwrap_or_default()
    }
}

impl FromBody for Exact {
    const EXACT: &'static [&'static str] = &[""];

    fn from_body(body: Value) -> error::Result<Self> {
        Ok(Self(body))
    }
}

fn bad(reason: &'static str) -> Refused {
    Refusal::BadRequest(reason.into()).into()
}

pub(super) async fn get(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    Key(key): Key,
    parameters: Parameters,
    request: HttpRequest,
) -> Answer {
    let (store, actor, path) = (&state.store, &caller.actor, (&*collection, &*key));
    let with = parameters.with();
    if let Some(revisions) = parameters.open_revisions()? {
        let asked = (revisions, parameters.is_on("latest"));
        let found = couch::open_revisions(store, actor, path, asked, with).await?;
        return Ok(HttpResponse::Ok().json(found));
    }
    let found = couch::get(store, actor, path, parameters.which()?, with).await?;
    if with.attachments_after.is_some() && multipart::is_asked_for(&request) {
        return multipart::answer(found);
    }
    Ok(HttpResponse::Ok().json(found))
}

/// The answer to a document that was written.
fn written(written: &couch::Written) -> HttpResponse {
    let couch::Written { id, revision } = written;
    HttpResponse::Created().json(json!({ "ok": true, "id": id, "rev": revision }))
}

fn edits(parameters: &Parameters) -> Edits {
    match parameters.text("new_edits") {
        Some("false") => Edits::Replicated,
        _ => Edits::New,
    }
}

fn how(state: &State, edits: Edits) -> How {
    How { edits, quota: state.settings.attachments.quota }
}

pub(super) async fn put(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    Key(key): Key,
    parameters: Parameters,
    multipart::Document(document): multipart::Document,
) -> Answer {
    let Value::Object(mut members) = document else {
        return Err(bad("Document must be a JSON object"));
    };
    members.insert("_id".into(), key.into());
    if let Some(revision) = parameters.revision("rev")? {
        members.insert("_rev".into(), revision.to_string().into());
    }
    let how = how(&state, edits(&parameters));
    let document = Value::Object(members);
    Ok(written(&couch::put(&state.store, &caller.actor, &collection, document, how).await?))
}

pub(super) async fn post(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    parameters: Parameters,
    Body(Exact(document)): Body<Exact>,
) -> Answer {
    let how = how(&state, edits(&parameters));
    Ok(written(&couch::put(&state.store, &caller.actor, &collection, document, how).await?))
}

pub(super) async fn delete(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    Key(key): Key,
    parameters: Parameters,
) -> Answer {
    let mut members = Map::new();
    members.insert("_id".into(), key.into());
    members.insert("_deleted".into(), true.into());
    if let Some(revision) = parameters.revision("rev")? {
        members.insert("_rev".into(), revision.to_string().into());
    }
    let document = Value::Object(members);
    let how = how(&state, Edits::Removal);
    let deleted = couch::put(&state.store, &caller.actor, &collection, document, how).await?;
    let couch::Written { id, revision } = deleted;
    Ok(HttpResponse::Ok().json(json!({ "ok": true, "id": id, "rev": revision })))
}

pub(super) async fn bulk(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    Body(mut body): Body<Exact>,
) -> Answer {
    let edits = match body.take("new_edits") {
        Value::Bool(false) => Edits::Replicated,
        _ => Edits::New,
    };
    let Value::Array(documents) = body.take("docs") else {
        return Err(bad("Missing JSON list of 'docs'"));
    };
    let how = how(&state, edits);
    let results = couch::bulk(&state.store, &caller.actor, &collection, documents, how).await?;
    Ok(HttpResponse::Created().json(results))
}

pub(super) async fn bulk_get(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    parameters: Parameters,
    Body(Exact(body)): Body<Exact>,
) -> Answer {
    let documents = body["docs"].as_array().ok_or_else(|| bad("Missing JSON list of 'docs'"))?;
    let wanted = documents.iter().map(wanted).collect::<Result<Vec<_>, _>>()?;
    let asked = (parameters.is_on("latest"), parameters.with());
    let results = couch::bulk_get(&state.store, &caller.actor, &collection, wanted, asked).await?;
    Ok(HttpResponse::Ok().json(json!({ "results": results })))
}

fn wanted(document: &Value) -> Result<Wanted, Refused> {
    let id = document["id"].as_str().ok_or_else(|| bad("each document must have an id"))?;
    let revision = match &document["rev"] {
        Value::Null => None,
        revision => Some(revision_of(revision)?),
    };
    Ok(Wanted { id: id.to_owned(), revision })
}

fn revision_of(text: &Value) -> Result<Revision, Refused> {
    let revision = text.as_str().and_then(|text| text.parse().ok());
    revision.ok_or_else(|| Refusal::Revision.into())
}

pub(super) async fn revisions_diff(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    Body(Exact(body)): Body<Exact>,
) -> Answer {
    let Value::Object(body) = body else { return Err(bad("the body must be a JSON object")) };
    let asked = body.into_iter().map(|(id, revisions)| {
        let revisions = revisions.as_array().ok_or_else(|| bad("revisions must be an array"))?;
        Ok((id, revisions.iter().map(revision_of).collect::<Result<Vec<_>, Refused>>()?))
    });
    let asked = asked.collect::<Result<Vec<_>, Refused>>()?;
    let diff = couch::revisions_diff(&state.store, &caller.actor, &collection, asked).await?;
    Ok(HttpResponse::Ok().json(diff))
}

pub(super) async fn get_local(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    LocalKey(key): LocalKey,
) -> Answer {
    let found = couch::get_checkpoint(&state.store, &caller.actor, (&collection, &key)).await?;
    Ok(HttpResponse::Ok().json(found))
}

pub(super) async fn put_local(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    LocalKey(key): LocalKey,
    Body(Exact(document)): Body<Exact>,
) -> Answer {
    let sent = LocalSent::of(document)?;
    let path = (&*collection, &*key);
    let revision = couch::put_checkpoint(&state.store, &caller.actor, path, sent).await?;
    let id = format!("_local/{key}");
    Ok(HttpResponse::Created().json(json!({ "ok": true, "id": id, "rev": revision })))
}

pub(super) async fn delete_local(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    LocalKey(key): LocalKey,
    parameters: Parameters,
) -> Answer {
    let sent = LocalSent::removal(parameters.text("rev").map(str::to_owned));
    let path = (&*collection, &*key);
    let revision = couch::put_checkpoint(&state.store, &caller.actor, path, sent).await?;
    let id = format!("_local/{key}");
    Ok(HttpResponse::Ok().json(json!({ "ok": true, "id": id, "rev": revision })))
}
