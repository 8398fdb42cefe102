//! The answers to every fixture: as recorded, and as the schemas of the outputs say.

use connector_core::embed::Connections;
use serde_json::Value;

use crate::fixture::Fixture;
use crate::kit::{Kit, find_entry};
use crate::report::assert_none;
use crate::trial::Trial;

impl Kit {
    /// Invokes every fixture over HTTP, and compares what comes back with its `data`.
    ///
    /// `connect` starts the vendor's server and connects an account to it. It is called before each input, so that each of them finds
    /// the same records. The data of all inputs fits the schema of the output. Under `UPDATE_FIXTURES=1` data that differs is
    /// written into the fixture.
    pub async fn check_answers<C: Connections + 'static>(&self, connect: impl AsyncFn() -> C) {
        let catalogue = self.build_catalogue();
        let mut found = Vec::new();
        for fixture in self.read_fixtures() {
            let described = find_entry(&catalogue, fixture.key).describe(|_| None);
            let mut report = |fault: String| found.push(format!("{}: {fault}", fixture.key));
            let outcome = Trial::new(self, connect().await).invoke(fixture.key, fixture.input.clone()).await;
            find_refusal_or_misfit(&described["output"], &fixture.input, &outcome).into_iter().for_each(&mut report);
            if outcome["ok"] == true && outcome["data"] != fixture.data {
                if self.updates_fixtures {
                    fixture.write(&self.find_fixture(fixture.key), &outcome["data"]);
                } else {
                    report(format!("data is\n{}\nthe fixture says\n{}", outcome["data"], fixture.data));
                }
            }
            for input in &fixture.more {
                let trial = Trial::new(self, connect().await);
                match fill_cursor(&trial, &fixture, input).await {
                    Ok(input) => {
                        let outcome = trial.invoke(fixture.key, input.clone()).await;
                        find_refusal_or_misfit(&described["output"], &input, &outcome).into_iter().for_each(&mut report);
                    }
                    Err(fault) => report(fault),
                }
            }
        }
        assert_none(
            &found,
            "correct an input that was refused, or the record that does not allow what came back; if a difference of the data is right, \
             run the tests with UPDATE_FIXTURES=1 and read the change",
        );
    }
}

/// Replaces `"<next of {…}>"` with the cursor that a first call with that input returns.
pub(crate) async fn fill_cursor(trial: &Trial, fixture: &Fixture, input: &Value) -> Result<Value, String> {
    let Some(first) = Fixture::find_first_input(input) else { return Ok(input.clone()) };
    let first = serde_json::from_str(first).map_err(|error| format!("the input in {} is not JSON: {error}", input["cursor"]))?;
    let outcome = trial.invoke(fixture.key, first).await;
    if outcome["page"]["complete"] != false {
        return Err(format!("choose an input in {} whose page is not the last: {outcome}", input["cursor"]));
    }
    let mut input = input.clone();
    input["cursor"] = outcome["page"]["next"].clone();
    Ok(input)
}

/// Lists why an outcome is no success, or its data does not fit the schema of the output.
fn find_refusal_or_misfit(output: &Value, input: &Value, outcome: &Value) -> Vec<String> {
    if outcome["ok"] != true {
        return vec![format!("{input} fails: {outcome}")];
    }
    let misfits = if output.is_null() { Vec::new() } else { find_misfits(output, &outcome["data"]) };
    misfits.into_iter().map(|misfit| format!("{input} returns data that does not fit the output schema: {misfit}")).collect()
}

/// Lists the places of a value that do not fit a schema.
pub(crate) fn find_misfits(schema: &Value, value: &Value) -> Vec<String> {
    let schema = match jsonschema::options().build(schema) {
        Ok(schema) => schema,
        Err(error) => return vec![format!("the schema does not compile: {error}")],
    };
    schema.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
