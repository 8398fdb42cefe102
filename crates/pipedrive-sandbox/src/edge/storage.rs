//! The storage host of redirected downloads, which is the sandbox itself under another name.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, Method, Request, Response, StatusCode};

use crate::value::content::{Content, File};
use crate::value::failure::Failure;

const PATH: &str = "/storage/";
/// Beyond this number, the oldest files that nobody fetched are dropped.
const MAX_WAITING: usize = 64;

/// Files that wait to be fetched, each with its one-time token.
#[derive(Debug, Default)]
pub(crate) struct Storage(Mutex<VecDeque<(String, File)>>);

impl Storage {
    /// Adds a file, and returns its address, which can be used once.
    pub(crate) fn add(&self, file: File, headers: &HeaderMap) -> String {
        let token = make_token();
        let address = format!("{}{PATH}{token}", find_other_origin(headers));
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() == MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back((token, file));
        address
    }

    /// Answers a request to a path of the storage host, and returns `None` for other paths.
    ///
    /// Like a real storage host, it refuses a request with a credential of the API.
    pub(crate) fn respond(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let token = request.uri().path().strip_prefix(PATH)?;
        let has_credential = [AUTHORIZATION.as_str(), "x-api-token"].iter().any(|name| request.headers().contains_key(*name));
        let result = if has_credential {
            Err(Failure::bad_request("The storage host takes no credential beside the token in the path."))
        } else if request.method() == Method::GET {
            self.take(token).ok_or_else(|| Failure::new(StatusCode::FORBIDDEN, "The token was used already, or is unknown."))
        } else {
            Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed."))
        };
        Some(result.map_or_else(
            |failure| {
                let mut response = Content::Json(failure.body()).into_response();
                *response.status_mut() = failure.status;
                response
            },
            File::into_response,
        ))
    }

    fn take(&self, token: &str) -> Option<File> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = waiting.iter().position(|(other, _)| other == token)?;
        waiting.remove(index).map(|(_, file)| file)
    }
}

/// Makes a token that cannot be guessed, from hashes with secret random keys.
fn make_token() -> String {
    let random = || RandomState::new().hash_one(());
    format!("{:016x}{:016x}", random(), random())
}

/// Finds the origin of the sandbox under its other name, so that the client sees another host.
/// It is empty, which gives a path alone, if the client used neither name.
fn find_other_origin(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    match name {
        "127.0.0.1" => format!("http://localhost:{port}"),
        "localhost" => format!("http://127.0.0.1:{port}"),
        _ => String::new(),
    }
}
