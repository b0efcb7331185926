//! A collection keeps trees of revisions from the first write of an offline client on, and what it leaves when it is
//! deleted is removed in parts (docs/decisions/0051).

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut keeps = boolean("keeps_revisions");
        keeps.default(false);
        manager
            .alter_table(Table::alter().table("collection").add_column(keeps).to_owned())
            .await?;
        // Those whose documents have trees already go on with them.
        let leaf = |column: &'static str| Expr::col(("document_leaf", column));
        let with_trees = Query::select()
            .expr(Expr::val(1))
            .from("document_leaf")
            .and_where(leaf("organization_id").equals(("collection", "organization_id")))
            .and_where(leaf("collection_id").equals(("collection", "id")))
            .to_owned();
        let kept = Query::update()
            .table("collection")
            .value("keeps_revisions", true)
            .and_where(Expr::exists(with_trees))
            .to_owned();
        manager.get_connection().execute(&kept).await?;
        manager.create_table(keyed("collection_removal", [id("collection_id")])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("collection_removal").to_owned()).await?;
        let column = Table::alter().table("collection").drop_column("keeps_revisions").to_owned();
        manager.alter_table(column).await
    }
}
