//! Actions and data sources that need code.

use std::collections::BTreeMap;

use async_trait::async_trait;
use connector_core::by_hand::{Answer, Body, Call, Choice, ChoiceHandler, Choices, Handler, Request, Response, Stop};
use connector_core::declare::{Declares, Id, Method, Text};
use connector_core::{Error, ErrorKind, Fault, action, data_source};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::data_sources::SelectTicket;
use crate::rooms::tickets::Ticket;

/// Select Queue
///
/// Select a queue. Larkdesk answers an object of names by key, which no list of records describes.
#[data_source(by_hand)]
pub(crate) struct SelectQueue {
    /// Text that the name contains. Left out, all queues are offered.
    search: Option<Text>,
}

#[async_trait]
impl ChoiceHandler for SelectQueue {
    async fn list_choices(self, call: &Call<'_>) -> Result<Choices, Stop> {
        let response = call.send(Request::new(Method::Get, "/v1/queues", 0)).await?;
        let queues: BTreeMap<String, String> = parse(&response)?;
        let part = self.search.map_or_else(String::new, |Text(text)| text.to_lowercase());
        let found = queues.into_iter().filter(|(_, name)| name.to_lowercase().contains(&part));
        Ok(found.map(|(key, label)| Choice::new(key, label)).collect())
    }
}

/// Assign Ticket
///
/// Find an agent by name, and assign a ticket to them
#[action(scopes_all(["people:read"], ["tickets:write"]), resource("tickets"), idempotent = true, returns(Ticket))]
struct AssignTicket {
    /// The ticket to assign.
    #[source(SelectTicket)]
    ticket_id: Id,
    /// The name of the agent.
    agent_name: Text,
}

#[async_trait]
impl Handler for AssignTicket {
    async fn run(self, call: &Call<'_>) -> Result<Answer, Stop> {
        let email = find_agent(call, &self.agent_name.0).await?;
        let fault = || Error::invalid_input(Self::declaration().key, vec![Fault::new("/agentName", "no agent has this name")]);
        let mut request = Request::new(Method::Patch, format!("/v1/tickets/{}", self.ticket_id.0), 0);
        request.body = Body::Json(json!({"assigneeEmail": email.ok_or_else(fault)?}).to_string().into());
        Ok(call.send(request).await?.into_answer(Self::declaration())?)
    }
}

/// Finds the email address of the agent of a name, page by page.
async fn find_agent(call: &Call<'_>, name: &str) -> Result<Option<String>, Stop> {
    for page in 1_u64.. {
        let mut request = Request::new(Method::Get, "/v1/people", 0);
        request.query = vec![("role".to_owned(), "agent".to_owned()), ("page".to_owned(), page.to_string())];
        let body: Value = parse(&call.send_helper(request).await?)?;
        let mut profiles = body["people"].as_array().into_iter().flatten().map(|person| &person["profile"]);
        if let Some(found) = profiles.find(|profile| profile["displayName"] == name) {
            return Ok(found["email"].as_str().map(str::to_owned));
        }
        if body["meta"]["lastPage"].as_u64().is_none_or(|last| page >= last) {
            break;
        }
    }
    Ok(None)
}

fn parse<T: DeserializeOwned>(response: &Response) -> Result<T, Error> {
    serde_json::from_slice(response.body())
        .map_err(|error| Error::new(ErrorKind::BadAnswer, "Larkdesk's answer cannot be read.").with_source(error))
}
