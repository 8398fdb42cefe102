//! Vendors of few words: bearer tokens and public clients at one host, keys alone, no credential at all.

use connector_core::__private::inventory;
use connector_core::__private::{DeclaredAction, Registration};
use connector_core::declare::{Auth, ClientAuth, Connector, Declaration, FieldShape, Json, Method, OAuth};
use connector_host::LinkedConnector;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::upstream::{build_json_response, read_request, serve_connections};

/// The connectors of a program that links these two.
pub(crate) static PLAIN_CONNECTORS: [LinkedConnector; 2] = [LinkedConnector::new(&FERRY), LinkedConnector::new(&TIDES)];

/// The connectors of a program that links none with OAuth.
pub(crate) static WITHOUT_OAUTH: [LinkedConnector; 2] = [LinkedConnector::new(&KIOSK), LinkedConnector::new(&TIDES)];

/// The connector of an API that is open to all.
static TIDES: Connector = Connector::new("tides", "Tides", "A vendor of tides.", "1.0.0")
    .with_domains(&["tides.example"])
    .with_host("https://api.tides.example")
    .with_roots(&["/v1/"]);

/// The connector of a vendor whose accounts have one host, and which tells of none.
static FERRY: Connector = Connector::new("ferry", "Ferry", "A vendor of crossings.", "1.0.0")
    .with_domains(&["ferry.example"])
    .with_host("https://api.ferry.example")
    .with_roots(&["/v1/"])
    .with_auth(&[
        Auth::oauth2(
            OAuth::new("https://ferry.example/oauth/authorize", "https://ferry.example/oauth/token")
                .with_client_auth(ClientAuth::Public)
                .with_pkce()
                .with_scopes(&["crossings"]),
        ),
        Auth::bearer_token(),
    ]);

/// The connector of a vendor that takes keys behind a prefix.
static KIOSK: Connector = Connector::new("kiosk", "Kiosk", "A vendor of papers.", "1.0.0")
    .with_domains(&["kiosk.example"])
    .with_host("https://api.kiosk.example")
    .with_roots(&["/v1/"])
    .with_auth(&[Auth::api_token("authorization").with_prefix("Token ")]);

/// Declares an action without inputs. The macros would take the connector of the whole suite.
const fn declare(key: &'static str, connector: &'static Connector) -> Declaration {
    Declaration::new(key, ["Get", "Get what the vendor has"], [module_path!(), file!()], connector, FieldShape::from_type::<Json>())
        .with_endpoint(Method::Get, "/v1/all")
}

static GET_TIDES: Declaration = declare("getTides", &TIDES);
static GET_CROSSINGS: Declaration = declare("getCrossings", &FERRY);
static GET_PAPERS: Declaration = declare("getPapers", &KIOSK);
static READ_TIDES: DeclaredAction = DeclaredAction::new(&GET_TIDES);
static READ_CROSSINGS: DeclaredAction = DeclaredAction::new(&GET_CROSSINGS);
inventory::submit! { Registration::Action(&READ_TIDES) }
static READ_PAPERS: DeclaredAction = DeclaredAction::new(&GET_PAPERS);
inventory::submit! { Registration::Action(&READ_CROSSINGS) }
inventory::submit! { Registration::Action(&READ_PAPERS) }

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
