use actix_web::{
    HttpResponse, get,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION},
};
use service::{
    Store,
    work::incident::{self, CsvFile, Incident, OshaQuery},
};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    extract::{Query, ReplicaRead, Require},
    permission::{self, PermissionType},
    problem,
    resource::Collection,
    response::Result,
};

const CSV: &str = "text/csv; charset=utf-8";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let incidents = Collection::<Incident>::of("incidents", "an incident");
    config
        // Before what takes an id in their place.
        .service(export_osha_300_log)
        .service(export_osha_300a_summary)
        .service(
            incidents.create(permission::ManageIncidents).detail("Archived projects are accepted."),
        )
        .service(
            incidents.list(permission::ManageIncidents, "Ordered by case number, highest first."),
        )
        .service(incidents.get(permission::ManageIncidents))
        .service(incidents.history(permission::ManageIncidents))
        .service(incidents.revert(permission::ManageIncidents))
        .service(incidents.update(permission::ManageIncidents))
        .service(incidents.delete(permission::ManageIncidents));
}

/// Export the OSHA 300 log of a year
///
/// Returns the recordable incidents of the year in the order of their case numbers, as CSV.
#[utoipa::path(
    tag = "incidents",
    params(("organization_id" = uuid::Uuid, Path), OshaQuery),
    extensions(("x-permission" = json!(permission::ManageIncidents::name()))),
    responses(
        (status = 200, description = "CSV file", body = String, content_type = "text/csv"),
        problem::Read,
    ),
)]
#[get("/incidents/osha-300")]
async fn export_osha_300_log(
    caller: Require<permission::ManageIncidents>,
    replica: ReplicaRead,
    Query(query): Query<OshaQuery>,
) -> Result<HttpResponse> {
    let work = async |store: &Store| incident::log_300(store, &caller.actor, query).await;
    Ok(file(replica.run(work).await?))
}

/// Export the OSHA 300A summary of a year
///
/// Returns the totals of the log of the year, as CSV.
#[utoipa::path(
    tag = "incidents",
    params(("organization_id" = uuid::Uuid, Path), OshaQuery),
    extensions(("x-permission" = json!(permission::ManageIncidents::name()))),
    responses(
        (status = 200, description = "CSV file", body = String, content_type = "text/csv"),
        problem::Read,
    ),
)]
#[get("/incidents/osha-300a")]
async fn export_osha_300a_summary(
    caller: Require<permission::ManageIncidents>,
    replica: ReplicaRead,
    Query(query): Query<OshaQuery>,
) -> Result<HttpResponse> {
    let work = async |store: &Store| incident::summary_300a(store, &caller.actor, query).await;
    Ok(file(replica.run(work).await?))
}

/// To be saved, and kept nowhere else.
fn file(CsvFile { name, content }: CsvFile) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(CSV)
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(content)
}
