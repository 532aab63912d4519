//! Describes an endpoint for OpenAPI while it is being put together: what it takes, what it answers, what it refuses.

use actix_web::http::Method;
use actix_web::{Handler, Responder, Route, guard, web};
use bulkhead_domain::code::Code;
use utoipa::ToSchema;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Required, ResponseBuilder};

use crate::limits::report;
use crate::oauth;
use crate::operation::{Access, Endpoint, Limit, Operation};
use crate::problem::ProblemDocument;

/// A schema that operations refer to by its name. It is made only where the document is written: every worker makes its own
/// endpoints, most of them name the same few schemas, and only the document wants to know what is in them.
pub(crate) struct Component {
    pub(crate) name: String,
    /// Adds the schema, and those that it refers to.
    pub(crate) add_to: fn(&mut Vec<(String, RefOr<Schema>)>),
}

/// The security scheme of whoever has a token.
pub(crate) const BEARER: &str = "bearerAuth";
/// The security scheme of clients, who get their token with their secret.
pub(crate) const OAUTH: &str = "clientCredentials";

impl Endpoint {
    /// An endpoint: what it is called, who may call it, and what answers.
    pub(crate) fn new<F, Args>(
        method: Method,
        path: impl Into<std::borrow::Cow<'static, str>>,
        id: impl Into<std::borrow::Cow<'static, str>>,
        access: Access,
        handler: F,
    ) -> Self
    where
        F: Handler<Args>,
        Args: actix_web::FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let limit = if access == Access::Public { Limit::None } else { Limit::Principal };
        let operation = Operation { id: id.into(), method: method.clone(), path: path.into(), access, limit };
        let mut description = OperationBuilder::new().operation_id(Some(operation.id.clone()));
        for name in operation.path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            description = description.parameter(
                ParameterBuilder::new()
                    .name(name)
                    .parameter_in(ParameterIn::Path)
                    .required(Required::True)
                    .schema(Some(if name == "id" { uuid() } else { string() })),
            );
        }
        let route = if method == Method::GET {
            Route::new().guard(guard::Any(guard::Get()).or(guard::Head())).to(handler)
        } else {
            web::method(method).to(handler)
        };
        let endpoint = Self { operation, description, components: Vec::new(), route };
        endpoint.usual_refusals()
    }

    fn usual_refusals(mut self) -> Self {
        let access = self.operation.access;
        if let Access::Authenticated | Access::Scoped(_) = access {
            // For a bearer scheme the list holds role names (OpenAPI 3.1 §4.8.30): here, the one scope.
            let scopes: Vec<String> = match access {
                Access::Scoped(scope) => vec![scope.to_string()],
                _ => Vec::new(),
            };
            self.description = self.description.security(SecurityRequirement::new(BEARER, scopes.clone()));
            // For an OAuth 2 scheme it holds scopes proper: a client gets such a token by itself.
            self.description = self.description.security(SecurityRequirement::new(OAUTH, scopes));
            self = self.refuses(Code::NotAuthenticated).refuses(Code::CrossTenantAccess).throttles();
            if let Access::Scoped(_) = access {
                self = self.refuses(Code::InsufficientScope);
            }
        }
        if self.operation.path.contains('{') {
            self = self.refuses(Code::NotFound);
        }
        self.refuses(Code::Invalid).refuses(Code::InternalError).refuses(Code::Unavailable)
    }

    /// It tries credentials: its callers are counted by address, before their body is read.
    pub(crate) fn tries_credentials(mut self) -> Self {
        self.operation.limit = Limit::Address;
        self.throttles()
    }

    /// It tells whether there is somebody of a name: its callers are counted by address, apart from credentials.
    pub(crate) fn looks_up(mut self) -> Self {
        self.operation.limit = Limit::Lookup;
        self.throttles()
    }

    fn throttles(self) -> Self {
        let wait = [("Retry-After", "Seconds until the next request may succeed, at least 1.")];
        self.refuses_with(Code::Throttled, wait.iter().chain(&report::FIELDS))
    }

    /// Under which heading it stands.
    pub(crate) fn tag(mut self, tag: &str) -> Self {
        self.description = self.description.tag(tag);
        self
    }

    /// What it does, in a line.
    pub(crate) fn summary(mut self, text: impl Into<String>) -> Self {
        self.description = self.description.summary(Some(text));
        self
    }

    /// What it does, at length.
    pub(crate) fn about(mut self, text: impl Into<String>) -> Self {
        self.description = self.description.description(Some(text));
        self
    }

    /// A query parameter.
    pub(crate) fn query(mut self, name: &str, text: &str, schema: impl Into<RefOr<Schema>>) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .description(Some(text))
            .schema(Some(schema));
        self.description = self.description.parameter(parameter);
        self
    }

    /// A request header.
    pub(crate) fn header(mut self, name: &str, text: &str) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .description(Some(text))
            .schema(Some(string()));
        self.description = self.description.parameter(parameter);
        self
    }

    /// A body in any of these media types.
    pub(crate) fn takes<T: ToSchema>(self, media_types: &[&str]) -> Self {
        self.takes_body::<T>(media_types, Required::True)
    }

    /// The same, which may be left out.
    pub(crate) fn takes_optionally<T: ToSchema>(self, media_types: &[&str]) -> Self {
        self.takes_body::<T>(media_types, Required::False)
    }

    fn takes_body<T: ToSchema>(mut self, media_types: &[&str], required: Required) -> Self {
        let reference = self.component::<T>();
        let mut body = RequestBodyBuilder::new().required(Some(required));
        for media_type in media_types {
            body = body.content(*media_type, ContentBuilder::new().schema(Some(reference.clone())).build());
        }
        self.description = self.description.request_body(Some(body.build()));
        self.refuses(Code::TooLarge).refuses(Code::UnsupportedMediaType).refuses(Code::RequestTimeout)
    }

    /// A JSON answer.
    pub(crate) fn answers<T: ToSchema>(mut self, status: u16, text: &str, headers: &[(&str, &str)]) -> Self {
        let reference = self.component::<T>();
        self.answer(status, text, headers, reference)
    }

    fn answer(mut self, status: u16, text: &str, headers: &[(&str, &str)], schema: RefOr<Schema>) -> Self {
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let mut response = ResponseBuilder::new().description(text).content("application/json", content);
        for (name, about) in headers {
            response = response.header(*name, header(about));
        }
        self.description = self.description.response(status.to_string(), response.build());
        self
    }

    /// A JSON answer that is a bare array.
    pub(crate) fn answers_array<T: ToSchema>(mut self, text: &str, headers: &[(&str, &str)]) -> Self {
        let items = self.component::<T>();
        let array = Schema::Array(ArrayBuilder::new().items(items).build());
        self.answer(200, text, headers, RefOr::T(array))
    }

    /// An answer without a body, or with one that is no JSON.
    pub(crate) fn answers_plainly(mut self, status: u16, text: &str, media_type: Option<&str>) -> Self {
        let mut response = ResponseBuilder::new().description(text);
        if let Some(media_type) = media_type {
            response = response.content(media_type, ContentBuilder::new().schema(Some(string())).build());
        }
        self.description = self.description.response(status.to_string(), response.build());
        self
    }

    /// A refusal.
    pub(crate) fn refuses(self, code: Code) -> Self {
        self.refuses_with(code, [].iter())
    }

    fn refuses_with<'a>(mut self, code: Code, headers: impl Iterator<Item = &'a (&'a str, &'a str)>) -> Self {
        let (reference, media_type) = if oauth::error::applies_to(&self.operation.path) {
            (self.component::<oauth::error::OauthError<'static>>(), "application/json")
        } else {
            (self.component::<ProblemDocument<'static>>(), "application/problem+json")
        };
        let content = ContentBuilder::new().schema(Some(reference)).build();
        let mut response = ResponseBuilder::new().description(code.title()).content(media_type, content);
        for (name, about) in headers {
            response = response.header(*name, header(about));
        }
        self.description = self.description.response(code.status().to_string(), response.build());
        self
    }

    fn component<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        if self.components.iter().all(|known| known.name != name) {
            self.components.push(Component { name: name.clone(), add_to: add::<T> });
        }
        RefOr::Ref(Ref::from_schema_name(name))
    }
}

fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    T::schemas(schemas);
    schemas.push((T::name().into_owned(), T::schema()));
}

fn header(about: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new().description(Some(about)).schema(Some(string())).build()
}

fn string() -> RefOr<Schema> {
    RefOr::T(ObjectBuilder::new().schema_type(Type::String).build().into())
}

fn uuid() -> RefOr<Schema> {
    use utoipa::openapi::schema::{KnownFormat, SchemaFormat};
    let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    RefOr::T(ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build().into())
}
