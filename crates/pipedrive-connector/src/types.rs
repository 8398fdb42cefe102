//! Types and groups of inputs that several rooms use.

use std::marker::PhantomData;

use connector_core::declare::{DateTime, FieldLayout, FieldType, Id, InputValue, List, MatchKey, Naming, Schemas, Start, Text, Uuid};
use connector_core::{inputs, record};
use serde_json::{Value, json};

use crate::account_fields::{FieldChoice, FieldOwner, is_searchable};

/// The page size of most lists.
pub(crate) type Limit = AtMost<500>;

/// A whole number from 1 to `MOST`.
pub(crate) struct AtMost<const MOST: u16>;

impl<const MOST: u16> FieldType for AtMost<MOST> {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "integer", "minimum": 1, "maximum": MOST})
    }
}

/// A text of at most `MOST` characters.
pub(crate) struct TextUpTo<const MOST: u16>;

impl<const MOST: u16> FieldType for TextUpTo<MOST> {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "maxLength": MOST})
    }
}

/// The custom fields by which a search finds a record.
pub(crate) const CUSTOM_FIELD: MatchKey = MatchKey::custom(is_searchable).narrowed_by(&[("fields", InputValue::Texts(&["custom_fields"]))]);

/// A list that pages by Pipedrive's cursor.
#[inputs]
pub(crate) struct ByCursor {
    /// The number of records on a page, at most 500. Left out, 100.
    limit: Option<Limit>,
    /// The cursor to go on from: `page.next` of the page before. Left out, the first page is read.
    cursor: Option<Text>,
}

/// A list that pages by the place of its first record.
#[inputs]
pub(crate) struct ByStart {
    /// The place at which to start, counted from 0. Left out, the first.
    start: Option<Start>,
    /// The number of records on a page, at most 500. Left out, 100.
    limit: Option<Limit>,
}

/// A list that can be narrowed to records by the time of their last change.
#[inputs]
pub(crate) struct ChangedBetween {
    /// Only records changed at this moment or later, with its zone. Left out, no matter when.
    updated_since: Option<DateTime>,
    /// Only records changed before this moment, with its zone. Left out, no matter when.
    updated_until: Option<DateTime>,
}

/// A list that can be sorted by some of its fields.
#[inputs]
pub(crate) struct Sorted<By: FieldType> {
    /// The field to sort by; only the ID is safe while records change. Left out, the ID.
    sort_by: Option<By>,
    /// The direction to sort in. Left out, ascending.
    sort_direction: Option<SortDirection>,
}

/// An answer that can have further fields.
#[inputs]
pub(crate) struct Including<Extra: FieldType> {
    /// Further fields to include in the answer. Left out, none is.
    include_fields: Option<List<Extra>>,
}

/// An answer that can have some of the custom fields alone.
#[inputs]
pub(crate) struct Choosing<Owner: FieldChoice> {
    /// The keys of the custom fields to include, at most 15. Left out, all are.
    #[source(<Owner as FieldChoice>::Keys)]
    custom_fields: Option<List<CustomFieldKey<Owner>, 15>>,
}

/// An answer that can name options and labels.
#[inputs]
pub(crate) struct WithLabels {
    /// True if options of custom fields come as ID and label. Left out, they come as IDs.
    include_option_labels: Option<bool>,
    /// True if the labels come with their names. Left out, they come as IDs alone.
    include_labels: Option<bool>,
}

/// A record that can be added with the time at which another system added it.
#[inputs]
pub(crate) struct AddedAt {
    /// The time at which the record was added, with its zone. Left out, it is now.
    add_time: Option<DateTime>,
}

/// A whole number that travels as a text.
pub(crate) struct Digits;

impl FieldType for Digits {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": "^[0-9]{1,9}$", "examples": ["42"]})
    }
}

/// A color, as six hexadecimal digits.
pub(crate) struct HexColor;

impl FieldType for HexColor {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": "^[0-9a-fA-F]{6}$", "examples": ["FFFFFF"]})
    }
}

/// A time of day, in hours and minutes, and in seconds if need be.
pub(crate) struct TimeOfDay;

impl FieldType for TimeOfDay {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", "examples": ["09:30"]})
    }
}

/// A span of time, in hours and minutes, and in seconds if need be.
pub(crate) struct TimeSpan;

impl FieldType for TimeSpan {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "pattern": r"^\d{2,3}:[0-5]\d(:[0-5]\d)?$", "examples": ["01:15"]})
    }
}

/// Custom fields by name or by their 40-character keys. Their types are the account's own.
pub(crate) struct CustomFields<Of>(PhantomData<Of>);

impl<Of: FieldOwner> FieldType for CustomFields<Of> {
    const NAMING: Option<Naming> = Some(Naming::Values(Of::FIELDS, FieldLayout::Nested));

    fn schema(schemas: &mut Schemas) -> Value {
        schemas.mark_fields(json!({"type": "object", "additionalProperties": true}), Of::FIELDS)
    }
}

/// Custom fields where they stand beside a record's own: a key has forty hexadecimal digits, so that it is none
/// of those.
pub(crate) struct CustomFieldsByKey<Of>(PhantomData<Of>);

impl<Of: FieldOwner> FieldType for CustomFieldsByKey<Of> {
    const NAMING: Option<Naming> = Some(Naming::Values(Of::FIELDS, FieldLayout::Beside));

    fn schema(schemas: &mut Schemas) -> Value {
        let schema = json!({"type": "object", "patternProperties": {"^[0-9a-f]{40}(_[a-z_0-9]+)?$": true}, "additionalProperties": false});
        schemas.mark_fields(schema, Of::FIELDS)
    }
}

/// A custom field, by its name or its 40-character key.
pub(crate) struct CustomFieldKey<Of>(PhantomData<Of>);

impl<Of: FieldOwner> FieldType for CustomFieldKey<Of> {
    const NAMING: Option<Naming> = Some(Naming::Keys(Of::FIELDS));

    fn schema(schemas: &mut Schemas) -> Value {
        schemas.mark_fields(json!({"type": "string", "minLength": 1}), Of::FIELDS)
    }
}

/// A record that has custom fields beside its own members, by their keys.
pub(crate) struct WithFields<T, Of>(PhantomData<(T, Of)>);

impl<T: FieldType, Of: FieldOwner> FieldType for WithFields<T, Of> {
    fn schema(schemas: &mut Schemas) -> Value {
        let record = T::schema(schemas);
        schemas.mark_fields(record, Of::FIELDS)
    }
}

/// A field to sort most lists by.
#[record]
pub(crate) enum SortBy {
    Id,
    UpdateTime,
    AddTime,
}

/// The direction in which a list is sorted.
#[record]
pub(crate) enum SortDirection {
    Asc,
    Desc,
}

/// The visibility of a record; the meaning of a number depends on the account's plan.
#[record]
pub(crate) enum VisibleTo {
    #[wire(1)]
    Owner,
    #[wire(3)]
    Group,
    #[wire(5)]
    GroupAndBelow,
    #[wire(7)]
    Company,
}

/// A record that was deleted.
#[record]
pub(crate) struct Deleted {
    /// The ID of the deleted record.
    pub(crate) id: i64,
}

/// The visibility of a record, as API v1 has it: a number in a text.
#[record]
pub(crate) enum VisibleToText {
    #[wire("1")]
    Owner,
    #[wire("3")]
    Group,
    #[wire("5")]
    GroupAndBelow,
    #[wire("7")]
    Company,
}

/// A record that was deleted, known by a UUID.
#[record]
pub(crate) struct DeletedUuid {
    /// The ID of the deleted record.
    pub(crate) id: Uuid,
}

/// An address; writing it replaces all of its parts.
#[record]
pub(crate) struct Address {
    /// The whole address as one text.
    pub(crate) value: Option<String>,
    /// The country.
    pub(crate) country: Option<String>,
    /// The state or region.
    pub(crate) admin_area_level_1: Option<String>,
    /// The county or district.
    pub(crate) admin_area_level_2: Option<String>,
    /// The city.
    pub(crate) locality: Option<String>,
    /// The neighbourhood.
    pub(crate) sublocality: Option<String>,
    /// The street.
    pub(crate) route: Option<String>,
    /// The number of the house.
    pub(crate) street_number: Option<String>,
    /// The apartment or suite.
    pub(crate) subpremise: Option<String>,
    /// The postal code.
    pub(crate) postal_code: Option<String>,
}

/// One email address, phone number or messaging account.
#[record]
pub(crate) struct ContactValue {
    /// The address, number or account itself.
    pub(crate) value: String,
    /// True if it is the main one; where none is, the first becomes it.
    pub(crate) primary: Option<bool>,
    /// Its label, as work, home or mobile.
    pub(crate) label: Option<String>,
}

/// The one email address or phone number of a person, which travels as a list. Null travels as an empty one.
pub(crate) struct MainContact;

impl FieldType for MainContact {
    const ENCODE: Option<fn(&Value) -> Value> =
        Some(|value| value.as_str().map(|text| json!({"value": text, "primary": true})).into_iter().collect());

    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "string", "minLength": 1})
    }
}

/// The one person who takes part, who travels as a list. Null travels as an empty one.
pub(crate) struct MainParticipant;

impl FieldType for MainParticipant {
    const ENCODE: Option<fn(&Value) -> Value> =
        Some(|value| value.as_i64().map(|id| json!({"person_id": id, "primary": true})).into_iter().collect());

    fn schema(schemas: &mut Schemas) -> Value {
        Id::schema(schemas)
    }
}

/// A record that another refers to.
#[record]
pub(crate) struct Named {
    /// Its ID.
    pub(crate) id: Option<i64>,
    /// Its name.
    pub(crate) name: Option<String>,
}

/// The records that a search found.
#[record]
pub(crate) struct Found<Item: FieldType> {
    /// The records, the best match first.
    items: Vec<Match<Item>>,
}

/// A record that a search found, with its score.
#[record]
pub(crate) struct Match<Item: FieldType> {
    /// The relevance of the match.
    result_score: Option<f64>,
    /// The record.
    item: Item,
}
