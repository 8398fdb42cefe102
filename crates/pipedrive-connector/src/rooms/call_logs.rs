//! Call logs: phone calls and their outcomes.

use connector_core::declare::{Id, Json, Text, UtcTime, Uuid};
use connector_core::{action, record};

use crate::data_sources::{SelectActivity, SelectDeal, SelectLead, SelectOrganization, SelectPerson, SelectUser};
use crate::types::{AtMost, ByStart, Digits};

/// Add Call Log
///
/// Add a call log
#[action(post("/api/v1/callLogs"), scopes("phone-integration"), cost = 10, returns(CallLog), rules(at_most_one(&["dealId", "leadId"])))]
struct AddCallLog {
    /// The user who made the call. Left out, it is the connected user.
    #[source(SelectUser)]
    user_id: Option<Id>,
    /// An activity of the type call to turn into the call log; it overrides deal, person and organization.
    /// Left out, a new one is made.
    #[overrides(deal_id, person_id, org_id)]
    #[source(SelectActivity)]
    activity_id: Option<Id>,
    /// The name of the activity that the call belongs to. Left out, it has Pipedrive's default name.
    subject: Option<String>,
    /// The duration of the call, in whole seconds, as a text. Left out, it follows from start and end.
    duration: Option<Digits>,
    /// The outcome of the call.
    outcome: CallOutcome,
    /// The number that called. Left out, none is kept.
    from_phone_number: Option<String>,
    /// The number that was called.
    to_phone_number: Text,
    /// The time at which the call started, in UTC or in options.timeZone.
    start_time: UtcTime,
    /// The time at which the call ended, in UTC or in options.timeZone.
    end_time: UtcTime,
    /// The person who took part. Left out, none is linked.
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// The organization that it was about. Left out, none is linked.
    #[source(SelectOrganization)]
    org_id: Option<Id>,
    /// The deal that it was about; not together with a lead. Left out, none is linked.
    #[source(SelectDeal)]
    deal_id: Option<Id>,
    /// The lead that it was about; not together with a deal. Left out, none is linked.
    #[source(SelectLead)]
    lead_id: Option<Uuid>,
    /// A note about the call, as HTML. Left out, there is none.
    note: Option<String>,
}

/// Get Call Log
///
/// Get details of a call log
#[action(get("/api/v1/callLogs/{call_log_id}"), scopes("phone-integration"), cost = 2, returns(CallLog))]
struct GetCallLog {
    /// The call log to read; its ID is a text.
    call_log_id: Text,
}

/// Get User Call Logs
///
/// Get all call logs assigned to a particular user
#[action(get("/api/v1/callLogs"), scopes("phone-integration"), cost = 20, returns(Vec<CallLog>), with(ByStart))]
struct GetUserCallLogs {
    /// The number of call logs on a page, at most 50. Left out, 50.
    limit: Option<AtMost<50>>,
}

/// Delete Call Log
///
/// Delete a call log
#[action(delete("/api/v1/callLogs/{call_log_id}"), scopes("phone-integration"), cost = 6, returns(Json), record(GetCallLog))]
struct DeleteCallLog {
    /// The call log to delete, with its recording; its ID is a text.
    call_log_id: Text,
}

/// The outcome of a call.
#[record]
enum CallOutcome {
    Connected,
    NoAnswer,
    LeftMessage,
    LeftVoicemail,
    WrongNumber,
    Busy,
}

/// A call log.
#[record]
struct CallLog {
    /// The ID of the call log, a text.
    id: String,
    /// The activity that it belongs to.
    activity_id: Option<i64>,
    /// The user who made the call.
    user_id: Option<i64>,
    /// The person who took part.
    person_id: Option<i64>,
    /// The organization that it was about.
    org_id: Option<i64>,
    /// The deal that it was about.
    deal_id: Option<i64>,
    /// The lead that it was about.
    lead_id: Option<Uuid>,
    /// The name of the activity.
    subject: Option<String>,
    /// The duration of the call, in seconds, as a text.
    duration: Option<String>,
    /// The outcome of the call.
    outcome: Option<CallOutcome>,
    /// The number that called.
    from_phone_number: Option<String>,
    /// The number that was called.
    to_phone_number: Option<String>,
    /// True if there is a recording.
    has_recording: Option<bool>,
    /// The time at which the call started.
    start_time: Option<UtcTime>,
    /// The time at which the call ended.
    end_time: Option<UtcTime>,
    /// A note about the call, as HTML.
    note: Option<String>,
    /// The ID of the company.
    company_id: Option<i64>,
}
