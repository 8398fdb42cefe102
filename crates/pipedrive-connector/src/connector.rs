//! The connector: hosts, ways to authenticate, and the shape of answers.

use std::time::Duration;

use connector_core::declare::{Auth, Connector, Envelope, FlatWords, Identity, Lane, Limits, OAuth, Paging, RawAccess};

use crate::account_fields::FIELD_WORDS;
use crate::by_hand::{find_cost, find_out_of_support, find_template, list_operations};
use crate::error::explain_refusal;

/// The connector. A host lists it; naming it links this crate.
pub static CONNECTOR: Connector = Connector::new(
    "pipedrive",
    "Pipedrive",
    "Work with deals, contacts, activities and the rest of the Pipedrive sales CRM.",
    env!("CARGO_PKG_VERSION"),
)
.with_domains(&["pipedrive.com"])
.with_roots(&["/api/v2/", "/api/v1/", "/v1/"])
.with_auth(&[Auth::oauth2(OAUTH), Auth::api_token("x-api-token").with_query("api_token")])
.with_identity(IDENTITY)
.with_envelope(Envelope::at("/data").with_success("success").with_search("items", "item").never_empty())
.with_paging(&[
    Paging::cursor("cursor", &["/additional_data/next_cursor"]),
    Paging::start("start")
        .with_more(&["/additional_data/pagination/more_items_in_collection", "/additional_data/more_items_in_collection"])
        .with_next(&["/additional_data/pagination/next_start", "/additional_data/next_start"])
        .with_facts(&["/additional_data/pagination", "/additional_data/start", "/additional_data/limit"]),
])
.with_flat(FlatWords::COMMON.with_id(&["id", "value"]).with_custom_key(is_custom_key))
.with_fields(FIELD_WORDS)
.with_limits(LIMITS)
.with_refusal(explain_refusal)
.with_out_of_support(find_out_of_support)
.with_templates(find_template)
.with_synonyms(SYNONYMS)
.with_raw(RawAccess::new("rawRequest", list_operations));

/// Words of other CRMs, and of people.
const SYNONYMS: &[(&str, &str)] = &[
    ("account", "organization"),
    ("company", "organization"),
    ("contact", "person"),
    ("customer", "person"),
    ("customer", "organization"),
    ("document", "file"),
    ("email", "mail"),
    ("member", "user"),
    ("opportunity", "deal"),
    ("organisation", "organization"),
    ("org", "organization"),
    ("people", "person"),
    ("tag", "label"),
];

/// Checks that a name begins with the 40-character key of a custom field.
fn is_custom_key(name: &str) -> bool {
    name.len() >= 40 && name.bytes().take(40).all(|byte| byte.is_ascii_hexdigit())
}

/// Limits: the requests of a token in two seconds, the search apart, and the daily budget of a company.
///
/// The smallest plan has 20 requests for an API token and 80 for an app. The search has 10 on every plan.
const LIMITS: Limits = Limits::within(Duration::from_secs(2))
    .with_window("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    .with_budget("x-daily-ratelimit-token-limit", "x-daily-ratelimit-token-remaining")
    .with_lanes(&[Lane::new(is_search, 10, 10), Lane::rest(20, 80)])
    .with_cost(find_cost)
    .blocking_by_page();

/// Checks that a path is one of the search.
fn is_search(path: &str) -> bool {
    path.ends_with("/search") || path.ends_with("/itemSearch") || path.ends_with("/itemSearch/field")
}

const IDENTITY: Identity = Identity::at("/api/v1/users/me")
    .with_cost(2)
    .with_company("/data/company_id")
    .with_company_name("/data/company_name")
    .with_company_domain("/data/company_domain")
    .with_user("/data/id")
    .with_user_name("/data/name")
    .with_email("/data/email");

const OAUTH: OAuth = OAuth::new("https://oauth.pipedrive.com/oauth/authorize", "https://oauth.pipedrive.com/oauth/token")
    .with_revoke("https://oauth.pipedrive.com/oauth/revoke")
    .with_scope_separator(',')
    .with_host_member("api_domain");
