//! Data sources.

use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Expr, Lit, LitStr, Meta, Result, Type};

use super::inputs::{Input, parse_action_inputs};
use super::tokens::{
    Doc, Metas, field_to_camel_case, name_of_word, parse_expression, parse_list, parse_value, parse_words, take_text, type_to_camel_case,
};

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
    /// The inputs that the list is given: a constant.
    pub(crate) given: Option<Expr>,
    /// The place where choices are looked for.
    pub(crate) finding: Finding,
    /// The member of a record whose items are the choices.
    pub(crate) within: Option<String>,
    /// The values that members of a record must have.
    pub(crate) only: Vec<(String, String)>,
    /// The values that no member of a record may have.
    pub(crate) except: Vec<(String, String)>,
    /// The members by which choices are sorted.
    pub(crate) sorted: Vec<String>,
    /// The words of a reference, each with the member that it is compared with.
    pub(crate) named: Vec<(String, String)>,
    /// The member that is true for the connected user.
    pub(crate) me: Option<String>,
    /// The action that reads one record.
    pub(crate) read: Option<Type>,
    /// The input of the search that asks for exact matches.
    pub(crate) exact: Option<String>,
    /// The inputs that narrow the choices to records whose member of that name has their value.
    pub(crate) inputs: Vec<Input>,
}

/// The place where choices are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The vendor searches.
    AtVendor,
    /// Each page of the list is looked through.
    InPages,
    /// The whole list is kept and looked through.
    InKeptList,
}

const KNOWN_WORDS: &str =
    "list, search, term, key, label, kept, given, sifted, within, only, except, sorted, named, me, read, exact, by_hand";

pub(crate) fn parse_data_source(arguments: TokenStream, mut item: DeriveInput) -> Result<DataSource> {
    let span = item.ident.span();
    let key = take_text(&mut item.attrs, "key")?.unwrap_or_else(|| type_to_camel_case(&item.ident.to_string()));
    let doc = Doc::read(&item.attrs, span, "its first line is the data source's label, the rest its description")?;
    let words = parse_words(arguments)?;
    if let Some(by_hand) = words.iter().find(|word| word.path().is_ident("by_hand")) {
        by_hand.require_path_only()?;
        if words.len() > 1 {
            return Err(Error::new(by_hand.span(), "`by_hand` stands alone: the code finds the choices, and the fields are its inputs"));
        }
        let inputs = parse_action_inputs(&mut item, &[])?;
        return Ok(DataSource { item, key, doc, origin: Origin::Code(inputs) });
    }
    let mut derivation = parse_derivation(&words, span)?;
    if matches!(&item.data, Data::Struct(data) if !data.fields.is_empty()) {
        if derivation.finding != Finding::InKeptList {
            let message =
                "the inputs of a data source follow from its actions: take the fields out, or write `kept`, which narrows a list by them";
            return Err(Error::new(span, message));
        }
        derivation.inputs = parse_action_inputs(&mut item, &[])?;
    }
    Ok(DataSource { item, key, doc, origin: Origin::Actions(Box::new(derivation)) })
}

fn parse_derivation(words: &Metas, span: Span) -> Result<Derivation> {
    let (mut list, mut search, mut term, mut value, mut text) = (None, None, None, None, None);
    let mut given = None;
    let (mut within, mut only, mut except, mut sorted, mut named, mut me) = (None, Vec::new(), Vec::new(), Vec::new(), Vec::new(), None);
    let (mut read, mut exact) = (None, None);
    let mut finding = Finding::AtVendor;
    for word in words {
        match name_of_word(word).as_str() {
            "list" => list = Some(word.require_list()?.parse_args::<Type>()?),
            "search" => search = Some(word.require_list()?.parse_args::<Type>()?),
            "term" => term = Some(parse_value::<LitStr>(word)?),
            "key" => value = Some(parse_path(&parse_text(word)?)?),
            "label" => text = Some(parse_template(parse_text(word)?)?),
            "given" => given = Some(word.require_name_value()?.value.clone()),
            "within" => within = Some(parse_path(&parse_text(word)?)?),
            "only" => only = parse_members(word)?,
            "except" => except = parse_members(word)?,
            "sorted" => sorted = parse_list::<LitStr>(word)?.iter().map(parse_path).collect::<Result<_>>()?,
            "named" => named = parse_names(word)?,
            "read" => read = Some(word.require_list()?.parse_args::<Type>()?),
            "exact" => exact = Some(field_to_camel_case(&parse_value::<LitStr>(word)?.value())),
            "me" => me = Some(parse_path(&parse_value::<LitStr>(word)?)?),
            name @ ("kept" | "sifted") => {
                word.require_path_only()?;
                if finding != Finding::AtVendor || words.iter().any(|word| word.path().is_ident("search")) {
                    let message = "choices are looked for in one place: keep one of `search`, `kept` and `sifted`";
                    return Err(Error::new(word.span(), message));
                }
                finding = if name == "kept" { Finding::InKeptList } else { Finding::InPages };
            }
            name => return Err(Error::new(word.span(), format!("unknown word `{name}`: one of {KNOWN_WORDS}"))),
        }
    }
    if let (Some(term), None) = (&term, &search) {
        return Err(Error::new(term.span(), "`term` names an input of the search: give `search(Action)`, or take it out"));
    }
    let needs_list = |word: &Meta| {
        let is_for_both = read.is_some() && word.path().is_ident("except");
        ["given", "within", "only", "except", "sorted", "me"].iter().any(|name| word.path().is_ident(name)) && !is_for_both
    };
    if let Some(word) = words.iter().find(|word| needs_list(word) && finding != Finding::InKeptList) {
        return Err(Error::new(word.span(), format!("`{}` looks at a whole list: write `kept`, or take it out", name_of_word(word))));
    }
    if let Some(word) = words.iter().find(|word| word.path().is_ident("exact") && search.is_none()) {
        return Err(Error::new(word.span(), "`exact` names an input of the search: give `search(Action)`, or take it out"));
    }
    if let Some(word) = words.iter().find(|word| word.path().is_ident("named") && search.is_some() && read.is_none()) {
        let message =
            "a search is not exact, so that what it finds is read and compared: give `read(Action)`, the action that reads one record";
        return Err(Error::new(word.span(), message));
    }
    let missing = |what: &str| Error::new(span, format!("a data source needs {what}"));
    Ok(Derivation {
        list: list.ok_or_else(|| missing("`list(Action)`, the action that lists its records, or `by_hand`"))?,
        search,
        term: term.map_or_else(|| "term".to_owned(), |term| field_to_camel_case(&term.value())),
        value: value.unwrap_or_else(|| "id".to_owned()),
        text: text.ok_or_else(|| missing("`label(\"{name}\")`, the text of a choice"))?,
        given,
        finding,
        within,
        only,
        except,
        sorted,
        named,
        me,
        read,
        exact,
        inputs: Vec::new(),
    })
}

/// Parses `word(member = true, other = "text")`. The values are those that JSON writes, without quotes.
fn parse_members(word: &Meta) -> Result<Vec<(String, String)>> {
    let pairs = parse_list::<Meta>(word)?.into_iter().map(|pair| {
        let value = match parse_expression::<Lit>(&pair.require_name_value()?.value)? {
            Lit::Bool(flag) => flag.value.to_string(),
            Lit::Str(text) => text.value(),
            Lit::Int(number) => number.base10_digits().to_owned(),
            other => return Err(Error::new(other.span(), "compare a member with true, false, a whole number or a text")),
        };
        Ok((name_of_word(&pair), value))
    });
    pairs.collect()
}

/// Parses `named(name, email = "emails")`: the words of a reference, and the members that they are compared with.
fn parse_names(word: &Meta) -> Result<Vec<(String, String)>> {
    let names = parse_list::<Meta>(word)?.into_iter().map(|name| {
        let member = match &name {
            Meta::NameValue(pair) => parse_path(&parse_expression::<LitStr>(&pair.value)?)?,
            _ => name.require_path_only().map(|_| name_of_word(&name))?,
        };
        Ok((name_of_word(&name), member))
    });
    names.collect()
}

/// Parses `word("text")`.
fn parse_text(word: &Meta) -> Result<LitStr> {
    word.require_list()?.parse_args()
}

/// Parses the path of a member: its name, and those of the records around it, divided by dots.
///
/// Where records have one of several shapes, the paths of each stand beside each other: `field_code|key`.
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
    if path.split(['.', '|']).any(|name| name.is_empty() || name.trim() != name) {
        return Err(Error::new(span, format!("`{path}` is no path: write the names of members, divided by dots, as in `owner.name`")));
    }
    Ok(())
}
