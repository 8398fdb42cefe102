//! Users: the people who work with the account.

use connector_core::declare::{Both, Flag, Id, Text, UtcTime};
use connector_core::{action, record};

use crate::data_sources::{SelectDeal, SelectOrganization, SelectPerson, SelectProduct, SelectUser};
use crate::types::ByStart;

/// Find Users By Name
///
/// Find users by name
#[action(get("/api/v1/users/find"), scopes("users:read"), cost = 40, returns(Vec<User>))]
struct FindUsersByName {
    /// The text to look for in names.
    term: Text,
    /// True to look in email addresses, and not in names. Left out, names are looked in.
    search_by_email: Option<Flag>,
}

/// Get Current User
///
/// Get current user data
#[action(get("/api/v1/users/me"), scopes("base"), cost = 2, returns(Both<User, Company>))]
struct GetCurrentUser {}

/// Get User
///
/// Get one user by ID
#[action(get("/api/v1/users/{user_id}"), scopes("users:read"), cost = 2, returns(User))]
struct GetUser {
    /// The user to read.
    #[source(SelectUser)]
    user_id: Id,
}

/// Get Users
///
/// Get all users
#[action(get("/api/v1/users"), scopes("users:read"), cost = 20, returns(Vec<User>))]
pub(crate) struct GetUsers {}

/// Get Deal Users
///
/// List permitted users
#[action(get("/api/v1/deals/{deal_id}/permittedUsers"), scopes("deals:read", "deals:full"), cost = 10, returns(Vec<i64>))]
struct GetDealUsers {
    /// The deal whose users to read: the IDs of those who may see it.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// Get Organization Users
///
/// List permitted users
#[action(get("/api/v1/organizations/{org_id}/permittedUsers"), scopes("contacts:read", "contacts:full"), cost = 10, returns(Vec<i64>))]
struct GetOrganizationUsers {
    /// The organization whose users to read: the IDs of those who may see it.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Get Person Users
///
/// List permitted users
#[action(get("/api/v1/persons/{person_id}/permittedUsers"), scopes("contacts:read", "contacts:full"), cost = 10, returns(Vec<i64>))]
struct GetPersonUsers {
    /// The person whose users to read: the IDs of those who may see them.
    #[source(SelectPerson)]
    person_id: Id,
}

/// Get Product Users
///
/// List permitted users
#[action(get("/api/v1/products/{product_id}/permittedUsers"), scopes("products:read", "products:full"), cost = 10, returns(Vec<i64>))]
struct GetProductUsers {
    /// The product whose users to read: the IDs of those who may see it.
    #[source(SelectProduct)]
    product_id: Id,
}

/// Get User Role Assignments
///
/// List role assignments
#[action(get("/api/v1/users/{user_id}/roleAssignments"), scopes("users:read"), cost = 10, returns(Vec<RoleAssignment>), with(ByStart))]
struct GetUserRoleAssignments {
    /// The user whose roles to read.
    #[source(SelectUser)]
    user_id: Id,
}

/// Get User Role Settings
///
/// List user role settings
#[action(get("/api/v1/users/{user_id}/roleSettings"), scopes("users:read"), cost = 10, returns(RoleSettings))]
struct GetUserRoleSettings {
    /// The user whose role's settings to read.
    #[source(SelectUser)]
    user_id: Id,
}

/// A user.
#[record]
pub(super) struct User {
    /// The ID of the user.
    id: i64,
    /// Their name.
    name: Option<String>,
    /// The three-letter code of their default currency.
    default_currency: Option<String>,
    /// Their locale, which sets the form of dates and numbers.
    locale: Option<String>,
    /// The ID of their language.
    lang: Option<i64>,
    /// Their email address.
    email: Option<String>,
    /// Their phone number.
    phone: Option<String>,
    /// True if they have signed in.
    activated: Option<bool>,
    /// The time of their last sign-in, in UTC.
    last_login: Option<UtcTime>,
    /// The time at which they were added, in UTC.
    created: Option<UtcTime>,
    /// The time of their last change, in UTC.
    modified: Option<UtcTime>,
    /// True if they founded the account.
    has_created_company: Option<bool>,
    /// The parts of the product that they may use.
    access: Option<Vec<UserAccess>>,
    /// True if they are active.
    active_flag: Option<bool>,
    /// The name of their time zone.
    timezone_name: Option<String>,
    /// The offset of their time zone from UTC.
    timezone_offset: Option<String>,
    /// The ID of their role.
    role_id: Option<i64>,
    /// The address of their picture.
    icon_url: Option<String>,
    /// True if they are the connected user.
    is_you: Option<bool>,
    /// True if they are deleted.
    is_deleted: Option<bool>,
}

/// A part of the product that a user may use.
#[record]
struct UserAccess {
    /// The part of the product.
    app: Option<String>,
    /// True if they administer it.
    admin: Option<bool>,
    /// The ID of their permission set.
    permission_set_id: Option<String>,
}

/// The company of the connected user, and their language.
#[record]
struct Company {
    /// The ID of the company.
    company_id: Option<i64>,
    /// Its name.
    company_name: Option<String>,
    /// Its domain, as the first part of its address.
    company_domain: Option<String>,
    /// The two-letter code of its country.
    company_country: Option<String>,
    /// Its industry.
    company_industry: Option<String>,
    /// The user's language.
    language: Option<Language>,
}

/// A language.
#[record]
struct Language {
    /// Its two-letter code.
    language_code: Option<String>,
    /// The two-letter code of the country.
    country_code: Option<String>,
}

/// A role of a user.
#[record]
struct RoleAssignment {
    /// The ID of the user.
    user_id: i64,
    /// The ID of the role.
    role_id: Option<i64>,
    /// The ID of the role above it.
    parent_role_id: Option<i64>,
    /// The name of the role.
    name: Option<String>,
    /// True if the role is in use.
    active_flag: Option<bool>,
    /// The kind of role it is.
    r#type: Option<String>,
}

/// The default visibility of what a user of a role adds, and their access; the meaning of a number depends on the
/// plan.
#[record]
struct RoleSettings {
    /// The default visibility of new deals.
    deal_default_visibility: Option<f64>,
    /// The default visibility of new leads.
    lead_default_visibility: Option<f64>,
    /// The default visibility of new organizations.
    org_default_visibility: Option<f64>,
    /// The default visibility of new persons.
    person_default_visibility: Option<f64>,
    /// The default visibility of new products.
    product_default_visibility: Option<f64>,
    /// The level of their access to deals.
    deal_access_level: Option<f64>,
    /// The level of their access to organizations.
    org_access_level: Option<f64>,
    /// The level of their access to persons.
    person_access_level: Option<f64>,
    /// The level of their access to products.
    product_access_level: Option<f64>,
}
