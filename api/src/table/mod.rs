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
        let mut filling = Filling::begin(format, columns, self.currency.clone()).await?;
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
                Some(cursor) if left > 0 => {
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
    let mut filling = Filling::begin(format, Columns::of::<T>(None), None).await?;
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use actix_web::{body::to_bytes, test::TestRequest};
    use service::spreadsheet::Format::{Csv, Xlsx};

    use super::*;

    #[derive(Debug, Serialize, ToSchema)]
    struct Row {
        number: usize,
        text: String,
    }

    fn listing(format: spreadsheet::Format) -> Listing {
        let request = TestRequest::with_uri("/v1/rows?format=csv").to_http_request();
        Listing { request, format: Format::Table(format), currency: None }
    }

    /// A page of so many rows, whose cursors are their numbers.
    fn page(query: &PageQuery, count: usize, text: &str) -> Page<Row> {
        let from = query.cursor.as_deref().map_or(0, |cursor| cursor.parse().expect("a cursor"));
        let limit = usize::try_from(query.limit.expect("a limit")).expect("a number");
        let to = count.min(from + limit);
        let row = |number| Row { number, text: text.to_owned() };
        let next_cursor = (to < count).then(|| to.to_string());
        Page { items: (from..to).map(row).collect(), next_cursor }
    }

    #[actix_web::test]
    async fn a_table_ends_where_it_may_have_no_more_rows_and_says_what_follows() {
        let (listing, query) = (listing(Csv), PageQuery::default());
        let read = async |query: &PageQuery| Ok(page(query, 1300, "x"));
        let whole = listing.table(Csv, &query, 2000, &read).await.expect("a table");
        assert!(!whole.headers().contains_key(header::LINK));
        let part = listing.table(Csv, &query, 1200, &read).await.expect("a table");
        let link = part.headers().get(header::LINK).and_then(|link| link.to_str().ok());
        assert_eq!(link, Some("</v1/rows?format=csv&cursor=1200>; rel=\"next\""));
        let lines = |body: actix_web::web::Bytes| body.split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(lines(to_bytes(whole.into_body()).await.expect("a body")), 1301);
        assert_eq!(lines(to_bytes(part.into_body()).await.expect("a body")), 1201);
    }

    #[actix_web::test]
    async fn nothing_more_is_read_once_a_table_cannot_be_written() {
        let text = "x".repeat(32_768);
        let pages = Cell::new(0);
        let read = async |query: &PageQuery| {
            pages.set(pages.get() + 1);
            Ok(page(query, 500 * 100, &text))
        };
        let refused = listing(Xlsx).table(Xlsx, &PageQuery::default(), MAX_ROWS, read).await;
        assert_eq!(refused.expect_err("too long").violations()[0].pointer, "?format");
        assert!(pages.get() < 10, "{} pages", pages.get());
    }
}
