//! The standard routes of a resource: create, list, get, history, revert, update, delete, transitions and
//! actions.
//!
//! They are the same for every resource that the service knows by the traits of [`service::resource`], so
//! they are written here once, with their part of the OpenAPI document. A resource says what it is called,
//! then which routes it takes and, for each, the permission: its type is what [`crate::extract::Require`] asks for.
//! The id of each operation is a verb and the resource: `list_categories`, `update_category`.
//!
//! ```ignore
//! pub(crate) fn routes(config: &mut ServiceConfig) {
//!     let categories = Collection::<Category>::of("categories", "a category");
//!     config
//!         .service(categories.create(permission::ManageCategories))
//!         .service(categories.list(permission::ReadMoney, "Ordered by name."))
//!         .service(categories.update(permission::ManageCategories).detail("The kind is immutable."))
//!         .service(categories.transition(permission::ManageCategories, Transition::Close))
//!         .service(categories.action(permission::ManageCategories, "merge", category::merge))
//!         .service(totals); // written by hand
//! }
//! ```
//!
//! | route | is | takes of the service |
//! |---|---|---|
//! | `create` | `POST /categories` | `Writable` |
//! | `list` | `GET /categories` | `Readable`: `type Query` says what it can be asked for |
//! | `get` | `GET /categories/{category_id}`, with `?as_of=` | `Readable` |
//! | `history` | `GET /categories/{category_id}/history` | `Resource` |
//! | `revert` | `POST /categories/{category_id}/revert` | `Changeable` |
//! | `update` | `PATCH /categories/{category_id}` | `Changeable` |
//! | `delete` | `DELETE /categories/{category_id}` | `Writable` |
//! | `transition` | `POST /categories/{category_id}/close` | `Transitions` |
//! | `action` | `POST /categories/{category_id}/merge` | a function that takes a version, and an input |
//!
//! The permission of list, get and history is the resource's `READ`, that of revert and update its `WRITE`, as
//! the compiler sees to, and that of a transition the transition's, without which the server does not start;
//! create, delete and actions may take another, and the service asks for what is more.
//!
//! A route that is not like that is a handler with `#[utoipa::path(…)]`, as in `report.rs`, registered beside
//! them; its name is the id of the operation. A standard text is replaced with [`Route::summary`];
//! [`Route::detail`] says more.

mod handlers;
mod route;

use std::marker::PhantomData;

use actix_web::http::StatusCode;
use serde::de::DeserializeOwned;
use service::{
    Actor,
    attachment::{Attachment, AttachmentList, HasAttachments},
    error,
    event::{AtQuery, Event, RevertInput},
    idempotency::WriteOnce,
    input::{Change, Create, TransitionBody},
    resource::{
        self, Changeable, Readable, Resource, Transition, Transitions, Versioned, Writable,
    },
    role::Permission,
    store::{page::PageQuery, versioned::Expected},
};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

pub(crate) use self::route::Route;
use crate::{
    attachment, extract::Version, permission::PermissionType, problem, response::NotModified,
};

/// The resources of one kind in an organization: where they are, and what they are called.
pub(crate) struct Collection<R> {
    /// The tag of the operations, and what several are called: `journal entries`.
    tag: &'static str,
    /// One of them, with its article: `a journal entry`.
    one: &'static str,
    /// Where they are: `/journal-entries`.
    path: String,
    /// The variable of the path to one: `journal_entry_id`.
    id: String,
    resource: PhantomData<R>,
}

impl<R: Resource> Collection<R> {
    /// Those that are called so: `"journal entries"`, which is their path too, and one `"a journal
    /// entry"`.
    pub(crate) fn of(tag: &'static str, one: &'static str) -> Self {
        let path = format!("/{}", tag.to_lowercase().replace(' ', "-"));
        Self { tag, one, path, id: format!("{}_id", R::ENTITY), resource: PhantomData }
    }

    /// What several are called in the id of an operation: `journal_entries`.
    fn plural(&self) -> String {
        self.tag.to_lowercase().replace(' ', "_")
    }

    /// Where one of them is, and what is below it.
    fn item(&self, below: &str) -> String {
        format!("{}/{{{}}}{below}", self.path, self.id)
    }

    /// What has happened to one of them.
    pub(crate) fn history<P: PermissionType>(&self, _: P) -> Route {
        const { takes::<P>(R::READ) };
        let operation = format!("list_{}_history", R::ENTITY);
        Route::get::<P>(self.tag, &operation, &self.item("/history"))
            .summary(&format!("List {}'s events", self.one))
            .detail("Latest first. Deleted resources keep their events.")
            .id(&self.id)
            .query::<PageQuery>()
            .page::<Event>()
            .responses::<problem::Read>()
            .to(handlers::history::<R, P>)
    }

    /// Something that is done to one of them, against its version: `"pay"`. What follows the
    /// verb follows the resource in the id of the operation: `"rotate-secret"` is `rotate_webhook_secret`.
    pub(crate) fn action<P: PermissionType, I, A>(
        &self,
        _: P,
        name: &str,
        apply: impl AsyncFn(
            WriteOnce<'_, A>,
            &Actor,
            Uuid,
            Expected,
            TransitionBody<I>,
        ) -> error::Result<A>
        + Clone
        + 'static,
    ) -> Route
    where
        I: DeserializeOwned + Validate + ToSchema + 'static,
        A: Versioned + ToSchema + 'static,
    {
        let (verb, rest) = name.split_at(name.find('-').unwrap_or(name.len()));
        let operation = format!("{verb}_{}{}", R::ENTITY, rest.replace('-', "_"));
        Route::post::<P>(self.tag, &operation, &self.item(&format!("/{name}")))
            .summary(&format!("{} {}", capital(&name.replace('-', " ")), self.one))
            .id(&self.id)
            .body::<TransitionBody<I>>()
            .returns::<A>(StatusCode::OK)
            .responses::<problem::Change>()
            .to(handlers::action::<P, I, A>(apply))
    }
}

impl<R: Transitions> Collection<R> {
    /// A step of their workflow.
    pub(crate) fn transition<P: PermissionType>(
        &self,
        permission: P,
        transition: R::Transition,
    ) -> Route {
        assert!(
            P::PERMISSION == transition.permission(),
            "the transition takes another permission"
        );
        self.action(
            permission,
            transition.name(),
            async move |store: WriteOnce<'_, R>,
                        actor: &Actor,
                        id: Uuid,
                        expected: Expected,
                        body: TransitionBody<R::TransitionInput>| {
                resource::transition::<R>(store, actor, id, expected, transition, body).await
            },
        )
    }
}

impl<R: HasAttachments> Collection<R> {
    /// Adds files to one of them.
    pub(crate) fn create_attachments<P: PermissionType>(&self, _: P) -> Route {
        let operation = format!("create_{}_attachments", R::ENTITY);
        Route::post::<P>(attachment::TAG, &operation, &self.item("/attachments"))
            .summary(&format!("Add files to {}", self.one))
            .detail(attachment::CREATE)
            .id(&self.id)
            .files()
            .returns::<AttachmentList>(StatusCode::CREATED)
            .responses::<problem::Upload>()
            .to(attachment::create::<R, P>)
    }

    /// A page of the files of one of them.
    pub(crate) fn list_attachments<P: PermissionType>(&self, _: P) -> Route {
        const { takes::<P>(R::READ) };
        let operation = format!("list_{}_attachments", R::ENTITY);
        Route::get::<P>(attachment::TAG, &operation, &self.item("/attachments"))
            .summary(&format!("List the files of {}", self.one))
            .detail("Oldest first.")
            .id(&self.id)
            .query::<PageQuery>()
            .page::<Attachment>()
            .responses::<problem::Read>()
            .to(attachment::list::<R, P>)
    }
}

impl<R: Readable> Collection<R> {
    /// A page of them, in this order: `"Ordered by name."`.
    pub(crate) fn list<P: PermissionType>(&self, _: P, order: &str) -> Route {
        const { takes::<P>(R::READ) };
        Route::get::<P>(self.tag, &format!("list_{}", self.plural()), &self.path)
            .summary(&format!("List {}", self.tag))
            .detail(order)
            .query::<R::Query>()
            .page::<R>()
            .responses::<problem::Read>()
            .to(handlers::list::<R, P>)
    }

    /// One of them, as it is or as it was.
    pub(crate) fn get<P: PermissionType>(&self, _: P) -> Route {
        const { takes::<P>(R::READ) };
        Route::get::<P>(self.tag, &format!("get_{}", R::ENTITY), &self.item(""))
            .summary(&format!("Get {}", self.one))
            .detail("With `as_of`, returns the resource as it was at that time.")
            .id(&self.id)
            .query::<AtQuery>()
            .returns::<R>(StatusCode::OK)
            .responses::<NotModified>()
            .responses::<problem::Read>()
            .to(handlers::get::<R, P>)
    }
}

impl<R: Changeable> Collection<R> {
    /// Makes one of them again what it was.
    pub(crate) fn revert<P: PermissionType>(&self, _: P) -> Route {
        const { takes::<P>(R::WRITE) };
        Route::post::<P>(self.tag, &format!("revert_{}", R::ENTITY), &self.item("/revert"))
            .summary(&format!("Revert {} to an earlier version", self.one))
            .detail("Creates a new version, which must satisfy the current rules.")
            .id(&self.id)
            .body::<TransitionBody<RevertInput>>()
            .returns::<R>(StatusCode::OK)
            .responses::<problem::Change>()
            .to(handlers::revert::<R, P>)
    }

    /// Updates one of them.
    pub(crate) fn update<P: PermissionType>(&self, _: P) -> Route {
        const { takes::<P>(R::WRITE) };
        Route::patch::<P>(self.tag, &format!("update_{}", R::ENTITY), &self.item(""))
            .summary(&format!("Update {}", self.one))
            .detail("A JSON Merge Patch (RFC 7396): properties that are omitted stay as they are.")
            .id(&self.id)
            .body::<Change<R::Input>>()
            .returns::<R>(StatusCode::OK)
            .responses::<problem::Change>()
            .to(handlers::update::<R, P>)
    }
}

impl<R: Writable> Collection<R> {
    /// Makes a new one.
    pub(crate) fn create<P: PermissionType>(&self, _: P) -> Route {
        Route::post::<P>(self.tag, &format!("create_{}", R::ENTITY), &self.path)
            .summary(&format!("Create {}", self.one))
            .detail("The client may choose the `id`, so that it can refer to the resource at once.")
            .body::<Create<R::Input>>()
            .returns::<R>(StatusCode::CREATED)
            .responses::<problem::Create>()
            .to(handlers::create::<R, P>)
    }

    /// Deletes one of them.
    pub(crate) fn delete<P: PermissionType>(&self, _: P) -> Route {
        Route::delete::<P>(self.tag, &format!("delete_{}", R::ENTITY), &self.item(""))
            .summary(&format!("Delete {}", self.one))
            .detail("The events of the resource remain.")
            .id(&self.id)
            .query::<Version>()
            .no_content()
            .responses::<problem::Remove>()
            .to(handlers::delete::<R, P>)
    }
}

/// A route takes what the resource takes where it is reached otherwise, by its events or `POST …/sync`: another
/// permission does not compile.
const fn takes<P: PermissionType>(permission: Permission) {
    assert!(P::PERMISSION as u8 == permission as u8, "the resource takes another permission");
}

/// With a capital letter.
fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}
