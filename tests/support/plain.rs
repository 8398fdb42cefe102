//! Vendors of few words: one takes bearer tokens and public clients at one host, one takes no credential at all.

use connector_core::__private::inventory;
use connector_core::__private::{DeclaredAction, Registration};
use connector_core::declare::{
    Auth, Case, ClientAuth, Connector, Declaration, Endpoint, Envelope, FieldShape, FlatWords, Json, Method, OAuth,
};
use connector_core::{Error, ErrorKind};
use connector_host::LinkedConnector;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::upstream::{build_json_response, read_request, serve_connections};

/// The connectors of a program that links these two.
pub(crate) static PLAIN_CONNECTORS: [LinkedConnector; 2] = [LinkedConnector::new(&FERRY), LinkedConnector::new(&TIDES)];

/// The connector of an API that is open to all.
const OPEN: Connector = Connector {
    key: "tides",
    label: "Tides",
    description: "A vendor of tides.",
    version: "1.0.0",
    domains: &["tides.example"],
    host: Some("https://api.tides.example"),
    roots: &["/v1/"],
    auth: &[],
    identity: None,
    case: Case::Snake,
    envelope: Envelope::BARE,
    paging: &[],
    flat: FlatWords::COMMON,
    refusal: |refusal| Error::new(ErrorKind::UpstreamRejected, format!("The vendor answered {}.", refusal.status())),
    out_of_support: |_, _| None,
};

static TIDES: Connector = OPEN;

/// The connector of a vendor whose accounts have one host, and which tells of none.
static FERRY: Connector = Connector {
    key: "ferry",
    label: "Ferry",
    description: "A vendor of crossings.",
    domains: &["ferry.example"],
    host: Some("https://api.ferry.example"),
    auth: &[
        Auth::OAuth2(OAuth {
            authorize: "https://ferry.example/oauth/authorize",
            token: "https://ferry.example/oauth/token",
            revoke: None,
            client_auth: ClientAuth::Public,
            pkce: true,
            scopes: &["crossings"],
            scope_separator: ' ',
            host_member: None,
        }),
        Auth::BearerToken,
    ],
    ..OPEN
};

/// Declares an action without inputs. The macros would take the connector of the whole suite.
const fn declare(key: &'static str, connector: &'static Connector) -> Declaration {
    Declaration {
        key,
        label: "Get",
        description: "Get what the vendor has",
        module: module_path!(),
        resource: None,
        line: file!(),
        connector,
        endpoint: Some(Endpoint { method: Method::Get, path: "/v1/all" }),
        scopes: &[],
        scopes_all: &[],
        cost: None,
        idempotent: None,
        reads: false,
        destructive: false,
        removed: None,
        rules: &[],
        own: &[],
        with: &[],
        like: None,
        without: &[],
        when_flat: &[],
        paging: None,
        envelope: None,
        returns: FieldShape::from_type::<Json>(),
    }
}

static GET_TIDES: Declaration = declare("getTides", &TIDES);
static GET_CROSSINGS: Declaration = declare("getCrossings", &FERRY);
static READ_TIDES: DeclaredAction = DeclaredAction::new(&GET_TIDES);
static READ_CROSSINGS: DeclaredAction = DeclaredAction::new(&GET_CROSSINGS);
inventory::submit! { Registration::Action(&READ_TIDES) }
inventory::submit! { Registration::Action(&READ_CROSSINGS) }

/// Starts a server of either vendor. It answers how a request carried the credential, without its letters.
pub(crate) async fn start_plain_vendor() -> String {
    serve_connections(|mut stream| async move {
        let request = read_request(&mut stream).await.to_lowercase();
        let credential = request.lines().find_map(|line| line.strip_prefix("authorization: "));
        let words = credential.map(|credential| credential.split(' ').map(str::len).collect::<Vec<_>>());
        let scheme = credential.and_then(|credential| credential.split_once(' ')).map(|(scheme, _)| scheme);
        let body = json!({"scheme": scheme, "lengths": words}).to_string();
        let _ = stream.write_all(&build_json_response("200 OK", &body)).await;
    })
    .await
}
