//! Fields of activities, deals, notes, organizations, persons and products, with the account's own fields.

use connector_core::declare::{DateTime, Either, Id, MapOf, UtcTime};
use connector_core::{action, record};

use crate::by_hand::old_fields::{self, FieldCode};
use crate::data_sources::{
    SelectDealCustomField, SelectDealField, SelectPersonCustomField, SelectPersonField, SelectProductCustomField, SelectProductField,
};
use crate::types::{ByCursor, Including};

/// Get Activity Fields
///
/// Get all activity fields
#[action(
    get("/api/v2/activityFields"),
    scopes("admin"),
    cost = 10,
    returns(Vec<Either<FieldDefinition, OldField>>),
    by_hand(old_fields::call_by_granted_scopes),
    with(Including<FieldExtra>, ByCursor)
)]
pub(crate) struct GetActivityFields {}

/// Get Deal Field
///
/// Get one deal field
#[action(
    get("/api/v2/dealFields/{field_code}"),
    scopes("deals:read", "deals:full", "admin", "deal-fields:full"),
    cost = 1,
    returns(Either<FieldDefinition, OldField>),
    by_hand(old_fields::call_by_key_or_number),
    with(Including<RecordFieldExtra>)
)]
struct GetDealField {
    /// The field to read, by its key; the number that API v1 gave to a field is understood too.
    #[source(SelectDealField)]
    field_code: FieldCode,
}

/// Get Deal Fields
///
/// Get all deal fields
#[action(
    get("/api/v2/dealFields"),
    scopes("deals:read", "deals:full", "admin", "deal-fields:full"),
    cost = 10,
    returns(Vec<FieldDefinition>),
    with(Including<RecordFieldExtra>, ByCursor)
)]
pub(crate) struct GetDealFields {}

/// Delete Deal Field
///
/// Delete a deal field
#[action(
    delete("/api/v2/dealFields/{field_code}"),
    scopes("admin", "deal-fields:full"),
    cost = 3,
    returns(Either<FieldDefinition, DeletedField>),
    by_hand(old_fields::call_by_key_or_number)
)]
struct DeleteDealField {
    /// The field to delete, by its key; the number that API v1 gave to a field is understood too.
    #[source(SelectDealCustomField)]
    field_code: FieldCode,
}

/// Get Note Fields
///
/// Get all note fields
#[action(
    get("/api/v1/noteFields"),
    scopes("deals:read", "deals:full", "contacts:read", "contacts:full"),
    cost = 20,
    returns(Vec<OldField>)
)]
struct GetNoteFields {}

/// Get Organization Fields
///
/// Get all organization fields
#[action(
    get("/api/v2/organizationFields"),
    scopes("contacts:read", "contacts:full", "admin", "contact-fields:full"),
    cost = 10,
    returns(Vec<FieldDefinition>),
    like(GetDealFields)
)]
pub(crate) struct GetOrganizationFields {}

/// Get Person Field
///
/// Get one person field
#[action(
    get("/api/v2/personFields/{field_code}"),
    scopes("contacts:read", "contacts:full", "admin", "contact-fields:full"),
    cost = 1,
    returns(Either<FieldDefinition, OldField>),
    by_hand(old_fields::call_by_key_or_number),
    like(GetDealField)
)]
struct GetPersonField {
    /// The field to read, by its key; the number that API v1 gave to a field is understood too.
    #[source(SelectPersonField)]
    field_code: FieldCode,
}

/// Get Person Field Details
///
/// Get details of a specific field for a person
#[action(
    get("/api/v2/personFields/{field_code}"),
    scopes("contacts:read", "contacts:full", "admin", "contact-fields:full"),
    cost = 1,
    returns(Either<FieldDefinition, OldField>),
    by_hand(old_fields::call_by_key_or_number),
    like(GetDealField)
)]
struct GetPersonFieldDetails {
    /// The field to read, by its key; the number that API v1 gave to a field is understood too.
    #[source(SelectPersonField)]
    field_code: FieldCode,
}

/// Get Person Fields
///
/// Get all person fields
#[action(
    get("/api/v2/personFields"),
    scopes("contacts:read", "contacts:full", "admin", "contact-fields:full"),
    cost = 10,
    returns(Vec<FieldDefinition>),
    like(GetDealFields)
)]
pub(crate) struct GetPersonFields {}

/// Delete Person Field
///
/// Delete a person field
#[action(
    delete("/api/v2/personFields/{field_code}"),
    scopes("admin", "contact-fields:full"),
    cost = 3,
    returns(Either<FieldDefinition, DeletedField>),
    by_hand(old_fields::call_by_key_or_number)
)]
struct DeletePersonField {
    /// The field to delete, by its key; the number that API v1 gave to a field is understood too.
    #[source(SelectPersonCustomField)]
    field_code: FieldCode,
}

/// Get Product Field
///
/// Get one product field
#[action(
    get("/api/v2/productFields/{field_code}"),
    scopes("products:read", "products:full", "product-fields:full"),
    cost = 1,
    returns(Either<FieldDefinition, OldField>),
    by_hand(old_fields::call_by_key_or_number),
    with(Including<FieldExtra>)
)]
struct GetProductField {
    /// The field to read, by its key; the number that API v1 gave to a field is understood too.
    #[source(SelectProductField)]
    field_code: FieldCode,
}

/// Get Product Fields
///
/// Get all product fields
#[action(
    get("/api/v2/productFields"),
    scopes("products:read", "products:full", "product-fields:full"),
    cost = 10,
    returns(Vec<FieldDefinition>),
    like(GetActivityFields)
)]
pub(crate) struct GetProductFields {}

/// Delete Product Field
///
/// Delete a product field
#[action(
    delete("/api/v2/productFields/{field_code}"),
    scopes("products:full", "product-fields:full"),
    cost = 3,
    returns(Either<FieldDefinition, DeletedField>),
    by_hand(old_fields::call_by_key_or_number)
)]
struct DeleteProductField {
    /// The field to delete, by its key; the number that API v1 gave to a field is understood too.
    #[source(SelectProductCustomField)]
    field_code: FieldCode,
}

/// A member of any field that is read only if it is asked for.
#[record]
enum FieldExtra {
    UiVisibility,
}

/// A member of a field of deals or persons that is read only if it is asked for.
#[record]
enum RecordFieldExtra {
    UiVisibility,
    ImportantFields,
    RequiredFields,
}

/// A field.
#[record]
struct FieldDefinition {
    /// The key of the field, by which records name it.
    field_code: String,
    /// Its name.
    field_name: Option<String>,
    /// Its description.
    description: Option<String>,
    /// The type of its value, as varchar, enum or monetary.
    field_type: Option<String>,
    /// The options, for the types enum and set.
    options: Option<Vec<FieldOption>>,
    /// The parts of its value.
    subfields: Option<Vec<Subfield>>,
    /// True if the account made it.
    is_custom_field: Option<bool>,
    /// True if records carry it only where it is asked for.
    is_optional_response_field: Option<bool>,
    /// The places of the app that show it; only where they were asked for.
    ui_visibility: Option<FieldVisibility>,
    /// The stages that mark it as important; only where they were asked for.
    important_fields: Option<FieldStages>,
    /// The stages that demand it; only where they were asked for.
    required_fields: Option<RequiredStages>,
}

/// An option of a field.
#[record]
struct FieldOption {
    /// The ID of the option: a number, a text for some fields of Pipedrive's own.
    id: Option<Either<i64, String>>,
    /// Its name.
    label: Option<String>,
    /// Its color.
    color: Option<String>,
    /// The time at which it was made.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
}

/// A part of a value.
#[record]
struct Subfield {
    /// The key of the part.
    field_code: Option<String>,
    /// Its name.
    field_name: Option<String>,
    /// The type of its value.
    field_type: Option<String>,
}

/// The places of the app where a field is shown.
#[record]
struct FieldVisibility {
    /// True if it is in the form that adds a record.
    add_visible_flag: Option<bool>,
    /// True if it is in the view of a record.
    details_visible_flag: Option<bool>,
    /// True if it is in the view of a deal; fields of organizations alone.
    deal_detail_visible_flag: Option<bool>,
    /// True if it is in the view of a person; fields of organizations alone.
    person_detail_visible_flag: Option<bool>,
    /// True if it is in the view of an organization; fields of organizations alone.
    org_detail_visible_flag: Option<bool>,
    /// True if it is in the view of a project; fields of deals alone.
    projects_detail_visible_flag: Option<bool>,
    /// The pipelines in which it is shown; fields of deals alone.
    show_in_pipelines: Option<FieldPipelines>,
    /// Its place in the form that adds a deal; fields of persons and organizations alone.
    show_in_add_deal_dialog: Option<AddForm>,
    /// Its place in the form that adds a person; fields of organizations alone.
    show_in_add_person_dialog: Option<AddForm>,
}

/// The pipelines in which a field is shown.
#[record]
struct FieldPipelines {
    /// True if it is shown in all pipelines.
    show_in_all: Option<bool>,
    /// The pipelines, where they are not all.
    pipeline_ids: Option<Vec<i64>>,
}

/// The place of a field in a form that adds a record.
#[record]
struct AddForm {
    /// True if the form shows it.
    show: Option<bool>,
    /// Its place among the others.
    order: Option<i64>,
}

/// The stages that mark a field as important.
#[record]
struct FieldStages {
    /// True if any stage marks it.
    enabled: Option<bool>,
    /// The stages.
    stage_ids: Option<Vec<i64>>,
}

/// The stages that demand a field, and the outcomes for which they do.
#[record]
struct RequiredStages {
    /// True if any stage demands it.
    enabled: Option<bool>,
    /// The stages.
    stage_ids: Option<Vec<i64>>,
    /// The outcomes, by the ID of the pipeline.
    statuses: Option<MapOf<Vec<String>>>,
}

/// A field, as API v1 has it.
#[record]
struct OldField {
    /// The number of the field; some of Pipedrive's own have none.
    id: Option<i64>,
    /// Its key, by which records name it.
    key: String,
    /// Its name.
    name: Option<String>,
    /// The type of its value, as varchar, enum or monetary.
    field_type: Option<String>,
    /// Its place among the others.
    order_nr: Option<i64>,
    /// The options, for the types enum and set.
    options: Option<Vec<FieldOption>>,
    /// True if it can be used.
    active_flag: Option<bool>,
    /// True if it can be changed.
    edit_flag: Option<bool>,
    /// True if many records can be changed in it at once.
    bulk_edit_allowed: Option<bool>,
    /// True if it must be filled in.
    mandatory_flag: Option<bool>,
    /// The time at which it was made.
    add_time: Option<UtcTime>,
    /// The time of its last change.
    update_time: Option<UtcTime>,
}

/// A field that was deleted by its number.
#[record]
struct DeletedField {
    /// The number of the field.
    id: Id,
}
