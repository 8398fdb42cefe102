//! Shapes that three rooms or more use.

use connector_core::{FieldType, Schemas, record};
use serde_json::{Value, json};

/// How many records a page has: 1 to 500.
pub(crate) struct Limit;

impl FieldType for Limit {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "integer", "minimum": 1, "maximum": 500})
    }
}

/// Custom fields by their 40-character keys. Their types are the account's own, so values travel as they are.
pub(crate) struct CustomFields;

impl FieldType for CustomFields {
    fn schema(_: &mut Schemas) -> Value {
        json!({"type": "object", "additionalProperties": true})
    }
}

/// What most lists can be sorted by.
#[record]
pub(crate) enum SortBy {
    Id,
    UpdateTime,
    AddTime,
}

/// Which way a list is sorted.
#[record]
pub(crate) enum SortDirection {
    Asc,
    Desc,
}

/// Who may see a record; what a number means depends on the account's plan.
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
    /// Whether it is the main one; where none is, the first becomes it.
    pub(crate) primary: Option<bool>,
    /// What it is for, as work, home or mobile.
    pub(crate) label: Option<String>,
}

/// A record that another refers to.
#[record]
pub(crate) struct Named {
    /// Its ID.
    pub(crate) id: Option<i64>,
    /// Its name.
    pub(crate) name: Option<String>,
}
