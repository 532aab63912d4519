//! Projects over HTTP: the usual operations, counts of all and of one, and the tasks of one project.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};
use bulkhead_domain::clock::now;
use bulkhead_domain::list::{Condition, Test, Value};
use bulkhead_domain::scope::Action;
use bulkhead_domain::tasks::TASKS;
use bulkhead_persistence::{ProjectAnalytics, ProjectStatistics, Projects, Task};

use crate::context::TenantCtx;
use crate::extract::id::PathId;
use crate::list::query::BARE;
use crate::operation::{Access, Endpoint};
use crate::problem::Outcome;
use crate::resource::{collection, crud, endpoint, member, refused};
use crate::resources::tasks::{LINK, bare_list};
use crate::respond;

/// The operations.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let statistics = collection::<Projects>() + "statistics/";
    let tasks = member::<Projects>() + "tasks/";
    let mut endpoints = crud::<Projects>();
    endpoints.push(
        endpoint::<Projects, _, _>(
            Method::GET,
            statistics,
            "statistics_retrieve",
            Action::Read,
            statistics_of,
        )
        .summary("Count projects by state")
        .answers::<ProjectStatistics>(200, "The counts.", &[]),
    );
    endpoints.push(
        endpoint::<Projects, _, _>(
            Method::GET,
            member::<Projects>() + "analytics/",
            "analytics_retrieve",
            Action::Read,
            analytics_of,
        )
        .summary("Tell how the tasks of a project stand")
        .answers::<ProjectAnalytics>(200, "The counts.", &[]),
    );
    // The rows are tasks, so the scope is that of tasks.
    endpoints.push(
        Endpoint::new(
            Method::GET,
            tasks,
            "projects_tasks_list",
            Access::Scoped(TASKS.scope(Action::Read)),
            tasks_of,
        )
        .tag("projects")
        .summary("List the tasks of a project")
        .list_parameters(&TASKS, BARE)
        .answers_array::<Task>("Up to `page_size` tasks, 200 unless given.", &[LINK]),
    );
    endpoints
}

async fn statistics_of(ctx: TenantCtx) -> Outcome<HttpResponse> {
    respond::json(&Projects::statistics(ctx.db()).await?)
}

async fn analytics_of(ctx: TenantCtx, project: PathId) -> Outcome<HttpResponse> {
    let found = Projects::analytics(ctx.db(), project.0, now().date_naive()).await;
    respond::json(&found.map_err(refused::<Projects>)?)
}

async fn tasks_of(ctx: TenantCtx, project: PathId, request: HttpRequest) -> Outcome<HttpResponse> {
    let of_project = Condition { column: "project_id", test: Test::Equals, value: Value::Id(project.0) };
    let (tasks, response) = bare_list(&ctx, &request, vec![of_project]).await?;
    // Only an empty list leaves the question whether there is such a project.
    if tasks == 0 {
        Projects::require(ctx.db(), project.0).await.map_err(refused::<Projects>)?;
    }
    Ok(response)
}
