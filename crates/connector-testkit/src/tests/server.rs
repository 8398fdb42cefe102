//! The vendor's server, with a flaw if a test asks for one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use connector_core::embed::{Credential, OneConnection};
use serde_json::{Map, Value, json};

use crate::loopback::serve;

/// A flaw of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// The copies that are left are a text.
    CopiesAsText,
    /// Each paper has a member whose name no view can change.
    OddName,
    /// Writes are answered and forgotten.
    ForgetsWrites,
    /// The first page is the last.
    OnePage,
    /// The first request is answered by a failure.
    FailsFirst,
}

/// Starts a server with papers of its own, and connects an account to it.
pub(super) async fn connect(flaw: Flaw) -> OneConnection {
    let papers = Arc::new(Mutex::new(vec![
        json!({"id": 1, "title": "Morning", "copies_left": 0, "remark": null}),
        json!({"id": 2, "title": "Evening", "copies_left": 7, "remark": "late"}),
    ]));
    let has_failed = Arc::new(AtomicBool::new(false));
    let answer = move |head: &str, body: &str| {
        if flaw == Flaw::FailsFirst && !has_failed.swap(true, Ordering::Relaxed) {
            return ("503 Service Unavailable", "{}".to_owned());
        }
        let mut papers = papers.lock().expect("no answer panics");
        let mut kept = papers.clone();
        let (status, answer) = respond(&mut kept, head, body, flaw);
        if flaw != Flaw::ForgetsWrites {
            *papers = kept;
        }
        (status, spoil(answer, flaw))
    };
    OneConnection::new("corner", &serve(answer).await, Credential::bearer("a-token-of-the-corner")).expect("loopback is allowed")
}

fn respond(papers: &mut Vec<Value>, head: &str, body: &str, flaw: Flaw) -> (&'static str, Value) {
    let mut words = head.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let members: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    match (method, path) {
        ("GET", "/v1/papers") if query.is_empty() && flaw != Flaw::OnePage => {
            ("200 OK", json!({"papers": papers[..1], "paging": {"after": "2"}}))
        }
        ("GET", "/v1/papers") => ("200 OK", json!({"papers": papers[1..]})),
        ("POST", "/v1/papers/search") => {
            let part = members["title_part"].as_str().unwrap_or_default();
            let fits = |paper: &&Value| paper["title"].as_str().is_some_and(|title| title.contains(part));
            ("200 OK", json!({"papers": papers.iter().filter(fits).collect::<Vec<_>>()}))
        }
        ("POST", _) => {
            let mut paper = json!({"id": papers.len() + 1, "title": null, "copies_left": null, "remark": null});
            members.into_iter().for_each(|(name, value)| paper[name] = value);
            papers.push(paper.clone());
            ("201 Created", paper)
        }
        (_, path) => {
            let id: u64 = path.rsplit('/').next().and_then(|id| id.parse().ok()).unwrap_or_default();
            let Some(at) = papers.iter().position(|paper| paper["id"] == id) else { return ("404 Not Found", json!({})) };
            if method == "DELETE" {
                papers.remove(at);
                return ("204 No Content", Value::Null);
            }
            members.into_iter().for_each(|(name, value)| papers[at][name] = value);
            ("200 OK", papers[at].clone())
        }
    }
}

/// Writes an answer with its flaw.
fn spoil(mut answer: Value, flaw: Flaw) -> String {
    if answer.is_null() {
        return String::new();
    }
    let is_list = answer.get("papers").is_some();
    let records = if is_list { answer["papers"].as_array_mut().into_iter().flatten().collect() } else { vec![&mut answer] };
    for record in records {
        match flaw {
            Flaw::CopiesAsText => record["copies_left"] = "many".into(),
            Flaw::OddName => record["odd__name"] = 1.into(),
            Flaw::None | Flaw::ForgetsWrites | Flaw::OnePage | Flaw::FailsFirst => {}
        }
    }
    answer.to_string()
}
