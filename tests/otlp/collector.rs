//! A collector on loopback, which decodes what it is sent with the types of the protocol.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::support::sandbox::bind;

/// The bodies that a collector was sent.
#[derive(Clone, Default)]
pub(super) struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    /// Starts a collector. Returns its URL too.
    pub(super) async fn start() -> (Self, String) {
        let (listener, url) = bind().await;
        let collector = Self::default();
        let collect = async |State(collector): State<Self>, headers: HeaderMap, body: Bytes| collector.collect(&headers, body);
        let router = Router::new().route("/v1/traces", post(collect)).with_state(collector.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (collector, url)
    }

    fn collect(&self, headers: &HeaderMap, body: Bytes) {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        self.0.lock().expect("no other request fails").push(body);
    }

    /// Returns all that was sent, as it was sent.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("no request fails").concat()
    }

    /// Returns the spans, in the order of their beginning, and the attributes of the service.
    pub(super) fn decode(&self) -> (Vec<Span>, Vec<(String, String)>) {
        let bodies = self.0.lock().expect("no request fails").clone();
        let (mut spans, mut service) = (Vec::new(), Vec::new());
        for body in bodies {
            let request = ExportTraceServiceRequest::decode(body).expect("the body is a message of the protocol");
            for group in request.resource_spans {
                let attributes = group.resource.expect("the service is named").attributes;
                service = attributes.into_iter().map(|one| (one.key, show(one.value.and_then(|value| value.value)))).collect();
                for mut scope in group.scope_spans {
                    spans.append(&mut scope.spans);
                }
            }
        }
        spans.sort_by_key(|span| span.start_time_unix_nano);
        (spans, service)
    }
}

/// Reads an attribute of a span as text; empty where there is none.
pub(super) fn attribute(span: &Span, name: &str) -> String {
    let found = span.attributes.iter().find(|one| one.key == name);
    found.map_or_else(String::new, |one| show(one.value.clone().and_then(|value| value.value)))
}

fn show(value: Option<Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => panic!("no attribute has such a value: {other:?}"),
    }
}
