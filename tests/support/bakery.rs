//! A second vendor: a connector that only the suite links, and its server.

use connector_core::declare::{Auth, Connector, Envelope, Id, Identity, OAuth, Text};
use connector_core::{action, record};
use connector_host::LinkedConnector;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::upstream::{build_json_response, read_request, serve_connections};

/// The token of the account `Corner`. That of another account identifies it by its last digit, too.
pub(crate) const TOKEN: &str = "bakery-token-of-corner-1";

/// The connectors of a program that links two.
pub(crate) static TWO_CONNECTORS: [LinkedConnector; 2] = [
    connector_host::CONNECTORS[0],
    LinkedConnector::new(&CONNECTOR).with_examples(r#"{"getCurrencies": {"input": {}, "data": [{"code": "BUN"}]}}"#),
];

/// The connector. Its key for the currencies is that of another connector, too.
pub(crate) static CONNECTOR: Connector = Connector::new("bakery", "Bakery", "A vendor of bread.", "1.0.0")
    .with_domains(&["bakery.example"])
    .with_roots(&["/v1/"])
    .with_auth(&[
        Auth::oauth2(
            OAuth::new("https://bakery.example/oauth/authorize", "https://bakery.example/oauth/token")
                .with_revoke("https://bakery.example/oauth/revoke")
                .with_host_member("api_domain"),
        ),
        Auth::api_token("x-bakery-token"),
    ])
    .with_identity(
        Identity::at("/v1/me")
            .with_company("/data/shop")
            .with_company_name("/data/shopName")
            .with_company_domain("/data/shopDomain")
            .with_user("/data/id")
            .with_user_name("/data/name")
            .with_email("/data/email"),
    )
    .with_envelope(Envelope::at("/data").with_success("ok"));

/// An order of the bakery.
#[record]
struct Order {
    /// The number of the order.
    id: Id,
    /// The bread.
    bread: Text,
}

/// Get Order
///
/// Get an order
#[action(get("/v1/orders/{order_id}"), scopes("orders"), returns(Order))]
struct GetOrder {
    /// The order to read.
    order_id: Id,
}

/// A currency of the bakery.
#[record]
struct Coin {
    /// The code of the currency.
    code: Text,
}

/// Get Currencies
///
/// Get the currencies of the bakery
#[action(get("/v1/currencies"), scopes("orders"), returns(Vec<Coin>))]
struct GetCurrencies {}

/// Starts the vendor's server. It grants whatever is asked for, and shows which credential a request held.
pub(crate) async fn start_bakery() -> String {
    serve_connections(|mut stream| async move {
        let request = read_request(&mut stream).await;
        let _ = stream.write_all(&answer(&request)).await;
    })
    .await
}

fn answer(request: &str) -> Vec<u8> {
    let header = |name: &str| {
        let mut lines = request.lines();
        lines.find_map(|line| line.to_lowercase().strip_prefix(name).map(|value| value.trim().to_owned())).unwrap_or_default()
    };
    let (token, bearer) = (header("x-bakery-token:"), header("authorization:"));
    let (way, credential) = if bearer.is_empty() { ("token", token) } else { ("bearer", bearer) };
    // The last digit of a credential is the number of its account. The runtime redacts a credential that is quoted.
    let number = credential.chars().last().and_then(|last| last.to_digit(10)).unwrap_or(0);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let host = format!("http://{}", header("host:"));
    let body = match path.split('?').next().unwrap_or_default() {
        "/oauth/token" => json!({
            "access_token": "bakery-access-token-1", "refresh_token": "bakery-refresh-token-1", "token_type": "bearer",
            "expires_in": 3600, "scope": "orders", "api_domain": host,
        }),
        "/v1/me" => build_user(number),
        "/v1/orders/1" => json!({"ok": true, "data": {"id": 1, "bread": format!("rye for {way} {number}")}}),
        "/v1/currencies" => json!({"ok": true, "data": [{"code": "BUN"}]}),
        _ => return build_json_response("404 Not Found", r#"{"ok": false}"#),
    };
    build_json_response("200 OK", &body.to_string())
}

fn build_user(number: u32) -> Value {
    json!({"ok": true, "data": {
        "id": number, "name": "Baker", "email": "baker@bakery.example", "shop": number, "shopName": "Corner", "shopDomain": "corner",
    }})
}
