//! Rights: a scope names one kind of access to one resource, a role is a named set of scopes. Nothing here decides
//! who holds what; the operation table in `http` says which scope each operation asks for.

use std::fmt;

/// What may be done with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// See it.
    Read,
    /// Create and change it.
    Write,
    /// Remove it.
    Delete,
}

impl Action {
    /// Every action, in the order in which documents list them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Delete];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// What one operation asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `read:projects` and its like.
    Resource(Action, &'static str),
    /// `tenant:admin`: manage the tenant's people, clients and settings.
    TenantAdmin,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(action, resource) => write!(f, "{}:{resource}", action.as_str()),
            Self::TenantAdmin => f.write_str("tenant:admin"),
        }
    }
}

/// One right that a principal holds. Wider than [`Scope`], because a grant may be a wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Grant {
    /// `read:*`
    All(Action),
    /// `read:projects`
    One(Action, String),
    /// `tenant:admin`, also spelt `admin`
    TenantAdmin,
}

impl Grant {
    /// What both allow, if anything.
    fn meet(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::All(a), Self::All(b) | Self::One(b, _)) if a == b => Some(other.clone()),
            (Self::One(a, _), Self::All(b)) if a == b => Some(self.clone()),
            (one, another) => (one == another).then(|| one.clone()),
        }
    }
}

/// The rights that a principal holds. Empty means that it may do nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet {
    grants: Vec<Grant>,
}

impl ScopeSet {
    /// Reads scopes as they stand in a token or a command. A word that is not a scope grants nothing.
    #[must_use]
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self { grants: words.into_iter().filter_map(parse_grant).collect() }
    }

    /// Whether these rights allow what `scope` asks.
    #[must_use]
    pub fn allows(&self, scope: Scope) -> bool {
        self.grants.iter().any(|grant| match (grant, scope) {
            (Grant::TenantAdmin, Scope::TenantAdmin) => true,
            (Grant::All(held), Scope::Resource(asked, _)) => *held == asked,
            (Grant::One(held, name), Scope::Resource(asked, resource)) => *held == asked && name == resource,
            _ => false,
        })
    }

    /// Reads one scope strictly; `None` when it is not written as one.
    #[must_use]
    pub fn parse_one(word: &str) -> Option<Self> {
        parse_grant(word).map(|grant| Self { grants: vec![grant] })
    }

    /// Whether nothing is allowed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    /// Whether these rights include all of the others.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other
            .grants
            .iter()
            .all(|asked| self.grants.iter().any(|held| held.meet(asked).as_ref() == Some(asked)))
    }

    /// The rights that both have.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let met =
            self.grants.iter().flat_map(|held| other.grants.iter().filter_map(|asked| held.meet(asked)));
        Self::of(met)
    }

    /// The rights that either has.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::of(self.grants.iter().chain(&other.grants).cloned())
    }

    /// Each right once, and none that another includes.
    fn of(grants: impl IntoIterator<Item = Grant>) -> Self {
        let mut kept: Vec<Grant> = Vec::new();
        for grant in grants {
            if kept.iter().any(|held| held.meet(&grant).as_ref() == Some(&grant)) {
                continue;
            }
            kept.retain(|held| grant.meet(held).as_ref() != Some(held));
            kept.push(grant);
        }
        Self { grants: kept }
    }

    /// The scopes as words, as they stand in a token.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.grants
            .iter()
            .map(|grant| match grant {
                Grant::All(action) => format!("{}:*", action.as_str()),
                Grant::One(action, resource) => format!("{}:{resource}", action.as_str()),
                Grant::TenantAdmin => "tenant:admin".to_owned(),
            })
            .collect()
    }
}

fn parse_grant(word: &str) -> Option<Grant> {
    if word == "tenant:admin" || word == "admin" {
        return Some(Grant::TenantAdmin);
    }
    let (action, resource) = word.split_once(':')?;
    let action = Action::parse(action)?;
    match resource {
        "*" => Some(Grant::All(action)),
        name if !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') => {
            Some(Grant::One(action, name.to_owned()))
        }
        _ => None,
    }
}

/// A person's role within its tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, and cannot be removed while it is the last one.
    Owner,
    /// Everything.
    Admin,
    /// Works with every resource, manages nobody.
    Member,
    /// Sees every resource.
    Viewer,
}

impl Role {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// The role's name, as stored and as it stands in a token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// Reads a role's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether it is more powerful than the other.
    #[must_use]
    pub fn is_above(self, other: Self) -> bool {
        let place = |wanted| Self::ALL.into_iter().position(|role| role == wanted);
        place(self) < place(other)
    }

    /// The scopes that the role stands for.
    #[must_use]
    pub fn scopes(self) -> ScopeSet {
        let read = Grant::All(Action::Read);
        let change = [Grant::All(Action::Write), Grant::All(Action::Delete)];
        let grants = match self {
            Self::Viewer => vec![read],
            Self::Member => [vec![read], change.to_vec()].concat(),
            Self::Admin | Self::Owner => [vec![read], change.to_vec(), vec![Grant::TenantAdmin]].concat(),
        };
        ScopeSet { grants }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Role, Scope, ScopeSet};

    const READ_PROJECTS: Scope = Scope::Resource(Action::Read, "projects");
    const WRITE_PROJECTS: Scope = Scope::Resource(Action::Write, "projects");

    #[test]
    fn a_scope_allows_itself_a_wildcard_allows_its_action_and_rubbish_allows_nothing() {
        assert!(ScopeSet::parse(["read:projects"]).allows(READ_PROJECTS));
        assert!(!ScopeSet::parse(["read:projects"]).allows(WRITE_PROJECTS));
        assert!(!ScopeSet::parse(["read:tasks"]).allows(READ_PROJECTS));
        assert!(ScopeSet::parse(["read:*"]).allows(READ_PROJECTS));
        assert!(!ScopeSet::parse(["read:*"]).allows(WRITE_PROJECTS));
        for rubbish in ["", "*", "*:*", "read", "read:", "READ:projects", "read:projects:x", ":projects"] {
            assert!(!ScopeSet::parse([rubbish]).allows(READ_PROJECTS), "{rubbish}");
        }
    }

    #[test]
    fn tenant_admin_does_not_imply_reading_and_reading_everything_does_not_imply_admin() {
        assert!(!ScopeSet::parse(["tenant:admin"]).allows(READ_PROJECTS));
        assert!(!ScopeSet::parse(["read:*", "write:*"]).allows(Scope::TenantAdmin));
    }

    #[test]
    fn an_intersection_allows_what_both_allow_and_covering_is_containment() {
        let set = |words: &[&str]| ScopeSet::parse(words.iter().copied());
        let cases: [(&[&str], &[&str], &[&str]); 5] = [
            (&["read:*"], &["read:projects", "write:projects"], &["read:projects"]),
            (&["read:projects"], &["read:*"], &["read:projects"]),
            (&["read:*", "write:*"], &["read:*"], &["read:*"]),
            (&["read:projects"], &["read:tasks", "tenant:admin"], &[]),
            (&["read:*", "read:projects"], &["read:projects"], &["read:projects"]),
        ];
        for (a, b, both) in cases {
            assert_eq!(set(a).intersection(&set(b)), set(both), "{a:?} {b:?}");
            assert!(set(a).covers(&set(both)) && set(b).covers(&set(both)));
        }
        assert!(set(&["read:*"]).covers(&set(&["read:projects", "read:tasks"])));
        assert!(
            !set(&["read:projects"]).covers(&set(&["read:*"])),
            "a wildcard is more than what is there today"
        );
        assert!(!set(&["read:*", "write:*", "delete:*"]).covers(&set(&["tenant:admin"])));
        assert_eq!(set(&["read:projects"]).union(&set(&["read:*"])), set(&["read:*"]));
    }

    #[test]
    fn roles_grow_from_viewer_to_owner() {
        assert!(Role::Viewer.scopes().allows(READ_PROJECTS));
        assert!(!Role::Viewer.scopes().allows(WRITE_PROJECTS));
        assert!(Role::Member.scopes().allows(WRITE_PROJECTS));
        assert!(!Role::Member.scopes().allows(Scope::TenantAdmin));
        assert!(Role::Admin.scopes().allows(Scope::TenantAdmin));
        let owner = Role::Owner.scopes();
        assert_eq!(
            ScopeSet::parse(owner.words().iter().map(String::as_str)),
            owner,
            "words read back as the same set"
        );
    }
}
