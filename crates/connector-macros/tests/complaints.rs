//! Each wrong declaration and its complaint, and one declaration of each kind that is right.

#[test]
fn a_wrong_declaration_does_not_compile_and_is_told_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/pass/*.rs");
    cases.compile_fail("tests/fail/*.rs");
}
