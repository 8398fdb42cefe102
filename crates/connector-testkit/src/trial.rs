//! Trials: a runtime of one connector, and its outcomes as JSON.

use connector_core::declare::Auth;
use connector_core::embed::{Connections, Credential, OneConnection};
use connector_core::run::{Invocation, Outcome, Runtime};
use serde_json::Value;

use crate::kit::Kit;

/// A URL of this machine that nothing listens at.
pub(crate) const NOWHERE: &str = "http://127.0.0.1:9";

/// The credential of an account that no vendor has.
const SECRET: &str = "the-secret-of-the-testkit";

/// A runtime whose outcomes are observed.
pub(crate) struct Trial {
    runtime: Runtime,
    observe: fn(&Outcome),
}

impl Trial {
    /// Builds a trial over connections.
    pub(crate) fn new(kit: &Kit, connections: impl Connections + 'static) -> Self {
        let runtime = Runtime::builder().connectors(&[kit.connector]).connections(connections).build();
        Self { runtime: runtime.unwrap_or_else(|error| panic!("the runtime cannot be built: {error:?}")), observe: kit.observe }
    }

    /// Builds a trial over an account at a URL of this machine.
    pub(crate) fn at(kit: &Kit, url: &str) -> Self {
        let has_key = kit.connector.auth.iter().any(|auth| matches!(auth, Auth::ApiToken { .. }));
        let credential = match (kit.connector.is_open(), has_key) {
            (true, _) => Credential::None,
            (false, true) => Credential::api_token(SECRET),
            (false, false) => Credential::bearer(SECRET),
        };
        Self::new(kit, OneConnection::new("testkit", url, credential).expect("loopback is allowed"))
    }

    /// Invokes an action and returns its outcome as JSON.
    pub(crate) async fn invoke(&self, key: &str, input: Value) -> Value {
        self.run(Invocation::new(key).input(input)).await
    }

    /// Invokes an action as a dry run, which sends nothing.
    pub(crate) async fn dry_run(&self, key: &str, input: Value) -> Value {
        self.run(Invocation::new(key).input(input).dry_run()).await
    }

    /// Runs an invocation and returns its outcome as JSON.
    pub(crate) async fn run(&self, invocation: Invocation) -> Value {
        serde_json::from_slice(&self.run_raw(invocation).await.to_json()).expect("an outcome is JSON")
    }

    /// Runs an invocation.
    pub(crate) async fn run_raw(&self, invocation: Invocation) -> Outcome {
        let outcome = self.runtime.invoke(invocation).await;
        (self.observe)(&outcome);
        outcome
    }
}
