//! How sensitive each column is. Personal data and secrets never reach logs, metrics or errors;
//! secrets never leave the service either. A test compares this list with the schema, so that a
//! new column is classified before it can be used.

/// How a column may be handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// May appear in logs and metrics.
    Public,
    /// About a person or their money: answered to those who may read it, and nowhere else.
    Personal,
    /// A hash of a secret, or encrypted: never leaves the service.
    Secret,
}

/// The columns of one table that are not [`Class::Public`], and those that are.
#[derive(Debug)]
pub struct TableClasses {
    /// The table.
    pub table: &'static str,
    /// Columns that say nothing about anybody.
    pub public: &'static [&'static str],
    /// Columns about a person or their money.
    pub personal: &'static [&'static str],
    /// Hashes of secrets, and what is encrypted.
    pub secret: &'static [&'static str],
}

impl TableClasses {
    /// The class of one of this table's columns, if it has been given one.
    pub fn class(&self, column: &str) -> Option<Class> {
        [
            (self.public, Class::Public),
            (self.personal, Class::Personal),
            (self.secret, Class::Secret),
        ]
        .into_iter()
        .find(|(columns, _)| columns.contains(&column))
        .map(|(_, class)| class)
    }
}

/// Every table's classes.
pub const CLASSES: &[TableClasses] = &[
    TableClasses {
        table: "user",
        public: &["id", "version", "created_at", "updated_at"],
        personal: &["email", "email_key", "display_name"],
        secret: &["password_hash"],
    },
    TableClasses {
        table: "session",
        public: &["id", "user_id", "created_at", "expires_at"],
        personal: &["user_agent"],
        secret: &["token_hash"],
    },
    TableClasses {
        table: "organization",
        public: &[
            "id",
            "version",
            "created_at",
            "updated_at",
            "kind",
            "currency",
            "time_zone",
            "approval_required",
        ],
        personal: &["name", "large_expense_minor"],
        secret: &[],
    },
    TableClasses {
        table: "member",
        public: &[
            "organization_id",
            "id",
            "version",
            "created_at",
            "updated_at",
            "user_id",
            "role",
            "active",
        ],
        personal: &["name", "name_key", "hourly_rate_minor", "external_ref"],
        secret: &[],
    },
    TableClasses {
        table: "invitation",
        public: &[
            "organization_id",
            "id",
            "version",
            "created_at",
            "updated_at",
            "role",
            "member_id",
            "expires_at",
            "accepted_at",
        ],
        personal: &["email"],
        secret: &["token_hash"],
    },
    TableClasses {
        table: "api_key",
        public: &[
            "organization_id",
            "id",
            "version",
            "created_at",
            "updated_at",
            "member_id",
            "role",
            "expires_at",
        ],
        personal: &["name"],
        secret: &["token_hash"],
    },
    TableClasses {
        table: "category",
        public: &[
            "organization_id",
            "id",
            "version",
            "created_at",
            "updated_at",
            "kind",
            "parent_id",
        ],
        personal: &["name", "name_key", "sibling_key"],
        secret: &[],
    },
    TableClasses {
        table: "budget",
        public: &[
            "organization_id",
            "id",
            "version",
            "created_at",
            "updated_at",
            "category_id",
            "period",
            "currency",
            "starts_on",
            "ends_on",
        ],
        personal: &["name", "name_key", "amount_minor"],
        secret: &[],
    },
    TableClasses {
        table: "expense",
        public: &[
            "organization_id",
            "id",
            "version",
            "created_at",
            "updated_at",
            "member_id",
            "category_id",
            "kind",
            "status",
            "currency",
            "item_count",
            "submitted_at",
            "decided_at",
            "decided_by_member_id",
            "reimbursed_at",
        ],
        personal: &[
            "spent_on",
            "amount_minor",
            "merchant",
            "merchant_key",
            "payment_method",
            "note",
            "place",
            "details",
            "search_key",
            "decision_note",
            "import_key",
            "tags",
        ],
        secret: &[],
    },
    TableClasses {
        table: "expense_item",
        public: &["organization_id", "id", "expense_id", "position", "category_id"],
        personal: &["name", "quantity_milli", "unit", "amount_minor"],
        secret: &[],
    },
    TableClasses {
        table: "event",
        public: &[
            "organization_id",
            "id",
            "at",
            "ordinal",
            "kind",
            "entity",
            "entity_id",
            "entity_version",
            "effect",
            "author",
            "author_id",
            "request_id",
            "position",
            "previous_chain",
            "chain",
        ],
        personal: &["data", "data_digest"],
        secret: &[],
    },
    TableClasses {
        table: "event_head",
        public: &["organization_id", "position", "chain"],
        personal: &[],
        secret: &[],
    },
    TableClasses {
        table: "idempotency_key",
        public: &["organization_id", "id", "created_at", "expires_at"],
        personal: &[],
        secret: &["answer"],
    },
    TableClasses {
        table: "lease",
        public: &["name", "holder", "term", "expires_at"],
        personal: &[],
        secret: &[],
    },
    TableClasses {
        table: "consumer",
        public: &["consumer", "started_at"],
        personal: &[],
        secret: &[],
    },
    TableClasses {
        table: "consumer_position",
        public: &["organization_id", "consumer", "position", "attempts", "next_at"],
        personal: &[],
        secret: &[],
    },
    TableClasses {
        table: "parked_event",
        public: &[
            "organization_id",
            "id",
            "consumer",
            "event_id",
            "position",
            "kind",
            "error",
            "attempts",
            "parked_at",
            "put_back_at",
        ],
        personal: &[],
        secret: &[],
    },
    TableClasses {
        table: "budget_threshold",
        public: &["organization_id", "budget_id", "starts_on", "percent", "told_at"],
        personal: &[],
        secret: &[],
    },
    TableClasses {
        table: "rule",
        public: &[
            "organization_id",
            "id",
            "version",
            "created_at",
            "updated_at",
            "enabled",
            "kind",
            "category_id",
        ],
        personal: &["name", "name_key", "condition", "actions"],
        secret: &[],
    },
    TableClasses {
        table: "expense_tag",
        public: &["organization_id", "expense_id"],
        personal: &["tag_key"],
        secret: &[],
    },
    TableClasses {
        table: "webhook",
        public: &[
            "organization_id",
            "id",
            "version",
            "created_at",
            "updated_at",
            "kinds",
            "enabled",
            "disabled_reason",
            "previous_secret_until",
        ],
        personal: &["url", "description"],
        secret: &["secret", "previous_secret"],
    },
    TableClasses {
        table: "webhook_progress",
        public: &["organization_id", "id", "position", "failing_since", "resumes_at"],
        personal: &[],
        secret: &[],
    },
    TableClasses {
        table: "webhook_delivery",
        public: &[
            "organization_id",
            "id",
            "webhook_id",
            "event_id",
            "kind",
            "entity_id",
            "position",
            "state",
            "attempt_count",
            "tries",
            "next_at",
            "claimed_until",
            "created_at",
            "ended_at",
        ],
        personal: &[],
        secret: &[],
    },
    TableClasses {
        table: "webhook_attempt",
        public: &[
            "organization_id",
            "id",
            "delivery_id",
            "started_at",
            "duration_ms",
            "status",
            "error",
        ],
        personal: &["response"],
        secret: &[],
    },
];
