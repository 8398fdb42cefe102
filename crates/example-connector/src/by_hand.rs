//! Data sources that need code.

use std::collections::BTreeMap;

use async_trait::async_trait;
use connector_core::by_hand::{Call, Choice, ChoiceHandler, Choices, Request, Stop};
use connector_core::declare::{Method, Text};
use connector_core::{Error, ErrorKind, data_source};

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
        let queues: BTreeMap<String, String> = serde_json::from_slice(response.body())
            .map_err(|error| Error::new(ErrorKind::BadAnswer, "The queues cannot be read.").with_source(error))?;
        let part = self.search.map_or_else(String::new, |Text(text)| text.to_lowercase());
        let found = queues.into_iter().filter(|(_, name)| name.to_lowercase().contains(&part));
        Ok(Choices { choices: found.map(|(key, label)| Choice { key, label }).collect(), next: None })
    }
}
