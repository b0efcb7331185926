//! Steps that many tests take.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use crate::client::{Answer, Client};

/// The password of everybody whom [`Client::sign_up`] registers.
pub const PASSWORD: &str = "a long enough password";

/// The path of a row of a collection.
///
/// # Panics
/// If the row has no id.
pub fn at(collection: &str, row: &Value) -> String {
    format!("{collection}/{}", id(row))
}

/// The id of a row.
///
/// # Panics
/// If it has none.
pub fn id(row: &Value) -> &str {
    row["id"].as_str().expect("a row has an id")
}

/// Waits as a good client does before it tries again: each for another time, and longer each time.
pub async fn back_off(seed: u64, in_a_row: u32) {
    let most = 1000 << in_a_row.min(8);
    let pause = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) % most;
    tokio::time::sleep(Duration::from_micros(pause)).await;
}

impl Client {
    /// Adds a row to a collection.
    ///
    /// # Panics
    /// If that does not succeed.
    pub async fn make(&self, collection: &str, new: Value) -> Value {
        self.post(collection, new).await.expect(201)
    }

    /// What stands at a path.
    ///
    /// # Panics
    /// If nothing does.
    pub async fn read(&self, path: &str) -> Value {
        self.get(path).await.expect(200)
    }

    /// What stands at a path, computed for this request.
    ///
    /// # Panics
    /// If nothing does.
    pub async fn read_anew(&self, path: &str) -> Value {
        self.get_anew(path).await.expect(200)
    }

    /// Every row of a list, page by page; `query` is empty or starts with `?`.
    ///
    /// # Panics
    /// If a page is not there, or comes twice.
    pub async fn all(&self, collection: &str, query: &str) -> Vec<Value> {
        let glue = if query.is_empty() { '?' } else { '&' };
        let (mut rows, mut cursors) = (Vec::new(), HashSet::new());
        let mut path = format!("{collection}{query}");
        loop {
            let page = self.read(&path).await;
            rows.extend(page["items"].as_array().expect("a page has items").iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { return rows };
            assert!(cursors.insert(cursor.to_owned()), "a page comes twice");
            path = format!("{collection}{query}{glue}cursor={cursor}");
        }
    }

    /// Who this client is in an organization.
    ///
    /// # Panics
    /// If it is nobody there.
    pub async fn member_in(&self, organization: &str) -> Value {
        let me = self.read("/v1/users/me").await;
        let members = self.all(&format!("{organization}/members"), "").await;
        let own = members.into_iter().find(|member| member["user_id"] == me["id"]);
        own.expect("this client is a member")
    }

    /// Logs in, once more or for the first time.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/v1/sessions", json!({ "email": email, "password": password })).await
    }

    /// Makes an API key and gives a client that uses it.
    ///
    /// # Panics
    /// If that does not succeed.
    pub async fn with_key(&self, organization: &str, role: &str) -> Self {
        let new = json!({ "name": "a program", "role": role });
        let key = self.make(&format!("{organization}/api-keys"), new).await;
        self.with_token(key["token"].as_str().expect("a new key shows its token"))
    }
}
