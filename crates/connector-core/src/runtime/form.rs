//! The account's own form: a description of an action, with the custom fields of an account in its input.

use std::time::Duration;

use serde_json::{Value, json};

use crate::declare::fields::FieldWords;
use crate::embed::connections::Chosen;
use crate::exchange::fields::form::type_input;
use crate::runtime::call::{Call, CheckedInput};
use crate::runtime::catalogue::Entry;
use crate::runtime::deadline::Deadline;
use crate::runtime::naming::definitions::ListOf;
use crate::runtime::session::Session;
use crate::runtime::spine::{Runtime, Spine};
use crate::runtime::stop::Stop;
use crate::value::error::Error;
use crate::value::options::{DryRun, FieldNames, Priority};

/// The time for which the definitions of an account may be read.
const TIME: Duration = Duration::from_secs(30);

impl Runtime {
    /// Describes an action or data source as the manifest does, with the custom fields of an account.
    ///
    /// The schema of an input that takes custom fields, or their keys, lists those of the account.
    /// `connection` is a name or an id; left out, it is the only one or the default. `example` returns an input and its data by
    /// key. The member `account` tells the connection, and what it cost to read the definitions, which are kept for an hour.
    pub async fn describe(
        &self,
        connector: Option<&str>,
        key: &str,
        connection: Option<&str>,
        example: impl Fn(&Entry) -> Option<Value>,
    ) -> Result<Value, Error> {
        let entry = self.0.catalogue.find(connector, key)?;
        let mut described = entry.describe(|_| example(entry));
        self.0.type_fields(entry, connection, &mut described).await?;
        Ok(described)
    }
}

impl Spine {
    /// Types the custom fields of an account into the input of a described entry.
    async fn type_fields(&self, entry: &Entry, connection: Option<&str>, described: &mut Value) -> Result<(), Error> {
        let session = Session::new(DryRun::No, false, None, None);
        let deadline = Deadline { until: tokio::time::Instant::now() + TIME, allowed: TIME, session: &session };
        let chosen = deadline.enforce(Chosen::choose(&*self.connections, entry.connector(), connection)).await?;
        session.record_connection(&chosen.connection);
        let call = Call {
            key: entry.key(),
            connector: entry.connector(),
            declaration: entry.declaration(),
            checked: &CheckedInput::default(),
            connection: &chosen.connection,
            connections: chosen.connections(),
            transport: &self.transport,
            session: &session,
            keeper: &self.keeper,
            fields: FieldNames::Keys,
            helps: true,
            retries: self.retries,
            pacer: &self.pacer,
            priority: Priority::Interactive,
            until: deadline.until,
        };
        if let Some(words) = entry.connector().fields {
            deadline.enforce(type_inputs(entry, &call, words, &mut described["input"])).await?;
        }
        let meta = session.take_meta();
        described["account"] = json!({
            "connection": meta.connection, "sandbox": meta.sandbox, "requests": meta.requests, "tokens": meta.tokens, "lookups": meta.lookups,
        });
        Ok(())
    }
}

async fn type_inputs(entry: &Entry, call: &Call<'_>, words: FieldWords, input: &mut Value) -> Result<(), Error> {
    for field in entry.fields() {
        let Some(naming) = field.shape.naming else { continue };
        let of = naming.fields();
        let kept = call.definitions(ListOf::from(of)).await.map_err(Stop::into_error)?;
        type_input(kept.fields(words), naming, &mut input["properties"][field.name]);
    }
    Ok(())
}
