//! The sandbox in this process, whose own state is the truth, and the connections to its companies.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use pipedrive_sandbox::{Options, Sandbox, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::Wire;
use crate::plan::{Failure, Plan};
use crate::samples::{CREATES, name_connection, read_text};

/// The sandbox, and its URL.
pub(crate) struct Vendor {
    pub(crate) sandbox: Sandbox,
    pub(crate) url: String,
}

/// A record that an invocation left at the sandbox.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FoundRecord {
    pub(crate) kind: usize,
    pub(crate) company: usize,
    pub(crate) id: Value,
}

impl Vendor {
    pub(crate) async fn start(plan: &Plan) -> Result<Self, Failure> {
        let faults = format!("seed={},{}", plan.seed, plan.faults).parse()?;
        let sandbox = Sandbox::open(Options { companies: plan.companies, faults, ..Options::default() })?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(serve(listener, sandbox.clone()));
        Ok(Self { sandbox, url })
    }

    /// Connects each company by its API token, some at once.
    pub(crate) async fn connect_all(&self, host: &str, key: &str) -> Result<(), Failure> {
        const AT_ONCE: usize = 16;
        let companies = self.sandbox.companies();
        let tokens: Arc<Vec<String>> = Arc::new(companies.iter().map(|company| company.api_token.clone()).collect());
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..AT_ONCE {
            let (tokens, host, key, url) = (Arc::clone(&tokens), host.to_owned(), key.to_owned(), self.url.clone());
            workers.spawn(async move {
                let mut wire = Wire::open(&host, &key).await?;
                for (company, token) in tokens.iter().enumerate().skip(worker).step_by(AT_ONCE) {
                    connect(&mut wire, &url, company, token).await?;
                }
                Ok::<(), Failure>(())
            });
        }
        while let Some(done) = workers.join_next().await {
            done??;
        }
        Ok(())
    }

    /// Finds all records that invocations left, by the number of the invocation.
    ///
    /// The sandbox is asked without the network, so that there are no faults.
    pub(crate) fn find_records(&self) -> Result<HashMap<u64, Vec<FoundRecord>>, Failure> {
        let mut found: HashMap<u64, Vec<FoundRecord>> = HashMap::new();
        for (company, token) in self.sandbox.companies().iter().map(|company| &company.api_token).enumerate() {
            for (kind, create) in CREATES.iter().enumerate() {
                let mut next = Some(String::new());
                while let Some(from) = next {
                    let (records, following) = self.list(token, create.list, create.has_cursor, &from)?;
                    for record in &records {
                        if let Some(number) = record[create.text].as_str().and_then(read_text) {
                            found.entry(number).or_default().push(FoundRecord { kind, company, id: record["id"].clone() });
                        }
                    }
                    next = following;
                }
            }
        }
        Ok(found)
    }

    /// Lists a page of records, and tells where the next one begins.
    fn list(&self, token: &str, path: &str, has_cursor: bool, from: &str) -> Result<(Vec<Value>, Option<String>), Failure> {
        let place = if has_cursor { "cursor" } else { "start" };
        let query = if from.is_empty() { String::new() } else { format!("&{place}={from}") };
        let request = Request::get(format!("{path}?limit=500{query}")).header("x-api-token", token).body(Bytes::new())?;
        let response = self.sandbox.respond(request);
        if !response.status().is_success() {
            return Err(
                format!("the sandbox answers {path} with {}: {}", response.status(), String::from_utf8_lossy(response.body())).into()
            );
        }
        let body: Value = serde_json::from_slice(response.body())?;
        let beside = &body["additional_data"];
        let by_cursor = || beside["next_cursor"].as_str().map(str::to_owned);
        let by_start = || beside["pagination"]["next_start"].as_u64().map(|start| start.to_string());
        let next = if has_cursor { by_cursor() } else { by_start() };
        Ok((body["data"].as_array().cloned().unwrap_or_default(), next))
    }
}

/// Connects a company. The faults hit this too, so it is tried until it succeeds.
async fn connect(wire: &mut Wire, url: &str, company: usize, token: &str) -> Result<(), Failure> {
    const MOST: u32 = 50;
    let body = json!({"app": "pipedrive", "api_token": token, "api_domain": url, "name": name_connection(company)}).to_string();
    let mut last = String::new();
    for _ in 0..MOST {
        let reply = wire.post("/v1/connections", body.as_bytes()).await?;
        if reply.status == 201 {
            return Ok(());
        }
        last = format!("{}: {}", reply.status, String::from_utf8_lossy(&reply.body));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(format!("{} cannot be connected: {last}", name_connection(company)).into())
}
