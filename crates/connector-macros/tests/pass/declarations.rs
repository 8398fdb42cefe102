//! One declaration of each kind, and what the catalogue then knows.

use async_trait::async_trait;
use connector_core::{action, data_source, inputs, record};
use connector_core::by_hand::{Call, Choice, ChoiceHandler, Choices, Handler, Stop};
use connector_core::declare::{Date, Effect, ValueKind, Id, Json, List, MapOf, Nullable, Paging, Place, SourceInput, Start, Text};
use connector_core::run::{Answer, Catalogue, Invocation, EntryKind};
use serde_json::{Value, json};

include!("../with/connector.rs");

/// Get Deal
///
/// Get details of a deal,
/// in two lines
#[action(get("/v2/deals/{deal_id}"), scopes("deals:read", "deals:full"), cost = 1, returns(Deal))]
struct GetDeal {
    /// The deal to read.
    #[source(SelectKeptDeal, type, cursor = include_fields, search = "open")]
    deal_id: Id,
    /// Further fields to include.
    include_fields: Option<List<DealExtra>>,
    /// The kind of the deal.
    r#type: Option<Text>,
}

/// Get Deals
///
/// Get all deals
#[action(get("/v2/deals"), returns(Vec<Deal>), rules(at_most_one(&["ownerId", "filterId"])))]
struct GetDeals {
    /// Only deals of this owner.
    owner_id: Option<Id>,
    /// A filter of the account.
    filter_id: Option<Id>,
    /// The cursor to go on from.
    cursor: Option<Text>,
}

/// Search Deals
///
/// Search deals
#[action(get("/v2/deals/search"), returns(Found<Deal>), rules(shortest("term", 2, "exact")))]
struct SearchDeals {
    /// The text to look for.
    term: Text,
    /// True if the whole text must match.
    exact: Option<bool>,
}

/// Update Deal
///
/// Update a deal
#[action(patch("/v2/deals/{deal_id}"), returns(Deal), rules(any_of(&["title", "closeDate"])))]
#[key("changeDeal")]
struct UpdateDeal {
    /// The deal to change.
    deal_id: Id,
    /// The title of the deal.
    title: Option<String>,
    /// The day on which it is to close; null clears it.
    #[wire("expected_close_date")]
    close_date: Option<Nullable<Date>>,
    /// True to tell the owner.
    #[query]
    tell: Option<bool>,
}

/// Merge Deals
///
/// Merge two deals
#[action(put("/v1/deals/{deal_id}/merge"), cost = 40, returns(Deal), idempotent = false, destructive)]
struct MergeDeals {
    /// The deal that is gone afterwards.
    deal_id: Id,
    /// The deal that stays.
    #[form]
    merge_with_id: Id,
}

/// Ping
///
/// See whether the vendor answers
#[action(get("/v2/ping"), scopes_all(["health:read"], ["health:admin"]), resource("health"), returns(Json))]
struct Ping;

/// Set Note
///
/// Set or clear the note of a deal
#[action(scopes_all(["deals:read", "deals:full"], ["notes:full"]))]
struct SetNote {
    /// The deal to change.
    deal_id: Id,
    /// The text; null clears it. Left out, it stays.
    note: Option<Nullable<Text>>,
}

#[async_trait]
impl Handler for SetNote {
    async fn run(self, _call: &Call<'_>) -> Result<Answer, Stop> {
        let said = match self.note {
            None => "stays".to_owned(),
            Some(Nullable::Null) => "is cleared".to_owned(),
            Some(Nullable::Value(Text(text))) => format!("is {text}"),
        };
        Ok(Answer::from_data(&json!({"deal": self.deal_id.0, "note": said})))
    }
}

/// Select Deal
///
/// Select a deal.
#[data_source(list(GetDeals), search(SearchDeals), label("{title}"))]
struct SelectDeal;

/// Select Parent
///
/// Select the deal that a deal was made from.
#[data_source(list(GetDeals), key("parent.deals_id"), label("{type} of {parent.deals_id}"))]
#[key("selectParentDeal")]
struct SelectParent;

/// Select Contact Deal
///
/// Select a deal of a contact.
#[data_source(list(GetDeals), search(contacts::FindDeals), term = "text_to_find", label("{type}"))]
struct SelectContactDeal;

/// Select Kept Deal
///
/// Select a deal from a list that is kept.
#[data_source(list(GetDeals), kept, except(id = 7), sorted("type"), label("{type}"), named(name = "type"), me = "id|type")]
struct SelectKeptDeal {
    /// Only deals of this type. Left out, those of all.
    r#type: Option<Text>,
}

/// Select Sifted Deal
///
/// Select a deal from pages that are looked through.
#[data_source(list(GetDeals), sifted, label("{type}"))]
struct SelectSiftedDeal;

/// Select Color
///
/// Select a color.
#[data_source(by_hand)]
struct SelectColor {
    /// The kind of the deal.
    deal_type: Option<Text>,
    /// The text to look for; null is any.
    search: Option<Nullable<Text>>,
}

#[async_trait]
impl ChoiceHandler for SelectColor {
    async fn list_choices(self, _call: &Call<'_>) -> Result<Choices, Stop> {
        let choices = [self.deal_type].into_iter().flatten().map(|Text(text)| Choice::new(text.clone(), text));
        let any = matches!(self.search, Some(Nullable::Null)).then(|| Choice::new("any", "Any"));
        Ok(choices.chain(any).collect())
    }
}

/// A deal.
#[record]
struct Deal {
    /// Its ID.
    id: i64,
    /// Its title.
    title: Option<String>,
    /// The deal that it was made from.
    parent: Option<DealParts>,
    /// Its status.
    status: Option<DealStatus>,
    /// Its kind.
    r#type: Option<String>,
    /// Its visibility.
    #[wire("visibleTo")]
    visible_to: Option<VisibleTo>,
}

/// A deal within a deal.
#[record]
struct DealParts {
    /// The ID of the whole.
    deals_id: Option<i64>,
    /// The deals within.
    deals: Vec<Deal>,
}

/// The records that a search found.
#[record]
struct Found<Item: connector_core::declare::FieldType> {
    /// The records.
    items: Vec<Item>,
}

/// The status of a deal.
#[record]
enum DealStatus {
    Open,
    #[wire("closed")]
    Won,
    NotYetKnown,
}

/// The visibility of a deal.
#[record]
enum VisibleTo {
    #[wire(1)]
    Owner,
    #[wire(7)]
    Company,
}

/// A further field that can be included.
#[record]
enum DealExtra {
    NextActivityId,
}

/// Get Person Files
///
/// List files of a person
#[action(get("/v1/persons/{person_id}/files"), returns(Vec<Json>), with(ByStart))]
struct GetPersonFiles {
    /// The person whose files to read.
    person_id: Id,
    /// The number of files on a page. Left out, 100.
    limit: Option<i64>,
}

/// A list that pages by the place of its first record.
#[inputs]
struct ByStart {
    /// The place at which to start. Left out, the first.
    start: Option<Start>,
    /// The number of records on a page. Left out, 500.
    limit: Option<i64>,
}

/// Get Deal Files
///
/// List files of a deal
#[action(get("/v1/deals/{deal_id}/files"), returns(Vec<Json>), like(GetPersonFiles))]
struct GetDealFiles {
    /// The deal whose files to read.
    deal_id: Id,
}

/// Get Subscription
///
/// Get details of a subscription
#[action(removed("Read the deal's products."))]
struct GetSubscription;

/// Add Lead
///
/// Add a lead
#[action(post("/v1/leads"), returns(Json), by_hand(add_lead))]
struct AddLead {
    /// The title.
    title: String,
    /// Custom fields. Left out, none is set.
    #[flat]
    custom_fields: Option<MapOf<Json>>,
    /// The way to go about it. Left out, as usual.
    #[own]
    how: Option<String>,
}

/// Add Note
///
/// Add a note
#[action(post("/v1/notes"), returns(Json), with(NoteInputs<Id>))]
struct AddNote {
    /// The text.
    content: String,
}

/// Update Note
///
/// Update a note
#[action(put("/v1/notes/{note_id}"), returns(Json), with(NoteInputs<Nullable<Id>>))]
struct UpdateNote {
    /// The note to change.
    note_id: Id,
}

/// The inputs that adding and updating a note share.
#[inputs]
struct NoteInputs<Link: connector_core::declare::FieldType> {
    /// The deal of the note. Left out, it has none.
    #[on_update("The deal of the note; null unlinks.")]
    deal_id: Option<Link>,
    /// The color of the note. Left out, it has none.
    color: Option<Nullable<String>>,
    /// True if it stands above the others. Left out, it does not.
    is_pinned: Option<bool>,
    /// The tags. Left out, there are none.
    #[on_update("All tags. Left out, they stay.")]
    #[query]
    tags: Option<Vec<Tag>>,
}

/// A tag.
#[record(open)]
struct Tag {
    /// Its name.
    name: String,
}

mod contacts {
    use connector_core::{action, record};
    use connector_core::declare::{FieldType, List, Text};

    pub const RESOURCE: &str = "contacts";

    /// A deal of a contact: its name is that of the other record, and it is another one.
    #[record]
    pub struct Deal {
        /// The contact's part in it.
        role: Option<String>,
        /// Notes, where there are any.
        notes: Vec<Option<String>>,
    }

    /// A deal, and a deal of a contact.
    #[record]
    pub struct Pair<One: FieldType> {
        /// The one.
        one: One,
        /// The other.
        other: Deal,
    }

    /// Find Deals
    ///
    /// Find deals by a text
    #[action(get("/v2/contacts/deals/find"), returns(FoundDeals))]
    pub struct FindDeals {
        /// The text to look for.
        text_to_find: Text,
    }

    /// The deals that a text is in.
    #[record]
    pub struct FoundDeals {
        /// Their number.
        count: i64,
        /// The deals.
        deals: Vec<super::Deal>,
    }

    /// Get Contact Deals
    ///
    /// Get the deals of contacts
    #[action(get("/v2/contacts/deals"), resource(RESOURCE), returns(Pair<super::Deal>))]
    pub struct GetContactDeals {
        /// The tags to look for.
        tags: Option<List<Text>>,
    }
}

fn add_lead<'a>(
    call: &'a Call<'_>,
    declaration: &'static connector_core::declare::Declaration,
) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, Stop>> + Send + 'a>> {
    Box::pin(async move { Ok(call.send(call.request(declaration)).await?.into_answer(declaration)?) })
}

fn main() {
    let catalogue = Catalogue::build(&[&CONNECTOR]).expect("no key is there twice");
    let keys: Vec<&str> = catalogue.entries().iter().map(|entry| entry.key()).collect();
    assert_eq!(keys, [
        "addLead",
        "addNote",
        "changeDeal",
        "findDeals",
        "getContactDeals",
        "getDeal",
        "getDealFiles",
        "getDeals",
        "getPersonFiles",
        "getSubscription",
        "mergeDeals",
        "ping",
        "searchDeals",
        "selectColor",
        "selectContactDeal",
        "selectDeal",
        "selectKeptDeal",
        "selectParentDeal",
        "selectSiftedDeal",
        "setNote",
        "updateNote",
    ]);
    let declared = |key: &str| catalogue.find(None, key).expect("it is declared").declaration().expect("it is an action");

    let get = declared("getDeal");
    assert_eq!((get.label, get.description), ("Get Deal", "Get details of a deal, in two lines"));
    assert_eq!((get.cost, get.scopes), (Some(1), &["deals:read", "deals:full"][..]));
    assert_eq!(get.scope_lists().collect::<Vec<_>>(), [get.scopes]);
    let (set, ping) = (declared("setNote"), declared("ping"));
    assert_eq!(set.scope_lists().collect::<Vec<_>>(), [&["deals:read", "deals:full"][..], &["notes:full"]]);
    assert_eq!((set.scopes.len(), ping.scope_lists().count()), (0, 2), "one call can need several scopes too");
    assert_eq!(get.fields().map(|field| (field.name, field.wire, field.place)).collect::<Vec<_>>(), [
        ("dealId", "deal_id", Place::Path),
        ("includeFields", "include_fields", Place::Query),
        ("type", "type", Place::Query),
    ]);
    let given = [("type", SourceInput::Input("type")), ("cursor", SourceInput::Input("includeFields")), ("search", SourceInput::Text("open"))];
    assert_eq!((get.own[0].source, get.own[0].source_inputs), (Some("selectKeptDeal"), &given[..]));
    assert!(matches!(declared("getDeals").paging(), Some(Paging::Cursor { .. })) && declared("getDeals").returns.kind == ValueKind::List);

    let files = declared("getDealFiles");
    assert_eq!(files.fields().map(|field| (field.name, field.place)).collect::<Vec<_>>(), [
        ("dealId", Place::Path),
        ("limit", Place::Query),
        ("start", Place::Query),
        ("cursor", Place::Own),
    ], "a list that pages by a place has a cursor of ours, and another's path stays its own");
    let limit = files.fields().find(|field| field.name == "limit").expect("it is there");
    assert_eq!(limit.doc, "The number of files on a page. Left out, 100.", "what an action declares itself stands before its groups'");
    assert!(matches!(files.paging(), Some(Paging::Start { .. })) && files.rules().count() == 1);
    let gone = declared("getSubscription");
    assert_eq!((gone.removed, gone.effect(), gone.fields().count()), (Some("Read the deal's products."), Effect::Read, 0));
    let lead = declared("addLead");
    assert_eq!(lead.fields().map(|field| field.place).collect::<Vec<_>>(), [Place::Body, Place::Flat, Place::Own]);

    let update = declared("changeDeal");
    assert_eq!(update.fields().map(|field| (field.name, field.wire, field.place)).collect::<Vec<_>>(), [
        ("dealId", "deal_id", Place::Path),
        ("title", "title", Place::Body),
        ("closeDate", "expected_close_date", Place::Body),
        ("tell", "tell", Place::Query),
    ]);
    let shared = |key: &str| declared(key).fields().skip(1).map(|field| (field.place, field.shape.nullable, field.doc)).collect::<Vec<_>>();
    assert_eq!(shared("addNote"), [
        (Place::Body, false, "The deal of the note. Left out, it has none."),
        (Place::Body, true, "The color of the note. Left out, it has none."),
        (Place::Body, false, "True if it stands above the others. Left out, it does not."),
        (Place::Query, false, "The tags. Left out, there are none."),
    ]);
    assert_eq!(shared("updateNote"), [
        (Place::Body, true, "The deal of the note; null unlinks. Left out, it stays."),
        (Place::Body, true, "The color of the note; null clears it. Left out, it stays."),
        (Place::Body, false, "True if it stands above the others. Left out, it stays."),
        (Place::Query, false, "All tags. Left out, they stay."),
    ], "a group says of an update what is left out stays");
    let merge = declared("mergeDeals");
    assert_eq!((merge.own[1].place, merge.is_idempotent(), merge.destructive), (Place::Form, false, true));

    let manifest = catalogue.manifest(&CONNECTOR, |_| None);
    let output = manifest["actions"].as_array().and_then(|actions| actions.iter().find(|action| action["key"] == "getDeal")).expect("it is there");
    let deal = &output["output"]["$defs"]["Deal"]["properties"];
    assert_eq!(deal["status"]["examples"], json!(["open", "closed", "not_yet_known"]));
    assert_eq!(deal["visibleTo"]["examples"], json!([1, 7]));
    assert_eq!(deal["type"]["description"], "Its kind.");
    let found = &catalogue.find(None, "searchDeals").expect("it is declared").describe(|_| None)["output"];
    assert_eq!(found["properties"]["items"]["items"]["$ref"], "#/$defs/Deal", "a record with type parameters has no name of its own");
    assert!(found["$defs"].get("Found").is_none());
    assert!(matches!(catalogue.find(None, "selectDeal").map(|entry| entry.kind()), Ok(EntryKind::DataSource(_))));

    assert_eq!(["getContactDeals", "ping", "getDeal"].map(|key| declared(key).resource()), ["contacts", "health", "acme"]);
    let pair = catalogue.find(None, "getContactDeals").expect("it is declared").describe(|_| None);
    let pair = &pair["output"];
    assert_eq!(pair["properties"]["one"]["$ref"], "#/$defs/Deal");
    assert_eq!(pair["properties"]["other"]["$ref"], "#/$defs/ContactsDeal", "two records of one name stay two");
    assert_eq!(pair["$defs"]["ContactsDeal"]["properties"]["notes"]["items"]["type"], json!(["string", "null"]));

    let inputs = |key: &str| catalogue.find(None, key).expect("it is declared").fields().iter().map(|field| field.name).collect::<Vec<_>>();
    assert_eq!(inputs("selectDeal"), ["search", "cursor"]);
    assert_eq!(inputs("selectParentDeal"), ["cursor"], "what has no search has no input for it");
    assert_eq!(inputs("selectKeptDeal"), ["search", "type", "cursor", "limit"], "the fields of a kept list narrow it");
    assert_eq!(inputs("selectSiftedDeal"), ["search", "cursor"]);
    assert_eq!(inputs("selectColor"), ["dealType", "search"], "the fields of a data source by hand are its inputs");
    let color = catalogue.find(None, "selectColor").expect("it is declared").describe(|_| None);
    assert_eq!((&color["type"], &color["label"]), (&json!("picklist"), &json!("Select Color")));
    assert_eq!(color["input"]["properties"]["search"]["type"], json!(["string", "null"]));

    let of_get = catalogue.find(None, "getDeal").expect("it is declared").describe(|_| None);
    let deal_id = &of_get["input"]["properties"]["dealId"];
    assert_eq!((&deal_id["x-source"], &deal_id["x-source-values"]), (&json!("selectKeptDeal"), &json!({"search": "open"})));
    assert_eq!(deal_id["x-source-inputs"], json!({"type": "type", "cursor": "includeFields"}));

    let input = &catalogue.find(None, "addNote").expect("it is declared").describe(|_| None)["input"];
    assert_eq!((&input["additionalProperties"], &input["$defs"]["Tag"]["additionalProperties"]), (&json!(false), &json!(true)));

    by_hand();
}

/// Null and absent are two things to an action by hand.
fn by_hand() {
    let read = |input: Value| serde_json::from_value::<SetNote>(input).expect("it fits").note;
    assert!(read(json!({"dealId": 1})).is_none());
    assert!(matches!(read(json!({"dealId": 1, "note": null})), Some(Nullable::Null)));
    assert!(matches!(read(json!({"dealId": 1, "note": "x"})), Some(Nullable::Value(Text(text))) if text == "x"));
    let _ = Invocation::new("setNote").input(json!({"dealId": 1}));
}
