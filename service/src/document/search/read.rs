use std::ops::ControlFlow;

use sea_orm::ConnectionTrait;

use super::{
    AggregationInput, AggregationResult, QueryInput, QueryResult,
    visit::{Reading, Visited},
};
use crate::{
    actor::Actor,
    document::{
        collection::{self, Collection},
        document::Document,
        index::{self, Indexed},
        query::{
            Aggregation, Path, Plan, Selector, Subject,
            aggregate::{Aggregator, Request},
            cursor::{self, Fingerprint},
            fields::Fields,
            plan::{Explanation, MAX_DOCUMENTS},
            sort::{Position, Sort},
        },
    },
    error::{Error, Result, Violation},
    idempotency::WriteOnce,
    input::DeferredExact,
    store::{Tx, page},
};

/// How many documents an aggregation reads at most.
const MAX_AGGREGATED: u64 = 50_000;

/// A query that has been read.
struct Query {
    selector: Selector,
    sort: Option<Sort>,
    fields: Fields,
    limit: usize,
}

impl Query {
    fn parse(input: &QueryInput) -> Result<Self> {
        let selector = Selector::parse(&input.selector, "/selector").map_err(refused)?;
        let sort = input.sort.as_ref().map(|sort| Sort::parse(sort, "/sort"));
        let limit = input.limit.unwrap_or(page::DEFAULT_LIMIT).clamp(1, page::MAX_LIMIT);
        Ok(Self {
            selector,
            sort: sort.transpose().map_err(refused)?,
            fields: Fields::parse(&input.fields, "/fields").map_err(refused)?,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
        })
    }
}

fn refused(violation: Violation) -> Error {
    Error::Invalid(vec![violation])
}

/// The indexes of a collection that queries may read.
async fn indexes(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    of: &Collection,
) -> Result<Vec<Path>> {
    let of = Indexed {
        organization_id: actor.organization_id,
        collection_id: of.id,
        pointers: &of.indexes,
    };
    index::ready(connection, of).await
}

/// A page of the documents that a query selects.
///
/// # Errors
/// [`Error::NotFound`] of the collection, [`Error::Invalid`] of the query, also where it would read too many documents
/// to sort them.
pub async fn query(
    store: WriteOnce<'_, QueryResult>,
    actor: &Actor,
    collection: &str,
    body: DeferredExact<QueryInput>,
) -> Result<QueryResult> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let page = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let input = body.read()?;
        let query = Query::parse(&input)?;
        let indexes = indexes(tx, &actor, &collection).await?;
        let plan = Plan::of(&query.selector, query.sort.as_ref(), &indexes);
        let fingerprint = Fingerprint::of(collection.id, &query.selector.to_json(), &plan.sort);
        let after = input
            .cursor
            .as_deref()
            .map(|text| cursor::decode(text, &fingerprint, &plan.sort, "/cursor").map_err(refused));
        let reading = Reading::of(tx, (actor.organization_id, collection.id), &plan).await?;
        let after = after.transpose()?;
        let found = match reading.sorted_in_memory {
            true => sorted(tx, &reading, &query, &plan.sort, after).await?,
            false => in_order(tx, &reading, &query, after).await?,
        };
        let next_cursor = found.next.map(|next| cursor::encode(&fingerprint, &next)).transpose()?;
        let items = found.items.into_iter().map(|item| shown(&collection, &query.fields, item));
        Ok(QueryResult {
            items: items.collect::<Result<_>>()?,
            next_cursor,
            visited: found.visited,
            index: reading.index(),
        })
    });
    store.record(page.await?).await
}

/// The documents of a page, and where the next one begins.
struct Found {
    items: Vec<Visited>,
    next: Option<Position>,
    visited: u64,
}

/// Reads until the page is full.
async fn in_order(
    tx: &Tx,
    reading: &Reading,
    query: &Query,
    after: Option<Position>,
) -> Result<Found> {
    let mut items: Vec<Visited> = Vec::new();
    let end = reading
        .visit(tx, after, (query.limit as u64 + 1, MAX_DOCUMENTS), |document| {
            if query.selector.matches(&Subject::new(&document.row.key, &document.body)) {
                items.push(document);
            }
            // One more says that there is a next page.
            let is_full = items.len() > query.limit;
            Ok(if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })
        .await?;
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    let last = items.last().map(|last| last.position.clone());
    let next = if more { last } else { end.stopped_at };
    Ok(Found { items, next, visited: end.visited })
}

/// Reads all, and keeps the first of the page.
async fn sorted(
    tx: &Tx,
    reading: &Reading,
    query: &Query,
    sort: &Sort,
    after: Option<Position>,
) -> Result<Found> {
    let mut items: Vec<Visited> = Vec::new();
    let keep = |items: &mut Vec<Visited>| {
        items.sort_by(|one, other| sort.compare(&one.position, &other.position));
        items.truncate(query.limit + 1);
    };
    let end = reading
        .visit(tx, None, (MAX_DOCUMENTS, MAX_DOCUMENTS), |mut document| {
            let subject = Subject::new(&document.row.key, &document.body);
            let position = sort.position(&subject, &document.row.key);
            let is_later =
                after.as_ref().is_none_or(|after| sort.compare(&position, after).is_gt());
            if is_later && query.selector.matches(&subject) {
                document.position = position;
                items.push(document);
            }
            if items.len() > 2 * query.limit {
                keep(&mut items);
            }
            Ok(ControlFlow::Continue(()))
        })
        .await?;
    if end.stopped_at.is_some() {
        let message = format!(
            "must not need more than {MAX_DOCUMENTS} documents, or 64 MiB of them, to be sorted: declare an index of \
             the one path to sort by"
        );
        return Err(Error::invalid("/sort", "not_indexed", message));
    }
    keep(&mut items);
    let more = items.len() > query.limit;
    items.truncate(query.limit);
    let next = items.last().filter(|_| more).map(|last| last.position.clone());
    Ok(Found { items, next, visited: end.visited })
}

fn shown(collection: &Collection, fields: &Fields, document: Visited) -> Result<Document> {
    let mut shown = Document::of(collection, document.row)?;
    shown.body = fields.project(document.body).into();
    Ok(shown)
}

/// How a query is answered.
///
/// # Errors
/// As of [`query`].
pub async fn explain(
    store: WriteOnce<'_, Explanation>,
    actor: &Actor,
    collection: &str,
    body: DeferredExact<QueryInput>,
) -> Result<Explanation> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let explanation = store.snapshot(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let input = body.read()?;
        let query = Query::parse(&input)?;
        let indexes = indexes(tx, &actor, &collection).await?;
        Ok(Plan::of(&query.selector, query.sort.as_ref(), &indexes).explain(&query.selector))
    });
    store.record(explanation.await?).await
}

/// Groups of documents.
///
/// # Errors
/// [`Error::NotFound`] of the collection, [`Error::Invalid`] of the aggregation, also where it would read or keep too
/// much.
pub async fn aggregate(
    store: WriteOnce<'_, AggregationResult>,
    actor: &Actor,
    collection: &str,
    body: DeferredExact<AggregationInput>,
) -> Result<AggregationResult> {
    let (actor, collection) = (actor.clone(), collection.to_owned());
    let result = store.snapshot_with_parts(async move |tx| {
        let collection = collection::readable(tx, &actor, &collection).await?;
        let input = body.read()?;
        let request = Request {
            selector: &input.selector,
            group_by: &input.group_by,
            measures: &input.measures,
            sort: &input.sort,
            limit: input.limit,
        };
        let aggregation = Aggregation::parse(request, actor.settings.time_zone).map_err(refused)?;
        let indexes = indexes(tx, &actor, &collection).await?;
        let plan = Plan::of(&aggregation.selector, None, &indexes);
        let reading = Reading::of(tx, (actor.organization_id, collection.id), &plan).await?;
        let mut aggregator = Aggregator::new(&aggregation);
        let end = reading
            .visit(tx, None, (MAX_AGGREGATED, MAX_AGGREGATED), |document| {
                let subject = Subject::new(&document.row.key, &document.body);
                aggregator.add(&subject).map_err(refused)?;
                Ok(ControlFlow::Continue(()))
            })
            .await?;
        if end.stopped_at.is_some() {
            let message = format!(
                "must not need more than {MAX_AGGREGATED} documents, or 64 MiB of them: use an index"
            );
            return Err(Error::invalid("/selector", "too_many_documents", message));
        }
        let groups = aggregator.finish();
        let total = u64::try_from(groups.total).unwrap_or(u64::MAX);
        let index = reading.index();
        Ok(AggregationResult { items: groups.items, total, visited: end.visited, index })
    });
    store.record(result.await?).await
}
