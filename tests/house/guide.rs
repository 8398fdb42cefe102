//! The guide shows the source of the example connector, and the recipes that of their tests, word for word.

use super::source::{Source, read_sources};
use super::{assert_none, root};

/// The folder of the guide.
const GUIDE: &str = "docs/guide";
/// The crate that the guide leads through.
const EXAMPLE: &str = "crates/example-connector";
/// The languages of the blocks that are parts of that crate.
const LANGUAGES: [&str; 3] = ["rust", "toml", "json"];

#[test]
fn every_block_of_the_guide_is_a_part_of_the_example() {
    let pages = read_sources(&root(), GUIDE, "md");
    assert!(!pages.is_empty(), "the guide is gone");
    let sources: Vec<Source> = LANGUAGES
        .iter()
        .map(|language| if *language == "rust" { "rs" } else { language })
        .flat_map(|extension| read_sources(&root(), EXAMPLE, extension))
        .collect();
    assert_none(&find_strays(&pages, &LANGUAGES, &sources));
}

#[test]
fn every_block_of_rust_in_the_recipes_is_compiled() {
    let (pages, sources) = (read_sources(&root(), "docs/recipes", "md"), read_sources(&root(), "tests/recipes", "rs"));
    assert!(pages.iter().any(|page| page.text.contains("```rust")), "the recipe in Rust is gone");
    assert_none(&find_strays(&pages, &["rust"], &sources));
}

#[test]
fn every_page_is_in_the_table_of_contents_of_the_site() {
    const CONTENTS: &str = "docs/site/SUMMARY.md";
    let contents = std::fs::read_to_string(root().join(CONTENTS)).expect("the site has a table of contents");
    let pages = ["docs", "spec/protocol"].into_iter().flat_map(|folder| read_sources(&root(), folder, "md"));
    let lacking = pages.filter(|page| page.path != CONTENTS && !contents.contains(&format!("]({})", page.path)));
    assert_none(&lacking.map(|page| format!("{}:1: add a line for it to {CONTENTS}", page.path)).collect::<Vec<_>>());
}

#[test]
fn finds_a_block_that_no_file_of_the_example_has() {
    let source = [Source::new("crates/example-connector/src/one.rs", "/// One.\nstruct One {\n    a: u8,\n    b: u8,\n}\n")];
    for (block, is_there) in [
        ("struct One {\n    a: u8,", true),
        ("struct One {\n    // …\n    b: u8,\n}", true),
        ("struct One {\n    a: u16,", false),
        ("struct One {\n    b: u8,", false),
        ("struct One", false),
        ("// …", false),
    ] {
        let page = [Source::new("docs/guide/page.md", format!("# Page\n\n```rust\n{block}\n```\n\n```sh\nstruct\n```\n"))];
        let found = find_strays(&page, &LANGUAGES, &source);
        assert_eq!(found.is_empty(), is_there, "{block}: {found:?}");
        assert!(found.iter().all(|fault| fault.starts_with("docs/guide/page.md:3: ")), "{found:?}");
    }
}

/// Lists the blocks that no file has, each with its first line.
fn find_strays(pages: &[Source], languages: &[&str], sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for page in pages {
        let mut lines = page.text.lines().enumerate();
        while let Some((at, line)) = lines.next() {
            let Some(language) = line.strip_prefix("```") else { continue };
            let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            if languages.contains(&language) && !sources.iter().any(|source| holds(&source.text, &block)) {
                found.push(format!("{}:{}: no source holds this block: {}", page.path, at + 1, block.join("\n")));
            }
        }
    }
    found
}

/// Checks that a text has all parts of a block, in their order. A comment `…` stands between two of them.
fn holds(text: &str, block: &[&str]) -> bool {
    let parts: Vec<String> = block
        .split(|line| matches!(line.trim(), "// …" | "# …"))
        .map(|part| part.join("\n").trim_matches('\n').to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    let mut rest = format!("\n{text}\n");
    for part in &parts {
        let Some(at) = rest.find(&format!("\n{part}\n")) else { return false };
        rest = rest.split_off(at + part.len() + 1);
    }
    !parts.is_empty()
}
