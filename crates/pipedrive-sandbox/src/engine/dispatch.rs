//! The way from an operation to its action.

use crate::engine::collection::{Call, Collection, Download, Report, Tables, Verb, Write};
use crate::engine::state::State;
use crate::engine::{merge, options, read, search, write};
use crate::facts::api::Operation;
use crate::value::content::Content;
use crate::value::failure::Failure;

/// The code behind an operation.
pub(crate) enum Action {
    Verb(&'static Collection, Verb),
    Report(Report),
    Write(Write),
    Download(Download),
}

impl Tables {
    /// Finds the action of an operation, if the sandbox serves it. An object's own code precedes its rows.
    pub(crate) fn find_action(&self, operation: &Operation) -> Option<Action> {
        let (method, path) = (operation.method.as_str(), operation.path.as_str());
        let download = || self.objects.iter().flat_map(|object| object.downloads).find(|(served, _)| *served == path);
        let report = || self.objects.iter().flat_map(|object| object.reports).find(|(served, _)| *served == path);
        let write = || self.objects.iter().flat_map(|object| object.writes).find(|(by, served, _)| *by == method && *served == path);
        let is_read = method == "GET";
        (download().filter(|_| is_read).map(|(_, download)| Action::Download(*download)))
            .or_else(|| report().filter(|_| is_read).map(|(_, report)| Action::Report(*report)))
            .or_else(|| write().map(|(_, _, write)| Action::Write(*write)))
            .or_else(|| self.find_verb(method, path).map(|(collection, verb)| Action::Verb(collection, verb)))
    }

    fn find_verb(&self, method: &str, path: &str) -> Option<(&'static Collection, Verb)> {
        self.collections().find_map(|collection| {
            let verb = collection.find_verb(method, path)?;
            collection.verbs.contains(&verb).then_some((collection, verb))
        })
    }
}

impl Collection {
    fn find_verb(&self, method: &str, path: &str) -> Option<Verb> {
        // Merging stayed in v1 when the collections moved to v2.
        let merged = path.strip_prefix("/api/v1").and_then(|path| path.strip_suffix("/{id}/merge"));
        if merged.is_some() && method == "PUT" {
            return (merged == self.route.strip_prefix("/api/v2")).then_some(Verb::Merge);
        }
        let rest = path.strip_prefix(self.route)?;
        match (method, rest) {
            ("GET", "" | "/archived") => Some(Verb::List),
            ("GET", "/search") => Some(Verb::Search),
            ("POST", "") => Some(Verb::Create),
            ("DELETE", "") => Some(Verb::DeleteMany),
            ("POST", "/{field_code}/options") => Some(Verb::AddOptions),
            ("PATCH", "/{field_code}/options") => Some(Verb::ChangeOptions),
            ("DELETE", "/{field_code}/options") => Some(Verb::DropOptions),
            (_, one) if self.is_record(one) => match method {
                "GET" => Some(Verb::Get),
                "PATCH" | "PUT" => Some(Verb::Update),
                "DELETE" => Some(Verb::Delete),
                _ => None,
            },
            _ => None,
        }
    }

    /// Tells whether the rest of a path is the variable of one record.
    fn is_record(&self, rest: &str) -> bool {
        rest.strip_prefix("/{").and_then(|rest| rest.strip_suffix('}')) == Some(self.variable)
    }
}

impl Action {
    pub(crate) fn writes(&self) -> bool {
        !matches!(self, Self::Report(_) | Self::Download(_) | Self::Verb(_, Verb::List | Verb::Get | Verb::Search))
    }

    pub(crate) fn read(&self, state: &State, call: &Call) -> Result<Content, Failure> {
        let answer = match self {
            Self::Download(download) => return download(state, call).map(Content::File),
            Self::Report(report) => report(state, call),
            Self::Verb(collection, Verb::Get) => read::read_one(state, call, collection),
            Self::Verb(collection, Verb::Search) => search::search(state, call, collection),
            Self::Verb(collection, Verb::List) => read::list(state, call, collection),
            Self::Verb(..) | Self::Write(_) => Err(Failure::internal("A write cannot run on a state that is only read.")),
        };
        answer.map(Content::Json)
    }

    pub(crate) fn write(&self, state: &mut State, call: &Call) -> Result<Content, Failure> {
        let answer = match self {
            Self::Write(write) => write(state, call),
            Self::Verb(collection, Verb::AddOptions) => options::add(state, call, collection),
            Self::Verb(collection, Verb::ChangeOptions) => options::change(state, call, collection),
            Self::Verb(collection, Verb::DropOptions) => options::remove(state, call, collection),
            Self::Verb(collection, Verb::Create) => write::create(state, call, collection),
            Self::Verb(collection, Verb::Update) => write::update(state, call, collection),
            Self::Verb(collection, Verb::Delete) => write::delete(state, call, collection),
            Self::Verb(collection, Verb::DeleteMany) => write::delete_many(state, call, collection),
            Self::Verb(collection, Verb::Merge) => merge::merge(state, call, collection),
            Self::Verb(..) | Self::Report(_) | Self::Download(_) => return self.read(state, call),
        };
        answer.map(Content::Json)
    }
}
