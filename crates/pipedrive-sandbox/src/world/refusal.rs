//! Error responses of the token endpoint.
//!
//! Pipedrive does not document them. They use the words of the OAuth standard, in the members that clients read.

use http::StatusCode;
use serde_json::{Value, json};

use crate::value::failure::Failure;

/// The reason for which the token endpoint refuses a request.
#[derive(Debug)]
pub(crate) enum Refusal {
    InvalidRequest(String),
    InvalidClient(&'static str),
    UnsupportedGrantType,
    InvalidGrant(&'static str),
    /// A failure of the sandbox itself.
    Internal(Failure),
}

impl Refusal {
    pub(crate) fn missing_parameter(parameter: &str) -> Self {
        Self::InvalidRequest(format!("{parameter} is missing"))
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Internal(failure) => failure.status,
            // Also for wrong credentials: the documents have no 401 here.
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub(crate) fn body(&self) -> Value {
        let (error, description) = match self {
            Self::InvalidRequest(reason) => ("invalid_request", reason.as_str()),
            Self::InvalidClient(reason) => ("invalid_client", *reason),
            Self::UnsupportedGrantType => {
                ("unsupported_grant_type", "grant_type must be one of authorization_code, refresh_token and exchange_api_token")
            }
            Self::InvalidGrant(reason) => ("invalid_grant", *reason),
            Self::Internal(failure) => return failure.body(),
        };
        json!({ "success": false, "error": error, "error_description": description, "message": description })
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Internal(failure)
    }
}
