//! The log of this program, and the export of its spans where it is built with the feature `otel`.

use connector_server::Host;
use tracing::{Level, Span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

#[cfg(feature = "otel")]
use crate::setup::telemetry::Telemetry;
use crate::terminal::env;
use crate::terminal::failure::Failure;

/// The export of the spans of this process, if there is one.
pub(crate) struct Traces {
    #[cfg(feature = "otel")]
    telemetry: Option<Telemetry>,
}

impl Traces {
    /// Begins to log to stderr, and to export spans if the environment asks for it.
    ///
    /// Events of other crates are left out: their URLs could hold authorization codes.
    pub(crate) fn start_with_log() -> Result<Self, Failure> {
        let traces = Self::prepare()?;
        let ours = ["connector_host", "connector_core", "connector_connections", "connector_server"].map(|target| (target, Level::INFO));
        let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_filter(Targets::new().with_targets(ours));
        let registry = tracing_subscriber::registry().with(lines);
        #[cfg(feature = "otel")]
        let registry = registry.with(traces.telemetry.as_ref().map(Telemetry::build_layer));
        // A logger that is set already stays.
        let _ = registry.try_init();
        if cfg!(not(feature = "otel")) && env::variable(env::OTEL_ENDPOINT).is_some() {
            tracing::warn!("{} is set, and this program is built without the feature otel: it exports no spans", env::OTEL_ENDPOINT);
        }
        Ok(traces)
    }

    /// Begins to export spans, if the environment asks for it. A command logs nothing.
    pub(crate) fn start() -> Result<Self, Failure> {
        let traces = Self::prepare()?;
        #[cfg(feature = "otel")]
        if let Some(telemetry) = &traces.telemetry {
            let _ = tracing_subscriber::registry().with(telemetry.build_layer()).try_init();
        }
        Ok(traces)
    }

    #[cfg(feature = "otel")]
    fn prepare() -> Result<Self, Failure> {
        Ok(Self { telemetry: Telemetry::start()? })
    }

    #[cfg(not(feature = "otel"))]
    #[expect(clippy::unnecessary_wraps)]
    fn prepare() -> Result<Self, Failure> {
        Ok(Self {})
    }

    /// Joins the traces of the callers of a host.
    #[cfg_attr(not(feature = "otel"), expect(clippy::unused_self))]
    pub(crate) fn join(&self, host: Host) -> Host {
        #[cfg(feature = "otel")]
        if self.telemetry.is_some() {
            return host.with_traces(crate::setup::bridge::Bridge::default());
        }
        host
    }

    /// Begins the span of a command that continues the trace of its caller, as `TRACEPARENT` names it.
    #[cfg_attr(not(feature = "otel"), expect(clippy::unused_self))]
    pub(crate) fn begin_command(&self) -> Span {
        #[cfg(feature = "otel")]
        if self.telemetry.is_some() {
            return Telemetry::begin_command();
        }
        Span::none()
    }

    /// Sends the last spans, for a bounded time.
    #[cfg_attr(not(feature = "otel"), expect(clippy::unused_async))]
    pub(crate) async fn stop(self) {
        #[cfg(feature = "otel")]
        if let Some(telemetry) = self.telemetry {
            telemetry.stop().await;
        }
    }
}
