//! What clients of version 1 ask before they write. steward reads no InfluxQL.

use actix_web::{HttpResponse, http::StatusCode};
use serde_json::{Value, json};

use super::{answer::told, parameters::Parameters};
use crate::{
    extract::{BodyText, Require},
    permission,
    response::Result,
};

/// Answers `SHOW DATABASES` with the database that is asked for, if any, and `CREATE DATABASE` with nothing: each
/// database is there that is written to.
pub(super) async fn query(
    _caller: Require<permission::RecordReadings>,
    parameters: Parameters,
    BodyText(form): BodyText,
) -> Result<HttpResponse> {
    let form = Parameters::of(&form);
    let text = parameters.text("q").or(form.text("q")).unwrap_or_default();
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(|word| word.trim_end_matches(';')).collect();
    let result = match words.as_slice() {
        ["show", "databases"] => databases(parameters.text("db").or(form.text("db"))),
        ["create", "database", ..] => json!({ "statement_id": 0 }),
        _ => {
            let message = "steward reads no InfluxQL: SHOW DATABASES and CREATE DATABASE alone";
            let status = StatusCode::BAD_REQUEST;
            return Ok(HttpResponse::build(status).json(told(status, message)));
        }
    };
    Ok(HttpResponse::Ok().json(json!({ "results": [result] })))
}

fn databases(known: Option<&str>) -> Value {
    let names: Vec<[&str; 1]> = known.into_iter().map(|name| [name]).collect();
    let series = json!({ "name": "databases", "columns": ["name"], "values": names });
    json!({ "statement_id": 0, "series": [series] })
}
