//! The export of spans over OTLP, for a host that is built with the feature `otel`.
//!
//! The variables of OpenTelemetry set it up: nothing is exported unless `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use connector_core::embed::TraceContext;
use connector_core::run::{Http, SPANS};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::{Level, Span, Subscriber, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::setup::bridge::Bridge;
use crate::setup::http::build_client;
use crate::terminal::env;
use crate::terminal::failure::Failure;

/// The longest time in which the last spans are sent when the process ends.
const LONGEST_FLUSH: Duration = Duration::from_secs(5);

/// The export of the spans of this process.
#[derive(Clone)]
pub(crate) struct Telemetry {
    provider: SdkTracerProvider,
}

impl Telemetry {
    /// Begins to export, if the environment names a collector.
    pub(crate) fn start() -> Result<Option<Self>, Failure> {
        let is_off = env::variable(env::OTEL_SDK_DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let names_collector = [env::OTEL_ENDPOINT, env::OTEL_TRACES_ENDPOINT].into_iter().any(|name| env::variable(name).is_some());
        if is_off || !names_collector {
            return Ok(None);
        }
        let client = Collector { http: build_client()?, handle: Handle::current(), is_failing: Arc::default() };
        let exporter = SpanExporter::builder().with_http().with_http_client(client).build();
        let exporter = exporter.map_err(|error| Failure::usage(format!("{}: {error}", env::OTEL_ENDPOINT)))?;
        let is_named = env::variable(env::OTEL_SERVICE_NAME).is_some()
            || env::variable(env::OTEL_RESOURCE_ATTRIBUTES).is_some_and(|attributes| attributes.contains("service.name="));
        let resource = Resource::builder().with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let resource = if is_named { resource } else { resource.with_service_name("connector") };
        let provider = SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build();
        Ok(Some(Self { provider }))
    }

    /// Builds the layer that collects the spans of this runtime, and no event.
    pub(crate) fn build_layer<S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync>(&self) -> impl Layer<S> + use<S> {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("connector"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(Targets::new().with_target(SPANS, Level::INFO))
    }

    /// Begins the span of a command that continues the trace of its caller.
    ///
    /// Without a caller's, each invocation has its own trace.
    pub(crate) fn begin_command() -> Span {
        let Some(parent) = env::variable(env::TRACEPARENT) else { return Span::none() };
        let span = info_span!(target: SPANS, "command", otel.name = "connector invoke", otel.kind = "internal");
        Bridge::default().join(&span, &parent, env::variable(env::TRACESTATE).as_deref());
        span
    }

    /// Sends the last spans, for a bounded time. The thread of the runtime must not be blocked: it sends them.
    pub(crate) async fn stop(self) {
        let flush = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LONGEST_FLUSH));
        if !matches!(tokio::time::timeout(LONGEST_FLUSH * 2, flush).await, Ok(Ok(Ok(())))) {
            tracing::warn!("the last spans were not sent");
        }
    }
}

/// The collector, to which spans are posted by the one HTTP client of this program.
#[derive(Debug)]
struct Collector {
    http: Http,
    /// The runtime that sends: the exporter runs on a thread of its own.
    handle: Handle,
    is_failing: Arc<AtomicBool>,
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let headers: Vec<(String, Bytes)> =
            head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), Bytes::copy_from_slice(value.as_bytes()))).collect();
        let (http, url) = (self.http.clone(), head.uri.to_string());
        let answer = self.handle.spawn(async move { http.post(&url, &headers, body).await }).await?;
        let why = match &answer {
            Ok(answer) if (200..300).contains(&answer.status) => None,
            Ok(answer) => Some(format!("it answers {}", answer.status)),
            Err(error) => Some(error.message().to_owned()),
        };
        if self.is_failing.swap(why.is_some(), Ordering::Relaxed) != why.is_some() {
            match why {
                Some(why) => tracing::warn!(why, "the collector takes no spans"),
                None => tracing::info!("the collector takes spans again"),
            }
        }
        let answer = answer?;
        Ok(Response::builder().status(answer.status).body(answer.body)?)
    }
}
