//! Databases, which are collections.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde_json::{Value, json};
use service::{
    document::{
        couch::{self, List, ListQuery, With},
        revision::tree::REVISIONS_KEPT,
    },
    error::Error,
};

use super::{
    answer::{Answer, Refused},
    document::Exact,
    parameters::{Database, Parameters, invalid},
};
use crate::{
    extract::{Body, Require},
    permission,
    problem::Failure,
    state::State,
};

type Reader = Require<permission::ReadDocuments>;
type Manager = Require<permission::ManageCollections>;

pub(super) async fn info(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
) -> Answer {
    let info = couch::info(&state.store, &caller.actor, &collection).await?;
    let name = format!("{}~{}", caller.actor.organization_id, info.name);
    Ok(HttpResponse::Ok().json(json!({
        "db_name": name,
        "doc_count": info.documents,
        "update_seq": info.seq.to_string(),
        "compact_running": false,
        // A log never starts again at its beginning.
        "instance_start_time": "0",
    })))
}

pub(super) async fn create(
    state: web::Data<State>,
    caller: Manager,
    Database(collection): Database,
) -> Answer {
    match couch::create(&state.store, &caller.actor, &collection).await {
        Ok(()) => Ok(HttpResponse::Created().json(json!({ "ok": true }))),
        Err(Error::Duplicate { .. }) => {
            let status = StatusCode::PRECONDITION_FAILED;
            let failure = Failure::new(status, "file_exists", "Collection exists");
            Err(failure.detail("the collection exists already").into())
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn delete(
    state: web::Data<State>,
    caller: Manager,
    Database(collection): Database,
) -> Answer {
    couch::delete(&state.store, &caller.actor, &collection).await?;
    Ok(HttpResponse::Ok().json(json!({ "ok": true })))
}

/// There is nothing that a client could have compacted.
pub(super) async fn compact(_caller: Reader) -> Answer {
    Ok(HttpResponse::Accepted().json(json!({ "ok": true })))
}

/// How many revisions of a branch are known by name. It is no setting.
pub(super) async fn revisions_limit(_caller: Reader) -> Answer {
    Ok(HttpResponse::Ok().json(REVISIONS_KEPT))
}

/// Everything is on disk before it is answered.
pub(super) async fn commit(_caller: Reader) -> Answer {
    Ok(HttpResponse::Created().json(json!({ "ok": true, "instance_start_time": "0" })))
}

pub(super) async fn list(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    parameters: Parameters,
) -> Answer {
    let keys = match parameters.text("keys") {
        Some(keys) => Some(keys_of(serde_json::from_str(keys).unwrap_or_default())?),
        None => None,
    };
    answered(&state, &caller, &collection, query(&parameters, keys)?).await
}

pub(super) async fn list_keys(
    state: web::Data<State>,
    caller: Reader,
    Database(collection): Database,
    parameters: Parameters,
    Body(mut body): Body<Exact>,
) -> Answer {
    let keys = match body.take("keys") {
        Value::Null => None,
        keys => Some(keys_of(keys)?),
    };
    answered(&state, &caller, &collection, query(&parameters, keys)?).await
}

fn keys_of(keys: Value) -> Result<Vec<String>, Refused> {
    serde_json::from_value(keys).map_err(|_| invalid("keys", "must be an array of texts"))
}

fn query(parameters: &Parameters, keys: Option<Vec<String>>) -> Result<ListQuery, Refused> {
    let key = parameters.json_text(&["key"])?;
    let (start, end) = match &key {
        Some(key) => (Some(key.clone()), Some(key.clone())),
        None => (
            parameters.json_text(&["startkey", "start_key"])?,
            parameters.json_text(&["endkey", "end_key"])?,
        ),
    };
    let documents = parameters.is_on("include_docs").then(|| parameters.with());
    Ok(ListQuery {
        keys,
        start,
        end,
        excludes_end: key.is_none() && parameters.text("inclusive_end") == Some("false"),
        descending: parameters.is_on("descending"),
        limit: parameters.number("limit")?,
        skip: parameters.number("skip")?.unwrap_or_default(),
        documents: documents.map(|with: With| With { revisions: false, ..with }),
    })
}

async fn answered(state: &State, caller: &Reader, collection: &str, query: ListQuery) -> Answer {
    let list = couch::list(&state.store, &caller.actor, collection, query).await?;
    let List { total, skipped, rows } = list;
    Ok(HttpResponse::Ok().json(json!({ "total_rows": total, "offset": skipped, "rows": rows })))
}
