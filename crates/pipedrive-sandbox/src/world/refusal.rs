//! The errors of the token endpoint.
//! Pipedrive does not document them: the codes are those of the OAuth standard, in the members that clients read.

use http::StatusCode;
use serde_json::{Value, json};

use crate::value::failure::Failure;

#[derive(Debug)]
pub(crate) enum Refusal {
    Request(String),
    Client(&'static str),
    GrantType,
    Grant(&'static str),
    Failed(Failure),
}

impl Refusal {
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::Request(format!("{parameter} is missing"))
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Failed(failure) => failure.status,
            // Wrong credentials too: the documents have no 401 here.
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub(crate) fn body(&self) -> Value {
        let (error, description) = match self {
            Self::Request(reason) => ("invalid_request", reason.as_str()),
            Self::Client(reason) => ("invalid_client", *reason),
            Self::GrantType => {
                ("unsupported_grant_type", "grant_type must be one of authorization_code, refresh_token and exchange_api_token")
            }
            Self::Grant(reason) => ("invalid_grant", *reason),
            Self::Failed(failure) => return failure.body(),
        };
        json!({ "success": false, "error": error, "error_description": description, "message": description })
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
