//! The rules on who may do what to whom among a tenant's people. Whether somebody is who it says, and in which transaction
//! the rules are asked, is decided elsewhere.

use uuid::Uuid;

use crate::code::Code;
use crate::scope::Role;

/// Why something is not done to a person or an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Whoever acts does not administrate the tenant, or no longer.
    NotAdministrator,
    /// It would give, or change, a role above that of whoever acts.
    AboveOwn,
    /// It would change the role or the status of whoever acts.
    OwnAccount,
    /// It would leave the tenant without an active owner.
    LastOwner,
    /// Other rows name the person.
    Referenced,
    /// The invitation was accepted or revoked before.
    InvitationOver,
}

impl Refusal {
    /// The code that it is told under.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::NotAdministrator | Self::AboveOwn | Self::OwnAccount => Code::PermissionDenied,
            Self::LastOwner => Code::LastOwner,
            Self::Referenced => Code::InUse,
            Self::InvitationOver => Code::Conflict,
        }
    }

    /// What is told.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NotAdministrator => "Only an administrator of the tenant may do this.",
            Self::AboveOwn => "Nobody can give, change or remove a role above the own.",
            Self::OwnAccount => {
                "Nobody can change the role or the status of the own account, or remove it; the own address is changed at \
                 profile/email/."
            }
            Self::LastOwner => "A tenant keeps at least one active owner. Make somebody else one first.",
            Self::Referenced => "Other rows name this person. Deactivate the account instead of deleting it.",
            Self::InvitationOver => "The invitation was accepted or revoked before.",
        }
    }
}

/// What the rules look at in a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The role.
    pub role: Role,
    /// Whether it may log in.
    pub active: bool,
}

impl Standing {
    const fn is_active_owner(self) -> bool {
        matches!(self, Self { role: Role::Owner, active: true })
    }
}

/// Whoever administrates a tenant's people, as it is at the moment of the deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manager {
    role: Role,
    /// The person, unless it is a machine.
    id: Option<Uuid>,
}

impl Manager {
    /// A person of the tenant.
    ///
    /// # Errors
    /// [`Refusal::NotAdministrator`].
    pub fn person(id: Uuid, now: Standing) -> Result<Self, Refusal> {
        if !now.active || Role::Admin.is_above(now.role) {
            return Err(Refusal::NotAdministrator);
        }
        Ok(Self { role: now.role, id: Some(id) })
    }

    /// A machine that may administrate: it counts as an administrator, never as an owner.
    #[must_use]
    pub const fn machine() -> Self {
        Self { role: Role::Admin, id: None }
    }

    /// Whether it is this person.
    #[must_use]
    pub fn is(&self, person: Uuid) -> bool {
        self.id == Some(person)
    }

    /// Whether it may give this role, or touch what has it.
    ///
    /// # Errors
    /// [`Refusal::AboveOwn`].
    pub fn reaches(&self, role: Role) -> Result<(), Refusal> {
        if role.is_above(self.role) { Err(Refusal::AboveOwn) } else { Ok(()) }
    }

    /// Whether it may make of a person what it shall be `after`; `None` is to remove it. `another_owner` says whether the
    /// tenant has another active owner.
    ///
    /// # Errors
    /// The first rule that is against it.
    pub fn judge(
        &self,
        person: Uuid,
        before: Standing,
        after: Option<Standing>,
        another_owner: bool,
    ) -> Result<(), Refusal> {
        self.reaches(before.role)?;
        after.map_or(Ok(()), |after| self.reaches(after.role))?;
        let stays_owner = after.is_some_and(Standing::is_active_owner);
        if before.is_active_owner() && !stays_owner && !another_owner {
            return Err(Refusal::LastOwner);
        }
        if self.is(person) && after != Some(before) {
            return Err(Refusal::OwnAccount);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Manager, Refusal, Standing};
    use crate::scope::Role;

    const ME: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    const fn active(role: Role) -> Standing {
        Standing { role, active: true }
    }

    fn person(role: Role) -> Manager {
        Manager::person(ME, active(role)).expect("an administrator")
    }

    #[test]
    fn only_active_owners_and_admins_manage_anybody() {
        for role in Role::ALL {
            let manages = matches!(role, Role::Owner | Role::Admin);
            assert_eq!(Manager::person(ME, active(role)).is_ok(), manages, "{role:?}");
            let disabled = Standing { role, active: false };
            assert_eq!(Manager::person(ME, disabled), Err(Refusal::NotAdministrator));
        }
    }

    /// Every manager, every role before and every one after, or none: allowed exactly where neither is above the own.
    #[test]
    fn nobody_gives_changes_or_removes_a_role_above_the_own() {
        for (manager, own) in [
            (person(Role::Owner), Role::Owner),
            (person(Role::Admin), Role::Admin),
            (Manager::machine(), Role::Admin),
        ] {
            for before in Role::ALL {
                for after in Role::ALL.map(Some).into_iter().chain([None]) {
                    let above = |role: Role| role == Role::Owner && own == Role::Admin;
                    let expected = if above(before) || after.is_some_and(above) {
                        Err(Refusal::AboveOwn)
                    } else {
                        Ok(())
                    };
                    let judged = manager.judge(OTHER, active(before), after.map(active), true);
                    assert_eq!(judged, expected, "{own:?} makes {after:?} of {before:?}");
                }
            }
        }
    }

    #[test]
    fn nobody_changes_the_own_role_or_status_and_anybody_the_rest_of_itself() {
        let me = person(Role::Admin);
        let before = active(Role::Admin);
        assert_eq!(me.judge(ME, before, Some(before), true), Ok(()));
        let disabled = Standing { active: false, ..before };
        for after in [Some(active(Role::Member)), Some(disabled), None] {
            assert_eq!(me.judge(ME, before, after, true), Err(Refusal::OwnAccount), "{after:?}");
        }
    }

    #[test]
    fn the_last_active_owner_stays_one() {
        let me = person(Role::Owner);
        let before = active(Role::Owner);
        let disabled = Standing { active: false, ..before };
        for after in [Some(active(Role::Admin)), Some(disabled), None] {
            assert_eq!(me.judge(ME, before, after, false), Err(Refusal::LastOwner), "{after:?}");
            assert_eq!(me.judge(OTHER, before, after, false), Err(Refusal::LastOwner), "{after:?}");
            assert_eq!(me.judge(OTHER, before, after, true), Ok(()), "{after:?}");
            assert_eq!(me.judge(OTHER, disabled, after, false), Ok(()), "a disabled one counts for nothing");
        }
    }
}
