//! Tokens to a declaration, or to a complaint that says what to do.

use proc_macro2::{Span, TokenStream};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Fields, Ident, Lit, LitBool, LitInt, LitStr, Meta, MetaNameValue, Path, Result, Token, Type,
};

/// What `#[action]` read.
pub(crate) struct Action {
    /// The struct, its attributes of ours taken off.
    pub(crate) item: DeriveInput,
    pub(crate) key: String,
    pub(crate) doc: Doc,
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) scopes: Vec<LitStr>,
    pub(crate) cost: Option<LitInt>,
    pub(crate) returns: Option<Type>,
    pub(crate) idempotent: Option<LitBool>,
    pub(crate) destructive: bool,
    /// The function that runs it, although it names an endpoint.
    pub(crate) by_hand: Option<Path>,
    /// What replaced it, where the vendor took it away.
    pub(crate) removed: Option<LitStr>,
    pub(crate) rules: Vec<Expr>,
    /// The action whose inputs this one takes too.
    pub(crate) like: Option<Type>,
    /// The groups of inputs that it takes beside its own.
    pub(crate) with: Vec<Type>,
    /// Which of those of the other action it does not take, and why.
    pub(crate) without: Vec<(String, LitStr)>,
    pub(crate) inputs: Vec<Input>,
}

/// Where an action goes.
pub(crate) struct Endpoint {
    pub(crate) method: Ident,
    pub(crate) path: LitStr,
}

/// A label and a description.
pub(crate) struct Doc {
    pub(crate) first: String,
    pub(crate) rest: String,
}

/// One field of an action.
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) wire: String,
    pub(crate) place: &'static str,
    pub(crate) doc: String,
    /// The sentence of an action that changes a record, where a group gives the input.
    pub(crate) doc_of_update: String,
    pub(crate) ty: Type,
    pub(crate) source: Option<Type>,
    /// The inputs that the vendor ignores beside it.
    pub(crate) overrides: Vec<String>,
    /// Whether it is an `Option<Nullable<…>>`, which serde alone cannot tell null from absent for.
    pub(crate) three_states: bool,
    pub(crate) optional: bool,
}

/// What `#[inputs]` read.
pub(crate) struct Group {
    /// The struct, its attributes of ours taken off.
    pub(crate) item: DeriveInput,
    pub(crate) inputs: Vec<Input>,
}

/// What `#[data_source]` read.
pub(crate) struct DataSource {
    pub(crate) item: DeriveInput,
    pub(crate) key: String,
    pub(crate) doc: Doc,
    pub(crate) list: Type,
    pub(crate) search: Type,
    pub(crate) label: LitStr,
}

/// What `#[record]` read.
pub(crate) struct Record {
    pub(crate) item: DeriveInput,
    pub(crate) doc: String,
    /// Whether it takes members that it does not name.
    pub(crate) is_open: bool,
    pub(crate) shape: Shape,
}

/// A struct's members or an enum's values.
pub(crate) enum Shape {
    Members(Vec<(String, String, Type)>),
    Values(Vec<Lit>),
}

pub(crate) fn action(arguments: TokenStream, mut item: DeriveInput) -> Result<Action> {
    let span = item.ident.span();
    let mut read = Action {
        key: camel(&item.ident.to_string()),
        doc: doc(&item.attrs, span, "its first line is the action's label, the rest its description")?,
        endpoint: None,
        scopes: Vec::new(),
        cost: None,
        returns: None,
        idempotent: None,
        destructive: false,
        by_hand: None,
        removed: None,
        rules: Vec::new(),
        like: None,
        with: Vec::new(),
        without: Vec::new(),
        inputs: Vec::new(),
        item: item.clone(),
    };
    if read.doc.rest.is_empty() {
        return Err(Error::new(span, "the doc comment has a label and no description: add an empty line and a sentence"));
    }
    if let Some(key) = take_string(&mut item.attrs, "key")? {
        read.key = key;
    }
    let metas = metas(arguments)?;
    once(&metas)?;
    for meta in &metas {
        let name = name_of(meta);
        match name.as_str() {
            "get" | "post" | "put" | "patch" | "delete" => {
                let path = meta.require_list()?.parse_args::<LitStr>()?;
                let method = meta.path().require_ident()?.clone();
                if read.endpoint.replace(Endpoint { method, path }).is_some() {
                    return Err(Error::new(meta.span(), "an action has one endpoint: declare a struct for each of the two"));
                }
            }
            "scopes" => read.scopes = list::<LitStr>(meta)?,
            "cost" => read.cost = Some(value(meta)?),
            "returns" => read.returns = Some(meta.require_list()?.parse_args()?),
            "idempotent" => read.idempotent = Some(value(meta)?),
            "destructive" => read.destructive = meta.require_path_only().map(|_| true)?,
            "by_hand" => read.by_hand = Some(meta.require_list()?.parse_args()?),
            "removed" => read.removed = Some(meta.require_list()?.parse_args()?),
            "rules" => read.rules = list::<Expr>(meta)?,
            "with" => read.with = list::<Type>(meta)?,
            "like" => read.like = Some(meta.require_list()?.parse_args()?),
            "without" => {
                for (name, why) in list::<MetaNameValue>(meta)?
                    .iter()
                    .map(|pair| Ok((pair.path.require_ident()?, string(&pair.value)?)))
                    .collect::<Result<Vec<_>>>()?
                {
                    read.without.push((camel_field(&name.to_string()), why));
                }
            }
            _ => {
                let known = "get, post, put, patch, delete, scopes, cost, returns, idempotent, destructive, by_hand, removed, rules, with, \
                             like, without";
                let what = if matches!(meta, Meta::List(_)) { "method or word" } else { "word" };
                return Err(Error::new(meta.span(), format!("unknown {what} `{name}`: one of {known}")));
            }
        }
    }
    let variables = match &read.endpoint {
        Some(endpoint) => variables(&endpoint.path)?,
        None => Vec::new(),
    };
    let otherwise = match &read.endpoint {
        None => "Own",
        Some(endpoint) if endpoint.method == "get" || endpoint.method == "delete" => "Query",
        Some(_) => "Body",
    };
    read.inputs = inputs(&mut item, "an action", &variables, otherwise)?;
    for variable in &variables {
        if !read.inputs.iter().any(|input| input.place == "Path" && &input.wire == variable) {
            let path = &read.endpoint.as_ref().expect("a variable comes from an endpoint").path;
            return Err(Error::new(path.span(), format!("the path's `{{{variable}}}` has no field: add `{variable}: Id`")));
        }
    }
    if read.removed.is_some() {
        if metas.len() > 1 || !read.inputs.is_empty() {
            return Err(Error::new(
                span,
                "a removed action makes no call: `removed(\"what replaced it\")` stands alone, on a struct without fields",
            ));
        }
    } else if read.endpoint.is_none() && read.by_hand.is_some() {
        return Err(Error::new(span, "`by_hand(function)` is for an action that names its endpoint; without one write `impl Handler`"));
    }
    if read.like.is_none() && !read.without.is_empty() {
        return Err(Error::new(span, "`without` takes inputs from `like(Action)`: name the action"));
    }
    if read.endpoint.is_some() && read.returns.is_none() {
        return Err(Error::new(span, "say what comes back: `returns(Record)`, or `returns(Vec<Record>)` for a list"));
    }
    read.item = item;
    Ok(read)
}

pub(crate) fn group(arguments: TokenStream, mut item: DeriveInput) -> Result<Group> {
    if let Some(word) = metas(arguments)?.first() {
        return Err(Error::new(word.span(), "#[inputs] takes no words: take it out"));
    }
    let inputs = inputs(&mut item, GROUP, &[], IN_GROUP)?;
    Ok(Group { item, inputs })
}

/// Words the sentence of an input for an action that changes a record: left out, the record keeps its value.
fn sentence_of_update(sentence: &str, three_states: bool) -> String {
    let Some((head, _)) = sentence.split_once(" Left out,") else { return sentence.to_owned() };
    let clears = if three_states && !head.contains("null") { "; null clears it" } else { "" };
    format!("{}{clears}. {STAYS}", head.trim_end_matches('.'))
}

const GROUP: &str = "a group of inputs";

/// The place of a group's inputs that name none: the action that takes the group decides.
pub(crate) const IN_GROUP: &str = "Group";

const STAYS: &str = "Left out, it stays.";

/// The fields of `what`: those that the path names travel there, and the others where they say, or `otherwise`.
fn inputs(item: &mut DeriveInput, what: &str, variables: &[String], otherwise: &'static str) -> Result<Vec<Input>> {
    let fields = match &mut item.data {
        Data::Struct(data) => &mut data.fields,
        _ => {
            return Err(Error::new(item.ident.span(), format!("{what} is a struct: its fields are its inputs; declare one for each")));
        }
    };
    let named = match fields {
        Fields::Named(named) => &mut named.named,
        Fields::Unit => return Ok(Vec::new()),
        Fields::Unnamed(_) => return Err(Error::new(item.ident.span(), format!("give the fields names: they are inputs of {what}"))),
    };
    let mut inputs: Vec<Input> = Vec::new();
    for field in named {
        let ident = field.ident.clone().expect("named fields have names");
        let written = ident.to_string().trim_start_matches("r#").to_owned();
        let sentence = doc(&field.attrs, ident.span(), "it tells the person who fills in the form what to give")?.whole();
        let wire = take_string(&mut field.attrs, "wire")?.unwrap_or_else(|| written.clone());
        let mut place = if variables.contains(&wire) { "Path" } else { otherwise };
        let mut told = None;
        for (word, name) in
            [("query", "Query"), ("body", "Body"), ("flat", "Flat"), ("form", "Form"), ("multipart", "Multipart"), ("own", "Own")]
        {
            let Some(attribute) = take(&mut field.attrs, word) else { continue };
            if place == "Path" {
                return Err(Error::new(
                    attribute.path().span(),
                    format!("`{wire}` stands in the path: take #[{word}] off, or the variable out of the path"),
                ));
            }
            if let Some(other) = told.replace(word) {
                return Err(Error::new(
                    attribute.path().span(),
                    format!("an input travels in one place: take #[{other}] or #[{word}] off"),
                ));
            }
            place = name;
        }
        let inner = generic(&field.ty, "Option");
        let three_states = inner.is_some_and(|inner| generic(inner, "Nullable").is_some());
        let doc_of_update = match take(&mut field.attrs, "on_update") {
            Some(attribute) if what != GROUP => {
                return Err(Error::new(
                    attribute.path().span(),
                    "#[on_update] is for a group, which several actions take: write the sentence as the doc comment",
                ));
            }
            Some(attribute) => match attribute.parse_args::<LitStr>()?.value() {
                whole if whole.contains("Left out,") => whole,
                head => format!("{head} {STAYS}"),
            },
            None => sentence_of_update(&sentence, three_states),
        };
        let source = take(&mut field.attrs, "source").map(|a| a.parse_args::<Type>()).transpose()?;
        let overrides =
            take(&mut field.attrs, "overrides").map(|a| a.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)).transpose()?;
        let overrides = overrides.into_iter().flatten().map(|name| camel_field(&name.to_string())).collect();
        if inputs.iter().any(|input| input.place == place && input.wire == wire) {
            return Err(Error::new(
                ident.span(),
                format!("`{wire}` travels twice in the {}: name one of the two otherwise, with #[wire(\"…\")]", place.to_lowercase()),
            ));
        }
        let name = camel_field(&written);
        if inputs.iter().any(|input| input.name == name) {
            return Err(Error::new(ident.span(), format!("two inputs would be named `{name}`: rename one")));
        }
        inputs.push(Input {
            name,
            wire,
            place,
            doc: sentence,
            doc_of_update,
            three_states,
            optional: inner.is_some(),
            ty: field.ty.clone(),
            source,
            overrides,
        });
    }
    Ok(inputs)
}

pub(crate) fn data_source(arguments: TokenStream, item: DeriveInput) -> Result<DataSource> {
    let span = item.ident.span();
    let (mut listed, mut searched, mut label) = (None, None, None);
    let metas = metas(arguments)?;
    once(&metas)?;
    for meta in metas {
        match name_of(&meta).as_str() {
            "list" => listed = Some(meta.require_list()?.parse_args::<Type>()?),
            "search" => searched = Some(meta.require_list()?.parse_args::<Type>()?),
            "label" => label = Some(meta.require_list()?.parse_args::<LitStr>()?),
            name => return Err(Error::new(meta.span(), format!("unknown word `{name}`: one of list, search, label"))),
        }
    }
    let missing = |what: &str| Error::new(span, format!("a data source needs {what}"));
    Ok(DataSource {
        key: camel(&item.ident.to_string()),
        doc: doc(&item.attrs, span, "its first line is the data source's label, the rest its description")?,
        list: listed.ok_or_else(|| missing("`list(Action)`, the action that lists its records"))?,
        search: searched.ok_or_else(|| missing("`search(Action)`, the action that finds its records by a term"))?,
        label: label.ok_or_else(|| missing("`label(\"{name}\")`, the text of a choice"))?,
        item,
    })
}

pub(crate) fn record(arguments: TokenStream, mut item: DeriveInput) -> Result<Record> {
    let words = metas(arguments)?;
    once(&words)?;
    if let Some(word) = words.iter().find(|word| !matches!(word, Meta::Path(path) if path.is_ident("open"))) {
        return Err(Error::new(word.span(), format!("unknown word `{}`: #[record] takes `open` alone", name_of(word))));
    }
    let ident = item.ident.clone();
    let text = doc(&item.attrs, ident.span(), "it says what the shape stands for")?.whole();
    let shape = match &mut item.data {
        Data::Struct(data) => {
            let mut members: Vec<(String, String, Type)> = Vec::new();
            for field in &mut data.fields {
                let Some(name) = &field.ident else {
                    return Err(Error::new(field.span(), "give the fields names: they are the record's members"));
                };
                let sentence = doc(&field.attrs, name.span(), "it says what the member holds")?.whole();
                let written = name.to_string().trim_start_matches("r#").to_owned();
                let span = name.span();
                let wire = take_string(&mut field.attrs, "wire")?.unwrap_or(written);
                if members.iter().any(|(other, ..)| *other == wire) {
                    return Err(Error::new(
                        span,
                        format!("`{wire}` stands twice in this record: take one out, or name it otherwise with #[wire(\"…\")]"),
                    ));
                }
                members.push((wire, sentence, field.ty.clone()));
            }
            Shape::Members(members)
        }
        Data::Enum(data) => {
            let mut values = Vec::new();
            for variant in &mut data.variants {
                if !matches!(variant.fields, Fields::Unit) {
                    return Err(Error::new(
                        variant.span(),
                        "a value of a closed set has no fields: leave them out, or make a struct of it",
                    ));
                }
                let given = take(&mut variant.attrs, "wire").map(|a| a.parse_args::<Lit>()).transpose()?;
                values.push(given.unwrap_or_else(|| Lit::Str(LitStr::new(&snake(&variant.ident.to_string()), variant.ident.span()))));
            }
            Shape::Values(values)
        }
        Data::Union(_) => return Err(Error::new(ident.span(), "a record is a struct or an enum")),
    };
    if !words.is_empty() && matches!(shape, Shape::Values(_)) {
        return Err(Error::new(words.span(), "`open` is for a struct: the values of an enum are closed"));
    }
    Ok(Record { item, doc: text, is_open: !words.is_empty(), shape })
}

impl Doc {
    /// Both parts as one text.
    pub(crate) fn whole(&self) -> String {
        if self.rest.is_empty() { self.first.clone() } else { format!("{} {}", self.first, self.rest) }
    }
}

/// The doc comment: the first paragraph, and the rest in one line.
fn doc(attributes: &[Attribute], span: Span, why: &str) -> Result<Doc> {
    let mut paragraphs = vec![String::new()];
    for attribute in attributes.iter().filter(|a| a.path().is_ident("doc")) {
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
    Ok(Doc { first, rest: paragraphs.join(" ") })
}

/// The names between braces.
fn variables(path: &LitStr) -> Result<Vec<String>> {
    let text = path.value();
    if !text.starts_with('/') {
        return Err(Error::new(path.span(), "a path starts with `/` and names its version: `/api/v2/deals`"));
    }
    let mut names = Vec::new();
    for segment in text.split('/') {
        let braces = ['{', '}'];
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if !name.is_empty() && !name.contains(braces) => names.push(name.to_owned()),
            None if !segment.contains(braces) => {}
            _ => {
                return Err(Error::new(
                    path.span(),
                    format!("`{segment}`: a variable fills its whole segment, as in `/deals/{{deal_id}}`"),
                ));
            }
        }
    }
    Ok(names)
}

fn metas(arguments: TokenStream) -> Result<Punctuated<Meta, Token![,]>> {
    Punctuated::<Meta, Token![,]>::parse_terminated.parse2(arguments)
}

/// Refuses a word that is given twice: the second would silently win.
fn once(metas: &Punctuated<Meta, Token![,]>) -> Result<()> {
    let mut seen = Vec::new();
    for meta in metas {
        let name = name_of(meta);
        if seen.contains(&name) {
            return Err(Error::new(meta.span(), format!("`{name}` is given twice: take one out")));
        }
        seen.push(name);
    }
    Ok(())
}

fn name_of(meta: &Meta) -> String {
    let path = meta.path();
    path.get_ident().map_or_else(|| quote::quote!(#path).to_string(), Ident::to_string)
}

fn list<T: syn::parse::Parse>(meta: &Meta) -> Result<Vec<T>> {
    let parsed = meta.require_list()?.parse_args_with(Punctuated::<T, Token![,]>::parse_terminated)?;
    Ok(parsed.into_iter().collect())
}

fn value<T: syn::parse::Parse>(meta: &Meta) -> Result<T> {
    let value = &meta.require_name_value()?.value;
    syn::parse2(quote::quote!(#value))
}

fn string(value: &Expr) -> Result<LitStr> {
    syn::parse2(quote::quote!(#value))
}

/// Takes an attribute of ours off, so that the compiler does not meet it.
fn take(attributes: &mut Vec<Attribute>, name: &str) -> Option<Attribute> {
    let at = attributes.iter().position(|a| a.path().is_ident(name))?;
    Some(attributes.remove(at))
}

fn take_string(attributes: &mut Vec<Attribute>, name: &str) -> Result<Option<String>> {
    take(attributes, name).map(|a| a.parse_args::<LitStr>().map(|text| text.value())).transpose()
}

/// `T` of `Wrapper<T>`.
fn generic<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(syn::GenericArgument::Type(inner)) if last.ident == wrapper => Some(inner),
        _ => None,
    }
}

/// `GetDeal` → `getDeal`.
fn camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// `include_fields` → `includeFields`.
fn camel_field(name: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = true,
            _ if upper => {
                out.extend(letter.to_uppercase());
                upper = false;
            }
            _ => out.push(letter),
        }
    }
    out
}

/// `AddTime` → `add_time`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
