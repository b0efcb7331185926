//! How the databases find the expenses of a project: those of a page, however many the organization has. And how
//! PostgreSQL finds those that are searched for, with the index that docs/operations.md describes.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::expense as rows;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::json;
use service::{
    Actor,
    identity::access,
    money::expense::{Expense, ExpenseQuery, ExpenseSort, statement},
    resource::Readable,
    store::Engine,
};
use tests::{
    App, Database, each_database, id, on_postgresql,
    plan::{analyze, plan},
};
use uuid::Uuid;

/// How many expenses the organization has, of which each project has a fourth, or none.
const EXPENSES: u32 = 3000;
const PROJECTS: usize = 3;

fn row(organization_id: Uuid, member_id: Uuid, projects: &[Uuid], n: u32) -> rows::ActiveModel {
    let first: DateTime<Utc> = "2026-11-21T08:00:00Z".parse().unwrap();
    let at = (first + TimeDelta::seconds(i64::from(n))).fixed_offset();
    let day = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + TimeDelta::days(i64::from(n % 300));
    rows::ActiveModel {
        organization_id: Set(organization_id),
        id: Set(Uuid::from_u128((u128::from(n) << 64) | 1)),
        version: Set(1),
        created_at: Set(at),
        updated_at: Set(at),
        member_id: Set(member_id),
        kind: Set("purchase".into()),
        status: Set("approved".into()),
        spent_on: Set(day),
        amount_minor: Set(i64::from(n) + 1),
        currency: Set("EUR".into()),
        merchant_key: Set(String::new()),
        search_key: Set(format!("shop {n}\n")),
        item_count: Set(0),
        project_id: Set(projects.get(n as usize % (PROJECTS + 1)).copied()),
        ..Default::default()
    }
}

async fn fill(app: &App, organization_id: Uuid, member_id: Uuid, projects: Vec<Uuid>) {
    let filled = app.store.write(async move |tx| {
        let made: Vec<_> =
            (0..EXPENSES).map(|n| row(organization_id, member_id, &projects, n)).collect();
        for some in made.chunks(500) {
            rows::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
        }
        Ok(())
    });
    filled.await.unwrap();
}

/// Asks for the first page and the one after, in each order that an index serves.
async fn look(app: &App, actor: &Actor, project_id: Uuid) {
    for (sort, index) in [
        (ExpenseSort::SpentOn, "idx-expense-project_spending"),
        (ExpenseSort::SpentOnDescending, "idx-expense-project_spending"),
        (ExpenseSort::CreatedAt, "idx-expense-project_id-created_at-id"),
        (ExpenseSort::CreatedAtDescending, "idx-expense-project_id-created_at-id"),
    ] {
        let first =
            ExpenseQuery { project_id: Some(project_id.into()), sort, ..ExpenseQuery::default() };
        let before = app.store.statements();
        let page = Expense::list(&app.store, actor, &first).await.unwrap();
        assert_eq!(app.store.statements() - before, 1);
        assert_eq!(page.items.len(), 50);
        let beyond = ExpenseQuery { cursor: page.next_cursor, ..first.clone() };
        for query in [first, beyond] {
            let backend = app.store.read().get_database_backend();
            let asked = statement(backend, actor.organization_id, &query).unwrap();
            let plan = plan(&app.store, asked).await;
            assert!(plan.contains(index), "{query:?} is not found by {index}:\n{plan}");
            // Neither the table nor an index that has all expenses of the organization in its order.
            for bad in [
                "SCAN expense",
                "Seq Scan on expense ",
                "idx-expense-created_at",
                "idx-expense-spending",
            ] {
                assert!(!plan.contains(bad), "{query:?} takes a {bad}:\n{plan}");
            }
        }
    }
}

#[each_database]
async fn a_list_by_project_reads_its_page(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let mut projects = Vec::new();
    for n in 0..PROJECTS {
        let project = json!({ "name": format!("Project {n}") });
        let project = ada.make(&format!("{company}/projects"), project).await;
        projects.push(id(&project).parse::<Uuid>().unwrap());
    }
    let organization_id: Uuid = company.rsplit('/').next().unwrap().parse().unwrap();
    let member_id = id(&ada.member_in(&company).await).parse().unwrap();
    fill(&app, organization_id, member_id, projects.clone()).await;
    let actor = access::operator(&app.store, organization_id, None).await.unwrap();
    // Nobody tells SQLite by itself; PostgreSQL finds out.
    if database.engine == Engine::Sqlite {
        look(&app, &actor, projects[0]).await;
    }
    analyze(&app.store).await;
    look(&app, &actor, projects[0]).await;
    app.stop().await;
}

/// Runs statements that the API has no way to.
async fn run(app: &App, statements: &'static [&'static str]) {
    let run = app.store.write(async move |tx| {
        for statement in statements {
            tx.execute_unprepared(statement).await?;
        }
        Ok(())
    });
    run.await.unwrap();
}

/// The plan of a search, and what it finds.
async fn search(app: &App, actor: &Actor, text: &str) -> (String, Vec<Uuid>) {
    let query = ExpenseQuery { q: Some(text.to_owned()), ..ExpenseQuery::default() };
    let found = Expense::list(&app.store, actor, &query).await.unwrap();
    let backend = app.store.read().get_database_backend();
    let asked = statement(backend, actor.organization_id, &query).unwrap();
    let found = found.items.iter().map(|expense| expense.id).collect();
    (plan(&app.store, asked).await, found)
}

#[on_postgresql]
async fn a_search_takes_the_index_of_an_operator_where_that_pays(database: Database) {
    let app = App::start(&database).await;
    let (ada, company) = app.owner_of("company").await;
    let organization_id: Uuid = company.rsplit('/').next().unwrap().parse().unwrap();
    let member_id = id(&ada.member_in(&company).await).parse().unwrap();
    fill(&app, organization_id, member_id, Vec::new()).await;
    analyze(&app.store).await;
    let actor = access::operator(&app.store, organization_id, None).await.unwrap();
    let (rare, frequent) =
        (search(&app, &actor, "P 2718").await, search(&app, &actor, "shop").await);
    assert_eq!((rare.1.len(), frequent.1.len()), (1, 50));
    run(
        &app,
        &[
            "CREATE EXTENSION pg_trgm",
            "CREATE INDEX expense_search ON expense USING gin (search_key gin_trgm_ops)",
        ],
    )
    .await;
    analyze(&app.store).await;
    let (plan, found) = search(&app, &actor, "P 2718").await;
    assert!(plan.contains("expense_search"), "{plan}");
    assert_eq!(found, rare.1);
    // What many rows have is found sooner in the order of the list.
    let (plan, found) = search(&app, &actor, "shop").await;
    assert!(!plan.contains("expense_search"), "{plan}");
    assert_eq!(found, frequent.1);
    app.stop().await;
}
