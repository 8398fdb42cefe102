//! Data sources that offer the keys of custom fields.

use crate::account_fields::{FieldChoice, OfDeals, OfOrganizations, OfPersons, OfProducts};
use crate::data_sources::{SelectDealCustomField, SelectOrganizationCustomField, SelectPersonCustomField, SelectProductCustomField};

impl FieldChoice for OfDeals {
    type Keys = SelectDealCustomField;
}

impl FieldChoice for OfPersons {
    type Keys = SelectPersonCustomField;
}

impl FieldChoice for OfOrganizations {
    type Keys = SelectOrganizationCustomField;
}

impl FieldChoice for OfProducts {
    type Keys = SelectProductCustomField;
}
