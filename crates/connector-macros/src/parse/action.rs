//! Actions.

use proc_macro2::{Ident, TokenStream};
use syn::spanned::Spanned;
use syn::{DeriveInput, Error, Expr, ExprArray, LitBool, LitInt, LitStr, Meta, MetaNameValue, Path, Result, Type};

use super::inputs::{Input, PATH, parse_action_inputs};
use super::tokens::{
    Doc, Metas, field_to_camel_case, name_of_word, parse_expression, parse_list, parse_value, parse_words, take_text, type_to_camel_case,
};

/// A struct under `#[action]`.
pub(crate) struct Action {
    /// The struct, without the attributes of this grammar.
    pub(crate) item: DeriveInput,
    pub(crate) key: String,
    pub(crate) doc: Doc,
    pub(crate) words: Words,
    pub(crate) inputs: Vec<Input>,
}

/// The words between the parentheses of `#[action]`.
#[derive(Default)]
pub(crate) struct Words {
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) scopes: Vec<LitStr>,
    /// The lists of scopes, of each of which one is needed.
    pub(crate) scopes_all: Vec<Vec<LitStr>>,
    pub(crate) cost: Option<LitInt>,
    /// The resource, where the module does not name it: a text, or a constant that a module gives once.
    pub(crate) resource: Option<Expr>,
    pub(crate) returns: Option<Type>,
    pub(crate) idempotent: Option<LitBool>,
    pub(crate) is_destructive: bool,
    /// True for an action that changes nothing, whatever its method.
    pub(crate) reads: bool,
    /// True for a POST that changes a record.
    pub(crate) changes: bool,
    /// The way in which the list pages, where it is not one of the connector's.
    pub(crate) paging: Option<Expr>,
    /// The shape of the response body, where it is not the connector's.
    pub(crate) envelope: Option<Expr>,
    /// The function that runs the action, although it names an endpoint.
    pub(crate) by_hand: Option<Path>,
    /// The replacement of an action that the vendor took away.
    pub(crate) removed: Option<LitStr>,
    pub(crate) rules: Vec<Expr>,
    /// The action whose inputs this one takes too.
    pub(crate) like: Option<Type>,
    /// The inputs of that action which this one does not take, each with the reason.
    pub(crate) without: Vec<(String, LitStr)>,
    /// The groups of inputs that the action takes beside its own.
    pub(crate) with: Vec<Type>,
    /// The inputs that the flat view gives where the caller does not, each with its value.
    pub(crate) when_flat: Vec<(String, Expr)>,
    /// The list in which a record that the action added is found again.
    pub(crate) found_in: Option<FoundIn>,
    /// The action that reads the record which this one changes.
    pub(crate) record: Option<Type>,
    /// The actions of which this one is made, if it changes a record or adds one.
    pub(crate) upsert: Option<Upsert>,
}

/// The words of `upsert`: a data source, two actions, and the values by which a record is found.
pub(crate) struct Upsert {
    pub(crate) source: Expr,
    pub(crate) add: Expr,
    pub(crate) update: Expr,
    pub(crate) by: Expr,
}

/// The words of `found_in`: a list, one of its inputs and two members of its records.
pub(crate) struct FoundIn {
    pub(crate) list: Expr,
    pub(crate) since: LitStr,
    pub(crate) created: LitStr,
    pub(crate) creator: LitStr,
}

/// The method and the path of an action.
pub(crate) struct Endpoint {
    pub(crate) method: Ident,
    pub(crate) path: LitStr,
}

const KNOWN_WORDS: &str = "head, get, post, put, patch, delete, scopes, scopes_all, cost, resource, returns, idempotent, reads, changes, destructive, paging, envelope, by_hand, removed, rules, with, like, without, when_flat, found_in, record, upsert";

pub(crate) fn parse_action(arguments: TokenStream, mut item: DeriveInput) -> Result<Action> {
    let span = item.ident.span();
    let doc = Doc::read(&item.attrs, span, "its first line is the action's label, the rest its description")?;
    if doc.rest.is_empty() {
        return Err(Error::new(span, "the doc comment has a label and no description: add an empty line and a sentence"));
    }
    let key = take_text(&mut item.attrs, "key")?.unwrap_or_else(|| type_to_camel_case(&item.ident.to_string()));
    let metas = parse_words(arguments)?;
    let words = Words::parse(&metas)?;
    let variables = words.endpoint.as_ref().map(|endpoint| parse_variables(&endpoint.path)).transpose()?.unwrap_or_default();
    let inputs = parse_action_inputs(&mut item, &variables)?;
    if let Some(endpoint) = &words.endpoint {
        let is_filled = |variable: &String| inputs.iter().any(|input| input.place == Some(PATH) && input.wire.snake == *variable);
        if let Some(variable) = variables.iter().find(|variable| !is_filled(variable)) {
            let message = format!("the path's `{{{variable}}}` has no field: add `{variable}: Id`");
            return Err(Error::new(endpoint.path.span(), message));
        }
    }
    if words.removed.is_some() && (metas.len() > 1 || !inputs.is_empty()) {
        let message = "a removed action makes no call: `removed(\"what replaced it\")` stands alone, on a struct without fields";
        return Err(Error::new(span, message));
    }
    words.check().map_err(|message| Error::new(span, message))?;
    Ok(Action { item, key, doc, words, inputs })
}

impl Words {
    fn parse(metas: &Metas) -> Result<Self> {
        let mut words = Self::default();
        for meta in metas {
            let name = name_of_word(meta);
            match name.as_str() {
                "head" | "get" | "post" | "put" | "patch" | "delete" => {
                    let endpoint = Endpoint { path: meta.require_list()?.parse_args()?, method: meta.path().require_ident()?.clone() };
                    if words.endpoint.replace(endpoint).is_some() {
                        return Err(Error::new(meta.span(), "an action has one endpoint: declare a struct for each of the two"));
                    }
                }
                "scopes" => words.scopes = parse_list(meta)?,
                "scopes_all" => words.scopes_all = parse_scope_lists(meta)?,
                "resource" => words.resource = Some(meta.require_list()?.parse_args()?),
                "cost" => words.cost = Some(parse_value(meta)?),
                "returns" => words.returns = Some(meta.require_list()?.parse_args()?),
                "idempotent" => words.idempotent = Some(parse_value(meta)?),
                "reads" => words.reads = meta.require_path_only().map(|_| true)?,
                "changes" => words.changes = meta.require_path_only().map(|_| true)?,
                "paging" => words.paging = Some(meta.require_list()?.parse_args()?),
                "envelope" => words.envelope = Some(meta.require_list()?.parse_args()?),
                "destructive" => words.is_destructive = meta.require_path_only().map(|_| true)?,
                "by_hand" => words.by_hand = Some(meta.require_list()?.parse_args()?),
                "removed" => words.removed = Some(meta.require_list()?.parse_args()?),
                "rules" => words.rules = parse_list(meta)?,
                "with" => words.with = parse_list(meta)?,
                "like" => words.like = Some(meta.require_list()?.parse_args()?),
                "record" => words.record = Some(meta.require_list()?.parse_args()?),
                "upsert" => words.upsert = Some(parse_upsert(meta)?),
                "found_in" => words.found_in = Some(parse_found_in(meta)?),
                "when_flat" => words.when_flat = parse_list(meta)?.iter().map(parse_input_value).collect::<Result<_>>()?,
                "without" => words.without = parse_list(meta)?.iter().map(parse_reason).collect::<Result<_>>()?,
                _ => {
                    let kind = if matches!(meta, Meta::List(_)) { "method or word" } else { "word" };
                    return Err(Error::new(meta.span(), format!("unknown {kind} `{name}`: one of {KNOWN_WORDS}")));
                }
            }
        }
        Ok(words)
    }

    /// Refuses words that need another one.
    fn check(&self) -> std::result::Result<(), &'static str> {
        if !self.scopes.is_empty() && !self.scopes_all.is_empty() {
            return Err("of `scopes(…)` any one suffices, of `scopes_all(…)` one of each list is needed: take one out");
        }
        if self.changes && (self.reads || self.endpoint.as_ref().is_none_or(|endpoint| endpoint.method != "post")) {
            return Err("`changes` is for a POST that changes a record: another method needs no such word, and a read has none");
        }
        if self.endpoint.is_none() && self.by_hand.is_some() {
            return Err("`by_hand(function)` is for an action that names its endpoint; without one write `impl Handler`");
        }
        if self.upsert.is_some() && (self.endpoint.is_some() || self.removed.is_some()) {
            return Err("`upsert(…)` is made of other actions: take the endpoint out");
        }
        if (self.endpoint.is_some() || self.upsert.is_some()) && self.returns.is_none() {
            return Err("say what comes back: `returns(Record)`, or `returns(Vec<Record>)` for a list");
        }
        Ok(())
    }
}

/// Parses `scopes_all(["a", "b"], ["c"])`.
fn parse_scope_lists(meta: &Meta) -> Result<Vec<Vec<LitStr>>> {
    let message = "`scopes_all` takes two lists or more, of each of which one scope is needed: `scopes_all([\"a\", \"b\"], [\"c\"])`";
    let wrong = || Error::new(meta.span(), message);
    let lists: Vec<ExprArray> = parse_list(meta).map_err(|_| wrong())?;
    if lists.len() < 2 || lists.iter().any(|list| list.elems.is_empty()) {
        return Err(wrong());
    }
    lists.iter().map(|list| list.elems.iter().map(parse_expression).collect()).collect()
}

/// Parses `found_in(List, since = "input", created = "member", creator = "member")`.
fn parse_found_in(meta: &Meta) -> Result<FoundIn> {
    const FORM: &str = "write `found_in(GetDeals, since = \"updatedSince\", created = \"add_time\", creator = \"creator_user_id\")`: the list, \
        its input, and two members of its records";
    let parts: Vec<Expr> = parse_list(meta)?;
    let text = |part: &Expr, name: &str| match part {
        Expr::Assign(assign) if matches!(&*assign.left, Expr::Path(path) if path.path.is_ident(name)) => parse_expression(&assign.right),
        _ => Err(Error::new(part.span(), FORM)),
    };
    match &parts[..] {
        [list @ Expr::Path(_), since, created, creator] => Ok(FoundIn {
            list: list.clone(),
            since: text(since, "since")?,
            created: text(created, "created")?,
            creator: text(creator, "creator")?,
        }),
        _ => Err(Error::new(meta.span(), FORM)),
    }
}

/// Parses `upsert(Source, add = Action, update = Action, by = KEYS)`.
fn parse_upsert(meta: &Meta) -> Result<Upsert> {
    const FORM: &str = "write `upsert(SelectPerson, add = AddPerson, update = UpdatePerson, by = PERSON_KEYS)`: the data source that finds \
        records, two actions, and the values by which a record is found";
    let parts: Vec<Expr> = parse_list(meta)?;
    let named = |part: &Expr, name: &str| match part {
        Expr::Assign(assign) if matches!(&*assign.left, Expr::Path(path) if path.path.is_ident(name)) => Ok((*assign.right).clone()),
        _ => Err(Error::new(part.span(), FORM)),
    };
    match &parts[..] {
        [source @ Expr::Path(_), add, update, by] => {
            Ok(Upsert { source: source.clone(), add: named(add, "add")?, update: named(update, "update")?, by: named(by, "by")? })
        }
        _ => Err(Error::new(meta.span(), FORM)),
    }
}

/// Parses `input = "why"`.
fn parse_reason(pair: &MetaNameValue) -> Result<(String, LitStr)> {
    Ok((field_to_camel_case(&pair.path.require_ident()?.to_string()), parse_expression(&pair.value)?))
}

/// Parses `input = value`.
fn parse_input_value(pair: &MetaNameValue) -> Result<(String, Expr)> {
    Ok((field_to_camel_case(&pair.path.require_ident()?.to_string()), pair.value.clone()))
}

/// Lists the names between the braces of a path.
fn parse_variables(path: &LitStr) -> Result<Vec<String>> {
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
                let message = format!("`{segment}`: a variable fills its whole segment, as in `/deals/{{deal_id}}`");
                return Err(Error::new(path.span(), message));
            }
        }
    }
    Ok(names)
}
