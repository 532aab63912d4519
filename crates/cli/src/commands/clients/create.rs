//! `bulkhead create-api-client`: a client with its first secret, which is shown this once.

use bulkhead_auth::client_secret;
use bulkhead_domain::clients::ApiClientFields;
use bulkhead_domain::clock::now;
use bulkhead_domain::field::{Field as _, FieldErrors, Fields as _};
use bulkhead_domain::ids::ClientId;
use bulkhead_domain::tenant::TenantName;
use bulkhead_persistence::platform::{Platform, PlatformError};
use bulkhead_persistence::{ApiClients, Created};
use chrono::{SecondsFormat, TimeDelta};
use clap::Args;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::parse_time;
use crate::context::{Context, block_on};
use crate::databases::{Databases, Purpose};
use crate::failure::Failure;

/// Its arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  bulkhead create-api-client --tenant acme --name Billing --roles read,write --scopes read:*,write:projects
  bulkhead create-api-client --tenant acme --name Reports --scopes read:projects --allowed-ips 10.0.0.0/8 --expires-in 90d

What a client may do is what its roles allow (read: see; write: see, change, delete; admin: everything), narrowed to its
scopes if it has any. Scopes alone stand for themselves. The secret is shown once and cannot be shown again.")]
pub(crate) struct CreateArguments {
    /// The tenant, by slug or id
    #[arg(long)]
    tenant: String,
    /// The client's name, unique within the tenant
    #[arg(long)]
    name: String,
    /// Roles: read, write, admin
    #[arg(long, value_delimiter = ',', num_args = 1..)]
    roles: Vec<String>,
    /// Scopes: read:projects, write:*, tenant:admin and their like
    #[arg(long, value_delimiter = ',', num_args = 1..)]
    scopes: Vec<String>,
    /// What it is for
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// Addresses or networks that it may call from [default: anywhere]
    #[arg(long, value_delimiter = ',', num_args = 1.., value_name = "CIDR")]
    allowed_ips: Vec<String>,
    /// Requests an hour [default: the server's limit]
    #[arg(long, value_name = "N")]
    rate_limit: Option<i64>,
    /// When it ends: 24h, 90d [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    expires_in: Option<TimeDelta>,
    /// Print one JSON document, as --json does
    #[arg(long)]
    output_json: bool,
}

impl CreateArguments {
    /// The fields, read by the same rules as a request's.
    fn fields(&self) -> Result<ApiClientFields, Failure> {
        let ends = self.expires_in.map(|time| (now() + time).to_rfc3339_opts(SecondsFormat::Secs, true));
        let given =
            |words: &[String]| words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>();
        let mut body = Map::new();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("name", json!(self.name));
        put("description", json!(self.description));
        put("roles", json!(given(&self.roles)));
        put("scopes", json!(given(&self.scopes)));
        put("allowed_ips", json!(given(&self.allowed_ips)));
        put("rate_limit", json!(self.rate_limit));
        put("expires_at", json!(ends));
        let fields = ApiClientFields::from_object(body).map_err(Failure::Invalid)?;
        match bulkhead_http::unknown_scopes(&fields.scopes.clone().into_column()) {
            Some(sentence) => {
                Err(Failure::Invalid(FieldErrors::from([("scopes".to_owned(), vec![sentence])])))
            }
            None => Ok(fields),
        }
    }
}

/// Creates the client.
pub(in crate::commands) fn run(context: &Context, arguments: &CreateArguments) -> Result<(), Failure> {
    let fields = arguments.fields()?;
    let databases = Databases::open(context)?;
    let connection = databases.connect(Purpose::Platform)?;
    let (id, secret) = (ClientId::generate(), client_secret::generate());
    let stored = bulkhead_http::stored_secret(&secret, None);
    let created = block_on(async {
        let mut platform = Platform::connect(&connection, &context.operator).await?;
        let tenant = platform
            .find_tenant(&TenantName::from_body(&arguments.tenant))
            .await?
            .ok_or(PlatformError::UnknownTenant)?;
        let created = platform
            .in_active_tenant(tenant.id, async |tx| ApiClients::create(tx, id, fields, stored).await)
            .await?;
        Ok(created)
    })?;
    let document = document(&created, secret.plain.expose_secret());
    if arguments.output_json {
        context.output.document(&serde_json::to_string_pretty(&document).unwrap_or_default());
    } else {
        let base = context.configuration.settings.server.base_url();
        context.output.tell(&document, &text(&created, secret.plain.expose_secret(), &base));
    }
    if created.client.rights().is_empty() {
        context.output.note("warning: the client has neither roles nor scopes, so it may do nothing");
    }
    Ok(())
}

/// The keys that the older system's users know, and the rest of the row.
fn document(created: &Created, secret: &str) -> Value {
    let mut document = serde_json::to_value(&created.client).unwrap_or_default();
    if let Value::Object(members) = &mut document {
        members.insert("client_secret".to_owned(), json!(secret));
        members.insert("tenant".to_owned(), json!(created.tenant));
    }
    document
}

fn text(created: &Created, secret: &str, base: &str) -> String {
    let client = &created.client;
    let list = |words: &[String], none: &str| {
        if words.is_empty() { none.to_owned() } else { words.join(", ") }
    };
    let rights = client.rights().words();
    format!(
        "created API client {} in {}\n\n\
         client_id      {}\n\
         client_secret  {secret}\n\n\
         roles          {}\n\
         scopes         {}\n\
         may            {}\n\
         from           {}\n\
         ends           {}\n\n\
         Keep the secret now: it cannot be shown again. To get a token (curl asks for the secret):\n\n  \
         curl -u {} -d grant_type=client_credentials {base}/oauth/token",
        client.name,
        created.tenant.slug,
        client.client_id,
        list(&client.roles, "none"),
        list(&client.scopes, "none"),
        list(&rights, "do nothing"),
        list(&client.allowed_ips, "anywhere"),
        client.expires_at.map_or_else(|| "never".to_owned(), |end| end.to_rfc3339()),
        client.client_id,
    )
}
