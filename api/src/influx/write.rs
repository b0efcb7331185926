use actix_web::{HttpResponse, http::StatusCode, web};
use serde_json::json;
use service::{
    Error,
    meter::ingest::{self, Written},
};

use super::{answer::told, parameters::Parameters};
use crate::{
    extract::{BodyText, Require},
    permission,
    response::Result,
    state::State,
};

/// How many refused lines an answer tells of.
const MAX_TOLD: usize = 100;

type Caller = Require<permission::RecordReadings>;

pub(super) async fn version_2(
    state: web::Data<State>,
    caller: Caller,
    parameters: Parameters,
    BodyText(lines): BodyText,
) -> Result<HttpResponse> {
    parameters.require_organization(caller.actor.organization_id)?;
    let bucket = parameters.bucket(&["bucket"])?;
    // What Home Assistant takes for a sign of life.
    if lines.is_empty() {
        return Err(Error::invalid("", "empty", "writing requires points").into());
    }
    write(&state, &caller, &parameters, &bucket, &lines).await
}

pub(super) async fn version_1(
    state: web::Data<State>,
    caller: Caller,
    parameters: Parameters,
    BodyText(lines): BodyText,
) -> Result<HttpResponse> {
    let bucket = parameters.bucket(&["db", "rp"])?;
    write(&state, &caller, &parameters, &bucket, &lines).await
}

async fn write(
    state: &State,
    caller: &Caller,
    parameters: &Parameters,
    bucket: &str,
    lines: &str,
) -> Result<HttpResponse> {
    let precision = parameters.precision()?;
    let written = ingest::write(&state.store, &caller.actor, bucket, (precision, lines)).await?;
    Ok(match written.refused.is_empty() {
        true => HttpResponse::NoContent().finish(),
        false => partial(&written),
    })
}

/// What was not written; all else was.
fn partial(written: &Written) -> HttpResponse {
    let Written { lines, refused } = written;
    let told_of: Vec<String> =
        refused.iter().take(MAX_TOLD).map(|it| format!("line {} {}", it.line, it.reason)).collect();
    let count = refused.len();
    let message = format!(
        "partial write: {count} of {lines} lines were refused, all others are written: {}",
        told_of.join("; ")
    );
    let status = StatusCode::BAD_REQUEST;
    let mut body = told(status, &message);
    body["line"] = json!(refused.first().map(|it| it.line));
    HttpResponse::build(status).json(body)
}
