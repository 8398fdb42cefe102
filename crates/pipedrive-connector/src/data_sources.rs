//! Data sources: the choices that fill an input.

use connector_core::data_source;

use crate::rooms::deals::{GetDeals, SearchDeals};
use crate::rooms::organizations::{GetOrganizations, SearchOrganization};
use crate::rooms::persons::{GetPersons, SearchPersons};

/// Select Deal
///
/// Select a Deal from a dropdown menu.
#[data_source(list(GetDeals), search(SearchDeals), label("{title} - {status}"))]
pub(crate) struct SelectDeal;

/// Select Organization
///
/// Select an Organization from a dropdown menu.
#[data_source(list(GetOrganizations), search(SearchOrganization), label("{name}"))]
pub(crate) struct SelectOrganization;

/// Select Person
///
/// Select a Person from a dropdown menu.
#[data_source(list(GetPersons), search(SearchPersons), label("{name}"))]
pub(crate) struct SelectPerson;
