//! Rust sources as modules: names that each defines and imports, paths that it uses, and its doc comments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A text file by its path from the root of the workspace.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

impl Source {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Returns true for a file that holds tests alone.
    pub(super) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs" || part == "benches" || part == "examples")
    }

    /// Returns the crate's name and the path below its `src`.
    pub(super) fn place(&self) -> Option<(&str, &str)> {
        self.path.strip_prefix("crates/")?.split_once("/src/")
    }
}

/// Reads all files of a folder whose names end so, sorted by path.
pub(super) fn read_sources(root: &Path, folder: &str, extension: &str) -> Vec<Source> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("a folder's entry can be read").path();
            if path.is_dir() {
                walk(&path, extension, found);
            } else if path.extension().is_some_and(|known| known == extension) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root.join(folder), extension, &mut found);
    found.sort();
    let read = |file: &PathBuf| {
        let path = file.strip_prefix(root).expect("the walk began at the root").to_string_lossy().into_owned();
        Source { path, text: std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())) }
    };
    found.iter().map(read).collect()
}

/// One token with its line; groups are flattened into their delimiters.
#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String, usize),
    Mark(char),
    Open(Delimiter),
    Close(Delimiter),
    Literal,
}

/// A path as it is used, such as `crate::engine::State`, with its line.
#[derive(Clone, Debug, PartialEq)]
struct Used {
    segments: Vec<String>,
    line: usize,
    /// The name that the path gets in this file, if it stands in a `use`.
    alias: Option<String>,
}

/// The first line of a doc comment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DocLine {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A struct, enum, union, trait or type alias.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TypeName {
    pub(super) name: String,
    pub(super) line: usize,
}

/// The names, paths and docs of one file, its `#[cfg(test)]` items aside.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    used: Vec<Used>,
    defined: BTreeSet<String>,
    pub(super) docs: Vec<DocLine>,
    pub(super) types: Vec<TypeName>,
    /// Lines with a function that is called `of`.
    pub(super) fn_of: Vec<usize>,
    /// The first line with an item that is more than `mod` or `use`.
    pub(super) own_item: Option<usize>,
}

/// A `use` of one file by another.
#[derive(Clone, Debug, PartialEq, PartialOrd, Eq, Ord)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) line: usize,
    pub(super) to: String,
    /// The path as it is written.
    pub(super) text: String,
}

/// The modules of one crate: module path, file and facts.
#[derive(Debug)]
pub(super) struct Modules {
    files: BTreeMap<Vec<String>, (String, Facts)>,
}

impl Facts {
    pub(super) fn read(source: &Source) -> Self {
        let mut facts = Self::default();
        let tokens = facts.read_tokens(source);
        facts.read_items(&tokens);
        facts.read_paths(&tokens);
        facts
    }

    /// Lists the lines of code that hold a keyword; its like in a text or a comment does not count.
    pub(super) fn keyword_lines(source: &Source, keywords: &[&str]) -> Vec<usize> {
        let line = |token| match token {
            Token::Word(word, line) if keywords.contains(&word.as_str()) => Some(line),
            _ => None,
        };
        Self::default().read_tokens(source).into_iter().filter_map(line).collect()
    }

    fn read_tokens(&mut self, source: &Source) -> Vec<Token> {
        let stream = TokenStream::from_str(&source.text).unwrap_or_else(|error| panic!("{} is not Rust: {error}", source.path));
        let mut tokens = Vec::new();
        self.flatten(stream, &mut tokens);
        tokens
    }

    /// Flattens a token tree, reads doc comments on the way, and leaves tests out.
    fn flatten(&mut self, stream: TokenStream, tokens: &mut Vec<Token>) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let (mut at, mut in_docs) = (0, false);
        while at < trees.len() {
            if let Some((attribute, after)) = attribute_at(&trees, at) {
                if let Some(doc) = doc_of(&attribute) {
                    if !in_docs {
                        self.docs.push(DocLine { text: doc, line: trees[at].span().start().line });
                    }
                    (at, in_docs) = (after, true);
                    continue;
                }
                if is_test_attribute(&attribute) {
                    at = item_end(&trees, after);
                    in_docs = false;
                    continue;
                }
            }
            in_docs = false;
            match &trees[at] {
                TokenTree::Ident(word) => tokens.push(Token::Word(word.to_string(), word.span().start().line)),
                TokenTree::Punct(mark) => tokens.push(Token::Mark(mark.as_char())),
                TokenTree::Literal(_) => tokens.push(Token::Literal),
                // The code that a macro gives out names the modules of whoever calls it.
                TokenTree::Group(_) if is_quoted(&trees[..at]) => {}
                TokenTree::Group(group) => {
                    tokens.push(Token::Open(group.delimiter()));
                    self.flatten(group.stream(), tokens);
                    tokens.push(Token::Close(group.delimiter()));
                }
            }
            at += 1;
        }
    }

    fn read_items(&mut self, tokens: &[Token]) {
        let mut depth = 0_usize;
        for (at, pair) in tokens.windows(2).enumerate() {
            match &pair[0] {
                Token::Open(_) => depth += 1,
                Token::Close(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            let (Token::Word(keyword, line), Token::Word(name, _)) = (&pair[0], &pair[1]) else { continue };
            if keyword == "fn" && name == "of" {
                self.fn_of.push(*line);
            }
            // A raw pointer's `*const T` and a path's end are no items.
            let stands_alone = at == 0 || !matches!(&tokens[at - 1], Token::Mark('*' | ':' | '&' | '.'));
            if depth > 0 || !stands_alone {
                continue;
            }
            match keyword.as_str() {
                "struct" | "enum" | "union" | "trait" | "type" => {
                    self.types.push(TypeName { name: name.clone(), line: *line });
                    self.defined.insert(name.clone());
                    self.own_item.get_or_insert(*line);
                }
                "fn" | "const" | "static" => {
                    self.defined.insert(name.clone());
                    self.own_item.get_or_insert(*line);
                }
                "impl" => {
                    self.own_item.get_or_insert(*line);
                }
                _ => {}
            }
        }
    }

    /// Collects every path of two segments or more, and each tree of a `use`.
    fn read_paths(&mut self, tokens: &[Token]) {
        let mut at = 0;
        while at < tokens.len() {
            let Token::Word(word, line) = &tokens[at] else {
                at += 1;
                continue;
            };
            if word == "use" {
                at = self.read_tree(tokens, at + 1, &[], *line, true);
                continue;
            }
            let continues = at > 0 && matches!(&tokens[at - 1], Token::Mark('.' | ':')) && before_is_path(tokens, at);
            if continues || !is_path_mark(tokens, at + 1) {
                at += 1;
                continue;
            }
            at = self.read_tree(tokens, at, &[], *line, false);
        }
    }

    /// Reads a path or a tree of paths that begins at a token; returns where it ends.
    fn read_tree(&mut self, tokens: &[Token], at: usize, before: &[String], line: usize, imports: bool) -> usize {
        match tokens.get(at) {
            Some(Token::Word(word, line)) => {
                let mut segments = before.to_vec();
                segments.push(word.clone());
                if is_path_mark(tokens, at + 1) {
                    return self.read_tree(tokens, at + 3, &segments, *line, imports);
                }
                let renamed = match (tokens.get(at + 1), tokens.get(at + 2)) {
                    (Some(Token::Word(kind, _)), Some(Token::Word(name, _))) if imports && kind == "as" => Some(name.clone()),
                    _ => None,
                };
                let end = if renamed.is_some() { at + 3 } else { at + 1 };
                if segments.len() > 1 && segments.last().is_some_and(|last| last == "self") {
                    segments.pop();
                }
                let alias = imports.then(|| renamed.or_else(|| segments.last().cloned())).flatten();
                self.used.push(Used { segments, line: *line, alias });
                end
            }
            Some(Token::Open(Delimiter::Brace)) if imports => {
                let mut at = at + 1;
                while at < tokens.len() && tokens[at] != Token::Close(Delimiter::Brace) {
                    at = if tokens[at] == Token::Mark(',') { at + 1 } else { self.read_tree(tokens, at, before, line, imports) };
                }
                at + 1
            }
            Some(Token::Mark('*')) if imports => {
                let mut segments = before.to_vec();
                segments.push("*".to_owned());
                self.used.push(Used { segments, line, alias: Some("*".to_owned()) });
                at + 1
            }
            // A leading `::`, as in `use ::http::Request`, or the `<` of a path with a type in it.
            Some(Token::Mark(':')) if imports => self.read_tree(tokens, at + 1, before, line, imports),
            _ => {
                if before.len() > 1 {
                    self.used.push(Used { segments: before.to_vec(), line, alias: None });
                }
                at + usize::from(before.is_empty())
            }
        }
    }
}

fn is_path_mark(tokens: &[Token], at: usize) -> bool {
    tokens.get(at) == Some(&Token::Mark(':')) && tokens.get(at + 1) == Some(&Token::Mark(':'))
}

/// Returns true where the token before is the dot of a method or the `::` of a path.
fn before_is_path(tokens: &[Token], at: usize) -> bool {
    match tokens[at - 1] {
        Token::Mark('.') => at < 2 || tokens[at - 2] != Token::Mark('.'),
        _ => at > 1 && tokens[at - 2] == Token::Mark(':'),
    }
}

/// Returns true behind `quote!` and its like.
fn is_quoted(before: &[TokenTree]) -> bool {
    matches!(before, [.., TokenTree::Ident(name), TokenTree::Punct(mark)] if mark.as_char() == '!' && name.to_string().contains("quote"))
}

/// Reads the attribute that begins at a token, with the position after it.
fn attribute_at(trees: &[TokenTree], at: usize) -> Option<(TokenStream, usize)> {
    let TokenTree::Punct(mark) = trees.get(at)? else { return None };
    if mark.as_char() != '#' {
        return None;
    }
    let inner = matches!(trees.get(at + 1), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
    let at = at + 1 + usize::from(inner);
    match trees.get(at)? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => Some((group.stream(), at + 1)),
        _ => None,
    }
}

/// Reads the text of `doc = "…"`.
fn doc_of(attribute: &TokenStream) -> Option<String> {
    let mut trees = attribute.clone().into_iter();
    match (trees.next()?, trees.next()?, trees.next()?) {
        (TokenTree::Ident(name), TokenTree::Punct(_), TokenTree::Literal(text)) if name == "doc" => {
            let text = text.to_string();
            let text = text.trim_start_matches(['r', '#']).trim_end_matches('#').trim_matches('"');
            Some(text.trim().replace("\\\"", "\"").replace("\\'", "'"))
        }
        _ => None,
    }
}

/// Returns true for `#[cfg(test)]`, also among further conditions, and for `#[test]`.
fn is_test_attribute(attribute: &TokenStream) -> bool {
    let text = attribute.to_string().replace(' ', "");
    text == "test" || text.ends_with("::test") || (text.starts_with("cfg(") && text.contains("test") && !text.contains("not(test"))
}

/// Finds the end of the item that begins at a token: after its `;` or its last braces.
fn item_end(trees: &[TokenTree], mut at: usize) -> usize {
    while at < trees.len() {
        match &trees[at] {
            TokenTree::Punct(mark) if mark.as_char() == ';' => return at + 1,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => return at + 1,
            _ => at += 1,
        }
    }
    at
}

impl Modules {
    /// Reads the modules of a crate from its sources below `src`.
    pub(super) fn read(sources: &[&Source]) -> Self {
        let mut files = BTreeMap::new();
        for source in sources {
            let Some((_, below)) = source.place() else { continue };
            let mut module: Vec<String> = below.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if module.last().is_some_and(|last| last == "mod" || last == "lib" || last == "main") {
                module.pop();
            }
            files.insert(module, (source.path.clone(), Facts::read(source)));
        }
        Self { files }
    }

    pub(super) fn facts(&self) -> impl Iterator<Item = (&str, &Facts)> {
        self.files.values().map(|(path, facts)| (path.as_str(), facts))
    }

    /// Lists every use of one file by another, each once a line.
    pub(super) fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = BTreeSet::new();
        for (module, (from, facts)) in &self.files {
            for used in &facts.used {
                let Some(to) = self.absolute(module, &used.segments).and_then(|path| self.target(&path, used.alias.is_some())) else {
                    continue;
                };
                if to != from {
                    arrows.insert(Arrow { from: from.clone(), line: used.line, to: to.to_owned(), text: used.segments.join("::") });
                }
            }
        }
        arrows.into_iter().collect()
    }

    /// Turns a path as it is written in a module into one from the crate's root; none for another crate's.
    fn absolute(&self, module: &[String], segments: &[String]) -> Option<Vec<String>> {
        let first = segments.first()?;
        match first.as_str() {
            "crate" => Some(segments[1..].to_vec()),
            "self" => Some(module.iter().chain(&segments[1..]).cloned().collect()),
            "super" => {
                let ups = segments.iter().take_while(|segment| *segment == "super").count();
                let base = module.get(..module.len().checked_sub(ups)?)?;
                Some(base.iter().chain(&segments[ups..]).cloned().collect())
            }
            _ => {
                let child: Vec<String> = module.iter().chain([first]).cloned().collect();
                if self.has_module(&child) {
                    return Some(child.into_iter().chain(segments[1..].iter().cloned()).collect());
                }
                // A module that this file imported by name.
                let (_, facts) = self.files.get(module)?;
                let import = facts.used.iter().find(|used| used.alias.as_ref() == Some(first) && used.segments != segments)?;
                let path = self.absolute(module, &import.segments)?;
                Some(path.into_iter().chain(segments[1..].iter().cloned()).collect())
            }
        }
    }

    fn has_module(&self, module: &[String]) -> bool {
        self.files.keys().any(|known| known.starts_with(module))
    }

    /// Finds the file that defines a path; none for another crate's name and for the import of a whole module.
    fn target(&self, path: &[String], imports: bool) -> Option<&str> {
        if imports && !path.is_empty() && self.has_module(path) {
            return None;
        }
        self.definition(path, 0)
    }

    fn definition(&self, path: &[String], depth: usize) -> Option<&str> {
        let deepest = (0..=path.len()).rev().find(|length| self.files.contains_key(&path[..*length]))?;
        let (file, facts) = &self.files[&path[..deepest]];
        let Some(name) = path.get(deepest) else { return Some(file) };
        if depth > 8 || facts.defined.contains(name) {
            return Some(file);
        }
        if let Some(import) = facts.used.iter().find(|used| used.alias.as_ref() == Some(name)) {
            let path = self.absolute(&path[..deepest], &import.segments)?;
            return self.definition(&path, depth + 1);
        }
        for glob in facts.used.iter().filter(|used| used.alias.as_deref() == Some("*")) {
            let base = self.absolute(&path[..deepest], &glob.segments[..glob.segments.len() - 1]);
            let Some((found, facts)) = base.and_then(|base| self.files.get(&base)) else { continue };
            if facts.defined.contains(name) {
                return Some(found);
            }
        }
        Some(file)
    }
}
