use service::task::Task;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{may, resource::Collection};

const CREATE: &str = "\
With `recurrence`, each one that is done or cancelled is followed by the next, in the same transaction; with
`rotation`, the members take turns at them.";

const CHANGE: &str = "\
Its status is changed so, too. Finishing one that recurs makes the next, whose id is then `next_task_id`; to take
it up again removes that one, unless somebody has changed it or recorded time for it: 409, `next_started`.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let tasks = Collection::<Task>::of("tasks", "a task");
    config
        .service(tasks.create(may::RecordTasks).detail(CREATE))
        .service(tasks.list(may::ReadWork, "The tasks, filtered, by when they are due"))
        .service(tasks.read(may::ReadWork))
        .service(tasks.history(may::ReadWork))
        .service(tasks.revert(may::RecordTasks))
        .service(tasks.change(may::RecordTasks).detail(CHANGE))
        .service(tasks.remove(may::RecordTasks));
}
