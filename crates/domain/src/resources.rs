//! The list of resources. A line here is all the registering that a resource takes: each crate, and the tests, declare
//! their module of it from this list, so that one of them left out does not compile. What a resource is stands in its
//! own module.

/// Gives the list to a macro: the module of each resource, the same in every crate, and its type in `persistence`. A
/// resource stands behind those that it refers to.
#[macro_export]
macro_rules! for_each_resource {
    ($with:ident) => {
        $with! {
            projects: Projects,
            todos: Todos,
            tasks: Tasks,
            documents: Documents,
            authors: Authors,
            books: Books,
            items: Items,
            blogs: Blogs,
        }
    };
}
