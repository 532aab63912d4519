//! Whether the database still keeps tenants apart: questions to the catalogue, run when the server starts, by
//! `bulkhead verify-isolation` and by the tests. Looks at structure only; no tenant's row is read.
//!
//! Each rule is one SQL file in `lint/`, beginning where `lint/preamble.sql` ends, and answers nothing when all is well.

use std::fmt;

use diesel::sql_types::Text;
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::error::DbResult;
use crate::search;

/// What was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// A role has powers, memberships or property it must not have, or is missing. The current role included.
    Roles,
    /// Row-level security is not enabled or not forced.
    RowSecurity,
    /// A table without a sound `tenant_id`.
    TenantColumn,
    /// Something is unique across tenants, or a table has no primary key.
    UniqueKeys,
    /// A reference that could leave its tenant.
    ForeignKeys,
    /// A policy is missing, added or changed.
    Policies,
    /// A view, materialised view or foreign table around the policies.
    Views,
    /// A function with its definer's rights that nobody reviewed, or that was changed since.
    Functions,
    /// A runtime role can create objects, use sequences, or reach relations outside the schema.
    Reach,
    /// A partition can be reached around its parent.
    Partitions,
    /// A column type whose index is dead under policies.
    Types,
    /// A privilege that policies do not limit, or too wide a one.
    Grants,
    /// Settings of roles or of the database that undo policies or name resolution.
    Settings,
    /// A constraint whose violation could not be told to a client.
    Names,
    /// A server version that is too old or known to be unsound.
    Version,
}

impl Rule {
    /// The rule's word, as commands and logs show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Roles => "roles",
            Self::RowSecurity => "row_security",
            Self::TenantColumn => "tenant_column",
            Self::UniqueKeys => "unique_keys",
            Self::ForeignKeys => "foreign_keys",
            Self::Policies => "policies",
            Self::Views => "views",
            Self::Functions => "functions",
            Self::Reach => "reach",
            Self::Partitions => "partitions",
            Self::Types => "types",
            Self::Grants => "grants",
            Self::Settings => "settings",
            Self::Names => "names",
            Self::Version => "version",
        }
    }
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Finding {
    /// Which rule found it.
    pub rule: Rule,
    /// The object, for example `table projects`.
    pub subject: String,
    /// What is wrong with it.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {}", self.rule.as_str(), self.subject, self.detail)
    }
}

const PREAMBLE: &str = include_str!("lint/preamble.sql");

const CHECKS: [(Rule, &str); 15] = [
    (Rule::Roles, include_str!("lint/roles.sql")),
    (Rule::RowSecurity, include_str!("lint/row_security.sql")),
    (Rule::TenantColumn, include_str!("lint/tenant_column.sql")),
    (Rule::UniqueKeys, include_str!("lint/unique_keys.sql")),
    (Rule::ForeignKeys, include_str!("lint/foreign_keys.sql")),
    (Rule::Policies, include_str!("lint/policies.sql")),
    (Rule::Views, include_str!("lint/views.sql")),
    (Rule::Functions, include_str!("lint/functions.sql")),
    (Rule::Reach, include_str!("lint/reach.sql")),
    (Rule::Partitions, include_str!("lint/partitions.sql")),
    (Rule::Types, include_str!("lint/types.sql")),
    (Rule::Grants, include_str!("lint/grants.sql")),
    (Rule::Settings, include_str!("lint/settings.sql")),
    (Rule::Names, include_str!("lint/names.sql")),
    (Rule::Version, include_str!("lint/version.sql")),
];

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Everything that is not as it must be, sorted; empty when tenants are kept apart. Any role may ask; one that
/// policies do not bind is itself a finding, so ask as the role that serves.
///
/// # Errors
/// The database's.
pub(crate) async fn lint(connection: &mut AsyncPgConnection) -> DbResult<Vec<Finding>> {
    let mut findings = Vec::new();
    let preamble = PREAMBLE.replace("{searched}", &searched());
    for (rule, check) in CHECKS {
        let query = format!(
            "select subject::text, detail::text from (\n{preamble}\n{check}\n) as answer (subject, detail)"
        );
        let answers: Vec<Answer> = sql_query(query).load(connection).await?;
        findings.extend(answers.into_iter().map(|Answer { subject, detail }| Finding {
            rule,
            subject,
            detail,
        }));
    }
    findings.sort();
    Ok(findings)
}

/// The searched tables and their titles, as rows of SQL. Both are constants.
fn searched() -> String {
    let rows =
        search::searched().map(|(resource, texts)| format!("('{}', '{}')", resource.table, texts.title));
    rows.collect::<Vec<_>>().join(", ")
}
