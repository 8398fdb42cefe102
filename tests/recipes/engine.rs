//! The engine of the recipe in Rust. The page shows parts of this file.

use std::error::Error;

use connector_core::embed::{Connections, Credential, OneConnection};
use connector_core::run::{Invocation, Runtime};
use pipedrive_sandbox::DEMO_API_TOKEN;
use serde_json::{Value, json};

use crate::support::sandbox::{sandbox_options, start_sandbox};

/// Builds the runtime once; it is cheap to clone, and every step of every workflow shares it.
fn build_runtime(accounts: impl Connections + 'static) -> Result<Runtime, Box<dyn Error>> {
    Ok(Runtime::builder().connectors(&[&pipedrive_connector::CONNECTOR]).connections(accounts).build()?)
}

/// Carries out a step of a workflow on a task of its own, and returns its outcome as JSON.
async fn run_step(runtime: &Runtime, step: &str, action: &str, input: Value) -> Result<Value, Box<dyn Error>> {
    let call = Invocation::new(action).input(input).id(step);
    let outcome = tokio::spawn(runtime.invoke(call)).await?;
    Ok(serde_json::from_slice(&outcome.to_json())?)
}

#[tokio::test]
async fn engine_of_the_recipe_runs_a_workflow() {
    let domain = start_sandbox(sandbox_options()).await;
    run_workflow(&domain, DEMO_API_TOKEN).await.expect("the workflow runs");
}

/// A workflow of two steps: the second takes its input from the outcome of the first.
async fn run_workflow(domain: &str, token: &str) -> Result<(), Box<dyn Error>> {
    let runtime = build_runtime(OneConnection::new("acme", domain, Credential::api_token(token))?)?;
    let added = run_step(&runtime, "step-1", "addDeal", json!({"title": "Rocket", "stageId": {"name": "Negotiation"}})).await?;
    let note = json!({"dealId": added["data"]["id"], "content": "Added by a workflow."});
    let noted = run_step(&runtime, "step-2", "addNote", note).await?;
    assert_eq!((&noted["id"], &noted["ok"]), (&json!("step-2"), &json!(true)));
    assert_eq!(noted["data"]["deal"]["title"], "Rocket");
    Ok(())
}
