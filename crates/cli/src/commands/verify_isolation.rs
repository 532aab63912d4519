//! `bulkhead verify-isolation`: the checks that a server makes of its database before it serves, as the roles that serve. It reads the
//! catalogue and no tenant's row, so it may run against production at any time.

use bulkhead_http::{ServeError, check_databases};
use serde_json::json;

use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;

/// Says whether every barrier between tenants is in place; fails and names them when some are not.
pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let databases = Databases::open(context)?;
    let (app, auth) = (databases.connect(Purpose::App)?, databases.connect(Purpose::Auth)?);
    block_on(async { Ok(check_databases(&app, &auth).await.map_err(ServeError::from)?) })?;
    context.output.tell(&json!({ "sound": true }), "every barrier between tenants is in place");
    Ok(())
}
