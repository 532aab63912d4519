//! `bulkhead explain-access`: why a client may use an operation, or why not, step by step as the server decides it.

use bulkhead_domain::clients::ClientRole;
use bulkhead_domain::clock::now;
use bulkhead_domain::scope::ScopeSet;
use bulkhead_http::{Access, Operation, operations};
use bulkhead_persistence::ApiClient;
use bulkhead_persistence::platform::{TenantStatus, TenantSummary};
use clap::Args;
use serde_json::json;

use super::{ClientArguments, on_client};
use crate::context::Context;
use crate::failure::Failure;

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  bulkhead explain-access --client client_... --operation tasks_create

Operations are named as in the OpenAPI document, or by method and path: \"POST /api/v1/tasks/\".")]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    client: ClientArguments,
    /// The operation, by its operationId or by method and path
    #[arg(long)]
    operation: String,
}

/// One step of the decision.
struct Step {
    passed: bool,
    says: String,
}

/// Explains.
pub(in crate::commands) fn run(context: &Context, arguments: &ExplainArguments) -> Result<(), Failure> {
    let operation =
        find(&arguments.operation).ok_or_else(|| Failure::UnknownOperation(arguments.operation.clone()))?;
    let (tenant, client) = on_client(context, &arguments.client, async |_, client| Ok(client))?;
    let steps = steps(&tenant, &client, &operation);
    let allowed = steps.iter().all(|step| step.passed);
    let document = json!({
        "allowed": allowed, "client_id": client.client_id, "operation": operation.id, "method": operation.method.as_str(),
        "path": operation.path, "scope": needed(&operation), "rights": client.rights().words(),
        "steps": steps.iter().map(|step| json!({ "passed": step.passed, "says": step.says })).collect::<Vec<_>>(),
    });
    let lines =
        steps.iter().map(|step| format!("  {} {}", if step.passed { "yes" } else { "no " }, step.says));
    let text = format!(
        "{} {} {} {} ({} {})\n{}",
        client.name,
        if allowed { "may use" } else { "may not use" },
        operation.id,
        if allowed { "" } else { "because of the first no" },
        operation.method,
        operation.path,
        lines.collect::<Vec<_>>().join("\n")
    );
    context.output.tell(&document, &text.replace("  (", " ("));
    Ok(())
}

fn find(name: &str) -> Option<Operation> {
    let path = |text: &str| text.trim_end_matches('/').to_owned();
    operations().into_iter().find(|operation| {
        operation.id == name || path(name) == path(&format!("{} {}", operation.method, operation.path))
    })
}

fn needed(operation: &Operation) -> Option<String> {
    match operation.access {
        Access::Scoped(scope) => Some(scope.to_string()),
        Access::Public | Access::Authenticated => None,
    }
}

fn steps(tenant: &TenantSummary, client: &ApiClient, operation: &Operation) -> Vec<Step> {
    let step = |passed, says: String| Step { passed, says };
    let ended = client.expires_at.is_some_and(|end| end <= now());
    let mut steps = vec![
        step(
            tenant.status == TenantStatus::Active,
            format!("tenant {} is {}", tenant.slug, tenant.status.as_str()),
        ),
        step(client.is_active, format!("the client is {}", client.status)),
        step(
            !ended,
            client
                .expires_at
                .map_or("it has no end".to_owned(), |end| format!("it ends at {}", end.to_rfc3339())),
        ),
    ];
    let networks = if client.allowed_ips.is_empty() {
        "it may call from anywhere".to_owned()
    } else {
        format!("it may call from {} (the caller's address decides)", client.allowed_ips.join(", "))
    };
    steps.push(step(true, networks));
    let Access::Scoped(scope) = operation.access else {
        steps.push(step(true, "the operation asks for no scope".to_owned()));
        return steps;
    };
    for role in &client.roles {
        let words = ClientRole::parse(role).map(|role| role.scopes().words().join(" ")).unwrap_or_default();
        steps.push(step(true, format!("role {role} stands for {words}")));
    }
    let scopes = ScopeSet::parse(client.scopes.iter().map(String::as_str)).words().join(" ");
    steps.push(step(
        true,
        match (client.roles.is_empty(), client.scopes.is_empty()) {
            (true, true) => "it has neither roles nor scopes".to_owned(),
            (true, false) => format!("its scopes stand alone: {scopes}"),
            (false, true) => "it has no scopes, so its roles are not narrowed".to_owned(),
            (false, false) => format!("its scopes narrow its roles: {scopes}"),
        },
    ));
    let rights = client.rights();
    let words = rights.words();
    let words = if words.is_empty() { "nothing".to_owned() } else { words.join(" ") };
    steps.push(step(rights.allows(scope), format!("the operation asks for {scope}, the client has {words}")));
    steps
}
