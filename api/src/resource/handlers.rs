//! What the standard routes do. The signature says who asks, with which permission, version and body, in
//! the order in which that is looked at; the service does the work.

use actix_web::{Handler, HttpResponse, web};
use serde::de::DeserializeOwned;
use service::{
    Actor, Store, error,
    event::{self, At, AtQuery, Event, RevertInput},
    input::{Act, Change, Create},
    resource::{self, Changeable, Readable, Versioned, Writable},
    store::{page::PageQuery, versioned::Expected},
};
use uuid::Uuid;
use validator::Validate;

use crate::{
    answer::{Listed, Resource, Result, created, done, found},
    extract::{Body, IfMatch, Once, Query, Require, Row, Version},
    permission::PermissionType,
    state::State,
};

pub(super) async fn create<R: Writable, P: PermissionType>(
    caller: Require<P>,
    once: Once,
    Body(new): Body<Create<R::Input>>,
) -> Result<HttpResponse> {
    once.answer(created, async |store| resource::create::<R>(store, &caller.actor, new).await).await
}

pub(super) async fn list<R: Readable, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    Query(query): Query<R::Query>,
) -> Result<Listed<R>> {
    Ok(Listed(R::list(&state.store, &caller.actor, &query).await?))
}

pub(super) async fn read<R: Readable, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    Row(id): Row,
    Query(at): Query<AtQuery>,
) -> Result<Resource<At<R>>> {
    let now = R::get(&state.store, &caller.actor, id);
    Ok(Resource::found(event::at(&state.store, &caller.actor, id, at, now).await?))
}

pub(super) async fn history<R: resource::Resource, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    Row(id): Row,
    Query(page): Query<PageQuery>,
) -> Result<Listed<Event>> {
    Ok(Listed(event::history::<R>(&state.store, &caller.actor, id, &page).await?))
}

pub(super) async fn revert<R: Changeable, P: PermissionType>(
    caller: Require<P>,
    once: Once,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(act): Body<Act<RevertInput>>,
) -> Result<HttpResponse> {
    let expected = Expected::of(act.version(), precondition);
    once.answer(found, async |store| {
        resource::revert::<R>(store, &caller.actor, id, expected, act).await
    })
    .await
}

pub(super) async fn change<R: Changeable, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    Row(id): Row,
    IfMatch(precondition): IfMatch,
    Body(change): Body<Change<R::Input>>,
) -> Result<Resource<R>> {
    let expected = Expected::of(change.version(), precondition);
    let changed = resource::change(&state.store, &caller.actor, id, expected, change).await?;
    Ok(Resource::found(changed))
}

pub(super) async fn remove<R: Writable, P: PermissionType>(
    state: web::Data<State>,
    caller: Require<P>,
    Row(id): Row,
    version: Version,
) -> Result<HttpResponse> {
    resource::delete::<R>(&state.store, &caller.actor, id, version.expected).await?;
    Ok(done())
}

/// What an act's handler takes.
type Acting<P, I> = (Require<P>, Once, Row, IfMatch, Body<Act<I>>);

pub(super) fn act<P, I, A>(
    act: impl AsyncFn(&Store, &Actor, Uuid, Expected, Act<I>) -> error::Result<A> + Clone + 'static,
) -> impl Handler<Acting<P, I>, Output = Result<HttpResponse>>
where
    P: PermissionType,
    I: DeserializeOwned + Validate + 'static,
    A: Versioned + 'static,
{
    move |caller: Require<P>,
          once: Once,
          Row(id): Row,
          IfMatch(precondition): IfMatch,
          Body(input): Body<Act<I>>| {
        let act = act.clone();
        async move {
            let expected = Expected::of(input.version(), precondition);
            once.answer(found, async |store| act(store, &caller.actor, id, expected, input).await)
                .await
        }
    }
}
