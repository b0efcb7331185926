//! What `just entities` makes of `tables`: the columns of each table with an id, and its traits. @generated

use crate::{
    rows::ordered_columns,
    tables::*,
    traits::{identified, tenant_entities, versioned},
};

ordered_columns! {
    account {
        organization_id, id, version, created_at, updated_at, name, name_key, kind, currency,
        may_go_below_zero, closed, purpose,
    }
    account_balance {
        organization_id, id, debits_minor, credits_minor,
    }
    api_key {
        organization_id, id, version, created_at, updated_at, member_id, name, role, token_hash,
        expires_at, created_by_api_key_id, requests_per_minute,
    }
    attachment {
        organization_id, id, version, created_at, updated_at, daily_report_id, expense_id,
        incident_id, journal_entry_id, member_id, project_id, task_id, name, media_type, size,
        sha256, object_id, content_key,
    }
    budget {
        organization_id, id, version, created_at, updated_at, name, name_key, category_id, period,
        amount_minor, currency, starts_on, ends_on, amounts,
    }
    category {
        organization_id, id, version, created_at, updated_at, name, name_key, kind, parent_id,
        sibling_key,
    }
    collection {
        organization_id, id, version, created_at, updated_at, name, title, schema, indexes,
        read_role, write_role, access_version, keeps_revisions,
    }
    daily_report {
        organization_id, id, version, created_at, updated_at, project_id, day, status, weather,
        summary, created_by_member_id, submitted_at, submitted_by_member_id, amended_at,
        amended_by_member_id, amendment_reason, decided_at, decided_by_member_id, decision_note,
        changed_by_member_id; search_key
    }
    document {
        organization_id, id, version, created_at, updated_at, collection_id, key, body, secrets,
        attachments,
    }
    document_index {
        organization_id, id, collection_id, pointer, state, built_to,
    }
    event {
        organization_id, id, at, ordinal, kind, entity, entity_id, entity_version, effect, author,
        author_id, request_id, data, data_digest, position, previous_chain, chain, sealed, scope_id,
    }
    expense {
        organization_id, id, version, created_at, updated_at, member_id, category_id, kind, status,
        spent_on, amount_minor, currency, merchant, merchant_key, payment_method, note, place,
        details, item_count, submitted_at, decided_at, decided_by_member_id, decision_note,
        reimbursed_at, tags, payout_saga_id, payout_error, project_id, created_by_member_id,
        changed_by_member_id, submitted_by_member_id, latitude_e7, longitude_e7; search_key,
        import_key, x_cm, y_cm, z_cm
    }
    expense_item {
        organization_id, id, expense_id, position, name, quantity_milli, unit, amount_minor,
        category_id, project_id,
    }
    idempotency_key {
        organization_id, id, answer, created_at, expires_at,
    }
    import {
        organization_id, id, created_at, updated_at, kind, staging_until, options, slices,
        next_slice, total, created, duplicates, ignored, failed, created_categories,
        created_projects, created_tasks, created_members, errors, deleted_before,
    }
    incident {
        organization_id, id, version, created_at, updated_at, case_number, member_id, project_id,
        occurred_at, place, job_title, status, recordable, classification, injury_type,
        privacy_case, days_away, days_restricted, claim_number, insurer, body_part, nature, cause,
        treatment, narrative, witnesses,
    }
    invitation {
        organization_id, id, version, created_at, updated_at, email, role, member_id, token_hash,
        expires_at, accepted_at, created_by_member_id, created_by_api_key_id, accepted_by_member_id,
    }
    journal_entry {
        organization_id, id, version, created_at, updated_at, occurred_on, memo, reference,
        reverses_id, reversed_by_id,
    }
    member {
        organization_id, id, version, created_at, updated_at, user_id, name, name_key, role, active,
        hourly_rate_minor, external_ref,
    }
    meter {
        organization_id, id, version, created_at, updated_at, name, name_key, unit, kind,
        project_id, place, interval_seconds, precision, on_drop, rollover_at, on_conflict, low,
        high, hysteresis, source,
    }
    meter_state {
        organization_id, id, readings, last_at, last_value, excursion,
    }
    object_removal {
        id, name,
    }
    organization {
        id, version, created_at, updated_at, kind, name, currency, time_zone, approval_required,
        large_expense_minor, payout_url, overlap_allowed; deleted_at
    }
    parked_event {
        organization_id, id, consumer, event_id, position, kind, error, attempts, parked_at,
        put_back_at,
    }
    project {
        organization_id, id, version, created_at, updated_at, job_number, name, name_key, client,
        status, starts_on, ends_on, budget_minor, currency, address, latitude_e7, longitude_e7,
        note, details; job_number_key, search_key
    }
    rate {
        organization_id, id, version, created_at, updated_at, member_id, starts_on,
        hourly_rate_minor, currency,
    }
    rule {
        organization_id, id, version, created_at, updated_at, name, name_key, enabled, kind,
        condition, actions, category_id,
    }
    saga {
        organization_id, id, version, created_at, updated_at, kind, state, step, undoing, due_at,
        subject_id, steps, data, reason,
    }
    session {
        id, user_id, token_hash, user_agent, created_at, expires_at,
    }
    spending_delta {
        organization_id, id, month, project_id, category_id, member_id, currency, settled_minor,
        pending_minor, expense_count, category_count, project_count, part_count,
    }
    stored_object {
        organization_id, id, sha256, size, reference_count, created_at,
    }
    task {
        organization_id, id, version, created_at, updated_at, title, note, status, open, priority,
        pressing, due_on, due_at, due_key, assignee_member_id, assignee_role, project_id,
        estimate_minutes, tags, metadata, recurrence, recurs_from, turns, previous_task_id,
        next_task_id, finished_at; search_key
    }
    time_entry {
        organization_id, id, version, created_at, updated_at, member_id, project_id, task_id, timed,
        started_at, ended_at, day, seconds, breaks, billable, cost_code, note, tags,
        running_member_id, created_by_member_id, changed_by_member_id; search_key, import_key
    }
    timecard {
        organization_id, id, version, created_at, updated_at, member_id, week_starts_on, status,
        submitted_at, decided_at, decided_by_member_id, decision_note, submitted_by_member_id,
    }
    transfer {
        organization_id, id, entry_id, position, debit_account_id, credit_account_id, amount_minor,
        currency,
    }
    user {
        id, version, created_at, updated_at, email, email_key, display_name, password_hash,
        disabled_at,
    }
    webhook {
        organization_id, id, version, created_at, updated_at, url, kinds, description, enabled,
        disabled_reason, secret, previous_secret, previous_secret_until; deleted_at
    }
    webhook_attempt {
        organization_id, id, delivery_id, started_at, duration_ms, status, error, response,
    }
    webhook_delivery {
        organization_id, id, webhook_id, event_id, kind, entity_id, position, state, attempt_count,
        tries, next_at, claimed_until, created_at, ended_at,
    }
    webhook_progress {
        organization_id, id, position, failing_since, resumes_at,
    }
}

identified! {
    object_removal,
    organization,
    session,
    user,
}

tenant_entities! {
    account,
    account_balance,
    api_key,
    attachment,
    budget,
    category,
    collection,
    daily_report,
    document,
    document_index,
    event,
    expense,
    expense_item,
    idempotency_key,
    import,
    incident,
    invitation,
    journal_entry,
    member,
    meter,
    meter_state,
    parked_event,
    project,
    rate,
    rule,
    saga,
    spending_delta,
    stored_object,
    task,
    time_entry,
    timecard,
    transfer,
    webhook,
    webhook_attempt,
    webhook_delivery,
    webhook_progress,
}

versioned! {
    account: "account",
    api_key: "API key",
    attachment: "attachment",
    budget: "budget",
    category: "category",
    collection: "collection",
    daily_report: "daily report",
    document: "document",
    expense: "expense",
    incident: "incident",
    invitation: "invitation",
    journal_entry: "journal entry",
    member: "member",
    meter: "meter",
    organization: "organization",
    project: "project",
    rate: "rate",
    rule: "rule",
    saga: "saga",
    task: "task",
    time_entry: "time entry",
    timecard: "timecard",
    user: "user",
    webhook: "webhook",
}

/// Hands a macro the tables of organizations, those first that refer to others, each with the columns by which
/// its rows refer to others of the same table.
#[macro_export]
macro_rules! owned_tables {
    ($each:ident) => {
        $each! {
            account_balance [],
            api_key [],
            attachment [],
            budget_threshold [],
            budget [],
            collection_removal [],
            consumer_position [],
            daily_report_crew [],
            daily_report_item [],
            daily_report [],
            document_blob [],
            document_blob_use [],
            document_checkpoint [],
            document_index [],
            document_intent [],
            document_leaf [],
            document_revision [],
            document_value [],
            document [],
            collection [],
            event [],
            event_head [],
            expense_item [],
            expense_project [],
            expense_tag [],
            expense [],
            idempotency_key [],
            import [],
            import_slice [],
            imported_row [],
            incident [],
            invitation [],
            large_expense [],
            meter_exchange [],
            meter_state [],
            parked_event [],
            rate [],
            reading [],
            reading_correction [],
            meter [],
            reading_rollup [],
            rule [],
            category [ParentId],
            saga [],
            saga_write [],
            spending_backfill [],
            spending_delta [],
            spending_total [],
            storage_usage [],
            stored_object [],
            task_tag [],
            task_turn [],
            time_entry_day [],
            time_entry_tag [],
            time_entry [],
            task [],
            project [],
            timecard [],
            member [],
            transfer [],
            account [],
            journal_entry [ReversedById, ReversesId],
            webhook_attempt [],
            webhook_delivery [],
            webhook_progress [],
            webhook [],
        }
    };
}
