//! Pieces of the grammar: doc comments, words, attributes, generic arguments and the case of names.

use proc_macro2::{Span, TokenStream};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, Ident, Lit, LitStr, Meta, Result, Token, Type};

/// The words between the parentheses of an attribute.
pub(super) type Metas = Punctuated<Meta, Token![,]>;

/// A doc comment: its first paragraph, and the rest in one line.
pub(crate) struct Doc {
    pub(crate) first: String,
    pub(crate) rest: String,
}

/// A name on the wire, in both spellings: the macro cannot see which one the connector has.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WireName {
    pub(crate) snake: String,
    pub(crate) camel: String,
}

impl WireName {
    /// Takes a name that is written out, which no case changes.
    pub(super) fn fixed(name: String) -> Self {
        Self { camel: name.clone(), snake: name }
    }

    /// Derives the name from that of a field.
    pub(super) fn from_field(name: &str) -> Self {
        Self { snake: name.to_owned(), camel: field_to_camel_case(name) }
    }

    /// Takes the name in `#[wire("…")]` off, else derives it from that of a field.
    pub(super) fn take(attributes: &mut Vec<Attribute>, field: &str) -> Result<Self> {
        Ok(take_text(attributes, "wire")?.map_or_else(|| Self::from_field(field), Self::fixed))
    }
}

impl Doc {
    /// Reads the doc comment among attributes; an error says `why` there must be one.
    pub(super) fn read(attributes: &[Attribute], span: Span, why: &str) -> Result<Self> {
        let mut paragraphs = vec![String::new()];
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
            let Meta::NameValue(pair) = &attribute.meta else { continue };
            let Expr::Lit(literal) = &pair.value else { continue };
            let Lit::Str(text) = &literal.lit else { continue };
            let line = text.value();
            let line = line.trim();
            let last = paragraphs.last_mut().expect("there is always a paragraph");
            match (line.is_empty(), last.is_empty()) {
                (true, true) => {}
                (true, false) => paragraphs.push(String::new()),
                (false, true) => last.push_str(line),
                (false, false) => {
                    last.push(' ');
                    last.push_str(line);
                }
            }
        }
        paragraphs.retain(|paragraph| !paragraph.is_empty());
        if paragraphs.is_empty() {
            return Err(Error::new(span, format!("a doc comment is missing: {why}")));
        }
        let first = paragraphs.remove(0);
        Ok(Self { first, rest: paragraphs.join(" ") })
    }

    /// Joins all paragraphs into one line.
    pub(super) fn join(self) -> String {
        if self.rest.is_empty() { self.first } else { format!("{} {}", self.first, self.rest) }
    }
}

/// Parses the words of an attribute. A word that is given twice is an error: the second would silently win.
pub(super) fn parse_words(arguments: TokenStream) -> Result<Metas> {
    let words = Metas::parse_terminated.parse2(arguments)?;
    let mut seen = Vec::new();
    for word in &words {
        let name = name_of_word(word);
        if seen.contains(&name) {
            return Err(Error::new(word.span(), format!("`{name}` is given twice: take one out")));
        }
        seen.push(name);
    }
    Ok(words)
}

pub(super) fn name_of_word(word: &Meta) -> String {
    let path = word.path();
    path.get_ident().map_or_else(|| quote::quote!(#path).to_string(), Ident::to_string)
}

/// Parses `word(a, b)`.
pub(super) fn parse_list<T: syn::parse::Parse>(word: &Meta) -> Result<Vec<T>> {
    let parsed = word.require_list()?.parse_args_with(Punctuated::<T, Token![,]>::parse_terminated)?;
    Ok(parsed.into_iter().collect())
}

/// Parses `word = value`.
pub(super) fn parse_value<T: syn::parse::Parse>(word: &Meta) -> Result<T> {
    parse_expression(&word.require_name_value()?.value)
}

/// Parses an expression as a narrower piece of syntax, such as a literal.
pub(super) fn parse_expression<T: syn::parse::Parse>(expression: &Expr) -> Result<T> {
    syn::parse2(quote::quote!(#expression))
}

/// Takes an attribute of this grammar off, so that the compiler does not meet it.
pub(super) fn take_attribute(attributes: &mut Vec<Attribute>, name: &str) -> Option<Attribute> {
    let at = attributes.iter().position(|attribute| attribute.path().is_ident(name))?;
    Some(attributes.remove(at))
}

/// Takes `#[name("text")]` off.
pub(super) fn take_text(attributes: &mut Vec<Attribute>, name: &str) -> Result<Option<String>> {
    take_attribute(attributes, name).map(|attribute| attribute.parse_args::<LitStr>().map(|text| text.value())).transpose()
}

/// Finds `T` in `Wrapper<T>`.
pub(super) fn find_argument<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(syn::GenericArgument::Type(inner)) if last.ident == wrapper => Some(inner),
        _ => None,
    }
}

/// Writes a field's name without the mark of a raw identifier: `r#type` → `type`.
pub(super) fn plain_name(ident: &Ident) -> String {
    ident.to_string().trim_start_matches("r#").to_owned()
}

/// Writes a type's name as a key: `GetDeal` → `getDeal`.
pub(super) fn type_to_camel_case(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Writes a field's name as an input's: `include_fields` → `includeFields`.
pub(super) fn field_to_camel_case(name: &str) -> String {
    let mut out = String::new();
    let mut is_start = false;
    for letter in name.chars() {
        match letter {
            '_' => is_start = true,
            _ if is_start => {
                out.extend(letter.to_uppercase());
                is_start = false;
            }
            _ => out.push(letter),
        }
    }
    out
}

/// Writes a variant's name as a value: `AddTime` → `add_time`.
pub(super) fn variant_to_snake_case(name: &str) -> String {
    let mut out = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
