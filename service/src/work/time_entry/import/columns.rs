//! Which column of a file is what.

use super::{TimeImportQuery, formats::Format};
use crate::{
    csv::{Column, Header},
    error::Result,
};

/// Where the columns are.
pub(super) struct Columns<'a> {
    pub(super) project: Option<Column<'a>>,
    pub(super) job_number: Option<Column<'a>>,
    pub(super) client: Option<Column<'a>>,
    pub(super) task: Option<Column<'a>>,
    pub(super) user: Option<Column<'a>>,
    pub(super) first_name: Option<Column<'a>>,
    pub(super) last_name: Option<Column<'a>>,
    pub(super) email: Option<Column<'a>>,
    pub(super) description: Option<Column<'a>>,
    pub(super) tags: Option<Column<'a>>,
    pub(super) billable: Option<Column<'a>>,
    pub(super) started_at: Option<Column<'a>>,
    pub(super) ended_at: Option<Column<'a>>,
    pub(super) breaks: Option<Column<'a>>,
    pub(super) start_date: Option<Column<'a>>,
    pub(super) start_time: Option<Column<'a>>,
    pub(super) end_date: Option<Column<'a>>,
    pub(super) end_time: Option<Column<'a>>,
    pub(super) duration: Option<Column<'a>>,
}

impl<'a> Columns<'a> {
    /// The columns that the query names, and those that the format of the file names otherwise; and how
    /// the file calls its others.
    pub(super) fn find(
        mut header: Header,
        query: &'a TimeImportQuery,
    ) -> Result<(Self, Vec<String>)> {
        let format = Format::of(&header);
        let mut find = |parameter: &str, named: &'a Option<String>| {
            let known = || format?.column(&header, parameter);
            let name = named.as_deref().or_else(known).filter(|name| !name.is_empty())?;
            header.find(parameter, name)
        };
        let project = find("project", &query.project);
        let job_number = find("job_number", &query.job_number);
        let client = find("client", &query.client);
        let task = find("task", &query.task);
        let user = find("user", &query.user);
        let first_name = find("first_name", &query.first_name);
        let last_name = find("last_name", &query.last_name);
        let email = find("email", &query.email);
        let description = find("description", &query.description);
        let tags = find("tags", &query.tags);
        let billable = find("billable", &query.billable);
        let started_at = find("started_at", &query.started_at);
        let ended_at = find("ended_at", &query.ended_at);
        let breaks = find("breaks", &query.breaks);
        let start_date = find("start_date", &query.start_date);
        let start_time = find("start_time", &query.start_time);
        let end_date = find("end_date", &query.end_date);
        let end_time = find("end_time", &query.end_time);
        let duration = find("duration", &query.duration);
        header.need("start_date", start_date.is_some() || started_at.is_some());
        let ends = duration.or(end_time).or(ended_at);
        header.need("duration", ends.is_some());
        let ignored = header.unused();
        let columns = header.all_found(Some(Self {
            project,
            job_number,
            client,
            task,
            user,
            first_name,
            last_name,
            email,
            description,
            tags,
            billable,
            started_at,
            ended_at,
            breaks,
            start_date,
            start_time,
            end_date,
            end_time,
            duration,
        }))?;
        Ok((columns, ignored))
    }
}
