//! Users: the people who work with the account.

use connector_core::{Both, Flag, Id, Text, UtcTime, action, record};

/// Find Users By Name
///
/// Find users by name
#[action(get("/api/v1/users/find"), scopes("users:read"), cost = 40, returns(Vec<User>))]
struct FindUsersByName {
    /// The text to look for in names.
    term: Text,
    /// Whether to look in email addresses, and not in names. Left out, names are looked in.
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
    user_id: Id,
}

/// Get Users
///
/// Get all users
#[action(get("/api/v1/users"), scopes("users:read"), cost = 20, returns(Vec<User>))]
struct GetUsers {}

/// A user.
#[record]
struct User {
    /// The ID of the user.
    id: i64,
    /// Their name.
    name: Option<String>,
    /// The three-letter code of their default currency.
    default_currency: Option<String>,
    /// How they write dates and numbers.
    locale: Option<String>,
    /// The ID of their language.
    lang: Option<i64>,
    /// Their email address.
    email: Option<String>,
    /// Their phone number.
    phone: Option<String>,
    /// Whether they have signed in.
    activated: Option<bool>,
    /// When they last signed in, in UTC.
    last_login: Option<UtcTime>,
    /// When they were added, in UTC.
    created: Option<UtcTime>,
    /// When they were last changed, in UTC.
    modified: Option<UtcTime>,
    /// Whether they founded the account.
    has_created_company: Option<bool>,
    /// What they may use.
    access: Option<Vec<UserAccess>>,
    /// Whether they are active.
    active_flag: Option<bool>,
    /// The name of their time zone.
    timezone_name: Option<String>,
    /// How far their time zone is from UTC.
    timezone_offset: Option<String>,
    /// The ID of their role.
    role_id: Option<i64>,
    /// The address of their picture.
    icon_url: Option<String>,
    /// Whether they are the connected user.
    is_you: Option<bool>,
    /// Whether they are deleted.
    is_deleted: Option<bool>,
}

/// What a user may use.
#[record]
struct UserAccess {
    /// The part of the product.
    app: Option<String>,
    /// Whether they administer it.
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
