//! The served OpenAPI document as a contract: which operation answers a request, and whether an answer is one that the
//! operation documents.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::http::Response;

/// One documented operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// GET, POST and so on.
    pub method: String,
    /// The path template, with its final slash.
    pub path: String,
    /// Its name.
    pub id: String,
    /// Its description.
    pub value: Value,
}

impl Operation {
    /// The scopes that it asks for: `None` when it is public, empty when any token will do.
    #[must_use]
    pub fn scopes(&self) -> Option<Vec<String>> {
        let security = self.value.get("security")?.as_array()?.first()?;
        let scopes = security["bearerAuth"].as_array()?;
        Some(scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// Names of its parameters in this place.
    #[must_use]
    pub fn parameters(&self, place: &str) -> Vec<(String, Value)> {
        let all = self.value["parameters"].as_array().cloned().unwrap_or_default();
        let here = all.into_iter().filter(|parameter| parameter["in"] == place);
        here.map(|parameter| (parameter["name"].as_str().expect("a name").to_owned(), parameter)).collect()
    }

    /// The schema of its JSON body.
    #[must_use]
    pub fn body(&self) -> Option<&Value> {
        self.value.pointer("/requestBody/content/application~1json/schema")
    }
}

/// The contract.
pub struct Contract {
    document: Value,
    operations: Vec<Operation>,
    /// The components, with objects closed: an undocumented member is as wrong as a missing one.
    closed: Value,
    validators: Mutex<HashMap<String, std::sync::Arc<Validator>>>,
}

impl Contract {
    /// Reads the document.
    #[must_use]
    pub fn new(document: Value) -> Self {
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, value) in item.as_object().expect("a path item") {
                let id = value["operationId"].as_str().expect("an operation id").to_owned();
                operations.push(Operation {
                    method: method.to_uppercase(),
                    path: path.clone(),
                    id,
                    value: value.clone(),
                });
            }
        }
        let closed = closed(&document["components"]);
        Self { document, operations, closed, validators: Mutex::default() }
    }

    /// The document.
    #[must_use]
    pub const fn document(&self) -> &Value {
        &self.document
    }

    /// Every operation.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Follows a reference within the document.
    #[must_use]
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let target = reference.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
                self.resolve(target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => schema,
        }
    }

    /// The operation that answers this request; HEAD is answered by GET.
    #[must_use]
    pub fn operation(&self, method: &str, target: &str) -> Option<&Operation> {
        let method = if method == "HEAD" { "GET" } else { method };
        let path = target.split('?').next().unwrap_or_default().trim_end_matches('/');
        let matches = |template: &str| {
            let (template, path) = (template.trim_end_matches('/').split('/'), path.split('/'));
            template.clone().count() == path.clone().count()
                && template
                    .zip(path)
                    .all(|(want, got)| want == got || (want.starts_with('{') && !got.is_empty()))
        };
        let mut found = self.operations.iter().filter(|known| known.method == method && matches(&known.path));
        // A path without a variable goes before one with.
        let first = found.clone().find(|known| !known.path.contains('{'));
        first.or_else(|| found.next())
    }

    /// Insists that the answer is one that its operation documents.
    ///
    /// # Panics
    /// When it is not.
    pub fn check(&self, method: &str, target: &str, response: &Response) {
        let content_type = response.header("content-type").unwrap_or_default();
        if response.status >= 400 && method != "HEAD" && !target.starts_with("/health") {
            self.check_refusal(target, content_type, response);
        }
        let Some(operation) = self.operation(method, target) else { return };
        let documented = &operation.value["responses"][response.status.to_string()];
        // What the server refuses by the head of a request alone, any operation may answer.
        let general = [414, 431].contains(&response.status);
        assert!(
            !documented.is_null() || general,
            "{} is not documented for {}: {response}",
            response.status,
            operation.id
        );
        if method == "HEAD" || response.status >= 400 {
            return;
        }
        let Some(content) = documented["content"].as_object() else {
            assert!(response.body.is_empty(), "{response}");
            return;
        };
        let schema =
            &content.get(content_type).unwrap_or_else(|| panic!("{content_type}: {response}"))["schema"];
        self.validate(&format!("{} {}", operation.id, response.status), schema, response);
    }

    /// Refusals are problem documents, and under `/oauth/` what RFC 6749 §5.2 says.
    fn check_refusal(&self, target: &str, content_type: &str, response: &Response) {
        if target.starts_with("/oauth/") {
            assert_eq!(content_type, "application/json", "{response}");
            let error = json!({ "$ref": "#/components/schemas/OauthError" });
            return self.validate("OauthError", &error, response);
        }
        assert_eq!(content_type, "application/problem+json", "{response}");
        self.validate("Problem", &json!({ "$ref": "#/components/schemas/Problem" }), response);
        assert_eq!(response.json()["status"], response.status, "{response}");
    }

    fn validate(&self, name: &str, schema: &Value, response: &Response) {
        let validator = {
            let mut validators = self.validators.lock().expect("no check panics while it holds this");
            std::sync::Arc::clone(validators.entry(name.to_owned()).or_insert_with(|| {
                let whole = json!({ "allOf": [schema], "components": self.closed });
                let options = jsonschema::options().should_validate_formats(true);
                std::sync::Arc::new(options.build(&whole).unwrap_or_else(|error| panic!("{name}: {error}")))
            }))
        };
        let body = response.json();
        let errors: Vec<String> =
            validator.iter_errors(&body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{response}\nis not {name}: {errors:#?}");
    }
}

/// Closes every object that no `allOf` extends.
fn closed(components: &Value) -> Value {
    let mut components = components.clone();
    let mut extended = BTreeSet::new();
    extensions(&components, false, &mut extended);
    let schemas = components["schemas"].as_object_mut().expect("schemas");
    for (name, schema) in schemas {
        let open = schema.get("properties").is_some() && schema.get("additionalProperties").is_none();
        if open && !extended.contains(&format!("#/components/schemas/{name}")) {
            schema["additionalProperties"] = json!(false);
        } else if schema.get("allOf").is_some() {
            schema["unevaluatedProperties"] = json!(false);
        }
    }
    components
}

fn extensions(value: &Value, inside: bool, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let (true, Some(reference)) = (inside, reference(members)) {
                found.insert(reference);
            }
            for (name, member) in members {
                extensions(member, name == "allOf", found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| extensions(item, inside, found)),
        _ => {}
    }
}

fn reference(members: &Map<String, Value>) -> Option<String> {
    members.get("$ref")?.as_str().map(str::to_owned)
}
