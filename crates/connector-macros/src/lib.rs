//! The attributes that declare actions, groups of inputs, data sources and records for connector-core.
//!
//! A macro decides only what its tokens can tell. The rest is decided in connector-core at run time, where it can be
//! read and tested.

mod emit;
mod parse;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Declares an action: a struct whose name is the key and whose fields are the inputs.
///
/// The first paragraph of its doc comment is the label, the rest the description.
/// `#[action(get("/api/v2/deals/{deal_id}"), scopes("deals:read"), cost = 1, returns(Deal))]`; without an endpoint the
/// action is written by hand and implements `Handler`. Any one of the `scopes` suffices; of `scopes_all(["a", "b"], ["c"])`
/// one of each list is needed. Further words: `reads` for a POST that changes
/// nothing, `changes` for one that changes a record, `paging(WAY)`, `envelope(SHAPE)`, `idempotent = bool`, `destructive`, `rules(…)`,
/// `with(Group)`, `like(Action)`, `without(input = "why")`, `when_flat(input = Bool(true))`, `by_hand(function)`, `removed("what replaced it")`,
/// `resource("deals")`, which stands in place of the room's name. `found_in(GetDeals, since = "updatedSince", created = "add_time",
/// creator = "creator_user_id")` names the list in which a record that the action added is found again.
#[proc_macro_attribute]
pub fn action(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    expand(parse::parse_action(arguments.into(), item).map(|declared| emit::emit_action(&declared)))
}

/// Declares inputs that several actions take by `with(Group)`: the fields of a struct.
///
/// They travel in the query of a GET or DELETE, else in the body. An action that changes a record says of each that it
/// stays where it is left out; `#[on_update("…")]` gives another sentence. `#[instead_of(other)]` makes an input stand
/// for another one under its name on the wire. `#[source(SelectStage, pipeline_id, kind = "open")]` names the data source
/// that fills it, and which of its inputs take the value of another input or a text. `#[time_of(due_date)]` says that a
/// time of day and a date are one moment in UTC.
#[proc_macro_attribute]
pub fn inputs(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    expand(parse::parse_group(arguments.into(), item).map(|declared| emit::emit_group(&declared)))
}

/// Declares a data source: `#[data_source(list(GetDeals), search(SearchDeals), label("{title}, {owner.name}"))]`.
///
/// Further words: `key("uuid")`, the member whose value a choice gives, in place of `id`; `term = "query"`, the input of
/// the search that takes the text, in place of `term`. Without `search(…)` there is no input to search by.
///
/// A list that the account defines is `kept`: read whole, kept for an hour and looked through here. Then fields of the
/// struct are inputs that narrow it to records whose member of that name on the wire has their value, and these words
/// choose among its records: `only(active = true)`, `except(deleted = true)`, `within("options")` for the items of a member,
/// `sorted("order")`. `given = INPUTS` is a constant with the inputs that the list is given. A list without a search at the
/// vendor that is not kept is `sifted`: looked through page by page. `named(name, email = "emails")` lists the words of a
/// reference with their members, and `me = "is_you"` the member that is true for the user of the connection.
///
/// `#[data_source(by_hand)]` is for a struct whose fields are the inputs and which implements `ChoiceHandler`.
#[proc_macro_attribute]
pub fn data_source(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    expand(parse::parse_data_source(arguments.into(), item).map(|declared| emit::emit_data_source(&declared)))
}

/// Declares a shape: a struct whose fields are members under their own names, or an enum of closed values.
///
/// As an input a struct takes its own members alone; `#[record(open)]` takes others too. A struct may have type
/// parameters; it must not hold itself then. `#[flat("name", change)]` places a member in the flat view; the changes are
/// `not`, `flag`, `primary("name")`, `id("name")`, `parts` and `null`.
#[proc_macro_attribute]
pub fn record(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    expand(parse::parse_record(arguments.into(), item).map(|declared| emit::emit_record(&declared)))
}

fn expand(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(syn::Error::into_compile_error).into()
}
