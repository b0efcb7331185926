use service::{automation::saga, identity::member::Member};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{permission, resource::Collection};

const OFFBOARD: &str = "\
Starts a saga that reassigns the member's open tasks, stops a running timer, submits the open
timecards and finally ends the member's API keys and access. If a step cannot be done, the completed
steps are undone. Returns the saga; docs/work.md has more.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let members = Collection::<Member>::of("members", "a member");
    config
        .service(
            members
                .create(permission::ManageMembers)
                .detail("The member has no login. An invitation provides one."),
        )
        .service(members.list(permission::ReadMembers, "Ordered by name."))
        .service(members.get(permission::ReadMembers))
        .service(members.history(permission::ReadMembers))
        .service(members.revert(permission::ReadMembers))
        .service(members.update(permission::ReadMembers).detail(
            "Without the permission `member:manage`, members may only change their own name and \
             deactivate themselves (`active: false`).",
        ))
        .service(members.delete(permission::ReadMembers).detail(
            "Refused with 409 if other resources refer to the member. Without the permission \
             `member:manage`, members may only delete themselves.",
        ))
        .service(
            members
                .action(permission::ManageMembers, "offboard", saga::offboard)
                .summary("Offboard a member")
                .detail(OFFBOARD),
        );
}
