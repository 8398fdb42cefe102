//! Data sources made of actions: the checks at the start, and the records that they find.

use serde_json::json;

use super::*;
use crate::declare::field::SourceInput;
use crate::declare::flat::Flat;
use crate::declare::input_value::InputValue;
use crate::declare::shape::{FieldType, Member, Schemas};
use crate::declare::toy::{VENDOR, declare, input};
use crate::declare::types::{Either, Id, Json, MapOf, Nullable, Text};
use crate::runtime::catalogue::{Catalogue, Registration};
use crate::runtime::operation::DeclaredAction;

macro_rules! record {
    ($name:ident { $($member:literal: $kind:ty),* }) => {
        struct $name;

        impl FieldType for $name {
            fn schema(schemas: &mut Schemas) -> Value {
                let members = [$(Member { name: $member, doc: "A member.", shape: FieldShape::from_type::<$kind>(), flat: Flat::PLAIN }),*];
                schemas.record::<Self>(module_path!(), stringify!($name), "A record.", &members)
            }
        }
    };
}

record!(Thing { "id": i64, "title": Option<Text>, "tags": Option<Vec<String>>, "owner": Option<Owner>, "parent": Option<Thing> });
record!(Owner { "ref": Reference, "name": Nullable<String>, "more": Option<MapOf<Json>> });
record!(Reference { "id": Either<i64, String> });
record!(Match { "item": Thing, "score": f64 });
record!(Matches { "items": Vec<Match> });
record!(Named { "things": Option<Vec<Thing>>, "total": i64 });
record!(Several { "things": Vec<Thing>, "others": Vec<Thing> });

const fn query<T: FieldType>(name: &'static str) -> Field {
    input::<T>(name, name, Place::Query)
}

const fn taking<T: FieldType>(key: &'static str, own: &'static [Field]) -> Declaration {
    declare::<T>(key).with_inputs(own)
}

static LIST: Declaration = declare::<Vec<Thing>>("getThings");
static OF_OWNER: Declaration = taking::<Vec<Thing>>("getThingsOfOwner", &[query::<Id>("ownerId"), query::<Option<Id>>("limit")]);
static FOUND: Declaration = taking::<Matches>("searchThings", &[query::<Text>("term")]);
static NAMED: Declaration =
    taking::<Named>("findThings", &[query::<Text>("query"), input::<Option<Text>>("cursor", "after", Place::Query)]);
static LISTED: Declaration = declare::<Named>("listThings");
static SEVERAL: Declaration = declare::<Several>("getSeveral");
static ONE: Declaration = declare::<Thing>("getThing");
static ANY: Declaration = declare::<Vec<Json>>("getAnything");

static SELECT: SourceDeclaration = SourceDeclaration {
    key: "selectThing",
    label: "Select Thing",
    description: "Select a thing.",
    line: "sources.rs:7",
    connector: &VENDOR,
    own: &[],
};

const DERIVATION: Derivation = Derivation::new(|| &LIST, "id", "{title}");

fn refuse(derivation: Derivation) -> (String, String) {
    let error = DerivedSource::new(&SELECT, derivation).check().expect_err("the actions have not what it names");
    assert_eq!(error.kind(), ErrorKind::Bug);
    (error.message().to_owned(), error.hint().expect("there is a way out").to_owned())
}

#[test]
fn takes_members_that_the_records_of_its_actions_have() {
    for derivation in [
        DERIVATION,
        Derivation { search: Some(|| &FOUND), text: "{title} - {owner.name} ({parent.owner.ref.id})", ..DERIVATION },
        Derivation { search: Some(|| &NAMED), term: "query", value: "owner.ref.id", ..DERIVATION },
        Derivation { list: || &LISTED, ..DERIVATION },
        Derivation { text: "{owner.more.anything}", ..DERIVATION },
        Derivation { list: || &ANY, value: "what.ever", ..DERIVATION },
    ] {
        let text = derivation.text;
        DerivedSource::new(&SELECT, derivation).check().unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn refuses_members_that_no_record_has() {
    let (message, hint) = refuse(Derivation { text: "{titles} of {owner.name}", ..DERIVATION });
    assert_eq!(
        message,
        "The data source selectThing names the member `titles`, which no record of getThings has as a single value: at sources.rs:7."
    );
    assert_eq!(hint, "The nearest: title.");

    let (message, hint) = refuse(Derivation { search: Some(|| &FOUND), value: "owner.nick", ..DERIVATION });
    assert!(message.contains("`owner.nick`") && message.contains("getThings"), "{message}");
    assert!(hint.contains("owner.name"), "{hint}");

    for (value, text) in [("owner", "{title}"), ("id", "{tags}"), ("id", "{owner.ref}"), ("id", "{title.text}")] {
        let (message, _) = refuse(Derivation { value, text, ..DERIVATION });
        assert!(message.contains("as a single value"), "{value} {text}: {message}");
    }
}

#[test]
fn refuses_members_that_only_the_list_has() {
    record!(Brief { "id": i64, "name": String });
    static BRIEF: Declaration = taking::<Vec<Brief>>("searchBriefly", &[query::<Text>("term")]);
    let (message, hint) = refuse(Derivation { search: Some(|| &BRIEF), ..DERIVATION });
    assert!(message.contains("`title`") && message.contains("searchBriefly"), "{message}");
    assert_eq!(hint, "Declare the member in the record.");
}

#[test]
fn refuses_actions_that_it_cannot_call() {
    let (message, hint) = refuse(Derivation { search: Some(|| &NAMED), ..DERIVATION });
    assert_eq!(message, "The data source selectThing gives its term as `term`, an input that findThings does not have: at sources.rs:7.");
    assert_eq!(hint, "Write `term = \"query\"`.");

    let (_, hint) = refuse(Derivation { search: Some(|| &LIST), ..DERIVATION });
    assert_eq!(hint, "Name the input that takes the text.");

    let given = &[("owner", InputValue::Bool(true))];
    let (message, _) = refuse(Derivation { list: || &OF_OWNER, given, finding: Finding::InKeptList, ..DERIVATION });
    assert!(message.contains("gives `owner`, an input that getThingsOfOwner does not have"), "{message}");

    let (message, _) = refuse(Derivation { list: || &OF_OWNER, ..DERIVATION });
    assert!(message.contains("does not give `ownerId`, which getThingsOfOwner requires"), "{message}");

    for list in [(|| &ONE) as fn() -> &'static Declaration, || &SEVERAL] {
        let (message, hint) = refuse(Derivation { list, ..DERIVATION });
        assert!(message.contains("finds no list of records"), "{message}");
        assert!(hint.contains("returns(Vec<Record>)"), "{hint}");
    }
}

#[test]
fn no_catalogue_is_built_with_a_source_that_names_what_is_not_there() {
    static WRONG: DerivedSource = DerivedSource::new(&SELECT, Derivation { value: "key", ..DERIVATION });
    let error = Catalogue::sort(&[&VENDOR], [Registration::DataSource(&WRONG)].into_iter()).expect_err("there is no `key`");
    assert!(error.to_string().contains("selectThing") && error.to_string().contains("sources.rs:7"), "{error}");
}

#[test]
fn no_catalogue_is_built_with_an_input_whose_source_is_given_what_is_not_there() {
    static SOURCE: DerivedSource = DerivedSource::new(&SELECT, Derivation { finding: Finding::InKeptList, ..DERIVATION });
    let build = |given: &'static [(&'static str, SourceInput)]| {
        let fields = [query::<Id>("id").with_source("selectThing", &[], given), query::<Option<Text>>("group")];
        let declaration: &'static Declaration = Box::leak(Box::new(declare::<Json>("getThing").with_inputs(Box::leak(Box::new(fields)))));
        let action: &'static DeclaredAction = Box::leak(Box::new(DeclaredAction::new(declaration)));
        Catalogue::sort(&[&VENDOR], [Registration::DataSource(&SOURCE), Registration::Action(action)].into_iter()).map(drop)
    };
    build(&[("search", SourceInput::Input("group")), ("limit", SourceInput::Text("5"))]).expect("both have the inputs");
    let error = build(&[("word", SourceInput::Text("x"))]).expect_err("the data source has no such input");
    assert!(error.message().starts_with("The source of `id` names `word`, an input that selectThing does not have"), "{error}");
    let error = build(&[("search", SourceInput::Input("groups"))]).expect_err("the action has no such input");
    assert!(error.message().starts_with("The source of `id` names `groups`, an input that getThing does not have"), "{error}");
}

#[test]
fn inputs_follow_from_the_actions() {
    let names = |derivation| DerivedSource::new(&SELECT, derivation).fields().iter().map(|field| field.name).collect::<Vec<_>>();
    assert_eq!(names(DERIVATION), [""; 0], "it has no search, and its list neither pages nor takes a limit");
    assert_eq!(names(Derivation { search: Some(|| &FOUND), ..DERIVATION }), ["search"]);
    assert_eq!(names(Derivation { search: Some(|| &NAMED), ..DERIVATION }), ["search", "cursor"]);
    assert_eq!(names(Derivation { list: || &OF_OWNER, ..DERIVATION }), ["limit"]);
}

#[test]
fn inputs_of_a_kept_list_are_its_own() {
    static NARROWED: SourceDeclaration = SourceDeclaration { own: &[query::<Option<Id>>("owner")], ..SELECT };
    let kept = || Derivation { finding: Finding::InKeptList, ..DERIVATION };
    let names =
        |declaration, derivation| DerivedSource::new(declaration, derivation).fields().iter().map(|field| field.name).collect::<Vec<_>>();
    assert_eq!(names(&NARROWED, kept()), ["search", "owner", "cursor", "limit"]);
    assert_eq!(names(&SELECT, Derivation { finding: Finding::InPages, ..DERIVATION }), ["search"], "its list has one page");
    for field in DerivedSource::new(&NARROWED, kept()).fields() {
        assert!(!DerivedSource::new(&NARROWED, kept()).is_sent(field), "{field:?}");
    }
}

#[test]
fn refuses_a_kept_list_that_is_none_and_parts_that_are_none() {
    let kept = || Derivation { finding: Finding::InKeptList, ..DERIVATION };
    DerivedSource::new(&SELECT, kept()).check().expect("its records have what it names");
    let (message, _) = refuse(Derivation { list: || &LISTED, ..kept() });
    assert!(message.contains("finds no list of records"), "{message}");
    let (message, hint) = refuse(Derivation { within: Some("title"), ..kept() });
    assert!(message.contains("looks for choices in the member `title`, which is no list of records"), "{message}");
    assert_eq!(hint, "Name a member that is declared as `Vec<Record>`.");
    let (message, _) = refuse(Derivation { only: &[("titl", "x")], ..kept() });
    assert!(message.contains("names the member `titl`"), "{message}");

    record!(Holder { "code": String, "things": Option<Vec<Thing>> });
    static HOLDERS: Declaration = declare::<Vec<Holder>>("getHolders");
    let within = || Derivation { list: || &HOLDERS, within: Some("things"), only: &[("code", "a")], ..kept() };
    DerivedSource::new(&SELECT, within()).check().expect("its parts have what it names");
    let (message, _) = refuse(Derivation { text: "{code}", ..within() });
    assert!(message.contains("names the member `code`"), "{message}");
}

#[test]
fn chooses_among_the_records_of_a_whole_list() {
    static NARROWED: SourceDeclaration = SourceDeclaration { own: &[input::<Option<Id>>("group", "group_id", Place::Own)], ..SELECT };
    let list = RawJson::from_value(&json!([
        {"id": 1, "title": "Late", "order": 10, "group_id": 1, "active": true},
        {"id": 2, "title": "Early", "order": 9, "group_id": 1, "active": true},
        {"id": 3, "title": "Gone", "order": 1, "group_id": 1, "active": true, "deleted": true},
        {"id": 4, "title": "Asleep", "order": 2, "group_id": 1, "active": false},
        {"id": 5, "title": "Of another", "order": 3, "group_id": 2, "active": true},
    ]));
    let choose = |declaration, derivation: Derivation, input: Value| {
        let source = DerivedSource::new(declaration, Derivation { finding: Finding::InKeptList, ..derivation });
        let choices = source
            .choose(RecordPlace::default().read(&list).expect("a list"), input.as_object().expect("an object"))
            .expect("each has an ID");
        choices.into_iter().map(|choice| choice.key).collect::<Vec<_>>()
    };
    let derivation = || Derivation { only: &[("active", "true")], except: &[("deleted", "true")], order: &["order"], ..DERIVATION };
    assert_eq!(choose(&NARROWED, DERIVATION, json!({})), ["1", "2", "3", "4", "5"]);
    assert_eq!(choose(&NARROWED, derivation(), json!({})), ["5", "2", "1"]);
    assert_eq!(choose(&NARROWED, derivation(), json!({"group": 1})), ["2", "1"]);
    assert_eq!(choose(&NARROWED, derivation(), json!({"group": 1, "search": "EAR"})), ["2"]);
}

#[test]
fn path_of_another_shape_stands_beside_the_first() {
    let list = RawJson::from_value(&json!([{"code": "a", "name": "A"}, {"key": "b", "name": "B"}, {"code": null, "key": "c"}]));
    let derivation = Derivation { value: "code|key", text: "{name|key}", finding: Finding::InKeptList, ..DERIVATION };
    let choices = DerivedSource::new(&SELECT, derivation)
        .choose(RecordPlace::default().read(&list).expect("a list"), &Map::new())
        .expect("each has a value");
    let expected = [("a", "A"), ("b", "B"), ("c", "c")].map(|(key, label)| Choice::new(key, label));
    assert_eq!(choices, expected);
}

#[test]
fn an_input_that_the_action_does_not_take_is_a_fault() {
    let input = Map::from_iter([("term".to_owned(), json!("x")), ("limit".to_owned(), json!(5))]);
    let faults = find_faults(&FOUND, &input, true);
    assert_eq!(faults.iter().map(Fault::path).collect::<Vec<_>>(), ["/limit"]);
    assert!(faults[0].message().contains("the search takes no such input"), "{faults:?}");
    assert_eq!(find_faults(&LIST, &Map::new(), false), []);
}

#[test]
fn reads_choices_wherever_the_records_lie() {
    let record = json!({"id": 7, "title": null, "owner": {"name": "Ada", "ref": {"id": "a-1"}}, "tags": []});
    let choices = |action: &'static Declaration, derivation: Derivation, data: Value| {
        let source = DerivedSource::new(&SELECT, derivation);
        let place = RecordPlace::find(action, &[]).expect("it answers a list");
        source.read_choices(action, &place, &RawJson::from_value(&data))
    };
    let named = || Derivation { value: "owner.ref.id", text: "{title}{owner.name}, {owner.ref.id}!", ..DERIVATION };
    let expected = [Choice { key: "a-1".into(), label: "Ada, a-1!".into() }];
    for (action, data) in [
        (&LIST, json!([record])),
        (&FOUND, json!({"items": [{"item": record, "score": 1}]})),
        (&NAMED, json!({"total": 1, "things": [record]})),
        (&NAMED, json!([record])),
    ] {
        assert_eq!(choices(action, named(), data.clone()).expect("it is read"), expected, "{data}");
    }
    for (action, data) in [(&LIST, json!(null)), (&FOUND, json!(null)), (&NAMED, json!({"things": null})), (&NAMED, json!({"things": []}))]
    {
        assert_eq!(choices(action, named(), data.clone()).expect("there is none"), [], "{data}");
    }
    let error = choices(&LIST, Derivation { value: "key", ..DERIVATION }, json!([record])).expect_err("a choice needs a value");
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
    let error = choices(&LIST, DERIVATION, json!("no list")).expect_err("a text is no list");
    assert_eq!(error.kind(), ErrorKind::BadAnswer);
}
