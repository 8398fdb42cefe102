//! The error responses of the API.

use http::StatusCode;
use serde_json::{Value, json};

const SEE_DOCUMENTS: &str = "Please check developers.pipedrive.com";

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    error: String,
    info: Option<String>,
    code: Option<&'static str>,
    /// Errors of the gateway before Pipedrive's API have the status in the body too.
    gateway: bool,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), info: None, code: None, gateway: false }
    }

    /// Builds the error for a value that does not fit. The message names `field`.
    pub(crate) fn invalid(field: &str, reason: impl std::fmt::Display) -> Self {
        Self {
            code: Some("ERR_SCHEMA_VALIDATION_FAILED"),
            ..Self::new(StatusCode::BAD_REQUEST, format!("Validation failed: {field}: {reason}"))
        }
    }

    pub(crate) fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn not_found(label: &str) -> Self {
        Self { info: Some("Object was not found.".to_owned()), ..Self::new(StatusCode::NOT_FOUND, format!("{label} not found")) }
    }

    /// Builds the error for a record that was deleted for good or never existed.
    pub(crate) fn gone(label: &str) -> Self {
        Self::new(StatusCode::GONE, format!("The {} is not found", label.to_lowercase()))
    }

    pub(crate) fn no_user() -> Self {
        Self::new(StatusCode::NOT_FOUND, "User not found or not accessible.")
    }

    pub(crate) fn unauthorized() -> Self {
        Self::gateway(StatusCode::UNAUTHORIZED, "unauthorized access")
    }

    pub(crate) fn scope_mismatch() -> Self {
        Self::gateway(StatusCode::FORBIDDEN, "Scope and URL mismatch")
    }

    pub(crate) fn over_limit() -> Self {
        Self::gateway(StatusCode::TOO_MANY_REQUESTS, "request over limit")
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The request's body is larger than {limit} bytes."))
    }

    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }

    fn gateway(status: StatusCode, error: &str) -> Self {
        Self { gateway: true, ..Self::new(status, error) }
    }

    pub(crate) fn error(&self) -> &str {
        &self.error
    }

    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "success": false,
            "error": self.error,
            "error_info": self.info.as_deref().unwrap_or(SEE_DOCUMENTS),
        });
        if self.gateway {
            body["errorCode"] = json!(self.status.as_u16());
        } else {
            body["data"] = Value::Null;
            body["additional_data"] = Value::Null;
        }
        if let Some(code) = self.code {
            body["code"] = json!(code);
        }
        body
    }
}
