// The connector that each case belongs to.

pub static CONNECTOR: connector_core::declare::Connector = connector_core::declare::Connector::new("acme", "Acme", "A vendor of examples.", "1.0.0")
    .with_domains(&["acme.example"])
    .with_roots(&["/v2/", "/v1/"])
    .with_auth(&[connector_core::declare::Auth::api_token("x-token")])
    .with_envelope(connector_core::declare::Envelope::at("/data").with_success("success").with_search("items", "item").never_empty())
    .with_paging(&[
        connector_core::declare::Paging::cursor("cursor", &["/beside/next"]),
        connector_core::declare::Paging::start("start")
            .with_more(&["/beside/page/more", "/beside/more"])
            .with_next(&["/beside/page/next_start", "/beside/next_start"])
            .with_facts(&["/beside/page", "/beside/start", "/beside/limit"]),
    ]);
