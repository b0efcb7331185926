//! What the standard routes do. The signature says who asks, with which permission, version and body, in
//! the order in which that is looked at; the service does the work.

use actix_web::{Handler, HttpResponse, web};
use serde::de::DeserializeOwned;
use service::{
    Actor, Store, error,
    event::{self, At, AtQuery, RevertInput},
    idempotency::WriteOnce,
    input::{Change, Create, TransitionBody},
    resource::{self, Changeable, Readable, Versioned, Writable},
    store::{page::PageQuery, versioned::Expected},
};
use uuid::Uuid;
use validator::Validate;

use crate::{
    extract::{
        Body, BodyOf, Idempotent, IfMatch, Query, ReplicaRead, Require, ResourceId, Version,
    },
    permission::PermissionType,
    response::{ResourceResponse, Result, created, ok},
    state::State,
    table::Listing,
};

pub(super) async fn create<R: Writable, P: PermissionType>(
    caller: Require<P>,
    idempotent: Idempotent,
    new: BodyOf<R, Create<R::Input>>,
) -> Result<HttpResponse> {
    idempotent
        .respond(created, async |store| resource::create::<R>(store, &caller.actor, new.body).await)
        .await
}

pub(super) async fn list<R: Readable, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    listing: Listing,
    Query(query): Query<R::Query>,
) -> Result<HttpResponse> {
    let read = async |query: &R::Query| R::list(&state.store, &caller.actor, query).await;
    Ok(listing.of(&caller.actor).answer(&query, read).await?)
}

pub(super) async fn get<R: Readable, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    ResourceId(id): ResourceId,
    Query(at): Query<AtQuery>,
) -> Result<ResourceResponse<At<R>>> {
    let now = R::get(&state.store, &caller.actor, id);
    Ok(ResourceResponse(event::at(&state.store, &caller.actor, id, at, now).await?))
}

pub(super) async fn history<R: resource::Resource, P: PermissionType>(
    caller: Require<P>,
    replica: ReplicaRead,
    listing: Listing,
    ResourceId(id): ResourceId,
    Query(page): Query<PageQuery>,
) -> Result<HttpResponse> {
    let work = async |store: &Store| {
        let read =
            async |page: &PageQuery| event::history::<R>(store, &caller.actor, id, page).await;
        listing.answer(&page, read).await
    };
    replica.run(work).await
}

pub(super) async fn revert<R: Changeable, P: PermissionType>(
    caller: Require<P>,
    idempotent: Idempotent,
    ResourceId(id): ResourceId,
    IfMatch(precondition): IfMatch,
    Body(body): Body<TransitionBody<RevertInput>>,
) -> Result<HttpResponse> {
    let expected = Expected::of(body.version(), precondition);
    idempotent
        .respond(ok, async |store| {
            resource::revert::<R>(store, &caller.actor, id, expected, body).await
        })
        .await
}

pub(super) async fn update<R: Changeable, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    ResourceId(id): ResourceId,
    IfMatch(precondition): IfMatch,
    change: BodyOf<R, Change<R::Input>>,
) -> Result<ResourceResponse<R>> {
    let change = change.body;
    let expected = Expected::of(change.version(), precondition);
    let changed = resource::change(&state.store, &caller.actor, id, expected, change).await?;
    Ok(ResourceResponse(changed))
}

pub(super) async fn delete<R: Writable, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    ResourceId(id): ResourceId,
    version: Version,
) -> Result<HttpResponse> {
    resource::delete::<R>(&state.store, &caller.actor, id, version.expected).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// What the handler of an action takes.
type ActionArgs<P, I> = (Require<P>, Idempotent, ResourceId, IfMatch, Body<TransitionBody<I>>);

pub(super) fn action<P, I, A>(
    apply: impl AsyncFn(WriteOnce<'_, A>, &Actor, Uuid, Expected, TransitionBody<I>) -> error::Result<A>
    + Clone
    + 'static,
) -> impl Handler<ActionArgs<P, I>, Output = Result<HttpResponse>>
where
    P: PermissionType,
    I: DeserializeOwned + Validate + 'static,
    A: Versioned + 'static,
{
    move |caller: Require<P>,
          idempotent: Idempotent,
          ResourceId(id): ResourceId,
          IfMatch(precondition): IfMatch,
          Body(body): Body<TransitionBody<I>>| {
        let apply = apply.clone();
        async move {
            let expected = Expected::of(body.version(), precondition);
            idempotent
                .respond(ok, async |store| apply(store, &caller.actor, id, expected, body).await)
                .await
        }
    }
}
