//! What one worker thread holds: its connections, its memory of verified tokens, and the services that all share.

use std::cell::RefCell;
use std::sync::Arc;

use bulkhead_auth::cache::VerifiedCache;
use bulkhead_auth::token::{Tokens, Verified};
use bulkhead_auth::token_error::TokenError;
use bulkhead_domain::clock::now;
use bulkhead_persistence::credentials::AuthDb;
use bulkhead_persistence::tenant_db::Db;

use crate::limits::Limits;
use crate::settings::{HttpSettings, Services};
use crate::state::State;

/// Tokens that one worker remembers: about 5 MB when full.
const REMEMBERED_TOKENS: usize = 10_000;

/// One worker's share of the server.
pub(crate) struct Worker {
    pub(crate) db: Db,
    pub(crate) auth: AuthDb,
    pub(crate) services: Services,
    pub(crate) settings: Arc<HttpSettings>,
    pub(crate) state: Arc<State>,
    pub(crate) limits: Arc<Limits>,
    tokens_seen: RefCell<VerifiedCache>,
}

impl Worker {
    pub(crate) fn new(
        services: Services,
        settings: Arc<HttpSettings>,
        state: Arc<State>,
        limits: Arc<Limits>,
    ) -> Self {
        Self {
            db: Db::new(services.app_database.clone(), services.pool),
            auth: AuthDb::new(services.auth_database.clone(), services.pool),
            services,
            settings,
            state,
            limits,
            tokens_seen: RefCell::new(VerifiedCache::new(REMEMBERED_TOKENS)),
        }
    }

    /// Issues and verifies access tokens.
    pub(crate) fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.services.keyring.current().tokens)
    }

    /// Verifies an access token, from memory when it was seen before.
    pub(crate) fn verify(&self, token: &str) -> Result<Arc<Verified>, TokenError> {
        self.tokens_seen.borrow_mut().verify_cached(&self.services.keyring.current().tokens, token, now())
    }
}
