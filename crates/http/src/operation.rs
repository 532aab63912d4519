//! Operations: what is served, as data. One list of them drives routing, enforcement of scopes, OpenAPI and the tests;
//! an operation cannot be written down without saying who may call it.

use std::borrow::Cow;

use actix_web::http::Method;
use bulkhead_domain::scope::Scope;
use utoipa::openapi::path::OperationBuilder;

use crate::openapi::describe::Component;

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// Whoever has a valid access token.
    Authenticated,
    /// Whoever has a valid access token with this scope.
    Scoped(Scope),
}

/// What its callers are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// By nothing.
    None,
    /// By address: they try credentials, and have proved nothing yet.
    Address,
    /// By address, apart from credentials: they ask whether there is somebody of a name.
    Lookup,
    /// By principal and by tenant: they have a valid access token.
    Principal,
}

/// One method on one path.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The OpenAPI operation id, as `drf-spectacular` would name it.
    pub id: Cow<'static, str>,
    /// The method.
    pub method: Method,
    /// The path with its final slash; it is served without it as well.
    pub path: Cow<'static, str>,
    /// Who may call it.
    pub access: Access,
    /// What its callers are counted by.
    pub limit: Limit,
}

/// An operation with its description and its handler.
pub(crate) struct Endpoint {
    pub(crate) operation: Operation,
    pub(crate) description: OperationBuilder,
    pub(crate) components: Vec<Component>,
    pub(crate) route: actix_web::Route,
}

/// The operations of one path, found by its handlers through the request.
#[derive(Clone, Debug)]
pub(crate) struct PathOperations(pub(crate) std::rc::Rc<[Operation]>);

impl PathOperations {
    /// The operation that serves `method`; HEAD is served as GET.
    pub(crate) fn serving(&self, method: &Method) -> Option<&Operation> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.iter().find(|operation| operation.method == *method)
    }

    /// The methods for `Allow`.
    pub(crate) fn allow(&self) -> String {
        let mut methods: Vec<&str> = Vec::new();
        for operation in self.0.iter() {
            methods.push(operation.method.as_str());
            if operation.method == Method::GET {
                methods.push("HEAD");
            }
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }
}
