//! Who acts on the tenant's people, read and locked within the transaction of the deed: a token may be older than a
//! demotion, and two administrators may act on each other at the same moment.

use bulkhead_domain::members::{Manager, Refusal};
use bulkhead_domain::principal::PrincipalKind;
use bulkhead_domain::scope::{Role, Scope};
use bulkhead_domain::tenant::TenantScope;
use diesel::prelude::*;
use uuid::Uuid;

use super::Member;
use crate::audit::Actor;
use crate::clients::ApiClients;
use crate::error::{DbError, DbResult};
use crate::schema::users;
use crate::write::WriteTx;

/// Everything that the rules look at when something is done to a person.
pub(super) struct Scene {
    pub(super) manager: Manager,
    pub(super) person: Member,
    /// Whether somebody else is an active owner.
    pub(super) another_owner: bool,
}

/// Whoever the transaction works for, as it is now and stays until the transaction ends.
pub(crate) async fn manager(tx: &mut WriteTx<'_>) -> DbResult<Manager> {
    let scope = principal(tx)?;
    if scope.kind() != PrincipalKind::User {
        return machine(tx, scope).await;
    }
    let me = tx
        .run(async |s| {
            let row = users::table.filter(users::tenant_id.eq(s.tenant()).and(users::id.eq(scope.actor())));
            s.optional(row.select(Member::as_select()).for_share()).await
        })
        .await?;
    of_person(me.as_ref())
}

/// Locks a person, whoever acts, and the tenant's owners, in the order of their ids, so that of two deeds on them the
/// second sees what the first did, and neither waits for the other in a ring.
pub(super) async fn scene(tx: &mut WriteTx<'_>, id: Uuid, expected: Option<i64>) -> DbResult<Scene> {
    let scope = principal(tx)?;
    let is_person = scope.kind() == PrincipalKind::User;
    let machine = if is_person { None } else { Some(machine(tx, scope).await?) };
    let me = if is_person { scope.actor() } else { Uuid::nil() };
    let people: Vec<Member> = tx
        .run(async |s| {
            let wanted = users::id.eq(id).or(users::id.eq(me)).or(users::role.eq(Role::Owner.as_str()));
            let rows = users::table.filter(users::tenant_id.eq(s.tenant())).filter(wanted);
            s.many(rows.order(users::id).select(Member::as_select()).for_update()).await
        })
        .await?;
    let manager = match machine {
        Some(machine) => machine,
        None => of_person(people.iter().find(|person| person.id == me))?,
    };
    let is_owner = |person: &Member| person.is_active && person.role == Role::Owner.as_str();
    let another_owner = people.iter().any(|person| person.id != id && is_owner(person));
    let person = people.into_iter().find(|person| person.id == id).ok_or(DbError::NotFound)?;
    if expected.is_some_and(|version| version != person.version) {
        return Err(DbError::Stale);
    }
    Ok(Scene { manager, person, another_owner })
}

fn of_person(me: Option<&Member>) -> DbResult<Manager> {
    let me = me.ok_or(DbError::Refused(Refusal::NotAdministrator))?;
    Ok(Manager::person(me.id, me.standing()?)?)
}

/// A client is what its row says now. Of a service there is nothing but its token, which was verified.
async fn machine(tx: &mut WriteTx<'_>, scope: TenantScope) -> DbResult<Manager> {
    if scope.kind() == PrincipalKind::Client {
        let client = ApiClients::lock(tx, scope.actor()).await;
        let administrates =
            client.is_ok_and(|client| client.is_active && client.rights().allows(Scope::TenantAdmin));
        if !administrates {
            return Err(DbError::Refused(Refusal::NotAdministrator));
        }
    }
    Ok(Manager::machine())
}

/// Whoever the transaction works for.
pub(crate) fn principal(tx: &WriteTx<'_>) -> DbResult<TenantScope> {
    match tx.actor() {
        Actor::Principal(scope) => Ok(scope),
        Actor::Operator(_) | Actor::System => Err(DbError::Internal("nobody's rules to ask".to_owned())),
    }
}
