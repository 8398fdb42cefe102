//! Inputs: the fields of an action, and of a group that several actions take.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, LitStr, Result, Token, Type};

use super::tokens::{Doc, WireName, field_to_camel_case, find_argument, parse_words, plain_name, take_attribute};

/// A struct under `#[inputs]`.
pub(crate) struct Group {
    /// The struct, without the attributes of this grammar.
    pub(crate) item: DeriveInput,
    pub(crate) inputs: Vec<Input>,
}

/// One field of an action or a group.
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) wire: WireName,
    /// The word of the place in the request, if the path or an attribute names it. Else the method decides.
    pub(crate) place: Option<&'static str>,
    pub(crate) doc: String,
    /// The sentence in an action that changes a record, where a group gives the input.
    pub(crate) doc_on_update: String,
    pub(crate) ty: Type,
    pub(crate) source: Option<Source>,
    /// The inputs that the vendor ignores beside this one.
    pub(crate) overrides: Vec<String>,
    /// The names of the input for which this one stands, and of this one.
    pub(crate) instead_of: Option<[String; 2]>,
    /// The input that has the date of this time of day.
    pub(crate) time_of: Option<String>,
    /// True for `Option<Nullable<…>>`: serde alone cannot tell null from absent.
    pub(crate) has_three_states: bool,
    pub(crate) is_optional: bool,
}

/// The data source that fills an input: `#[source(SelectStage, pipeline_id)]`.
pub(crate) struct Source {
    pub(crate) ty: Type,
    /// The inputs of the data source that are given, each with where its value comes from.
    pub(crate) given: Vec<(String, Given)>,
}

/// The origin of a value that a data source is given.
pub(crate) enum Given {
    /// Another input of the action, by name.
    Input(String),
    /// This text.
    Text(String),
}

/// The place of an input that the path names.
pub(crate) const PATH: &str = "path";

/// The words of the other places. Each is also an attribute.
const PLACES: [&str; 6] = ["query", "body", "flat", "form", "multipart", "own"];

/// The closing sentence of an input in an action that changes a record.
const STAYS: &str = "Left out, it stays.";

pub(crate) fn parse_group(arguments: TokenStream, mut item: DeriveInput) -> Result<Group> {
    if let Some(word) = parse_words(arguments)?.first() {
        return Err(Error::new(word.span(), "#[inputs] takes no words: take it out"));
    }
    let inputs = parse_fields(&mut item, "a group of inputs", parse_group_input)?;
    Ok(Group { item, inputs })
}

/// Parses the fields of an action.
///
/// Those that the path names travel in the path.
pub(super) fn parse_action_inputs(item: &mut DeriveInput, variables: &[String]) -> Result<Vec<Input>> {
    parse_fields(item, "an action", |field| {
        if let Some(attribute) = take_attribute(&mut field.attrs, "on_update") {
            let message = "#[on_update] is for a group, which several actions take: write the sentence as the doc comment";
            return Err(Error::new(attribute.path().span(), message));
        }
        parse_input(field, |wire| variables.iter().find(|variable| [&wire.snake, &wire.camel].contains(variable)).cloned())
    })
}

fn parse_group_input(field: &mut Field) -> Result<Input> {
    let on_update = take_attribute(&mut field.attrs, "on_update").map(|attribute| attribute.parse_args::<LitStr>()).transpose()?;
    let mut input = parse_input(field, |_| None)?;
    match on_update.map(|sentence| sentence.value()) {
        Some(whole) if whole.contains("Left out,") => input.doc_on_update = whole,
        Some(head) => input.doc_on_update = format!("{head} {STAYS}"),
        None => {}
    }
    Ok(input)
}

fn parse_fields(item: &mut DeriveInput, what: &str, mut parse: impl FnMut(&mut Field) -> Result<Input>) -> Result<Vec<Input>> {
    let Data::Struct(data) = &mut item.data else {
        return Err(Error::new(item.ident.span(), format!("{what} is a struct: its fields are its inputs; declare one for each")));
    };
    let named = match &mut data.fields {
        Fields::Named(named) => &mut named.named,
        Fields::Unit => return Ok(Vec::new()),
        Fields::Unnamed(_) => return Err(Error::new(item.ident.span(), format!("give the fields names: they are inputs of {what}"))),
    };
    let mut inputs: Vec<Input> = Vec::new();
    for field in named {
        let input = parse(field)?;
        let stands_for = |one: &Input, other: &Input| one.instead_of.as_ref().is_some_and(|[name, _]| *name == other.name);
        let is_alternative = |other: &Input| stands_for(&input, other) || stands_for(other, &input);
        if inputs.iter().any(|other| other.place == input.place && other.wire.snake == input.wire.snake && !is_alternative(other)) {
            let place = input.place.unwrap_or("request");
            let message = format!("`{}` travels twice in the {place}: rename one of the two with #[wire(\"…\")]", input.wire.snake);
            return Err(Error::new(field.ident.span(), message));
        }
        if inputs.iter().any(|other| other.name == input.name) {
            return Err(Error::new(field.ident.span(), format!("two inputs would be named `{}`: rename one", input.name)));
        }
        inputs.push(input);
    }
    let is_input = |name: &String| inputs.iter().any(|input| input.name == *name);
    if let Some(input) = inputs.iter().find(|input| input.instead_of.as_ref().is_some_and(|[other, _]| !is_input(other))) {
        let message = format!("`{}` would stand for an input that is not declared beside it: correct #[instead_of(…)]", input.name);
        return Err(Error::new(input.ty.span(), message));
    }
    let mut dates: Vec<&str> = Vec::new();
    for (input, date) in inputs.iter().filter_map(|input| Some((input, input.time_of.as_deref()?))) {
        let fault = match () {
            () if date == input.name || !inputs.iter().any(|other| other.name == date) => "is not declared beside it",
            () if dates.contains(&date) => "has another time already",
            () => {
                dates.push(date);
                continue;
            }
        };
        let message = format!("`{}` would be the time of `{date}`, which {fault}: correct #[time_of(…)]", input.name);
        return Err(Error::new(input.ty.span(), message));
    }
    Ok(inputs)
}

/// Parses a field. One whose name the path has, in either spelling, goes by the name that stands there.
fn parse_input(field: &mut Field, find_variable: impl Fn(&WireName) -> Option<String>) -> Result<Input> {
    let ident = field.ident.clone().expect("named fields have names");
    let name = plain_name(&ident);
    let doc = Doc::read(&field.attrs, ident.span(), "it tells the person who fills in the form what to give")?.join();
    let instead_of = take_attribute(&mut field.attrs, "instead_of").map(|attribute| attribute.parse_args::<Ident>()).transpose()?;
    let own_name = instead_of.as_ref().map_or_else(|| name.clone(), plain_name);
    let mut wire = WireName::take(&mut field.attrs, &own_name)?;
    let variable = find_variable(&wire);
    let in_path = variable.is_some().then_some(PATH);
    if let Some(variable) = variable {
        wire = WireName::fixed(variable);
    }
    let place = take_place(&mut field.attrs, &wire.snake, in_path)?;
    let source = take_attribute(&mut field.attrs, "source").map(|attribute| attribute.parse_args::<Source>()).transpose()?;
    let time_of = take_attribute(&mut field.attrs, "time_of").map(|attribute| attribute.parse_args::<Ident>()).transpose()?;
    let overrides = take_attribute(&mut field.attrs, "overrides")
        .map(|attribute| attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated))
        .transpose()?;
    let inner = find_argument(&field.ty, "Option");
    let has_three_states = inner.is_some_and(|inner| find_argument(inner, "Nullable").is_some());
    Ok(Input {
        name: field_to_camel_case(&name),
        wire,
        place,
        doc_on_update: word_update(&doc, has_three_states),
        doc,
        ty: field.ty.clone(),
        source,
        overrides: overrides.into_iter().flatten().map(|name| field_to_camel_case(&name.to_string())).collect(),
        instead_of: instead_of.map(|other| [field_to_camel_case(&plain_name(&other)), field_to_camel_case(&name)]),
        time_of: time_of.map(|date| field_to_camel_case(&plain_name(&date))),
        has_three_states,
        is_optional: inner.is_some(),
    })
}

impl Parse for Source {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut source = Self { ty: input.parse()?, given: Vec::new() };
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let word = Ident::parse_any(input)?;
            let given = match input.parse::<Option<Token![=]>>()? {
                Some(_) if input.peek(LitStr) => Given::Text(input.parse::<LitStr>()?.value()),
                Some(_) => Given::Input(field_to_camel_case(&plain_name(&Ident::parse_any(input)?))),
                None => Given::Input(field_to_camel_case(&plain_name(&word))),
            };
            source.given.push((field_to_camel_case(&plain_name(&word)), given));
        }
        Ok(source)
    }
}

/// Takes the attribute off that names a place; an input of the path has none.
fn take_place(attributes: &mut Vec<Attribute>, wire: &str, in_path: Option<&'static str>) -> Result<Option<&'static str>> {
    let mut found = None;
    for word in PLACES {
        let Some(attribute) = take_attribute(attributes, word) else { continue };
        let error = |message: String| Err(Error::new(attribute.path().span(), message));
        if in_path.is_some() {
            return error(format!("`{wire}` stands in the path: take #[{word}] off, or the variable out of the path"));
        }
        if let Some(other) = found {
            return error(format!("an input travels in one place: take #[{other}] or #[{word}] off"));
        }
        found = Some(word);
    }
    Ok(in_path.or(found))
}

/// Words an input's sentence for an action that changes a record: left out, the record keeps its value.
fn word_update(sentence: &str, has_three_states: bool) -> String {
    let Some((head, _)) = sentence.split_once(" Left out,") else { return sentence.to_owned() };
    let clears = if has_three_states && !head.contains("null") { "; null clears it" } else { "" };
    format!("{}{clears}. {STAYS}", head.trim_end_matches('.'))
}
