//! The effects of faults on the responses of a sandbox.

use std::time::Duration;

use bytes::Bytes;
use http::header::DATE;
use http::{HeaderValue, Response, StatusCode};
use time::OffsetDateTime;

use crate::edge::broken::ConnectionEnd;
use crate::edge::fault_choice::ChosenFault;
use crate::edge::fault_kind::FaultKind;
use crate::edge::limits::{LimitStatus, round_up};
use crate::value::clock::format_http_date;
use crate::value::content::Content;
use crate::value::failure::Failure;

/// The header that names the fault of a response.
const FAULT_HEADER: &str = "x-sandbox-fault";

/// The page of the proxy before the API, which blocks a client that did not heed refusals.
const BLOCKED_PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>Attention Required! | Cloudflare</title></head>\n\
    <body>\n<h1>Sorry, you have been blocked</h1>\n<p>You are unable to access pipedrive.com</p>\n\
    <p>This website is using a security service to protect itself from online attacks.</p>\n</body>\n</html>\n";

/// Refuses a request that a fault keeps from being carried out. Other faults refuse nothing.
pub(crate) fn refuse(fault: ChosenFault, limits: &mut LimitStatus) -> Option<Result<(StatusCode, Content), Failure>> {
    match fault.kind {
        FaultKind::OverLimit => {
            limits.empty_window(fault.duration.abs());
            Some(Err(Failure::over_limit()))
        }
        FaultKind::OverLimitBare => Some(Err(Failure::over_limit())),
        FaultKind::BudgetSpent => {
            limits.empty_budget(round_up(fault.duration.abs()));
            Some(Err(Failure::over_limit()))
        }
        // The connection is reset in place of this response.
        FaultKind::ResetBefore | FaultKind::ErrorBefore => Some(Err(fail())),
        FaultKind::Maintenance => {
            Some(Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "Scheduled maintenance: the request was not carried out.")))
        }
        FaultKind::HtmlForbidden => Some(Ok((StatusCode::FORBIDDEN, Content::Page(BLOCKED_PAGE)))),
        FaultKind::ExpiredCursor => Some(Err(Failure::invalid("cursor", "has expired"))),
        _ => None,
    }
}

/// Builds the error of a server that fails on purpose.
pub(crate) fn fail() -> Failure {
    Failure::internal("The server fails on purpose.")
}

/// Tells whether a response has the headers of the limits.
pub(crate) fn shows_limits(fault: Option<ChosenFault>) -> bool {
    !fault.is_some_and(|fault| matches!(fault.kind, FaultKind::OverLimitBare | FaultKind::HtmlForbidden))
}

/// Marks a response with its fault. A skewed clock shows in its date.
pub(crate) fn mark(response: &mut Response<Bytes>, fault: ChosenFault, now: OffsetDateTime) {
    response.headers_mut().insert(FAULT_HEADER, HeaderValue::from_static(fault.kind.word().name));
    if fault.kind == FaultKind::Skew
        && let Ok(date) = HeaderValue::from_str(&format_http_date(now))
    {
        response.headers_mut().insert(DATE, date);
    }
}

/// Breaks a response, or its connection.
pub(crate) fn break_response(mut response: Response<Bytes>, fault: ChosenFault) -> Result<Response<Bytes>, ConnectionEnd> {
    match fault.kind {
        FaultKind::ResetBefore | FaultKind::ResetAfter => Err(ConnectionEnd::Reset),
        FaultKind::Cut => Err(ConnectionEnd::Cut(Box::new(response))),
        FaultKind::WrongLength => Err(ConnectionEnd::WrongLength(Box::new(response))),
        FaultKind::Drip => Err(ConnectionEnd::Drip(Box::new(response), wait_time(fault))),
        FaultKind::HalfJson => {
            let half = response.body().len() / 2;
            response.body_mut().truncate(half);
            Ok(response)
        }
        _ => Ok(response),
    }
}

/// Returns the time that a fault waits.
pub(crate) fn wait_time(fault: ChosenFault) -> Duration {
    fault.duration.unsigned_abs()
}
