//! Data sources.

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, LitStr, Meta, Result, Type};

use super::inputs::{Input, parse_action_inputs};
use super::tokens::{Doc, field_to_camel_case, name_of_word, parse_value, parse_words, take_text, type_to_camel_case};

/// A struct under `#[data_source]`.
pub(crate) struct DataSource {
    /// The struct, without the attributes of this grammar.
    pub(crate) item: DeriveInput,
    pub(crate) key: String,
    pub(crate) doc: Doc,
    pub(crate) origin: Origin,
}

/// The origin of the choices.
pub(crate) enum Origin {
    /// The records of actions.
    Actions(Box<Derivation>),
    /// Code, which is given these inputs.
    Code(Vec<Input>),
}

/// The words of a data source that is made of actions.
pub(crate) struct Derivation {
    pub(crate) list: Type,
    pub(crate) search: Option<Type>,
    /// The input of the search that takes the term.
    pub(crate) term: String,
    /// The path of the member that is the value of a choice.
    pub(crate) value: String,
    /// The text of a choice.
    pub(crate) text: LitStr,
}

const KNOWN_WORDS: &str = "list, search, term, key, label, by_hand";

pub(crate) fn parse_data_source(arguments: TokenStream, mut item: DeriveInput) -> Result<DataSource> {
    let span = item.ident.span();
    let key = take_text(&mut item.attrs, "key")?.unwrap_or_else(|| type_to_camel_case(&item.ident.to_string()));
    let doc = Doc::read(&item.attrs, span, "its first line is the data source's label, the rest its description")?;
    let (mut list, mut search, mut term, mut value, mut text, mut by_hand) = (None, None, None, None, None, None);
    let words = parse_words(arguments)?;
    for word in &words {
        match name_of_word(word).as_str() {
            "list" => list = Some(word.require_list()?.parse_args::<Type>()?),
            "search" => search = Some(word.require_list()?.parse_args::<Type>()?),
            "term" => term = Some(parse_value::<LitStr>(word)?),
            "key" => value = Some(parse_path(&parse_text(word)?)?),
            "label" => text = Some(parse_template(parse_text(word)?)?),
            "by_hand" => by_hand = word.require_path_only().map(|_| Some(word.span()))?,
            name => return Err(Error::new(word.span(), format!("unknown word `{name}`: one of {KNOWN_WORDS}"))),
        }
    }
    if let Some(by_hand) = by_hand {
        if words.len() > 1 {
            return Err(Error::new(by_hand, "`by_hand` stands alone: the code finds the choices, and the fields are its inputs"));
        }
        let inputs = parse_action_inputs(&mut item, &[])?;
        return Ok(DataSource { item, key, doc, origin: Origin::Code(inputs) });
    }
    if matches!(&item.data, Data::Struct(data) if !data.fields.is_empty()) {
        let message = "the inputs of a data source follow from its actions: take the fields out, or write `#[data_source(by_hand)]`";
        return Err(Error::new(span, message));
    }
    if let (Some(term), None) = (&term, &search) {
        return Err(Error::new(term.span(), "`term` names an input of the search: give `search(Action)`, or take it out"));
    }
    let missing = |what: &str| Error::new(span, format!("a data source needs {what}"));
    let derivation = Derivation {
        list: list.ok_or_else(|| missing("`list(Action)`, the action that lists its records, or `by_hand`"))?,
        search,
        term: term.map_or_else(|| "term".to_owned(), |term| field_to_camel_case(&term.value())),
        value: value.unwrap_or_else(|| "id".to_owned()),
        text: text.ok_or_else(|| missing("`label(\"{name}\")`, the text of a choice"))?,
    };
    Ok(DataSource { item, key, doc, origin: Origin::Actions(Box::new(derivation)) })
}

/// Parses `word("text")`.
fn parse_text(word: &Meta) -> Result<LitStr> {
    word.require_list()?.parse_args()
}

/// Parses the path of a member: its name, and those of the records around it, divided by dots.
fn parse_path(path: &LitStr) -> Result<String> {
    check_path(&path.value(), path.span())?;
    Ok(path.value())
}

/// Parses the text of a choice, with paths of members in braces.
fn parse_template(text: LitStr) -> Result<LitStr> {
    let whole = text.value();
    let mut pieces = whole.split('{');
    let before = pieces.next().unwrap_or_default();
    let mut outside = vec![before];
    for piece in pieces {
        let Some((path, after)) = piece.split_once('}') else {
            return Err(Error::new(
                text.span(),
                "a brace is not closed: the text of a choice names members, as in \"{title} - {owner.name}\"",
            ));
        };
        check_path(path, text.span())?;
        outside.push(after);
    }
    if outside.iter().any(|text| text.contains('}')) {
        return Err(Error::new(text.span(), "a brace is closed that was not opened: take it out"));
    }
    if outside.len() == 1 {
        return Err(Error::new(text.span(), "all choices would have one text: name a member in braces, as in \"{name}\""));
    }
    Ok(text)
}

fn check_path(path: &str, span: Span) -> Result<()> {
    if path.split('.').any(|name| name.is_empty() || name.trim() != name) {
        return Err(Error::new(span, format!("`{path}` is no path: write the names of members, divided by dots, as in `owner.name`")));
    }
    Ok(())
}
