//! Invocations, read strictly: an unknown member is an error, since ignoring it would break a promise.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::value::error::Error;
use crate::value::fault::Fault;
use crate::value::file::{Sink, Upload};
use crate::value::options::{DryRun, FieldNames, Options, Pages, Priority, explain_expectation, invalid, unknown_member};
use crate::value::outcome::Outcome;
use crate::value::strict::{find_private, read_strictly};
use crate::value::time_zone::TimeZone;
use crate::value::view::View;
use crate::value::wording::quote;

/// A call to make: the key of an action or data source, its input, and options.
///
/// ```
/// use connector_core::run::Invocation;
/// use serde_json::json;
///
/// let invocation = Invocation::new("getDeal").input(json!({"dealId": 1})).connection("acme").id("step-1");
///
/// let text = br#"{"id": "step-1", "action": "getDeal", "input": {"dealId": 1}, "connection": "acme"}"#;
/// let read = Invocation::from_json(text).expect("it is an invocation");
/// assert_eq!((read.action, read.input), (invocation.action, invocation.input));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Invocation {
    /// The caller's name for the call, which the outcome repeats: a text or a whole number.
    pub id: Value,
    /// The connector's key. It may be left out if one connector is linked.
    pub connector: Option<String>,
    /// The key of the action or data source.
    pub action: String,
    /// The name or id of the connection.
    pub connection: Option<String>,
    /// The input, by name.
    pub input: Map<String, Value>,
    /// The options.
    pub options: Options,
    /// Files to send, by input.
    pub(crate) files: Vec<(String, Upload)>,
    /// The destination of a fetched file. Of several clones the first that runs takes it.
    pub(crate) sink: Option<Arc<Mutex<Option<Sink>>>>,
    /// The faults of the input's text that a tree hides, as doubled names and numbers past 64 bits.
    pub(crate) faults: Vec<Fault>,
    /// A value that is kept until the call has ended.
    pub(crate) held: Option<Arc<dyn Any + Send + Sync>>,
    /// The guard before each request of the call.
    pub(crate) guard: Option<Arc<dyn SendGuard>>,
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("id", &self.id)
            .field("action", &self.action)
            .field("connection", &self.connection)
            .field("input", &self.input)
            .field("options", &self.options)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Invocation {
    /// Builds a call of an action or data source.
    pub fn new(action: impl Into<String>) -> Self {
        Self {
            id: Value::Null,
            connector: None,
            action: action.into(),
            connection: None,
            input: Map::new(),
            options: Options::default(),
            files: Vec::new(),
            sink: None,
            faults: Vec::new(),
            held: None,
            guard: None,
        }
    }

    /// Adds a file for an input, whose bytes do not pass through JSON.
    #[must_use]
    pub fn file(mut self, input: impl Into<String>, upload: Upload) -> Self {
        self.files.push((input.into(), upload));
        self
    }

    /// Adds a fault that the host found, which is reported with those found later.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Sets the destination of a fetched file. The outcome then has its name, type and size alone.
    #[must_use]
    pub fn fetch_into(mut self, sink: impl tokio::io::AsyncWrite + Send + Unpin + 'static) -> Self {
        self.sink = Some(Arc::new(Mutex::new(Some(Box::new(sink)))));
        self
    }

    /// Keeps a value until the call has ended, which may be after its caller went away: a place in a queue, for one.
    #[must_use]
    pub fn holding(mut self, value: impl Any + Send + Sync) -> Self {
        self.held = Some(Arc::new(value));
        self
    }

    /// Sets a guard before each request of the call.
    #[must_use]
    pub fn guarded_by(mut self, guard: Arc<dyn SendGuard>) -> Self {
        self.guard = Some(guard);
        self
    }

    /// Sets the key under which a write is carried out at most once.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.options.idempotency_key = Some(key.into());
        self
    }

    /// Sets the input, which must be an object: anything else is a fault.
    #[must_use]
    pub fn input(mut self, input: Value) -> Self {
        match input {
            Value::Object(input) => {
                for (name, value) in &input {
                    find_private(name, value, &mut self.faults, name);
                }
                self.input = input;
            }
            _ => self.faults.push(Fault::new("", "is not an object of inputs by name")),
        }
        self
    }

    /// Sets the input from JSON text, read as strictly as an invocation.
    pub fn input_json(mut self, text: &[u8]) -> Result<Self, Box<Outcome>> {
        let refuse = |error| Box::new(Outcome::from_failure(Value::Null, Some(self.action.clone()), error));
        let (value, faults) = read_strictly(text).map_err(|error| refuse(explain_not_json("input", text, &error)))?;
        let Value::Object(input) = value else {
            return Err(refuse(invalid("The input is not an object.").with_hint(explain_no_object(&value))));
        };
        (self.input, self.faults) = (input, faults);
        Ok(self)
    }

    /// Sets the values that the record must have from JSON text, read as strictly as an invocation.
    pub fn expect_json(self, text: &[u8]) -> Result<Self, Box<Outcome>> {
        let refuse = |error| Box::new(Outcome::from_failure(Value::Null, Some(self.action.clone()), error));
        let (value, faults) = read_strictly(text).map_err(|error| refuse(explain_not_json("expectation", text, &error)))?;
        match (value, faults.first()) {
            (_, Some(fault)) => Err(refuse(explain_hidden(fault))),
            (Value::Object(expected), None) => Ok(self.expect(expected)),
            _ => Err(refuse(explain_expectation())),
        }
    }

    /// Sets the connector, by its key.
    #[must_use]
    pub fn connector(mut self, connector: impl Into<String>) -> Self {
        self.connector = Some(connector.into());
        self
    }

    /// Sets the connection.
    #[must_use]
    pub fn connection(mut self, connection: impl Into<String>) -> Self {
        self.connection = Some(connection.into());
        self
    }

    /// Sets the caller's name for the call, a text or a whole number.
    #[must_use]
    pub fn id(mut self, id: impl Into<Value>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets the view of the data.
    #[must_use]
    pub fn view(mut self, view: View) -> Self {
        self.options.view = Some(view);
        self
    }

    /// Sets the zone of the times in the input that name none.
    #[must_use]
    pub fn time_zone(mut self, zone: TimeZone) -> Self {
        self.options.time_zone = Some(zone);
        self
    }

    /// Reads a list whole: the pages are joined, up to `max_items` records.
    #[must_use]
    pub fn all_pages(mut self, max_items: impl Into<Option<u64>>) -> Self {
        self.options.pages = Pages::All;
        self.options.max_items = max_items.into();
        self
    }

    /// Sets the way in which custom fields are named in the data.
    #[must_use]
    pub fn fields(mut self, fields: FieldNames) -> Self {
        self.options.fields = fields;
        self
    }

    /// Reads the lists that the account defines again, and not from what is kept of them.
    #[must_use]
    pub fn refresh_definitions(mut self) -> Self {
        self.options.refreshes_definitions = true;
        self
    }

    /// Makes a dry run of it: the answer is the request, which is not sent.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.options.dry_run = DryRun::Requests;
        self
    }

    /// Shows what it would change in the record as it stands, and sends nothing but reads.
    #[must_use]
    pub fn diff(mut self) -> Self {
        self.options.dry_run = DryRun::Diff;
        self
    }

    /// Sets the values that the record must have which the call changes, by input. Otherwise nothing is sent.
    ///
    /// Null means that the record must have no value.
    #[must_use]
    pub fn expect(mut self, expected: Map<String, Value>) -> Self {
        self.options.expect = Some(expected);
        self
    }

    /// Makes an estimate of it: the answer is what the call would cost.
    ///
    /// At most what is needed to know it is sent.
    #[must_use]
    pub fn estimate(mut self) -> Self {
        self.options.estimate = true;
        self
    }

    /// Builds the outcome of the invocation where the host does not carry it out.
    pub fn refuse(&self, error: Error) -> Outcome {
        Outcome::from_failure(self.id.clone(), Some(self.action.clone()), error)
    }

    /// Reads an invocation. The error is the outcome that says what is wrong.
    pub fn from_json(text: &[u8]) -> Result<Self, Box<Outcome>> {
        Self::read_json(text, Priority::default())
    }

    /// Reads an invocation, which has a priority unless it names another.
    pub(crate) fn read_json(text: &[u8], priority: Priority) -> Result<Self, Box<Outcome>> {
        let (value, faults) = read_strictly(text)
            .map_err(|error| Box::new(Outcome::from_failure(Value::Null, None, explain_not_json("invocation", text, &error))))?;
        let id = value.get("id").filter(|id| is_name(id)).cloned().unwrap_or(Value::Null);
        let action = value.get("action").and_then(Value::as_str).map(str::to_owned);
        Self::from_value(value, faults, Options { priority, ..Options::default() })
            .map_err(|error| Box::new(Outcome::from_failure(id, action, error)))
    }

    fn from_value(value: Value, faults: Vec<Fault>, defaults: Options) -> Result<Self, Error> {
        const MEMBERS: [&str; 6] = ["id", "connector", "action", "connection", "input", "options"];
        let Value::Object(mut members) = value else {
            return Err(
                invalid("The invocation is not an object.").with_hint(r#"Write {"action": "a key", "input": {"a name": "a value"}}."#)
            );
        };
        let (input_faults, other_faults): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| fault.path().starts_with("/input/"));
        if let Some(fault) = other_faults.first() {
            return Err(explain_hidden(fault));
        }
        if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(unknown_member("The invocation", unknown, &MEMBERS));
        }
        let id = match members.remove("id") {
            None => Value::Null,
            Some(id) if id.is_null() || is_name(&id) => id,
            Some(_) => {
                return Err(invalid("The member `id` is neither text nor a whole number.")
                    .with_hint("Give the step's own name or number: the outcome repeats it as it is."));
            }
        };
        let mut text = |name: &str| match members.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(invalid(format!("The member `{name}` is not text."))),
        };
        let (connector, connection) = (text("connector")?, text("connection")?);
        let action = text("action")?
            .ok_or_else(|| invalid("The member `action` is missing.").with_hint("Name an action: `connector list` shows all keys."))?;
        let input = match members.remove("input") {
            None => Map::new(),
            Some(Value::Object(input)) => input,
            Some(_) => {
                return Err(
                    invalid("The member `input` is not an object.").with_hint(r#"Write the inputs by name: {"a name": "a value"}."#)
                );
            }
        };
        let options = match members.remove("options") {
            None | Some(Value::Null) => defaults,
            Some(Value::Object(options)) => defaults.with_members(options)?,
            Some(_) => return Err(invalid("The member `options` is not an object.")),
        };
        let from_input = |fault: Fault| {
            let path = fault.path().strip_prefix("/input").unwrap_or(fault.path()).to_owned();
            fault.moved_to(path)
        };
        let faults = input_faults.into_iter().map(from_input).collect();
        Ok(Self { id, connector, action, connection, input, options, files: Vec::new(), sink: None, faults, held: None, guard: None })
    }
}

/// A guard before the requests of one call, of a host that stops in order, or that keeps a journal.
///
/// An error of either function ends the call with it. The request is not sent, and nothing is sent after it.
#[async_trait]
pub trait SendGuard: fmt::Debug + Send + Sync {
    /// Prepares for a write that is about to be sent: a host records it where a kill cannot reach.
    async fn prepare_write(&self) -> Result<(), Error>;

    /// Learns that a request is handed to the network now, and may refuse it.
    fn begin_request(&self, writes: bool) -> Result<(), Error>;
}

/// Checks that a value can name a call: a text or a whole number.
fn is_name(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

/// Explains a fault that a tree of the text would hide.
fn explain_hidden(fault: &Fault) -> Error {
    invalid(format!("The member {} {}.", quote(fault.path().trim_start_matches('/')), fault.code()))
        .with_hint("Correct that member of the invocation.")
}

/// Says how to write an input. A text that holds an object was quoted once too often.
fn explain_no_object(value: &Value) -> &'static str {
    let is_quoted = |text: &str| read_strictly(text.as_bytes()).is_ok_and(|(inner, _)| inner.is_object());
    match value {
        Value::String(text) if is_quoted(text) => "It is a text that holds an object: take away the quotes around it.",
        _ => r#"Write the inputs by name: {"a name": "a value"}."#,
    }
}

/// Explains why a text is not JSON.
pub(crate) fn explain_not_json(what: &str, given: &[u8], error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let why = match () {
        () if text.starts_with("recursion limit") => "It is nested deeper than 128 levels".to_owned(),
        () if text.starts_with("invalid unicode") => format!("It is not UTF-8 at column {}", error.column()),
        () if error.is_eof() => "It ends before it is complete".to_owned(),
        () if text.starts_with("key must be a string") => {
            format!("A name at column {} is not in double quotes, as {{\"name\": \"text\"}}", error.column())
        }
        () => format!("{} at column {}", text.split(" at line").next().unwrap_or_default(), error.column()),
    };
    // A pair of a command line stands where JSON is read.
    let pair = std::str::from_utf8(given).ok().and_then(|text| text.trim().split_once('='));
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let hint = match pair.filter(|(name, _)| is_name(name)) {
        Some((name, _)) => format!("It is a name and a value, and no JSON: write {{\"{name}\": …}}, with quotes around a text."),
        None if what == "value" => why + ".",
        None => format!("{why}; it is one JSON object."),
    };
    invalid(format!("The {what} is not JSON.")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::error::ErrorKind;

    fn refused(text: &[u8]) -> (String, Option<String>) {
        let outcome = Invocation::from_json(text).expect_err("must be refused");
        let error = outcome.error().expect("a refusal has an error");
        assert_eq!(error.kind(), ErrorKind::InvalidInvocation, "{error}");
        (error.to_string(), outcome.id().as_str().map(str::to_owned))
    }

    #[test]
    fn explains_why_a_text_is_no_invocation() {
        for (text, word) in [
            (&b""[..], "ends before"),
            (b"{", "ends before"),
            (b"nonsense", "expected"),
            (b"title=x", r#"write {"title": …}"#),
            (b"{} {}", "trailing"),
            (b"[]", "not an object"),
            (b"{}", "`action` is missing"),
            (b"{\"action\": 1}", "`action` is not text"),
            (b"{\"action\": \"x\", \"inputs\": {}}", "nearest is `input`"),
            (b"{\"action\": \"x\", \"action\": \"y\"}", "given twice"),
            (b"{\"action\": \"x\", \"input\": []}", "`input` is not an object"),
            (b"{\"action\": \"x\", \"options\": {\"pages\": \"some\"}}", "neither \"one\" nor \"all\""),
            (b"{\"action\": \"x\", \"options\": {\"maxItems\": 0}}", "whole number from 1"),
            (b"{\"action\": \"x\", \"options\": {\"fields\": \"name\"}}", "none of"),
            (b"{\"action\": \"x\", \"options\": {\"cache\": true}}", "neither \"use\" nor"),
            (b"{\"action\": \"x\", \"options\": {\"dryRun\": \"dif\"}}", "none of true, false and \"diff\""),
            (b"{\"action\": \"x\", \"options\": {\"expect\": []}}", "neither an object nor null"),
            (b"{\"action\": \"x\", \"options\": {\"expect\": {\"a\": 1, \"a\": 2}}}", "given twice"),
            (b"{\"action\": \"x\", \"options\": {\"view\": \"flatt\"}}", "record or flat"),
            (b"{\"action\": \"x\", \"options\": {\"view\": null}}", "not text"),
            (b"{\"id\": 1.5, \"action\": \"x\"}", "neither text nor a whole number"),
            (b"{\"id\": true, \"action\": \"x\"}", "neither text nor a whole number"),
            (b"{\"action\": \"x\", \"options\": {\"dryrun\": true}}", "nearest is `dryRun`"),
            (b"{\"action\": \"x\", \"options\": {\"timeoutMs\": 0}}", "timeoutMs"),
            (b"{\"action\": \"\xff\"}", "not UTF-8"),
        ] {
            let (error, _) = refused(text);
            assert!(error.contains(word), "{}: {error}", String::from_utf8_lossy(text));
        }
        let deep = [b"{\"action\":".to_vec(), vec![b'['; 10_000]].concat();
        assert!(refused(&deep).0.contains("nested deeper"));
    }

    #[test]
    fn input_that_is_no_object_says_how_it_is_written() {
        for (text, words) in [
            (r#""{\"title\": \"x\"}""#, "take away the quotes"),
            (r#""title""#, "by name"),
            ("{title: 1}", "not in double quotes"),
            ("{'title': 1}", "not in double quotes"),
        ] {
            let refused = Invocation::new("x").input_json(text.as_bytes()).expect_err("it is no object");
            let error = refused.error().expect("a refusal has an error").to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn repeats_a_readable_id_in_the_error() {
        assert_eq!(refused(b"{\"id\": \"a\", \"action\": \"x\", \"bogus\": 1}").1.as_deref(), Some("a"));
    }

    #[test]
    fn keeps_an_id_that_is_a_whole_number() {
        for id in ["7", "-1", "18446744073709551615", "\"7\"", "null"] {
            let invocation = Invocation::from_json(format!(r#"{{"id": {id}, "action": "x"}}"#).as_bytes()).expect("a good id");
            assert_eq!(invocation.id.to_string(), id);
        }
    }

    #[test]
    fn keeps_faults_that_a_tree_would_hide_with_their_pointers() {
        let text = br#"{"action":"x","input":{"a":1,"a":2,"b":[{"c/d":1,"c/d":1}],"n":123456789012345678901234567890}}"#;
        let invocation = Invocation::from_json(text).expect("the invocation itself is sound");
        let paths: Vec<&str> = invocation.faults.iter().map(Fault::path).collect();
        assert_eq!(paths, ["/a", "/b/0/c~1d", "/n"]);
    }
}
