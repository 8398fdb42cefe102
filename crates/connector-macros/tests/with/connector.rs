// The connector that each case belongs to.

pub static CONNECTOR: connector_core::declare::Connector = connector_core::declare::Connector {
    key: "acme",
    label: "Acme",
    description: "A vendor of examples.",
    version: "1.0.0",
    domains: &["acme.example"],
    host: None,
    roots: &["/v2/", "/v1/"],
    auth: &[connector_core::declare::Auth::ApiToken { header: "x-token", prefix: "", query: None }],
    identity: None,
    case: connector_core::declare::Case::Snake,
    envelope: connector_core::declare::Envelope { data: "/data", success: Some("success"), search: Some(("items", "item")), may_be_empty: false },
    paging: &[
        connector_core::declare::Paging::Cursor { parameter: "cursor", next: &["/beside/next"] },
        connector_core::declare::Paging::Start {
            parameter: "start",
            more: &["/beside/page/more", "/beside/more"],
            next: &["/beside/page/next_start", "/beside/next_start"],
            facts: &["/beside/page", "/beside/start", "/beside/limit"],
        },
    ],
    flat: connector_core::declare::FlatWords::COMMON,
    refusal: |refusal| connector_core::Error::new(connector_core::ErrorKind::UpstreamRejected, format!("{}", refusal.status())),
    out_of_support: |_, _| None,
};
