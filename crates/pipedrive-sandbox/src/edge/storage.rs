//! The storage host to which downloads are redirected: the sandbox itself under another name.

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

#[derive(Debug, Default)]
pub(crate) struct Storage(Mutex<VecDeque<(String, File)>>);

impl Storage {
    /// Offers a file, and returns its URL. The token in it is valid once.
    pub(crate) fn offer(&self, file: File, headers: &HeaderMap) -> String {
        let token = make_token();
        let place = format!("{}{PATH}{token}", build_other_origin(headers));
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() == MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back((token, file));
        place
    }

    /// Answers a request to the storage; none for other paths. Requests with a credential are refused.
    pub(crate) fn answer(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let token = request.uri().path().strip_prefix(PATH)?;
        let has_credential = [AUTHORIZATION.as_str(), "x-api-token"].iter().any(|name| request.headers().contains_key(*name));
        let answer = if has_credential {
            Err(Failure::bad_request("The storage takes no credential beside the token in the path."))
        } else if request.method() == Method::GET {
            self.take(token).ok_or_else(|| Failure::new(StatusCode::FORBIDDEN, "The token was used, or never given."))
        } else {
            Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed."))
        };
        Some(answer.map_or_else(
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
        let place = waiting.iter().position(|(other, _)| other == token)?;
        waiting.remove(place).map(|(_, file)| file)
    }
}

/// Makes a token that cannot be guessed: the keys of a hash are secret to the process.
fn make_token() -> String {
    let random = || RandomState::new().hash_one(());
    format!("{:016x}{:016x}", random(), random())
}

/// Builds this machine's origin under its other name, which is another host to the client.
/// Under a third name it is empty, so that the URL is a path alone.
fn build_other_origin(headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
    match name {
        "127.0.0.1" => format!("http://localhost:{port}"),
        "localhost" => format!("http://127.0.0.1:{port}"),
        _ => String::new(),
    }
}
