//! Lists and reports as tables: CSV and XLSX beside JSON, of the same rows for the same caller.
//!
//! A table is written to a temporary file before the answer begins, page after page, so that it is held in memory at no
//! time, and a client has it as a whole or a problem instead. Lists are read by the function that answers with a page.

mod column;
mod file;
mod format;

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, Responder,
    dev::Payload,
    http::header::{self, EntityTag},
};
use serde::Serialize;
use service::{
    Actor, error, spreadsheet,
    store::page::{Page, PageQuery, Paged},
};
use utoipa::ToSchema;

pub(crate) use self::format::{Format, PARAMETER, is_offered};
use self::{column::Columns, file::Filling};
use crate::{
    extract::Fields,
    problem::Failure,
    response::{PageResponse, link_to_next},
};

/// How many rows a table of a list has at most if nobody says.
pub(crate) const MAX_ROWS: usize = 100_000;

/// A list that is asked for, as JSON or as a table.
#[derive(Debug)]
pub(crate) struct Listing {
    request: HttpRequest,
    format: Format,
    /// The currency of amounts that do not say theirs.
    currency: Option<String>,
}

impl FromRequest for Listing {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let listing = Format::of(request).map(|format| Self {
            request: request.clone(),
            format,
            currency: None,
        });
        ready(listing.map_err(Failure::from))
    }
}

impl Listing {
    /// The same of an organization: amounts that do not say their currency are in its own.
    pub(crate) fn of(self, actor: &Actor) -> Self {
        Self { currency: Some(actor.settings.currency.clone()), ..self }
    }

    /// What a list answers: a page as JSON, or a table of the page that is asked for with `limit`, or else of all
    /// that follow, as far as [`MAX_ROWS`]. The answer links to what follows then.
    ///
    /// # Errors
    /// Those of reading, and where a table cannot be written.
    pub(crate) async fn answer<T: Serialize + ToSchema, Q: Paged + Clone>(
        &self,
        query: &Q,
        read: impl AsyncFn(&Q) -> error::Result<Page<T>>,
    ) -> error::Result<HttpResponse> {
        let mut response = match self.format {
            Format::Json => PageResponse(read(query).await?).respond_to(&self.request),
            Format::Table(format) => self.table(format, query, MAX_ROWS, read).await?,
        };
        vary(&mut response);
        Ok(response)
    }

    async fn table<T: Serialize + ToSchema, Q: Paged + Clone>(
        &self,
        format: spreadsheet::Format,
        query: &Q,
        most: usize,
        read: impl AsyncFn(&Q) -> error::Result<Page<T>>,
    ) -> error::Result<HttpResponse> {
        let columns = Columns::of::<T>(Fields::of(&self.request)?.as_ref());
        let filling = Filling::begin(format, columns, self.currency.clone()).await?;
        let mut query = query.clone();
        let asked = query.page();
        let mut left = asked.limit.map_or(most, |limit| usize::try_from(limit).unwrap_or(most));
        let next = loop {
            let limit = left.min(file::CHUNK) as u64;
            let cursor = query.page().cursor;
            query.set_page(PageQuery { limit: Some(limit), cursor });
            let page = read(&query).await?;
            left = left.saturating_sub(page.items.len());
            filling.add(&page.items).await?;
            match page.next_cursor {
                Some(cursor) if left > 0 && !page.items.is_empty() => {
                    query.set_page(PageQuery { limit: None, cursor: Some(cursor) });
                }
                next => break next,
            }
        };
        let table = filling.finish().await?;
        let mut response = HttpResponse::Ok();
        if let Some(cursor) = &next {
            response.insert_header((header::LINK, link_to_next(&self.request, cursor)));
        }
        response.insert_header((header::ETAG, table.tag.clone()));
        Ok(table.send(response, &self.request))
    }
}

/// A report as a table of these rows.
///
/// # Errors
/// If it cannot be written.
pub(crate) async fn report<T: Serialize + ToSchema>(
    request: &HttpRequest,
    format: spreadsheet::Format,
    rows: &[T],
    tag: Option<EntityTag>,
) -> error::Result<HttpResponse> {
    let filling = Filling::begin(format, Columns::of::<T>(None), None).await?;
    for rows in rows.chunks(file::CHUNK) {
        filling.add(rows).await?;
    }
    let table = filling.finish().await?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ETAG, tag.unwrap_or_else(|| table.tag.clone())));
    let mut response = table.send(response, request);
    vary(&mut response);
    Ok(response)
}

/// Says that an answer is in the format that `Accept` prefers.
pub(crate) fn vary(response: &mut HttpResponse) {
    response.headers_mut().append(header::VARY, header::HeaderValue::from_static("accept"));
}
