//! What must not compile: reaching a tenant's rows without its scope, and storing what must not be stored. Each case
//! stands in `compile-fail/` with the compiler's answer beside it.

#[test]
fn nothing_reaches_a_tenants_rows_without_its_scope() {
    trybuild::TestCases::new().compile_fail("compile-fail/*.rs");
}
