//! The connector: hosts, ways to authenticate, and the shape of answers.

use connector_core::declare::{Auth, Case, ClientAuth, Connector, Envelope, FlatWords, Identity, OAuth, Paging};

use crate::by_hand::find_out_of_support;
use crate::error::explain_refusal;

/// The connector. A host lists it; naming it links this crate.
pub static CONNECTOR: Connector = Connector {
    key: "pipedrive",
    label: "Pipedrive",
    description: "Work with deals, contacts, activities and the rest of the Pipedrive sales CRM.",
    version: env!("CARGO_PKG_VERSION"),
    domains: &["pipedrive.com"],
    host: None,
    roots: &["/api/v2/", "/api/v1/", "/v1/"],
    auth: &[Auth::OAuth2(OAUTH), Auth::ApiToken { header: "x-api-token", prefix: "", query: Some("api_token") }],
    identity: Some(IDENTITY),
    case: Case::Snake,
    envelope: Envelope { data: "/data", success: Some("success"), search: Some(("items", "item")), may_be_empty: false },
    paging: &[
        Paging::Cursor { parameter: "cursor", next: &["/additional_data/next_cursor"] },
        Paging::Start {
            parameter: "start",
            more: &["/additional_data/pagination/more_items_in_collection", "/additional_data/more_items_in_collection"],
            next: &["/additional_data/pagination/next_start", "/additional_data/next_start"],
            facts: &["/additional_data/pagination", "/additional_data/start", "/additional_data/limit"],
        },
    ],
    flat: FlatWords { id: &["id", "value"], value: "value", primary: "primary", is_custom_key },
    refusal: explain_refusal,
    out_of_support: find_out_of_support,
};

/// Checks that a name begins with the 40-character key of a custom field.
fn is_custom_key(name: &str) -> bool {
    name.len() >= 40 && name.bytes().take(40).all(|byte| byte.is_ascii_hexdigit())
}

const IDENTITY: Identity = Identity {
    path: "/api/v1/users/me",
    company: "/data/company_id",
    company_name: "/data/company_name",
    company_domain: "/data/company_domain",
    user: "/data/id",
    user_name: "/data/name",
    email: "/data/email",
};

const OAUTH: OAuth = OAuth {
    authorize: "https://oauth.pipedrive.com/oauth/authorize",
    token: "https://oauth.pipedrive.com/oauth/token",
    revoke: Some("https://oauth.pipedrive.com/oauth/revoke"),
    client_auth: ClientAuth::Basic,
    pkce: false,
    scopes: &[],
    host_member: Some("api_domain"),
    scope_separator: ',',
};
