//! Data sources: the choices that fill an input.
//!
//! Lists that the account defines are kept for an hour, and looked through here. Records are looked for each time: by Pipedrive where it
//! has a search for them, else page by page.

use connector_core::data_source;
use connector_core::declare::{Id, Text};

use crate::account_fields::WITH_MARKS;
use crate::rooms::activities::GetActivities;
use crate::rooms::activity_types::GetActivityTypes;
use crate::rooms::currencies::GetCurrencies;
use crate::rooms::deals::{GetDeal, GetDeals, SearchDeals};
use crate::rooms::fields::{GetActivityFields, GetDealFields, GetOrganizationFields, GetPersonFields, GetProductFields};
use crate::rooms::files::GetFiles;
use crate::rooms::filters::{FilterType, GetFilters};
use crate::rooms::lead_labels::GetLeadLabels;
use crate::rooms::lead_sources::GetLeadSources;
use crate::rooms::leads::{GetLead, GetLeads, SearchLeads};
use crate::rooms::organizations::{GetOrganization, GetOrganizations, SearchOrganization};
use crate::rooms::permission_sets::{App, GetPermissionSets};
use crate::rooms::persons::{GetPerson, GetPersons, SearchPersons};
use crate::rooms::pipelines::GetPipelines;
use crate::rooms::products::{GetProduct, GetProducts, SearchProducts};
use crate::rooms::roles::GetRoles;
use crate::rooms::stages::GetStages;
use crate::rooms::users::GetUsers;

/// Select Deal
///
/// Select a Deal from a dropdown menu.
#[data_source(
    list(GetDeals),
    search(SearchDeals),
    exact = "exact_match",
    read(GetDeal),
    except(is_deleted = true),
    label("{title} - {status}"),
    named(name = "title")
)]
pub(crate) struct SelectDeal;

/// Select Organization
///
/// Select an Organization from a dropdown menu.
#[data_source(
    list(GetOrganizations),
    search(SearchOrganization),
    exact = "exact_match",
    read(GetOrganization),
    except(is_deleted = true),
    label("{name}"),
    named(name)
)]
pub(crate) struct SelectOrganization;

/// Select Person
///
/// Select a Person from a dropdown menu.
#[data_source(
    list(GetPersons),
    search(SearchPersons),
    exact = "exact_match",
    read(GetPerson),
    except(is_deleted = true),
    label("{name}"),
    named(name, email = "emails")
)]
pub(crate) struct SelectPerson;

/// Select Product
///
/// Select a product from a dropdown menu.
#[data_source(
    list(GetProducts),
    search(SearchProducts),
    exact = "exact_match",
    read(GetProduct),
    except(is_deleted = true),
    label("{name}"),
    named(name, code)
)]
pub(crate) struct SelectProduct;

/// Select Lead
///
/// Select a lead from a dropdown menu.
#[data_source(list(GetLeads), search(SearchLeads), exact = "exact_match", read(GetLead), label("{title}"))]
pub(crate) struct SelectLead;

/// Select Activity
///
/// Select an activity from a dropdown menu.
#[data_source(list(GetActivities), sifted, label("{subject}"))]
pub(crate) struct SelectActivity;

/// Select File
///
/// Select a file from a dropdown menu.
#[data_source(list(GetFiles), sifted, label("{name}"))]
pub(crate) struct SelectFile;

/// Select Pipeline
///
/// Select a pipeline from a dropdown menu.
#[data_source(list(GetPipelines), kept, except(is_deleted = true), sorted("order_nr"), label("{name}"), named(name))]
pub(crate) struct SelectPipeline;

/// Select Stage
///
/// Select a stage from a dropdown menu.
#[data_source(list(GetStages), kept, except(is_deleted = true), sorted("pipeline_id", "order_nr"), label("{name}"), named(name))]
pub(crate) struct SelectStage {
    /// Only stages of this pipeline. Left out, those of all.
    #[source(SelectPipeline)]
    pipeline_id: Option<Id>,
}

/// Select User
///
/// Select a user who is active from a dropdown menu.
#[data_source(list(GetUsers), kept, only(active_flag = true), label("{name} ({email})"), named(name, email), me = "is_you")]
pub(crate) struct SelectUser;

/// Select Role
///
/// Select a role from a dropdown menu.
#[data_source(list(GetRoles), kept, except(active_flag = false), label("{name}"), named(name))]
pub(crate) struct SelectRole;

/// Select Permission Set
///
/// Select a permission set from a dropdown menu.
#[data_source(list(GetPermissionSets), kept, label("{name}"), named(name))]
pub(crate) struct SelectPermissionSet {
    /// Only permission sets of this part of the product. Left out, those of all.
    app: Option<App>,
}

/// Select Filter
///
/// Select a filter from a dropdown menu.
#[data_source(list(GetFilters), kept, only(active_flag = true), label("{name}"), named(name))]
pub(crate) struct SelectFilter {
    /// Only filters of these records. Left out, those of all.
    r#type: Option<FilterType>,
}

/// Select Currency
///
/// Select the code of a currency from a dropdown menu.
#[data_source(list(GetCurrencies), kept, only(active_flag = true), key("code"), label("{name} ({code})"), named(name))]
pub(crate) struct SelectCurrency;

/// Select Activity Type
///
/// Select an activity type from a dropdown menu.
#[data_source(list(GetActivityTypes), kept, only(active_flag = true), sorted("order_nr"), label("{name}"), named(name))]
pub(crate) struct SelectActivityType;

/// Select Activity Type Key
///
/// Select the key of an activity type, by which activities name it, from a dropdown menu.
#[data_source(list(GetActivityTypes), kept, only(active_flag = true), sorted("order_nr"), key("key_string"), label("{name}"), named(name))]
pub(crate) struct SelectActivityTypeKey;

/// Select Lead Label
///
/// Select a label of leads from a dropdown menu.
#[data_source(list(GetLeadLabels), kept, label("{name}"), named(name))]
pub(crate) struct SelectLeadLabel;

/// Select Lead Source
///
/// Select the name of a lead source from a dropdown menu.
#[data_source(list(GetLeadSources), kept, key("name"), label("{name}"))]
pub(crate) struct SelectLeadSource;

/// Select Deal Label
///
/// Select a label of deals from a dropdown menu.
#[data_source(list(GetDealFields), kept, given = WITH_MARKS, only(field_code = "label_ids"), within("options"), label("{label}"), named(name = "label"))]
pub(crate) struct SelectDealLabel;

/// Select Person Label
///
/// Select a label of persons from a dropdown menu.
#[data_source(list(GetPersonFields), kept, given = WITH_MARKS, only(field_code = "label_ids"), within("options"), label("{label}"), named(name = "label"))]
pub(crate) struct SelectPersonLabel;

/// Select Organization Label
///
/// Select a label of organizations from a dropdown menu.
#[data_source(list(GetOrganizationFields), kept, given = WITH_MARKS, only(field_code = "label_ids"), within("options"), label("{label}"), named(name = "label"))]
pub(crate) struct SelectOrganizationLabel;

/// Select Deal Field
///
/// Select the code of a field of deals from a dropdown menu.
#[data_source(list(GetDealFields), kept, given = WITH_MARKS, key("field_code"), label("{field_name}"), named(name = "field_name"))]
pub(crate) struct SelectDealField;

/// Select Deal Custom Field
///
/// Select the code of a custom field of deals from a dropdown menu.
#[data_source(
    list(GetDealFields),
    kept,
    given = WITH_MARKS,
    only(is_custom_field = true),
    key("field_code"),
    label("{field_name}"),
    named(name = "field_name")
)]
pub(crate) struct SelectDealCustomField;

/// Select Deal Date Field
///
/// Select the code of a field of deals that holds a date from a dropdown menu.
#[data_source(list(GetDealFields), kept, given = WITH_MARKS, only(field_type = "date"), key("field_code"), label("{field_name}"), named(name = "field_name"))]
pub(crate) struct SelectDealDateField;

/// Select Deal Field Option
///
/// Select an option of a field of deals from a dropdown menu.
#[data_source(list(GetDealFields), kept, given = WITH_MARKS, within("options"), label("{label}"), named(name = "label"))]
pub(crate) struct SelectDealFieldOption {
    /// The code of the field whose options to offer.
    #[source(SelectDealField)]
    field_code: Text,
}

/// Select Person Field
///
/// Select the code of a field of persons from a dropdown menu.
#[data_source(list(GetPersonFields), kept, given = WITH_MARKS, key("field_code"), label("{field_name}"), named(name = "field_name"))]
pub(crate) struct SelectPersonField;

/// Select Person Custom Field
///
/// Select the code of a custom field of persons from a dropdown menu.
#[data_source(
    list(GetPersonFields),
    kept,
    given = WITH_MARKS,
    only(is_custom_field = true),
    key("field_code"),
    label("{field_name}"),
    named(name = "field_name")
)]
pub(crate) struct SelectPersonCustomField;

/// Select Person Field Option
///
/// Select an option of a field of persons from a dropdown menu.
#[data_source(list(GetPersonFields), kept, given = WITH_MARKS, within("options"), label("{label}"), named(name = "label"))]
pub(crate) struct SelectPersonFieldOption {
    /// The code of the field whose options to offer.
    #[source(SelectPersonField)]
    field_code: Text,
}

/// Select Organization Field
///
/// Select the code of a field of organizations from a dropdown menu.
#[data_source(list(GetOrganizationFields), kept, given = WITH_MARKS, key("field_code"), label("{field_name}"), named(name = "field_name"))]
pub(crate) struct SelectOrganizationField;

/// Select Organization Custom Field
///
/// Select the code of a custom field of organizations from a dropdown menu.
#[data_source(
    list(GetOrganizationFields),
    kept,
    given = WITH_MARKS,
    only(is_custom_field = true),
    key("field_code"),
    label("{field_name}"),
    named(name = "field_name")
)]
pub(crate) struct SelectOrganizationCustomField;

/// Select Organization Field Option
///
/// Select an option of a field of organizations from a dropdown menu.
#[data_source(list(GetOrganizationFields), kept, given = WITH_MARKS, within("options"), label("{label}"), named(name = "label"))]
pub(crate) struct SelectOrganizationFieldOption {
    /// The code of the field whose options to offer.
    #[source(SelectOrganizationField)]
    field_code: Text,
}

/// Select Product Field
///
/// Select the code of a field of products from a dropdown menu.
#[data_source(list(GetProductFields), kept, key("field_code"), label("{field_name}"), named(name = "field_name"))]
pub(crate) struct SelectProductField;

/// Select Product Custom Field
///
/// Select the code of a custom field of products from a dropdown menu.
#[data_source(
    list(GetProductFields),
    kept,
    only(is_custom_field = true),
    key("field_code"),
    label("{field_name}"),
    named(name = "field_name")
)]
pub(crate) struct SelectProductCustomField;

/// Select Product Field Option
///
/// Select an option of a field of products from a dropdown menu.
#[data_source(list(GetProductFields), kept, within("options"), label("{label}"), named(name = "label"))]
pub(crate) struct SelectProductFieldOption {
    /// The code of the field whose options to offer.
    #[source(SelectProductField)]
    field_code: Text,
}

/// Select Activity Field
///
/// Select the code of a field of activities from a dropdown menu.
#[data_source(list(GetActivityFields), kept, key("field_code|key"), label("{field_name|name}"), named(name = "field_name|name"))]
pub(crate) struct SelectActivityField;

/// Select Activity Field Option
///
/// Select an option of a field of activities from a dropdown menu.
#[data_source(list(GetActivityFields), kept, within("options"), label("{label}"), named(name = "label"))]
pub(crate) struct SelectActivityFieldOption {
    /// The code of the field whose options to offer.
    #[source(SelectActivityField)]
    #[wire("field_code|key")]
    field_code: Text,
}
