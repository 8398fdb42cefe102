//! The flat view of records that a vendor of examples declares.

use serde_json::{Value, json};

use super::*;
use crate::declare::action::Declaration;
use crate::declare::flat::{Change, Flat};
use crate::declare::shape::{FieldShape, FieldType, Member, Schemas};
use crate::declare::toy::declare;
use crate::declare::types::{Json, MapOf};
use crate::value::strict::read_strictly;

/// A thing all of whose members are required but one, so that no other one is filled with null.
struct Thing;
struct Mail;
struct Place;

const fn member<T: FieldType>(name: &'static str, change: Change, flat: Option<&'static str>) -> Member {
    let doc = if matches!(change, Change::Flag) { "1 for a member." } else { "True for a member." };
    Member { name, doc, shape: FieldShape::from_type::<T>(), flat: Flat { name: flat, change } }
}

impl FieldType for Thing {
    fn schema(schemas: &mut Schemas) -> Value {
        const MEMBERS: &[Member] = &[
            member::<i64>("thing_id", Change::None, Some("id")),
            member::<bool>("is_deleted", Change::Not, Some("activeFlag")),
            member::<i64>("read_flag", Change::Flag, Some("read")),
            member::<Vec<Mail>>("emails", Change::Primary("email"), None),
            member::<Thing>("parent_thing", Change::Id("parentId"), None),
            member::<Place>("address", Change::Parts, None),
            member::<Option<String>>("url_title", Change::Null, None),
            member::<MapOf<Vec<Json>>>("by_user_id", Change::None, None),
        ];
        schemas.record::<Self>(module_path!(), "Thing", "A thing.", MEMBERS)
    }
}

impl FieldType for Mail {
    fn schema(schemas: &mut Schemas) -> Value {
        const MEMBERS: &[Member] = &[member::<String>("value", Change::None, None), member::<bool>("primary", Change::None, None)];
        schemas.record::<Self>(module_path!(), "Mail", "An address.", MEMBERS)
    }
}

impl FieldType for Place {
    fn schema(schemas: &mut Schemas) -> Value {
        const MEMBERS: &[Member] = &[member::<String>("value", Change::None, None), member::<String>("postal_code", Change::None, None)];
        schemas.record::<Self>(module_path!(), "Place", "A place.", MEMBERS)
    }
}

static ONE: Declaration = declare::<Thing>("getThing");
static MANY: Declaration = declare::<Vec<Thing>>("getThings");

fn flatten_one(text: &str) -> String {
    let data = RawJson::from_text(text.as_bytes().to_vec());
    flatten(&Plan::build(&ONE), &data, None).as_str().to_owned()
}

#[test]
fn renames_turns_and_adds_as_declared() {
    for (given, expected) in [
        (r#"{"thing_id":12345678901234567890,"x_y":1.50}"#, r#"{"id":12345678901234567890,"xY":1.50,"urlTitle":null}"#),
        (r#"{"url_title":"a-b","is_deleted":true}"#, r#"{"urlTitle":"a-b","activeFlag":false}"#),
        (r#"{"is_deleted":null,"read_flag":1}"#, r#"{"activeFlag":null,"read":true,"urlTitle":null}"#),
        (r#"{"is_deleted":"maybe","read_flag":2}"#, r#"{"isDeleted":"maybe","readFlag":2,"urlTitle":null}"#),
        (
            r#"{"emails":[{"value":"a","primary":false},{"primary":true,"value":"b\"c"}]}"#,
            r#"{"email":"b\"c","emails":[{"value":"a","primary":false},{"primary":true,"value":"b\"c"}],"urlTitle":null}"#,
        ),
        (r#"{"emails":["a","b"]}"#, r#"{"email":"a","emails":["a","b"],"urlTitle":null}"#),
        (r#"{"emails":[]}"#, r#"{"email":null,"emails":[],"urlTitle":null}"#),
        (r#"{"emails":null}"#, r#"{"email":null,"emails":null,"urlTitle":null}"#),
        (
            r#"{"parent_thing":{"thing_id":7,"is_deleted":false}}"#,
            r#"{"parentId":7,"parentThing":{"id":7,"activeFlag":true,"urlTitle":null},"urlTitle":null}"#,
        ),
        (r#"{"parent_thing":7}"#, r#"{"parentId":7,"urlTitle":null}"#),
        (r#"{"parent_thing":null}"#, r#"{"parentId":null,"parentThing":null,"urlTitle":null}"#),
        (
            r#"{"address":{"postal_code":"1","value":"Here 1","x_y":{}}}"#,
            r#"{"address":"Here 1","addressPostalCode":"1","addressXY":{},"urlTitle":null}"#,
        ),
        (r#"{"address":null}"#, r#"{"address":null,"urlTitle":null}"#),
        (r#"{"by_user_id":{"a_b":{"c_d":[{"e_f":1}]}}}"#, r#"{"byUserId":{"a_b":{"cD":[{"eF":1}]}},"urlTitle":null}"#),
        (r#"{"cf_a_b":{"c_d":1},"c_d":{"e_f":1}}"#, r#"{"cf_a_b":{"c_d":1},"cD":{"eF":1},"urlTitle":null}"#),
        (" {\t\"x_y\" : [ 1 , {\"a_b\" :2 } ] } ", r#"{"xY":[1,{"aB":2}],"urlTitle":null}"#),
        ("null", "null"),
        (r#""text""#, r#""text""#),
        (r#"[{"is_deleted":true}]"#, r#"[{"activeFlag":false,"urlTitle":null}]"#),
    ] {
        assert_eq!(flatten_one(given), expected, "{given}");
    }
}

struct Filled;

impl FieldType for Filled {
    fn schema(schemas: &mut Schemas) -> Value {
        const MEMBERS: &[Member] = &[
            member::<i64>("id", Change::None, None),
            member::<Option<String>>("first_name", Change::None, None),
            member::<Option<Vec<Mail>>>("emails", Change::Primary("email"), None),
            member::<Option<bool>>("is_deleted", Change::Not, Some("active")),
        ];
        schemas.record::<Self>(module_path!(), "Filled", "A record.", MEMBERS)
    }
}

#[test]
fn record_has_every_member_that_it_may_have() {
    static FILLED: Declaration = declare::<Filled>("getFilled");
    let data = RawJson::from_text(br#"{"first_name":"a"}"#.to_vec());
    let expected = r#"{"firstName":"a","email":null,"emails":null,"active":null}"#;
    assert_eq!(flatten(&Plan::build(&FILLED), &data, None).as_str(), expected);
}

#[test]
fn object_whose_names_would_become_one_keeps_the_names_of_the_vendor() {
    for (given, expected) in [
        (r#"{"x":{"a_b":1,"aB":2,"c_d":{"e_f":3}}}"#, r#"{"x":{"a_b":1,"aB":2,"c_d":{"eF":3}},"urlTitle":null}"#),
        (r#"{"emails":["a"],"email":"b","x_y":1}"#, r#"{"emails":["a"],"email":"b","x_y":1}"#),
        (r#"{"is_deleted":true,"active_flag":true}"#, r#"{"is_deleted":true,"active_flag":true}"#),
    ] {
        assert_eq!(flatten_one(given), expected, "{given}");
    }
}

#[test]
fn deep_objects_are_copied_as_they_are() {
    let deep = format!("{}1{}", r#"{"a_b":"#.repeat(20_000), "}".repeat(20_000));
    let flat = flatten_one(&deep);
    assert!(flat.starts_with(r#"{"aB":{"aB":"#) && flat.contains(r#"{"a_b":{"a_b":"#) && flat.contains(":1}"), "copy what is too deep");
}

#[test]
fn list_has_its_page_beside_its_records() {
    let list = |data: &str, next: Option<&str>| {
        let page = Page { count: 1, complete: next.is_none(), next: next.map(str::to_owned), ..Page::default() };
        let data = RawJson::from_text(data.as_bytes().to_vec());
        let flat = flatten(&Plan::build(&MANY), &data, Some(&page));
        serde_json::from_str::<Value>(flat.as_str()).expect("the flat view is JSON")
    };
    let results = json!([{"id": 1, "urlTitle": null}]);
    for (next, more, start) in [(None, false, Value::Null), (Some("c\"1"), true, Value::Null), (Some("start:50"), true, json!(50))] {
        let expected = json!({"results": results, "hasMore": more, "nextCursor": next, "nextStart": start});
        assert_eq!(list(r#"[{"thing_id":1}]"#, next), expected);
    }
    assert_eq!(list("null", None)["results"], json!([]));
    assert_eq!(list("[]", None)["results"], json!([]));
}

/// The walk holds as much for ten thousand records as for a hundred, beside what it writes.
#[test]
fn long_list_takes_no_more_memory_than_a_short_one() {
    let plan = Plan::build(&MANY);
    let record = r#"{"thing_id":1,"x_y":{"a_b":[1]},"emails":["a"],"parent_thing":{"thing_id":2},"z_z":0}"#;
    let found = format!(r#"{{"result_score":0.5,"item":{record}}}"#);
    let measure = |start: &str, record: &str, end: &str, count: usize| {
        let text = format!("{start}[{}]{end}", vec![record; count].join(","));
        let page = Page { count: 1, complete: true, ..Page::default() };
        let mut out = Vec::new();
        let mut walk = Walk::new(&plan, &text, &mut out, Care::Fast);
        assert!(walk.write_answer(Some(&page)).is_ok());
        let order: usize = walk.order.iter().map(Vec::capacity).sum();
        (walk.unknown.capacity(), order, walk.depth)
    };
    assert_eq!(measure("", record, "", 100), measure("", record, "", 10_000));
    assert_eq!(measure(r#"{"items":"#, &found, "}", 100), measure(r#"{"items":"#, &found, "}", 10_000));
}

#[test]
fn search_result_and_its_record_become_one() {
    let found = r#"{"items":[{"result_score":0.5,"item":{"a_b":1}},{"item":null}],"more_facts":{"c_d":2}}"#;
    let data = RawJson::from_text(found.as_bytes().to_vec());
    let page = Page { count: 1, complete: true, ..Page::default() };
    let flat = flatten(&Plan::build(&MANY), &data, Some(&page));
    let results = r#"[{"resultScore":0.5,"aB":1},{"item":null}]"#;
    assert_eq!(
        flat.as_str(),
        format!(r#"{{"results":{results},"moreFacts":{{"cD":2}},"hasMore":false,"nextCursor":null,"nextStart":null}}"#)
    );
}

/// A writer of JSON with few names and odd shapes, so that names often meet.
struct OddJson {
    random: u64,
    /// The numbers that were written, each of them once.
    numbers: u32,
}

impl OddJson {
    fn pick(&mut self, count: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random % count as u64).expect("a small number")
    }

    fn write(&mut self, depth: usize) -> String {
        match self.pick(if depth == 0 { 4 } else { 8 }) {
            0 => ["null", "true", "0", "\"\"", "[]", "{}"][self.pick(6)].to_owned(),
            1..=3 => {
                self.numbers += 1;
                format!("{}", 1000 + self.numbers)
            }
            4 => {
                let items: Vec<String> = (0..self.pick(3)).map(|_| self.write(depth - 1)).collect();
                format!("[{}]", items.join(","))
            }
            _ => self.write_object(depth),
        }
    }

    fn write_object(&mut self, depth: usize) -> String {
        let words = "thing_id id is_deleted isDeleted activeFlag active_flag read_flag readFlag read emails email parent_thing parentThing \
            parentId address addressValue postal_code postalCode address_postal_code addressPostalCode x_y xY address_x_y addressXY \
            url_title urlTitle by_user_id value primary cf_a_b items item results has_more x\\u005fy\\u005f1 \\u0078Y1 \\ud800";
        let mut names: Vec<&str> = words.split_whitespace().collect();
        let members: Vec<String> = (0..self.pick(7))
            .map(|_| {
                let name = names.swap_remove(self.pick(names.len()));
                format!("\"{name}\":{}", self.write(depth.saturating_sub(1)))
            })
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

#[test]
fn no_value_is_lost_and_no_name_given_twice() {
    let page = Page { count: 1, complete: true, ..Page::default() };
    let (one, many) = (Plan::build(&ONE), Plan::build(&MANY));
    let mut odd = OddJson { random: 0x9E37_79B9_7F4A_7C15, numbers: 0 };
    for _ in 0..3_000 {
        odd.numbers = 0;
        let text = odd.write_object(4);
        let data = RawJson::from_text(text.clone().into_bytes());
        for flat in [flatten(&one, &data, None), flatten(&many, &data, Some(&page))] {
            // The reader takes no half of a surrogate pair, which a vendor may give.
            let flat = flat.as_str().replace(r"\\ud800", "half").replace(r"\ud800", "half");
            let (_, faults) = read_strictly(flat.as_bytes()).unwrap_or_else(|error| panic!("{text} became {flat}: {error}"));
            assert!(faults.is_empty(), "{text} became {flat}: {faults:?}");
            let is_there = |number: &u32| flat.contains(&(1000 + number).to_string());
            assert!((1..=odd.numbers).all(|number| is_there(&number)), "{text} became {flat}");
        }
    }
}

#[test]
fn odd_shapes_stay_under_names_of_their_own() {
    for (given, expected) in [
        (r#"{"emails":{"value":"a"}}"#, r#"{"email":"a","emails":{"value":"a"},"urlTitle":null}"#),
        (r#"{"parent_thing":[]}"#, r#"{"parentId":null,"parentThing":[],"urlTitle":null}"#),
        (r#"{"is_deleted":"maybe","isDeleted":1}"#, r#"{"is_deleted":"maybe","isDeleted":1}"#),
        (r#"{"address":{"x_y":1,"xY":2}}"#, r#"{"address":{"x_y":1,"xY":2}}"#),
        (r#"{"\u0069d":1,"thing_id":2}"#, r#"{"\u0069d":1,"thing_id":2}"#),
    ] {
        assert_eq!(flatten_one(given), expected, "{given}");
    }
}

#[test]
fn search_result_that_would_have_a_name_twice_keeps_its_record_apart() {
    let page = Page { count: 1, complete: true, ..Page::default() };
    for (given, results) in [
        (r#"{"items":[{"x_y":1,"item":{"xY":2}}]}"#, r#"[{"xY":1,"item":{"xY":2}}]"#),
        (r#"{"items":[{"results":1,"item":{}}],"results":2}"#, r#"[{"items":[{"results":1,"item":{}}],"results":2}]"#),
        (r#"{"items":7}"#, r#"[{"items":7}]"#),
    ] {
        let data = RawJson::from_text(given.as_bytes().to_vec());
        let expected = format!(r#"{{"results":{results},"hasMore":false,"nextCursor":null,"nextStart":null}}"#);
        assert_eq!(flatten(&Plan::build(&MANY), &data, Some(&page)).as_str(), expected);
    }
}
