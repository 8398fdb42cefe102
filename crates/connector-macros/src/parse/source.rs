//! Data sources.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::{DeriveInput, Error, LitStr, Result, Type};

use super::tokens::{Doc, name_of_word, parse_words, type_to_camel_case};

/// A struct under `#[data_source]`.
pub(crate) struct DataSource {
    pub(crate) item: DeriveInput,
    pub(crate) key: String,
    pub(crate) doc: Doc,
    pub(crate) list: Type,
    pub(crate) search: Type,
    pub(crate) label: LitStr,
}

pub(crate) fn parse_data_source(arguments: TokenStream, item: DeriveInput) -> Result<DataSource> {
    let span = item.ident.span();
    let (mut list, mut search, mut label) = (None, None, None);
    for word in parse_words(arguments)? {
        match name_of_word(&word).as_str() {
            "list" => list = Some(word.require_list()?.parse_args::<Type>()?),
            "search" => search = Some(word.require_list()?.parse_args::<Type>()?),
            "label" => label = Some(word.require_list()?.parse_args::<LitStr>()?),
            name => return Err(Error::new(word.span(), format!("unknown word `{name}`: one of list, search, label"))),
        }
    }
    let missing = |what: &str| Error::new(span, format!("a data source needs {what}"));
    Ok(DataSource {
        key: type_to_camel_case(&item.ident.to_string()),
        doc: Doc::read(&item.attrs, span, "its first line is the data source's label, the rest its description")?,
        list: list.ok_or_else(|| missing("`list(Action)`, the action that lists its records"))?,
        search: search.ok_or_else(|| missing("`search(Action)`, the action that finds its records by a term"))?,
        label: label.ok_or_else(|| missing("`label(\"{name}\")`, the text of a choice"))?,
        item,
    })
}
