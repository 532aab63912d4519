//! What each resource adds to the operations that all have. Which there are is said in `domain`.

use bulkhead_domain::resource::Resource;
use bulkhead_persistence::crud::Listed;

use crate::operation::Endpoint;

macro_rules! modules {
    ($($name:ident: $entity:ident),+ $(,)?) => {
        $(pub(crate) mod $name;)+

        /// What each of them is.
        pub(crate) const RESOURCES: &[&Resource] = &[$(<bulkhead_persistence::$entity as Listed>::RESOURCE),+];
        /// The operations of each.
        pub(crate) const ENDPOINTS: &[fn() -> Vec<Endpoint>] = &[$($name::endpoints),+];
    };
}
bulkhead_domain::for_each_resource!(modules);
