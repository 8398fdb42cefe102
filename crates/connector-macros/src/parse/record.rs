//! Records: objects with members, and closed sets of values.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Error, Expr, Fields, Lit, LitStr, Meta, Result, Type};

use super::tokens::{Doc, WireName, name_of_word, parse_words, plain_name, take_attribute, variant_to_snake_case};

/// A struct or an enum under `#[record]`.
pub(crate) struct Record {
    /// The item, without the attributes of this grammar.
    pub(crate) item: DeriveInput,
    pub(crate) doc: String,
    /// True where it takes members that it does not name.
    pub(crate) is_open: bool,
    pub(crate) shape: Shape,
}

/// A struct's members or an enum's values.
pub(crate) enum Shape {
    Members(Vec<Member>),
    Values(Vec<Lit>),
}

/// One field of a record.
pub(crate) struct Member {
    pub(crate) wire: WireName,
    pub(crate) doc: String,
    pub(crate) ty: Type,
    /// The name in the flat view, if it is not the member's own in camelCase.
    pub(crate) flat_name: Option<LitStr>,
    /// The change to the value in the flat view.
    pub(crate) change: Change,
}

/// A change to a member in the flat view, as `#[flat(…)]` words it.
#[derive(Default)]
pub(crate) enum Change {
    #[default]
    None,
    Not,
    Flag,
    Primary(LitStr),
    Id(LitStr),
    Parts,
    Null,
}

pub(crate) fn parse_record(arguments: TokenStream, mut item: DeriveInput) -> Result<Record> {
    let words = parse_words(arguments)?;
    if let Some(word) = words.iter().find(|word| !matches!(word, Meta::Path(path) if path.is_ident("open"))) {
        return Err(Error::new(word.span(), format!("unknown word `{}`: #[record] takes `open` alone", name_of_word(word))));
    }
    let is_open = !words.is_empty();
    let span = item.ident.span();
    if is_open && !item.generics.params.is_empty() {
        return Err(Error::new(words.span(), "`open` is for a record without type parameters: take them or `open` out"));
    }
    let doc = Doc::read(&item.attrs, span, "it says what the shape stands for")?.join();
    let shape = match &mut item.data {
        Data::Struct(data) => Shape::Members(parse_members(data)?),
        Data::Enum(_) if is_open => return Err(Error::new(words.span(), "`open` is for a struct: the values of an enum are closed")),
        Data::Enum(data) => Shape::Values(parse_values(data)?),
        Data::Union(_) => return Err(Error::new(span, "a record is a struct or an enum")),
    };
    Ok(Record { item, doc, is_open, shape })
}

fn parse_members(data: &mut DataStruct) -> Result<Vec<Member>> {
    let mut members: Vec<Member> = Vec::new();
    for field in &mut data.fields {
        let Some(ident) = field.ident.clone() else {
            return Err(Error::new(field.span(), "give the fields names: they are the record's members"));
        };
        let doc = Doc::read(&field.attrs, ident.span(), "it says what the member holds")?.join();
        let wire = WireName::take(&mut field.attrs, &plain_name(&ident))?;
        if members.iter().any(|other| other.wire.snake == wire.snake) {
            let message = format!("`{}` stands twice in this record: take one out, or rename it with #[wire(\"…\")]", wire.snake);
            return Err(Error::new(ident.span(), message));
        }
        let (flat_name, change) = match take_attribute(&mut field.attrs, "flat") {
            Some(attribute) => parse_flat(&attribute)?,
            None => (None, Change::None),
        };
        members.push(Member { wire, doc, ty: field.ty.clone(), flat_name, change });
    }
    Ok(members)
}

/// Parses `#[flat("name")]`, `#[flat(change)]` or `#[flat("name", change)]`.
fn parse_flat(attribute: &syn::Attribute) -> Result<(Option<LitStr>, Change)> {
    const USE: &str = "#[flat(…)] takes a name in quotes, then one of not, flag, primary(\"name\"), id(\"name\"), parts, null";
    let parts = attribute.parse_args_with(syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated)?;
    let mut parts = parts.into_iter().peekable();
    let name = match parts.peek() {
        Some(Expr::Lit(literal)) => Some(syn::parse2(quote::quote!(#literal))?),
        _ => None,
    };
    if name.is_some() {
        parts.next();
    }
    let change = parts.next().map(|change| parse_change.parse2(quote::quote!(#change))).transpose()?;
    match parts.next() {
        Some(surplus) => Err(Error::new(surplus.span(), USE)),
        None if name.is_none() && change.is_none() => Err(Error::new(attribute.span(), USE)),
        None => Ok((name, change.unwrap_or_default())),
    }
}

fn parse_change(input: syn::parse::ParseStream) -> Result<Change> {
    let word: Meta = input.parse()?;
    let beside = || word.require_list()?.parse_args::<LitStr>();
    match name_of_word(&word).as_str() {
        "not" => word.require_path_only().map(|_| Change::Not),
        "flag" => word.require_path_only().map(|_| Change::Flag),
        "parts" => word.require_path_only().map(|_| Change::Parts),
        "null" => word.require_path_only().map(|_| Change::Null),
        "primary" => beside().map(Change::Primary),
        "id" => beside().map(Change::Id),
        other => Err(Error::new(word.span(), format!("unknown change `{other}`: one of not, flag, primary, id, parts, null"))),
    }
}

fn parse_values(data: &mut DataEnum) -> Result<Vec<Lit>> {
    let mut values = Vec::new();
    for variant in &mut data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new(variant.span(), "a variant of a record has no fields: take them out, or make the record a struct"));
        }
        let wire = take_attribute(&mut variant.attrs, "wire").map(|attribute| attribute.parse_args::<Lit>()).transpose()?;
        let name = || LitStr::new(&variant_to_snake_case(&variant.ident.to_string()), variant.ident.span());
        values.push(wire.unwrap_or_else(|| Lit::Str(name())));
    }
    Ok(values)
}
