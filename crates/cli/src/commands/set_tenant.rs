//! `bulkhead set-tenant` and `bulkhead suspend-overdue`: what an operator says of a tenant, and what follows when its time
//! is up.

use bulkhead_domain::clock::now;
use bulkhead_domain::field::{Choice as _, Day, Field as _, JsonObject, Text};
use bulkhead_domain::tenant::{Registration, TenantPatch};
use bulkhead_persistence::TenantChange;
use bulkhead_persistence::platform::TenantSummary;
use chrono::NaiveDate;
use clap::{ArgGroup, Args};
use serde_json::{Value, json};

use super::domains::{tenant, with_platform};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::table;

/// The arguments of changing.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("change").required(true).multiple(true)
        .args(["name", "on_trial", "paid_until", "settings", "registration"])),
    after_help = "\
Examples:
  bulkhead set-tenant --tenant acme --on-trial false --paid-until 2027-12-31
  bulkhead set-tenant --tenant acme --registration invite --settings '{\"theme\": \"dark\"}'

What is not given stays as it is. A tenant whose last paid day has passed goes on working until `bulkhead suspend-overdue` or
`bulkhead suspend-tenant` says otherwise."
)]
pub(crate) struct SetTenantArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
    /// Full name, 1 to 200 characters
    #[arg(long, value_parser = parse_name)]
    name: Option<Text<200>>,
    /// Whether it has not paid yet
    #[arg(long, value_name = "true|false")]
    on_trial: Option<bool>,
    /// The last day that is paid for, or none
    #[arg(long, value_name = "DATE|none", value_parser = parse_last_day)]
    paid_until: Option<LastDay>,
    /// Whatever its own programs keep: a JSON object, which replaces the one that is there
    #[arg(long, value_name = "JSON", value_parser = parse_settings)]
    settings: Option<JsonObject>,
    /// Who may join
    #[arg(long, value_name = "closed|invite|open", value_parser = parse_registration)]
    registration: Option<Registration>,
}

/// The arguments of suspending.
#[derive(Debug, Args)]
#[command(after_help = "\
Suspends every active tenant whose --paid-until is a day before today (UTC), as `bulkhead suspend-tenant` does, all in one
transaction. A tenant without such a day is never in it. It does nothing by itself: run it from a timer, or do not.")]
pub(crate) struct SuspendOverdueArguments {
    /// Only show which tenants those are
    #[arg(long)]
    dry_run: bool,
}

/// A day, or that there is none.
#[derive(Clone, Copy, Debug)]
struct LastDay(Option<NaiveDate>);

/// A calendar day, `2027-12-31`.
pub(super) fn parse_day(text: &str) -> Result<NaiveDate, &'static str> {
    Day::from_text(text).ok_or("give a day as YYYY-MM-DD")
}

fn parse_last_day(text: &str) -> Result<LastDay, &'static str> {
    if text == "none" { Ok(LastDay(None)) } else { parse_day(text).map(|day| LastDay(Some(day))) }
}

fn parse_name(text: &str) -> Result<Text<200>, String> {
    Text::parse(Value::from(text))
}

fn parse_settings(text: &str) -> Result<JsonObject, String> {
    JsonObject::parse(serde_json::from_str(text).map_err(|error| error.to_string())?)
}

fn parse_registration(text: &str) -> Result<Registration, &'static str> {
    Registration::from_word(text).ok_or("closed, invite or open")
}

/// Changes a tenant.
pub(super) fn change(context: &Context, arguments: &SetTenantArguments) -> Result<(), Failure> {
    let change = TenantChange {
        own: TenantPatch {
            name: arguments.name.clone(),
            settings: arguments.settings.clone(),
            registration: arguments.registration,
        },
        on_trial: arguments.on_trial,
        paid_until: arguments.paid_until.map(|day| day.0),
    };
    let (slug, changed) = with_platform(context, async |platform| {
        let found = tenant(platform, &arguments.tenant).await?;
        Ok((found.slug, platform.change_tenant(found.id, change).await?))
    })?;
    context.output.tell(&changed, &format!("tenant {slug} is changed"));
    Ok(())
}

/// Suspends whoever is overdue.
pub(super) fn suspend_overdue(context: &Context, arguments: &SuspendOverdueArguments) -> Result<(), Failure> {
    let (today, only_look) = (now().date_naive(), arguments.dry_run);
    let overdue =
        with_platform(context, async |platform| Ok(platform.suspend_overdue(today, only_look).await?))?;
    let document = json!({
        "count": overdue.len(), "dry_run": only_look, "tenants": overdue.iter().map(document).collect::<Vec<_>>(),
    });
    context.output.tell(&document, &text(&overdue, only_look));
    Ok(())
}

fn text(overdue: &[TenantSummary], only_look: bool) -> String {
    if overdue.is_empty() {
        return "no active tenant is overdue".to_owned();
    }
    let mut rows = vec![["SLUG", "PAID UNTIL", "NAME"].map(str::to_owned).to_vec()];
    rows.extend(
        overdue.iter().map(|tenant| vec![tenant.slug.clone(), last_day(tenant), tenant.name.clone()]),
    );
    let said = if only_look { "would be suspended" } else { "suspended" };
    format!("{}\n{} {said}", table(&rows), overdue.len())
}

fn last_day(tenant: &TenantSummary) -> String {
    tenant.paid_until.map_or_else(String::new, |day| day.to_string())
}

fn document(tenant: &TenantSummary) -> Value {
    json!({
        "id": tenant.id, "slug": tenant.slug, "name": tenant.name, "on_trial": tenant.on_trial,
        "paid_until": tenant.paid_until,
    })
}
