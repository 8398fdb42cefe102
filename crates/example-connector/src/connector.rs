//! The connector: hosts, ways to sign in, and the shape of answers.

use connector_core::declare::{Auth, Case, ClientAuth, Connector, Identity, OAuth, Paging};

use crate::error::explain_refusal;

/// The connector. A host lists it; naming it links this crate.
pub static CONNECTOR: Connector =
    Connector::new("larkdesk", "Larkdesk", "Work with the tickets, people and tags of the Larkdesk help desk.", env!("CARGO_PKG_VERSION"))
        .with_domains(&["larkdesk.example"])
        .with_host("https://api.larkdesk.example")
        .with_roots(&["/v1/"])
        .with_auth(&[Auth::oauth2(OAUTH), Auth::bearer_token()])
        .with_identity(IDENTITY)
        .with_case(Case::Camel)
        .with_paging(&[
            Paging::cursor("after", &["/paging/next/after"]),
            Paging::page("page", 1).with_last(&["/meta/lastPage"]).with_facts(&["/meta/page"]),
            Paging::start("offset").with_more(&["/window/more"]).with_next(&["/window/next"]),
        ])
        .with_refusal(explain_refusal);

const IDENTITY: Identity = Identity::at("/v1/me")
    .with_company("/account/id")
    .with_company_name("/account/name")
    .with_user("/id")
    .with_user_name("/displayName")
    .with_email("/email");

const OAUTH: OAuth = OAuth::new("https://larkdesk.example/oauth/authorize", "https://larkdesk.example/oauth/token")
    .with_revoke("https://larkdesk.example/oauth/revoke")
    .with_client_auth(ClientAuth::Form)
    .with_pkce()
    .with_scopes(&["tickets:read", "tickets:write", "people:read"]);
