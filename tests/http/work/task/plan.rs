//! How the databases find tasks: each list that the design names is one statement over one index, that reads
//! the rows of its page in their order.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::{task as rows, task_tag};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::json;
use service::{
    Actor,
    identity::access,
    resource::Readable,
    store::Engine,
    work::task::{Task, TaskQuery, TaskSort, rules, statement},
};
use tests::{
    App, Database, each_database, id,
    plan::{analyze, plan},
};
use uuid::Uuid;

/// How many tasks the organization has, and each of the others.
const TASKS: [u32; 3] = [3000, 1500, 1500];

/// Whom tasks are for, and what.
#[derive(Debug, Clone, Default)]
struct Named {
    members: Vec<Uuid>,
    projects: Vec<Uuid>,
}

fn row(organization_id: Uuid, named: &Named, n: u32) -> rows::ActiveModel {
    let at: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().unwrap();
    let day =
        NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + TimeDelta::days(i64::from(n * 7 % 700));
    let due = (!n.is_multiple_of(10)).then_some(day);
    let one_of = |ids: &[Uuid]| ids.get(n as usize % (ids.len() + 1)).copied();
    let (open, pressing) = (!n.is_multiple_of(4), n.is_multiple_of(9));
    rows::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(Uuid::from_u128((u128::from(n) << 64) | 1)),
        version: Set(1),
        created_at: Set(at.fixed_offset()),
        updated_at: Set(at.fixed_offset()),
        title: Set(format!("Task {n}")),
        status: Set(if open { "pending" } else { "done" }.to_owned()),
        open: Set(open),
        priority: Set(if pressing { "urgent" } else { "medium" }.to_owned()),
        pressing: Set(pressing),
        due_on: Set(due),
        due_key: Set(due.map_or(rules::NEVER.to_owned(), |day| format!("{day}T24"))),
        assignee_member_id: Set(one_of(&named.members)),
        project_id: Set(one_of(&named.projects)),
        search_key: Set(format!("task {n}\n")),
        ..Default::default()
    }
}

/// Fills the tables past what anybody scans gladly.
async fn fill(app: &App, organizations: &[(Uuid, Named)]) {
    for ((organization_id, named), tasks) in organizations.iter().zip(TASKS) {
        let organization_id = *organization_id;
        let named = named.clone();
        let filled = app.store.write(async move |tx| {
            let made: Vec<_> = (0..tasks).map(|n| row(organization_id, &named, n)).collect();
            let tag = |row: &rows::ActiveModel, tag: &str| task_tag::ActiveModel {
                organization_id: row.organization_id.clone(),
                task_id: row.id.clone(),
                tag_key: Set(tag.to_owned()),
                due_key: row.due_key.clone(),
            };
            let tags = made.iter().zip(0..);
            let tags: Vec<_> =
                tags.map(|(row, n)| tag(row, if n % 6 == 0 { "roof" } else { "yard" })).collect();
            for some in made.chunks(500) {
                rows::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
            }
            for some in tags.chunks(500) {
                task_tag::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
            }
            Ok(())
        });
        filled.await.unwrap();
    }
}

/// Each way in which tasks are asked for, and the index that is there for it.
fn asked(named: &Named) -> Vec<(TaskQuery, &'static str)> {
    let day = |text: &str| Some(text.parse().unwrap());
    let all = TaskQuery::default;
    vec![
        (all(), "idx-task-due_key-id"),
        (
            TaskQuery { due_from: day("2026-06-01"), due_to: day("2026-12-31"), ..all() },
            "idx-task-due_key-id",
        ),
        (
            TaskQuery { assignee_member_id: Some(named.members[0].into()), ..all() },
            "idx-task-assignee_member_id-due_key-id",
        ),
        (
            serde_json::from_value(json!({ "assignee_member_id": "none" })).unwrap(),
            "idx-task-assignee_member_id-due_key-id",
        ),
        (TaskQuery { pressing: Some(true), ..all() }, "idx-task-pressing-due_key-id"),
        (TaskQuery { open: Some(true), ..all() }, "idx-task-open-due_key-id"),
        (
            TaskQuery { project_id: Some(named.projects[0].into()), open: Some(true), ..all() },
            "idx-task-project_id-open-due_key-id",
        ),
        (
            TaskQuery { tag: Some("Roof".to_owned().into()), ..all() },
            "idx-task_tag-tag_key-due_key-task_id",
        ),
    ]
}

fn assert_found_by(index: &str, plan: &str, query: &TaskQuery) {
    assert!(plan.contains(index), "{query:?} is not found by {index}:\n{plan}");
    for bad in ["SCAN", "TEMP B-TREE", "Seq Scan", "Sort", "Bitmap"] {
        assert!(!plan.contains(bad), "{query:?} takes a {bad}:\n{plan}");
    }
}

/// Asks for each list, its first page and the one after.
async fn look(app: &App, actor: &Actor, named: &Named) {
    for (query, index) in asked(named) {
        for sort in [TaskSort::Due, TaskSort::DueDescending] {
            let first = TaskQuery { sort, ..query.clone() };
            let before = app.store.statements();
            let page = Task::list(&app.store, actor, &first).await.unwrap();
            assert_eq!(app.store.statements() - before, 1);
            assert_eq!(page.items.len(), 50);
            let beyond = TaskQuery { cursor: page.next_cursor, ..first.clone() };
            for query in [first, beyond] {
                let backend = app.store.read().get_database_backend();
                let asked = statement(backend, actor.organization_id, &query).unwrap();
                let plan = plan(&app.store, asked).await;
                assert_found_by(index, &plan, &query);
            }
        }
    }
}

#[each_database]
async fn each_list_is_one_statement_over_one_index(database: Database) {
    let app = App::start(&database).await;
    let mut organizations = Vec::new();
    for _ in TASKS {
        let (ada, company) = app.owner_of("company").await;
        let mut named = Named::default();
        for n in 0..4 {
            let member = json!({ "name": format!("Member {n}") });
            let member = ada.make(&format!("{company}/members"), member).await;
            named.members.push(id(&member).parse().unwrap());
            let project = json!({ "name": format!("Project {n}") });
            let project = ada.make(&format!("{company}/projects"), project).await;
            named.projects.push(id(&project).parse().unwrap());
        }
        let organization_id: Uuid = company.rsplit('/').next().unwrap().parse().unwrap();
        organizations.push((organization_id, named));
    }
    fill(&app, &organizations).await;
    let (organization_id, named) = &organizations[0];
    let actor = access::operator(&app.store, *organization_id, None).await.unwrap();
    // Nobody tells SQLite by itself; PostgreSQL finds out.
    if database.engine == Engine::Sqlite {
        look(&app, &actor, named).await;
    }
    analyze(&app.store).await;
    look(&app, &actor, named).await;
    app.stop().await;
}
