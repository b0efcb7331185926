//! A database as text: the statements that make it.

use std::{fs, path::Path, process::Command};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use service::store::Engine;

use crate::Database;

impl Database {
    /// The statements that make this database. To be called while nobody is connected to it.
    ///
    /// # Panics
    /// If it cannot be read; on PostgreSQL also without a `pg_dump` that is as new as the server.
    pub async fn dump(&self) -> String {
        match self.engine {
            Engine::Sqlite => {
                let connection = self.connect().await;
                let dump = dump_sqlite(&connection).await;
                connection.close().await.unwrap();
                dump
            }
            Engine::Postgres => dump_postgres(&self.url),
        }
    }

    /// Replaces what is in this database by what a dump makes. To be called while nobody is connected to it.
    ///
    /// # Panics
    /// If a statement fails.
    pub async fn restore(&self, dump: &str) {
        if let Some(file) = self.url.strip_prefix("sqlite://")
            && Path::new(file).exists()
        {
            fs::remove_file(file).unwrap();
        }
        let connection = self.connect().await;
        if self.engine == Engine::Postgres {
            let empty = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
            connection.execute_unprepared(empty).await.unwrap();
        }
        connection.execute_unprepared(dump).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Without what a store does when it connects.
    async fn connect(&self) -> DatabaseConnection {
        let url = match self.engine {
            Engine::Sqlite => format!("{}?mode=rwc", self.url),
            Engine::Postgres => self.url.clone(),
        };
        sea_orm::Database::connect(url).await.unwrap()
    }
}

/// The tables before their rows, and the rows before the indexes and triggers.
async fn dump_sqlite(connection: &DatabaseConnection) -> String {
    let parts =
        "SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'";
    let mut lines = vec!["PRAGMA foreign_keys = OFF;".to_owned(), "BEGIN;".to_owned()];
    let tables = format!("{parts} AND type = 'table' ORDER BY name");
    lines.extend(texts(connection, &tables).await);
    // For each table, the query that writes its rows as statements.
    let rows = r#"SELECT 'SELECT ''INSERT INTO "' || tables.name || '" (' || group_concat('"' || columns.name || '"')
            || ') VALUES ('' || ' || group_concat('quote("' || columns.name || '")', ' || '','' || ')
            || ' || '');'' FROM "' || tables.name || '"'
        FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'
        GROUP BY tables.name ORDER BY tables.name"#;
    for query in texts(connection, rows).await {
        lines.extend(texts(connection, &query).await);
    }
    lines.extend(texts(connection, &format!("{parts} AND type <> 'table' ORDER BY name")).await);
    lines.push("COMMIT;\n".to_owned());
    lines.join("\n")
}

async fn texts(connection: &DatabaseConnection, query: &str) -> Vec<String> {
    let query = Statement::from_string(DbBackend::Sqlite, query);
    let rows = connection.query_all_raw(query).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// What `pg_dump` says, without the settings of its session, which an older server may not know.
fn dump_postgres(url: &str) -> String {
    let output = Command::new("pg_dump")
        .args(["--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100"])
        .arg(format!("--dbname={url}"))
        .output()
        .expect("pg_dump is on the PATH");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dump = String::from_utf8(output.stdout).unwrap();
    let of_session = ["--", "\\", "SET ", "SELECT pg_catalog.set_config("];
    let is_kept =
        |line: &&str| !line.is_empty() && !of_session.iter().any(|it| line.starts_with(it));
    let lines: Vec<_> = dump.lines().filter(is_kept).collect();
    lines.join("\n") + "\n"
}
