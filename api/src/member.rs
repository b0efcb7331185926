use service::{member::Member, saga};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{may, resource::Collection};

const OFFBOARD: &str = "\
A saga gives the member's open tasks to another, stops a timer that runs, submits the open timecards, and
last of all ends their API keys and their access. If one of these cannot be done, it gives back what it has
done. The answer is the saga; docs/work.md has more.";

pub(crate) fn routes(config: &mut ServiceConfig) {
    let members = Collection::<Member>::of("members", "a member");
    config
        .service(
            members
                .create(may::ManageMembers)
                .summary("Add a member")
                .detail("Without a login; an invitation gives them one."),
        )
        .service(members.list(may::ReadMembers, "The members, by name"))
        .service(members.read(may::ReadMembers))
        .service(members.history(may::ReadMembers))
        .service(members.revert(may::ReadMembers))
        .service(members.change(may::ReadMembers).detail(
            "Without the permission member:manage, one may rename oneself, and leave \
             (`active: false`).",
        ))
        .service(
            members
                .remove(may::ReadMembers)
                .summary("Remove a member whom nothing refers to")
                .detail("Without the permission member:manage, only oneself."),
        )
        .service(
            members
                .act(may::ManageMembers, "offboard", saga::offboard)
                .summary("Begin to offboard a member")
                .detail(OFFBOARD),
        );
}
