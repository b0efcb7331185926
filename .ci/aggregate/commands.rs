use entity::__snake__;
use sea_orm::ActiveValue::Set;

use super::{__Type__, __Type__Input};
use crate::{
    actor::Actor,
    error::Result,
    event::Verb,
    resource::{Crud, Mapped, Resource, versioned},
    role::Permission,
    store::page::{PageQuery, Sort},
    text::fold,
};

versioned!(__Type__);

impl Resource for __Type__ {
    const ENTITY: &'static str = "__snake__";
    const READ: Permission = Permission::__Read__;
    const VERBS: &'static [Verb] = &[Verb::Created, Verb::Updated, Verb::Reverted, Verb::Deleted];
}

/// By name.
impl Mapped for __Type__ {
    type Entity = __snake__::Entity;
    type Query = PageQuery;

    fn sort(_: &PageQuery) -> Sort<__snake__::Column> {
        Sort { name: "name", column: __snake__::Column::NameKey, descending: false }
    }
}

impl Crud for __Type__ {
    type Input = __Type__Input;
    const WRITE: Permission = Permission::__Manage__;
    const IN_USE: &'static str = "other resources refer to the __text__";

    fn input(&self) -> __Type__Input {
        __Type__Input { name: self.name.clone(), note: self.note.clone() }
    }

    fn columns(_: &Actor, input: __Type__Input) -> Result<__snake__::ActiveModel> {
        let __Type__Input { name, note } = input;
        Ok(__snake__::ActiveModel {
            name_key: Set(fold(&name)),
            name: Set(name),
            note: Set(note),
            ..Default::default()
        })
    }
}
