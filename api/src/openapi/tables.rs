//! The formats of lists and reports besides JSON.

use service::spreadsheet::Format;
use utoipa::openapi::{
    Content, KnownFormat, ObjectBuilder, RefOr, Required, SchemaFormat, Type,
    path::{Operation, ParameterBuilder, ParameterIn},
};

use super::headers::body_of;
use crate::table;

const FORMAT: &str = "\
Format of the response: `csv` and `xlsx` return a table with a row for each item. Takes precedence over `Accept`. \
Without `limit`, a table of a list has up to 100000 rows; `Link` names what follows. Defaults to `json`.";

/// Declares the formats where an operation answers with a page of a list, or a report.
pub(super) fn declare(operation: &mut Operation) {
    let is_page = body_of(operation, "200").is_some_and(|body| body.ends_with("Page"));
    let is_report = operation.tags.iter().flatten().any(|tag| tag == "reports");
    if !is_page && !is_report {
        return;
    }
    let names = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(table::Format::names()))
        .default(Some(table::Format::Json.name().into()));
    let format = ParameterBuilder::new()
        .name(table::PARAMETER)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(FORMAT))
        .schema(Some(names));
    operation.parameters.get_or_insert_default().push(format.build().into());
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("200") {
        for format in [Format::Csv, Format::Xlsx] {
            let mut file = ObjectBuilder::new().schema_type(Type::String);
            if format == Format::Xlsx {
                file = file.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
            }
            let content = Content::new(Some(file));
            response.content.insert(format.media_type().to_owned(), content.into());
        }
    }
}

/// Whether an operation declares them.
pub(crate) fn are_offered(operation: &Operation) -> bool {
    let response = operation.responses.responses.get("200");
    matches!(response, Some(RefOr::T(response))
        if response.content.contains_key(Format::Xlsx.media_type()))
}
