//! The two macros that let a resource say its body once: [`choice!`](crate::choice) for a list of words and
//! [`fields!`](crate::fields) for the body of POST and PUT together with the merge patch of PATCH.

/// Makes an enum whose values are words: `choice! { /// doc
/// pub enum ProjectStatus { Active = "active", .. } }`.
#[macro_export]
macro_rules! choice {
    ($(#[$meta:meta])* pub enum $name:ident { $( $(#[$doc:meta])* $value:ident = $word:literal ),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[$doc])* $value, )+ }

        impl $crate::field::Choice for $name {
            const ALL: &'static [Self] = &[$( Self::$value, )+];
            fn as_str(self) -> &'static str { match self { $( Self::$value => $word, )+ } }
        }

        impl $crate::field::Field for $name {
            type Column = &'static str;
            fn parse(value: $crate::field::__private::Value) -> Result<Self, String> {
                $crate::field::__private::parse_choice(&value)
            }
            fn schema() -> $crate::field::__private::Schema { $crate::field::__private::choice_schema::<Self>() }
            fn into_column(self) -> &'static str { $crate::field::Choice::as_str(self) }
        }

        $crate::__schema_impl!($name, $crate::field::__private::choice_schema::<$name>());
    };
}

/// Makes a body and its merge patch from one list of members: `fields! { /// doc
/// pub ProjectFields, ProjectPatch { /// doc
/// name: Text<255>, status: ProjectStatus = ProjectStatus::Active } }`. A member without a default is required.
#[macro_export]
macro_rules! fields {
    ($(#[$meta:meta])* pub $full:ident, $patch:ident {
        $( $(#[doc = $doc:literal])+ $name:ident : $kind:ty $(= $default:expr)? ),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $full { $( $(#[doc = $doc])+ pub $name: $kind, )+ }

        #[doc = concat!("A merge patch of [`", stringify!($full), "`]: what is `None` stays as it is.")]
        #[derive(Clone, Debug, Default)]
        pub struct $patch { $( $(#[doc = $doc])+ pub $name: Option<$kind>, )+ }

        impl $crate::field::Fields for $full {
            fn read(reader: &mut $crate::field::Reader) -> Option<Self> {
                $( let $name = $crate::__read!(reader, $name $(, $default)?); )+
                Some(Self { $( $name: $name?, )+ })
            }
        }

        impl $crate::field::Fields for $patch {
            fn read(reader: &mut $crate::field::Reader) -> Option<Self> {
                $( let $name = reader.maybe(stringify!($name)); )+
                Some(Self { $( $name: $name?, )+ })
            }
        }

        /// A body that says everything, as a patch that changes everything: what PUT does.
        impl From<$full> for $patch {
            fn from(full: $full) -> Self { Self { $( $name: Some(full.$name), )+ } }
        }

        $crate::__schema_impl!($full, {
            let object = $crate::field::__private::ObjectBuilder::new();
            $( let object = $crate::field::__private::member::<$kind>(object, stringify!($name), &[$($doc),+]);
               $crate::__require!(object, $name $(, $default)?); )+
            object.build().into()
        });
        $crate::__schema_impl!($patch, {
            let object = $crate::field::__private::ObjectBuilder::new();
            $( let object = $crate::field::__private::member::<$kind>(object, stringify!($name), &[$($doc),+]); )+
            object.build().into()
        });
    };
}

/// What the macros write into other modules. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use serde_json::Value;
    pub use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::Type;
    pub use utoipa::openapi::schema::{ObjectBuilder, Schema};
    pub use utoipa::{PartialSchema, ToSchema};

    use crate::field::{Choice, Field};

    /// Reads a word of a choice.
    pub fn parse_choice<T: Choice>(value: &Value) -> Result<T, String> {
        match value {
            Value::String(word) => {
                T::from_word(word).ok_or_else(|| format!("\"{word}\" is not a valid choice."))
            }
            Value::Null => Err("This field may not be null.".to_owned()),
            other => Err(format!("\"{other}\" is not a valid choice.")),
        }
    }

    /// Describes a choice.
    #[must_use]
    pub fn choice_schema<T: Choice>() -> Schema {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(T::words())).build().into()
    }

    /// Adds one member and its description to an object's schema.
    #[must_use]
    pub fn member<T: Field>(object: ObjectBuilder, name: &str, doc: &[&str]) -> ObjectBuilder {
        let mut schema = T::schema();
        let text = doc.concat().trim().to_owned();
        match &mut schema {
            Schema::Object(inner) => inner.description = Some(text),
            Schema::AnyOf(inner) => inner.description = Some(text),
            _ => {}
        }
        object.property(name, RefOr::T(schema))
    }

    #[doc(hidden)]
    #[macro_export]
    macro_rules! __read {
        ($reader:ident, $name:ident) => {
            $reader.required(stringify!($name))
        };
        ($reader:ident, $name:ident, $default:expr) => {
            $reader.or(stringify!($name), $default)
        };
    }

    #[doc(hidden)]
    #[macro_export]
    macro_rules! __require {
        ($object:ident, $name:ident) => {
            let $object = $object.required(stringify!($name));
        };
        ($object:ident, $name:ident, $default:expr) => {};
    }

    #[doc(hidden)]
    #[macro_export]
    macro_rules! __schema_impl {
        ($name:ident, $schema:expr) => {
            impl $crate::field::__private::PartialSchema for $name {
                fn schema() -> $crate::field::__private::RefOr<$crate::field::__private::Schema> {
                    $crate::field::__private::RefOr::T($schema)
                }
            }
            impl $crate::field::__private::ToSchema for $name {
                fn name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        };
    }
}
