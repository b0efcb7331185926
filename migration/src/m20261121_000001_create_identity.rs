//! Users and their sessions; organizations, their members, invitations and API keys.

use sea_orm_migration::{prelude::*, schema::*};

use crate::columns::*;

/// The migration.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const ROLES: &[&str] = &["owner", "admin", "manager", "member", "viewer"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [user(), session(), organization(), member(), invitation(), api_key()] {
            manager.create_table(table).await?;
        }
        order_by_bytes(manager, "user", &[("email_key", 254)]).await?;
        order_by_bytes(manager, "member", &[("name_key", 300)]).await?;
        for index in [
            Index::create()
                .name("unq-user-email_key")
                .table("user")
                .col("email_key")
                .unique()
                .to_owned(),
            Index::create()
                .name("unq-session-token_hash")
                .table("session")
                .col("token_hash")
                .unique()
                .to_owned(),
            Index::create()
                .name("idx-session-user_id")
                .table("session")
                .col("user_id")
                .col("created_at")
                .to_owned(),
            // The only unique index of its table: with a second, sea-orm-cli 2.0.4 generates another
            // entity from SQLite than from PostgreSQL.
            unique("member", &["user_id"]),
            index("member", &["name_key", "id"]),
            Index::create().name("idx-member-user_id").table("member").col("user_id").to_owned(),
            unique("invitation", &["token_hash"]),
            index("invitation", &["created_at", "id"]),
            unique("api_key", &["token_hash"]),
            index("api_key", &["created_at", "id"]),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["api_key", "invitation", "member", "organization", "session", "user"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn user() -> TableCreateStatement {
    versioned(table("user"))
        .col(string_len("email", 254))
        .col(string_len("email_key", 254))
        .col(string_len("display_name", 100))
        .col(string_len("password_hash", 255))
        .take()
}

fn session() -> TableCreateStatement {
    table("session")
        .col(id("user_id"))
        .col(hash("token_hash"))
        .col(string_len_null("user_agent", 300))
        .col(instant("created_at"))
        .col(instant("expires_at"))
        .foreign_key(
            ForeignKey::create()
                .from("session", "user_id")
                .to("user", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

fn organization() -> TableCreateStatement {
    versioned(table("organization"))
        .col(word("kind", &["household", "company"]))
        .col(string_len("name", 100))
        .col(currency())
        .col(string_len("time_zone", 64))
        .col(boolean("approval_required"))
        .col(big_integer_null("large_expense_minor"))
        .take()
}

fn member() -> TableCreateStatement {
    versioned(owned_table("member"))
        .col(id_null("user_id"))
        .col(string_len("name", 100))
        .col(string_len("name_key", 300))
        .col(word("role", ROLES))
        .col(boolean("active"))
        .col(big_integer_null("hourly_rate_minor"))
        .col(string_len_null("external_ref", 100))
        .foreign_key(ForeignKey::create().from("member", "user_id").to("user", "id"))
        .take()
}

fn invitation() -> TableCreateStatement {
    versioned(owned_table("invitation"))
        .col(string_len_null("email", 254))
        .col(word("role", ROLES))
        .col(id_null("member_id"))
        .col(hash("token_hash"))
        .col(instant("expires_at"))
        .col(instant_null("accepted_at"))
        .foreign_key(
            reference("invitation", "member_id", "member").on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

fn api_key() -> TableCreateStatement {
    versioned(owned_table("api_key"))
        .col(id("member_id"))
        .col(string_len("name", 100))
        .col(word("role", ROLES))
        .col(hash("token_hash"))
        .col(instant_null("expires_at"))
        .foreign_key(
            reference("api_key", "member_id", "member").on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}
