//! Right declarations compile, and each wrong one fails with an error that says what to do.

#[test]
fn declarations_compile_or_fail_with_an_error_that_says_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/pass/*.rs");
    cases.compile_fail("tests/fail/*.rs");
}
