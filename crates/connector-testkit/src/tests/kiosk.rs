//! A vendor of papers: a small connector without a fault.

use connector_core::declare::{Auth, Connector, Envelope, Id, Json, Nullable, Paging, Text};
use connector_core::{action, data_source, record};

pub(crate) static CONNECTOR: Connector = Connector::new("kiosk", "Kiosk", "A vendor of papers.", "1.0.0")
    .with_domains(&["kiosk.example"])
    .with_roots(&["/v1/"])
    .with_auth(&[Auth::bearer_token()])
    .with_paging(&[Paging::cursor("after", &["/paging/after"])]);

/// The shape of a list.
static LIST: Envelope = Envelope::at("/papers");

/// A paper.
#[record]
struct Paper {
    /// The ID.
    id: Id,
    /// The title.
    title: String,
    /// The copies that are left.
    copies_left: Option<i64>,
    /// A remark.
    remark: Option<String>,
}

/// Get Paper
///
/// Get a paper
#[action(get("/v1/papers/{paper_id}"), returns(Paper))]
struct GetPaper {
    /// The paper to read.
    paper_id: Id,
}

/// Get Papers
///
/// Get all papers
#[action(get("/v1/papers"), envelope(LIST), returns(Vec<Paper>))]
struct GetPapers {
    /// The cursor, `page.next` of the page before. Left out, the first page is read.
    #[wire("after")]
    cursor: Option<Text>,
}

/// Search Papers
///
/// Search papers by title
#[action(post("/v1/papers/search"), envelope(LIST), reads, returns(Vec<Paper>))]
struct SearchPapers {
    /// The text to look for.
    title_part: Text,
}

/// Add Paper
///
/// Add a paper
#[action(post("/v1/papers"), returns(Paper))]
struct AddPaper {
    /// The title.
    title: Text,
    /// The copies that are left. Left out, it is unknown.
    copies_left: Option<i64>,
    /// A remark. Left out, there is none.
    remark: Option<Text>,
}

/// Update Paper
///
/// Update a paper
#[action(patch("/v1/papers/{paper_id}"), returns(Paper))]
struct UpdatePaper {
    /// The paper to change.
    paper_id: Id,
    /// The title. Left out, it stays.
    title: Option<Text>,
    /// A remark. Left out, it stays.
    remark: Option<Nullable<Text>>,
}

/// Delete Paper
///
/// Delete a paper
#[action(delete("/v1/papers/{paper_id}"), returns(Json))]
struct DeletePaper {
    /// The paper to delete.
    paper_id: Id,
}

/// Select Paper
///
/// Select a paper.
#[data_source(list(GetPapers), search(SearchPapers), term = "title_part", label("{title}"))]
struct SelectPaper;
