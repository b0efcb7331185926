//! What the references of expenses are, where the database has refused one.

use sea_orm::ConnectionTrait;

use crate::{
    actor::Actor,
    error::{Error, Result},
    money::expense::ExpenseInput,
    store::references::References,
};

/// After the database has refused a reference: which ones they are. Each input comes with the
/// pointer to it.
pub(in crate::money::expense) async fn unknown_references<'a>(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    inputs: impl IntoIterator<Item = (String, &'a ExpenseInput)>,
) -> Result<Error> {
    let (mut categories, mut members, mut projects) = (Vec::new(), Vec::new(), Vec::new());
    for (at, input) in inputs {
        categories.extend(input.category_id.map(|id| (format!("{at}/category_id"), id)));
        members.extend(input.member_id.map(|id| (format!("{at}/member_id"), id)));
        projects.extend(input.project_id.map(|id| (format!("{at}/project_id"), id)));
        for (index, item) in input.items.iter().enumerate() {
            let at = format!("{at}/items/{index}");
            categories.extend(item.category_id.map(|id| (format!("{at}/category_id"), id)));
            projects.extend(item.project_id.map(|id| (format!("{at}/project_id"), id)));
        }
    }
    let mut references = References::new(connection, actor.organization_id);
    references.check::<entity::category::Entity>(categories).await?;
    references.check::<entity::member::Entity>(members).await?;
    references.check::<entity::project::Entity>(projects).await?;
    Ok(references.explain())
}
