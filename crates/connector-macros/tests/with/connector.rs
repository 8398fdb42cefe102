// The connector that each case belongs to.

pub static CONNECTOR: connector_core::Connector = connector_core::Connector {
    key: "acme",
    label: "Acme",
    description: "A vendor of examples.",
    version: "1.0.0",
    domains: &["acme.example"],
    roots: &["/v2/", "/v1/"],
    auth: &[connector_core::Auth::ApiToken { header: "x-token", query: None }],
    envelope: connector_core::Envelope {
        success: "success",
        data: "data",
        extra: "beside",
        next_cursor: "next",
        page: "page",
        more: "more",
        next_start: "next_start",
        search: ("items", "item"),
    },
    flat: connector_core::FlatWords::COMMON,
    refusal: |refusal| connector_core::Error::new(connector_core::ErrorKind::UpstreamRejected, format!("{}", refusal.status())),
    out_of_support: |_, _| None,
};
