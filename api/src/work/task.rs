use service::work::task::Task;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

const CREATE: &str = "\
With `recurrence`, finishing or cancelling a task creates the next one in the same transaction. With
`rotation`, the members take turns at the tasks.";

const CHANGE: &str = "\
The status is updated like any other property. Finishing a recurrent task creates the next one,
`next_task_id`. Reopening the task deletes that one, unless it was changed or has time entries:
status 409 `next_started`.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let tasks = Collection::<Task>::of("tasks", "a task");
    config
        .service(tasks.create(permission::RecordTasks).detail(CREATE))
        .service(
            tasks.list(permission::ReadWork, "By default, ordered by due time, earliest first."),
        )
        .service(tasks.get(permission::ReadWork))
        .service(tasks.history(permission::ReadWork))
        .service(tasks.revert(permission::RecordTasks))
        .service(tasks.update(permission::RecordTasks).detail(CHANGE))
        .service(tasks.delete(permission::RecordTasks));
}
