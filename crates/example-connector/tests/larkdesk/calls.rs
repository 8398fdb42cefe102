//! Actions and data sources against the server: each way to page, each shape of an answer, and each refusal.

use crate::support::{Desk, send};
use connector_core::embed::Credential;
use serde_json::{Value, json};

/// Reads all pages of a list. Returns the records of each page, and checks that the last one alone is complete.
async fn read_pages(desk: &Desk, key: &str, input: Value) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut input = input;
    loop {
        let outcome = desk.invoke(key, input.clone()).await;
        let page = outcome["page"].clone();
        pages.push(outcome["data"].as_array().unwrap_or_else(|| panic!("{key} answers a list: {outcome}")).clone());
        assert_eq!(page["count"], pages.last().map_or(0, Vec::len), "{outcome}");
        assert_eq!(page["complete"], page["next"].is_null(), "{outcome}");
        if page["complete"] == true {
            return pages;
        }
        input["cursor"] = page["next"].clone();
    }
}

/// Lists a member of the records of each page.
fn pluck(pages: &[Vec<Value>], member: &str) -> Vec<Vec<Value>> {
    pages.iter().map(|page| page.iter().map(|record| record[member].clone()).collect()).collect()
}

#[tokio::test]
async fn list_goes_on_by_the_link_of_a_header() {
    let desk = Desk::start().await;
    let pages = read_pages(&desk, "listTickets", json!({"limit": 2})).await;
    assert_eq!(pluck(&pages, "id"), [vec![json!(1), json!(2)], vec![json!(3)]]);
    assert_eq!(desk.server.requests(), ["GET /v1/tickets?limit=2", "GET /v1/tickets?limit=2&afterId=2"]);
    let asked = read_pages(&desk, "listTickets", json!({"requesterEmail": "ines@customer.example", "limit": 1})).await;
    assert_eq!(pluck(&asked, "id"), [[1], [2]], "the link keeps the filter");
    let one = desk.invoke("listTickets", json!({"status": "waitingForCustomer"})).await;
    assert_eq!((&one["data"][0]["id"], &one["page"]["complete"]), (&json!(2), &json!(true)), "{one}");
}

#[tokio::test]
async fn list_goes_on_by_the_number_of_the_page() {
    let desk = Desk::start().await;
    let pages = read_pages(&desk, "listPeople", json!({"limit": 2})).await;
    assert_eq!(pluck(&pages, "id"), [vec![json!("per_1"), json!("per_2")], vec![json!("per_3")]]);
    assert_eq!(desk.server.requests(), ["GET /v1/people?perPage=2", "GET /v1/people?perPage=2&page=2"]);
    let second = desk.invoke("listPeople", json!({"page": 2, "limit": 2})).await;
    assert_eq!(second["data"], json!(pages[1]), "a number may be given as well");
    let agents = desk.invoke("listPeople", json!({"role": "agent"})).await;
    assert_eq!(agents["page"], json!({"count": 2, "complete": true, "next": null}), "{agents}");
}

#[tokio::test]
async fn list_goes_on_by_an_offset() {
    let desk = Desk::start().await;
    let pages = read_pages(&desk, "listTags", json!({"limit": 3})).await;
    assert_eq!(pluck(&pages, "name"), [vec![json!("browser"), json!("invoice"), json!("login")], vec![json!("printer")]]);
    assert_eq!(desk.server.requests(), ["GET /v1/tags?limit=3", "GET /v1/tags?limit=3&offset=3"]);
    let last = desk.invoke("listTags", json!({"start": 3})).await;
    assert_eq!(last["data"], json!(pages[1]));
}

#[tokio::test]
async fn search_by_post_goes_on_by_a_cursor_in_its_body() {
    let desk = Desk::start().await;
    let pages = read_pages(&desk, "searchTickets", json!({"text": "in", "limit": 2})).await;
    assert_eq!(pluck(&pages, "id"), [vec![json!(1), json!(2)], vec![json!(3)]]);
    assert_eq!(desk.server.requests(), ["POST /v1/tickets/search"; 2], "the cursor is in no query");
    let closed = desk.invoke("searchTickets", json!({"text": "INK", "status": "closed"})).await;
    assert_eq!((&closed["data"][0]["subject"], &closed["page"]["complete"]), (&json!("Printer is out of ink"), &json!(true)), "{closed}");
    // An empty result is no error, and a search can be repeated.
    desk.server.fail_next(503);
    let failed = desk.invoke("searchTickets", json!({"text": "ink"})).await;
    assert_eq!((&failed["error"]["kind"], &failed["error"]["retry"]), (&json!("upstream_error"), &json!("later")), "{failed}");
}

#[tokio::test]
async fn writes_are_read_back_and_deletes_answer_nothing() {
    let desk = Desk::start().await;
    let given = json!({
        "subject": "Door is stuck", "body": "Since Monday.", "requesterEmail": "nils@north.example", "assigneeEmail": "ada@north.example",
        "queue": "devices", "priority": "high", "tags": ["door"], "dueAt": "2026-03-05T12:00:00+01:00",
    });
    let created = desk.invoke("createTicket", given).await;
    let expected = json!({
        "id": 4, "subject": "Door is stuck", "body": "Since Monday.", "status": "open", "priority": "high",
        "requester": {"id": "per_2", "displayName": "Nils Aho"}, "assignee": {"id": "per_1", "displayName": "Ada Berg"},
        "queue": "devices", "tags": ["door"], "dueAt": "2026-03-05T11:00:00Z",
        "createdAt": "2026-03-02T09:04:00Z", "updatedAt": "2026-03-02T09:04:00Z",
    });
    assert_eq!((&created["data"], &created["meta"]["status"]), (&expected, &json!(201)), "{created}");
    assert_eq!(desk.invoke("getTicket", json!({"ticketId": 4})).await["data"], expected, "a bare object is the data");

    let changed =
        desk.invoke("updateTicket", json!({"ticketId": 4, "assigneeEmail": null, "dueAt": null, "status": "waitingForCustomer"})).await;
    let changed = &changed["data"];
    assert_eq!((&changed["assignee"], &changed["dueAt"], &changed["status"]), (&json!(null), &json!(null), &json!("waitingForCustomer")));
    assert_eq!((&changed["queue"], &changed["updatedAt"]), (&json!("devices"), &json!("2026-03-02T09:05:00Z")), "what is left out stays");
    let refused = desk.invoke("updateTicket", json!({"ticketId": 4, "subject": null})).await;
    assert_eq!(refused["error"]["faults"][0]["path"], "/subject", "a subject cannot be cleared: {refused}");

    let there = desk.invoke("checkTicket", json!({"ticketId": 4})).await;
    assert_eq!((&there["ok"], &there["data"]), (&json!(true), &json!(null)), "{there}");
    let deleted = desk.invoke("deleteTicket", json!({"ticketId": 4})).await;
    assert_eq!((&deleted["ok"], &deleted["data"], &deleted["meta"]["status"]), (&json!(true), &json!(null), &json!(204)), "{deleted}");
    for key in ["getTicket", "checkTicket", "deleteTicket"] {
        let outcome = desk.invoke(key, json!({"ticketId": 4})).await;
        assert_eq!(outcome["error"]["kind"], "not_found", "{outcome}");
    }
}

#[tokio::test]
async fn action_of_two_calls_assigns_a_ticket_by_the_name_of_an_agent() {
    let desk = Desk::start().await;
    let assigned = desk.invoke("assignTicket", json!({"ticketId": 1, "agentName": "Nils Aho"})).await;
    assert_eq!(assigned["data"]["assignee"], json!({"id": "per_2", "displayName": "Nils Aho"}), "{assigned}");
    assert_eq!(desk.server.requests(), ["GET /v1/people?role=agent&page=1", "PATCH /v1/tickets/1"]);
    let refused = desk.invoke("assignTicket", json!({"ticketId": 1, "agentName": "Ines Roy"})).await;
    let fault = &refused["error"]["faults"][0];
    assert_eq!((&fault["path"], &fault["message"]), (&json!("/agentName"), &json!("no agent has this name")), "a customer is none");
}

#[tokio::test]
async fn refusals_name_the_input_and_say_what_to_do() {
    let desk = Desk::start().await;
    let ticket = |more: Value| {
        let mut input = json!({"subject": "A", "requesterEmail": "nils@north.example"});
        input.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        input
    };
    for (input, path, message) in [
        (json!({"requesterEmail": "nobody@north.example"}), "/requesterEmail", "No person has this address"),
        (json!({"queue": "garden"}), "/queue", "There is no such queue"),
        (json!({"tags": ["one", "two words"]}), "/tags/1", "A tag is one word"),
    ] {
        let refused = desk.invoke("createTicket", ticket(input)).await;
        assert_eq!(
            (&refused["error"]["kind"], &refused["error"]["upstream"]["code"]),
            (&json!("upstream_rejected"), &json!("invalid_field"))
        );
        assert_eq!((&refused["error"]["faults"][0]["path"], &refused["error"]["faults"][0]["message"]), (&json!(path), &json!(message)));
    }
    // The name of an input differs from that on the wire.
    let refused = desk.invoke("searchTickets", json!({"text": "ink", "cursor": "made up"})).await;
    assert_eq!(refused["error"]["faults"][0]["path"], "/cursor", "{refused}");

    let closed = desk.invoke("updateTicket", json!({"ticketId": 3, "priority": "high"})).await;
    assert_eq!((&closed["error"]["kind"], &closed["error"]["upstream"]["code"]), (&json!("conflict"), &json!("ticket_closed")), "{closed}");
    desk.server.fail_next(429);
    let limited = desk.invoke("listTags", json!({})).await;
    assert_eq!((&limited["error"]["kind"], &limited["error"]["retryAfterMs"]), (&json!("rate_limited"), &json!(3000)), "{limited}");
    desk.server.fail_next(403);
    assert_eq!(desk.invoke("listTags", json!({})).await["error"]["kind"], "forbidden");
    desk.server.fail_next(500);
    let failed = desk.invoke("createTicket", ticket(json!({}))).await;
    assert_eq!((&failed["error"]["kind"], &failed["error"]["retry"]), (&json!("upstream_error"), &json!("unsafe")), "{failed}");
}

#[tokio::test]
async fn token_that_the_server_quotes_is_not_shown() {
    let desk = Desk::start_with(Credential::api_token("hunter2-hunter2-hunter2")).await;
    let refused = desk.invoke("listTags", json!({})).await;
    assert_eq!(refused["error"]["kind"], "unauthorized", "{refused}");
    assert!(refused["error"]["upstream"]["error"].as_str().is_some_and(|text| text.starts_with("The token ")), "{refused}");
    assert!(!refused.to_string().contains("hunter2"), "{refused}");
}

#[tokio::test]
async fn data_sources_offer_tickets_people_and_queues() {
    let desk = Desk::start().await;
    let tickets = desk.invoke("selectTicket", json!({"limit": 1})).await;
    assert_eq!(tickets["data"], json!([{"key": "1", "label": "Cannot sign in (Ines Roy)"}]), "{tickets}");
    let next = desk.invoke("selectTicket", json!({"limit": 1, "cursor": tickets["page"]["next"]})).await;
    assert_eq!(next["data"], json!([{"key": "2", "label": "Invoice is wrong (Ines Roy)"}]), "{next}");
    let found = desk.invoke("selectTicket", json!({"search": "printer"})).await;
    assert_eq!(found["data"], json!([{"key": "3", "label": "Printer is out of ink (Nils Aho)"}]), "{found}");
    let read = desk.invoke("getTicket", json!({"ticketId": found["data"][0]["key"]})).await;
    assert_eq!(read["data"]["id"], 3, "a key fills the input: {read}");

    let people = desk.invoke("selectPerson", json!({"limit": 1})).await;
    assert_eq!(people["data"], json!([{"key": "ada@north.example", "label": "Ada Berg"}]), "{people}");
    for (key, example) in [("selectPerson", "page:2"), ("selectTicket", "link:page=2")] {
        let refused = desk.invoke(key, json!({"cursor": "made up"})).await;
        let expected = format!("\"made up\" does not have the form {example:?}");
        assert_eq!(
            (&refused["error"]["faults"][0]["path"], &refused["error"]["faults"][0]["message"]),
            (&json!("/cursor"), &json!(expected))
        );
    }
    let queues = desk.invoke("selectQueue", json!({"search": "print"})).await;
    assert_eq!(queues["data"], json!([{"key": "devices", "label": "Devices and printers"}]), "{queues}");
    assert_eq!(desk.invoke("selectQueue", json!({})).await["data"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn server_refuses_what_its_api_does_not_take() {
    let desk = Desk::start().await;
    for (method, path, body, expected) in [
        ("GET", "/v1/tickets?color=red", "", (422, Some("color"))),
        ("GET", "/v1/tickets?limit=0", "", (422, Some("limit"))),
        ("GET", "/v1/tickets?limit=1&limit=2", "", (422, Some("limit"))),
        ("GET", "/v1/tickets?status=lost", "", (422, Some("status"))),
        ("POST", "/v1/tickets", r#"{"subject": "A"}"#, (422, Some("requesterEmail"))),
        ("POST", "/v1/tickets", r#"{"subject": "A", "requesterEmail": "ada@north.example", "due_at": null}"#, (422, Some("due_at"))),
        ("PATCH", "/v1/tickets/1", r#"{"subject": null}"#, (422, Some("subject"))),
        ("PATCH", "/v1/tickets/1", r#"{"dueAt": "tomorrow"}"#, (422, Some("dueAt"))),
        ("PATCH", "/v1/tickets/1", "[]", (400, None)),
        ("PUT", "/v1/tickets/1", "{}", (405, None)),
        ("GET", "/v1/dragons", "", (404, None)),
    ] {
        let reply = send(&desk.server, method, path, "application/json", body).await;
        assert_eq!((reply.status, reply.json()["field"].as_str()), expected, "{method} {path} {body}");
    }
}

#[tokio::test]
async fn upsert_finds_the_ticket_whose_subject_is_the_same() {
    let desk = Desk::start().await;
    let upsert = async |subject: &str, priority: &str| {
        let input = json!({"matchBy": "subject", "subject": subject, "requesterEmail": "ines@customer.example", "priority": priority});
        desk.invoke("upsertTicket", input).await
    };
    let updated = upsert("cannot SIGN in ", "low").await;
    assert_eq!((&updated["meta"]["effect"], &updated["data"]["id"]), (&json!("updated"), &json!(1)), "{updated}");
    assert_eq!(updated["data"]["subject"], "Cannot sign in", "the ticket keeps its own spelling");
    assert!(updated["meta"]["warnings"][0].as_str().is_some_and(|warning| warning.contains("`requesterEmail`")), "{updated}");
    assert_eq!(upsert("Cannot sign in", "low").await["meta"]["effect"], "unchanged");
    // The search finds the first ticket for a part of its subject, and it is another one.
    let created = upsert("Cannot sign", "low").await;
    assert_eq!((&created["meta"]["effect"], &created["meta"]["warnings"]), (&json!("created"), &json!([])), "{created}");
    let twin = json!({"subject": "Cannot sign", "requesterEmail": "ines@customer.example"});
    assert_eq!(desk.invoke("createTicket", twin).await["ok"], true);
    let several = upsert("Cannot sign", "high").await;
    assert_eq!(
        (&several["error"]["kind"], several["error"]["candidates"].as_array().map(Vec::len)),
        (&json!("conflict"), Some(2)),
        "{several}"
    );
}
