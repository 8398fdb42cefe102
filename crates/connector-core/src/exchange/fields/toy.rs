//! Fields of an account of examples, for tests: one of each type, and some whose names are not theirs alone.

use crate::declare::fields::{AccountField, FieldKind, FieldOption};
use crate::declare::toy::WORDS;
use crate::exchange::fields::set::FieldSet;

const MONEY: &[&str] = &["value", "currency"];
const TIME: &[&str] = &["value", "zone_id", "zone_name"];
const TIMES: &[&str] = &["value", "until", "zone_id", "zone_name"];
const DAYS: &[&str] = &["value", "until"];
const ADDRESS: &[&str] = &["value", "street", "city"];

/// The name, the kind and the parts of a field of each type.
pub(super) const TYPES: &[(&str, FieldKind, &[&str])] = &[
    ("Short text", FieldKind::Text { most: 10 }, &[]),
    ("Suggested text", FieldKind::Text { most: 10 }, &[]),
    ("Long text", FieldKind::Text { most: 100 }, &[]),
    ("Score", FieldKind::Number, &[]),
    ("Budget", FieldKind::Money, MONEY),
    ("Interests", FieldKind::Options, &[]),
    ("Tier", FieldKind::Option, &[]),
    ("Manager", FieldKind::Reference("selectUser"), &[]),
    ("Partner", FieldKind::Reference("selectOrganization"), &[]),
    ("Friend", FieldKind::Reference("selectPerson"), &[]),
    ("Hotline", FieldKind::Phone, &[]),
    ("Best time", FieldKind::Time, TIME),
    ("Hours", FieldKind::TimeRange, TIMES),
    ("First met", FieldKind::Date, &[]),
    ("Trial", FieldKind::DateRange, DAYS),
    ("Site", FieldKind::Address, ADDRESS),
];

/// Returns the code of the field of a type.
pub(super) fn code_of(name: &str) -> String {
    let at = TYPES.iter().position(|(known, _, _)| *known == name).unwrap_or_else(|| panic!("there is no field {name}"));
    format!("cf{:02}", at + 10)
}

/// Builds the fields of the account, `cf10` and so on.
pub(super) fn build() -> FieldSet {
    let option = |id: i64, label: &str| FieldOption::new(id, label);
    let mut fields = vec![
        AccountField::new("title", "Title", FieldKind::Text { most: 255 }).as_standard(),
        AccountField::new("stage", "Stage", FieldKind::Other).as_standard(),
        AccountField::new("owner", "Owner", FieldKind::Other).as_standard(),
    ];
    for (name, kind, parts) in TYPES {
        let options = match kind {
            FieldKind::Option => {
                vec![option(1, "Bronze"), option(2, "Silver"), option(3, "Gold"), option(4, "gold plated"), option(5, "3")]
            }
            FieldKind::Options => vec![option(17, "Automation"), option(18, "Support"), option(19, "Twice"), option(20, "Twice")],
            _ => Vec::new(),
        };
        fields.push(AccountField::new(code_of(name), *name, *kind).with_parts(parts).with_options(options));
    }
    fields.extend([
        AccountField::new("cf80", "Region", FieldKind::Text { most: 255 }),
        AccountField::new("cf81", "Region", FieldKind::Text { most: 255 }),
        AccountField::new("cf82", "Colour", FieldKind::Text { most: 255 }),
        AccountField::new("cf83", "COLOUR", FieldKind::Text { most: 255 }),
        AccountField::new("cf84", "cf80", FieldKind::Text { most: 255 }),
        AccountField::new("cf85", "Stage", FieldKind::Text { most: 255 }),
        AccountField::new("cf86", "a_b \"c\"/~", FieldKind::Text { most: 255 }),
    ]);
    FieldSet::build(WORDS, fields)
}
