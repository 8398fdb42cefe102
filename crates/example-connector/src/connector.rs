//! The connector: hosts, ways to sign in, and the shape of answers.

use connector_core::declare::{Auth, Case, ClientAuth, Connector, Envelope, FlatWords, Identity, OAuth, Paging};

use crate::error::explain_refusal;

/// The connector. A host lists it; naming it links this crate.
pub static CONNECTOR: Connector = Connector {
    key: "larkdesk",
    label: "Larkdesk",
    description: "Work with the tickets, people and tags of the Larkdesk help desk.",
    version: env!("CARGO_PKG_VERSION"),
    domains: &["larkdesk.example"],
    host: Some("https://api.larkdesk.example"),
    roots: &["/v1/"],
    auth: &[Auth::OAuth2(OAUTH), Auth::BearerToken],
    identity: Some(IDENTITY),
    case: Case::Camel,
    envelope: Envelope::BARE,
    paging: &[
        Paging::Cursor { parameter: "after", next: &["/paging/next/after"] },
        Paging::Page { parameter: "page", first: 1, more: &[], last: &["/meta/lastPage"], facts: &["/meta/page"] },
        Paging::Start { parameter: "offset", more: &["/window/more"], next: &["/window/next"], facts: &[] },
    ],
    flat: FlatWords::COMMON,
    refusal: explain_refusal,
    out_of_support: |_, _| None,
};

const IDENTITY: Identity = Identity {
    path: "/v1/me",
    company: "/account/id",
    company_name: "/account/name",
    company_domain: "",
    user: "/id",
    user_name: "/displayName",
    email: "/email",
};

const OAUTH: OAuth = OAuth {
    authorize: "https://larkdesk.example/oauth/authorize",
    token: "https://larkdesk.example/oauth/token",
    revoke: Some("https://larkdesk.example/oauth/revoke"),
    client_auth: ClientAuth::Form,
    pkce: true,
    scopes: &["tickets:read", "tickets:write", "people:read"],
    scope_separator: ' ',
    host_member: None,
};
