//! The requests of every fixture as snapshots, by dry runs, which open no socket.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use connector_core::declare::{Auth, Connector};
use serde_json::Value;

use crate::checks::schemas::find_resource;
use crate::fixture::Fixture;
use crate::kit::{Kit, find_entry, is_upsert};
use crate::report::assert_none;
use crate::trial::{NOWHERE, Trial};

impl Kit {
    /// Compares the requests of every fixture with the snapshots `requests_<resource>`.
    ///
    /// They are dry runs, which show no credential. The inputs that the flat view gives where the caller does not, `when_flat`, are
    /// tried too.
    pub async fn check_requests(&self) {
        let (trial, catalogue) = (Trial::at(self, NOWHERE), self.build_catalogue());
        let header = find_credential_header(self.connector);
        let mut found = Vec::new();
        let mut resources: BTreeMap<&str, String> = BTreeMap::new();
        for fixture in self.read_fixtures() {
            let entry = find_entry(&catalogue, fixture.key);
            // The request of an upsert depends on what its search finds.
            if is_upsert(entry) {
                continue;
            }
            let text = resources.entry(find_resource(entry)).or_default();
            for input in fixture.inputs() {
                match build_requests(&trial, fixture.key, input.clone()).await {
                    Ok(requests) => {
                        for request in &requests {
                            writeln!(text, "{}", write_request(request)).expect("writing to a String cannot fail");
                            found.extend(header.and_then(|header| find_shown_credential(header, request)));
                        }
                    }
                    // A cursor that the runtime reads itself must be one, and a first call is not made here.
                    Err(_) if Fixture::find_first_input(input).is_some() => {}
                    Err(fault) => found.push(fault),
                }
            }
            for (name, value) in entry.declaration().into_iter().flat_map(|declaration| declaration.when_flat) {
                let mut input = fixture.input.clone();
                input[*name] = (*value).into();
                if let Err(fault) = build_requests(&trial, fixture.key, input).await {
                    found.push(format!("when_flat({name} = …) does not fit. {fault}"));
                }
            }
        }
        assert_none(&found, "correct the input of the fixture, or the declaration that refuses it");
        let texts = resources.iter().map(|(resource, text)| (format!("requests_{resource}"), text.as_str()));
        let changed = self.find_changed_snapshots(texts);
        assert_none(&changed, "if the change is meant, run the tests with INSTA_UPDATE=always and read the change of the snapshots");
    }
}

/// Returns the header that carries the credential of a trial. An API that is open to all has none.
fn find_credential_header(connector: &Connector) -> Option<&'static str> {
    let of_key = connector.auth.iter().find_map(|auth| match auth {
        Auth::ApiToken { header, .. } => Some(*header),
        _ => None,
    });
    of_key.or((!connector.is_open()).then_some("authorization"))
}

/// Says that a request does not redact the header of the credential.
fn find_shown_credential(header: &str, request: &Value) -> Option<String> {
    (request["headers"][header] != "[redacted]").then(|| format!("{}: the header {header} is not redacted", request["action"]))
}

/// Builds the requests of an action by a dry run, which must send nothing.
async fn build_requests(trial: &Trial, key: &str, input: Value) -> Result<Vec<Value>, String> {
    let outcome = trial.dry_run(key, input.clone()).await;
    let requests = outcome["data"].as_array().filter(|_| outcome["ok"] == true && outcome["meta"]["requests"] == 0);
    requests.cloned().ok_or_else(|| format!("{key} makes no request of {input}: {outcome}"))
}

/// Writes a request in one line, and its body in a second.
fn write_request(request: &Value) -> String {
    let word = |name: &str| request[name].as_str().unwrap_or_default();
    let mut text = format!("{}: {} {}", word("action"), word("method"), word("url").trim_start_matches(NOWHERE));
    for body in ["json", "form", "multipart"] {
        if let Some(body) = request.get(body) {
            write!(text, "\n    {body}").expect("writing to a String cannot fail");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn request_that_shows_its_credential_is_found() {
        let build = |value: &str| json!({"action": "getPaper", "headers": {"x-key": value}});
        assert_eq!(find_shown_credential("x-key", &build("[redacted]")), None);
        for request in [build("a-key"), json!({"action": "getPaper", "headers": {}})] {
            let fault = find_shown_credential("x-key", &request);
            assert_eq!(fault.as_deref(), Some("\"getPaper\": the header x-key is not redacted"));
        }
    }

    #[test]
    fn request_is_written_without_its_host() {
        let request = json!({"action": "addPaper", "method": "POST", "url": format!("{NOWHERE}/v1/papers?a=1"), "form": {"b": "2"}});
        assert_eq!(write_request(&request), "addPaper: POST /v1/papers?a=1\n    {\"b\":\"2\"}");
    }
}
