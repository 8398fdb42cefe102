//! The recipes of the documentation: every command of a page runs, and prints what the page shows.

mod engine;
mod page;
mod shown;

use connector_testkit::assert_none;

use crate::support::repository::path;
use page::Page;

const ADVICE: &str = "correct the page; docs/recipes/README.md says how commands, files and … are written";

/// Runs the pages side by side, each in a home of its own.
#[test]
fn every_command_of_a_recipe_prints_what_the_page_shows() {
    let pages = Page::read_all(&path("docs/recipes"));
    assert!(pages.iter().filter(|page| page.has_commands()).count() >= 3, "the recipes are gone");
    let found: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = pages.iter().map(|page| scope.spawn(|| page.find_faults())).collect();
        running.into_iter().flat_map(|page| page.join().expect("a page is tried without a panic")).collect()
    });
    assert_none(&found, ADVICE);
}

#[test]
fn finds_commands_that_fail_or_print_something_else() {
    let find = |text: &str| Page::parse("page.md", text).find_faults();
    let none: [String; 0] = [];
    for right in [
        "```sh\necho '{\"id\": 1, \"name\": \"a b\"}'\n```\n\nIt prints:\n\n```json\n{\n  \"id\": 1, …\n}\n```\n",
        "```sh\nprintf 'a,b\\r\\n1,2\\r\\n3,4\\r\\n'\n```\n```csv\na,b\n…\n3,4\n```\n",
        "```python\n# hello.py\nprint('hello')\n```\n```sh\ntest -s hello.py\n```\n",
        "```sh\nfalse\n# exit code 1\n```\n",
    ] {
        assert_eq!(find(right), none, "{right}");
    }
    for (wrong, fault) in [
        ("# Page\n\n```sh\nfalse\n```\n", "page.md:3: ended with exit code 1 and not 0"),
        ("```sh\necho '{\"id\": 12}'\n```\n```json\n{\"id\": 1}\n```\n", "page.md:1: printed {\"id\": 12}"),
        ("```sh\nprintf 'a\\nb\\n'\n```\n```text\na\n```\n", "page.md:1: printed a\nb"),
        ("```json\n{}\n```\n", "page.md:1: shows what no command before it printed"),
        ("```python\nprint()\n```\n", "page.md:1: begins with no comment that names its file"),
    ] {
        let found = find(wrong);
        assert!(found.len() == 1 && found[0].starts_with(fault), "{wrong}: {found:?}");
    }
}
