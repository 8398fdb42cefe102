//! The demo's mailboxes.

use serde_json::{Value, json};

use crate::demo::rows::{build_record, make_time};
use crate::engine::state::{FIRST_USER, State};
use crate::value::record::{Record, read_text};

/// The other side of a thread.
#[derive(Clone, Copy)]
enum OtherSide {
    Person(u64),
    /// A person of this organization.
    Of(u64),
    Stranger(&'static str),
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Received,
    Sent,
    Draft,
}
use Direction::{Draft, Received, Sent};

struct Thread {
    subject: &'static str,
    user: u64,
    deal: Option<u64>,
    other_side: OtherSide,
    is_archived: bool,
    is_read: bool,
    is_shared: bool,
    messages: &'static [(Direction, &'static str)],
}

const PLAIN: Thread = Thread {
    subject: "",
    user: FIRST_USER,
    deal: None,
    other_side: OtherSide::Person(1),
    is_archived: false,
    is_read: true,
    is_shared: true,
    messages: &[],
};

const THREADS: &[Thread] = &[
    Thread {
        subject: "Your offer",
        deal: Some(1),
        messages: &[(Received, "Could you send us an offer?"), (Sent, "Here it is. Any questions?"), (Received, "None, we sign.")],
        ..PLAIN
    },
    Thread {
        subject: "Frame contract",
        other_side: OtherSide::Of(1),
        messages: &[(Received, "Our lawyers have read it."), (Sent, "Good to hear.")],
        ..PLAIN
    },
    Thread {
        subject: "The week in sales",
        other_side: OtherSide::Stranger("letters@example.net"),
        is_read: false,
        messages: &[(Received, "Five things to know.")],
        ..PLAIN
    },
    Thread {
        subject: "A first call?",
        deal: Some(2),
        other_side: OtherSide::Person(2),
        messages: &[(Sent, "Do you have time on Monday?")],
        ..PLAIN
    },
    Thread { subject: "Renewal", other_side: OtherSide::Person(3), messages: &[(Draft, "Your contract ends in March.")], ..PLAIN },
    Thread {
        subject: "Thank you",
        deal: Some(3),
        other_side: OtherSide::Person(4),
        is_archived: true,
        messages: &[(Received, "The rollout went well.")],
        ..PLAIN
    },
    Thread { subject: "Lunch", user: 2, other_side: OtherSide::Person(5), is_shared: false, messages: &[(Received, "At noon?")], ..PLAIN },
];

pub(super) fn add(state: &mut State) {
    for (n, thread) in (0..).zip(THREADS) {
        let day = 220 + 3 * n;
        let id = state.insert(
            "mailThreads",
            build_record(json!({
                "user_id": thread.user, "account_id": make_account_id(thread.user), "subject": thread.subject, "deal_id": thread.deal,
                "read_flag": u8::from(thread.is_read), "shared_flag": u8::from(thread.is_shared),
                "archived_flag": u8::from(thread.is_archived), "has_attachments_flag": 0, "has_inline_attachments_flag": 0,
                "has_real_attachments_flag": 0, "synced_flag": 1, "smart_bcc_flag": 0, "mail_link_tracking_enabled_flag": 0,
                "external_deleted_flag": 0, "version": 1, "add_time": make_time(day, 0), "update_time": make_time(day + 2, 0), "is_deleted": false,
            })),
        );
        for (step, (direction, words)) in (0..).zip(thread.messages) {
            let row = build_message(state, thread, id, *direction, words, &make_time(day, 900 * step));
            state.insert("mailMessages", row);
        }
    }
}

fn build_message(state: &State, thread: &Thread, id: u64, direction: Direction, words: &str, time: &str) -> Record {
    let number = 2 * state.rows("mailMessages").count();
    let user = state
        .get("users", thread.user)
        .map_or((String::new(), String::new()), |user| (read_text(user, "name").into(), read_text(user, "email").into()));
    let (own, other) = (build_party(number + 1, &user), build_party(number + 2, &find_address(state, thread.other_side)));
    let (from, to) = if direction == Received { (other, own) } else { (own, other) };
    build_record(json!({
        "mail_thread_id": id, "user_id": thread.user, "account_id": make_account_id(thread.user), "from": [from], "to": [to], "cc": [], "bcc": [],
        "subject": thread.subject, "snippet": words, "body": format!("<p>{words}</p>"), "draft": "", "draft_flag": u8::from(direction == Draft),
        "sent_flag": u8::from(direction == Sent), "sent_from_pipedrive_flag": u8::from(direction == Sent), "has_body_flag": 1, "synced_flag": 1,
        "smart_bcc_flag": 0, "deleted_flag": 0, "mail_link_tracking_enabled_flag": 0, "has_attachments_flag": 0,
        "has_inline_attachments_flag": 0, "has_real_attachments_flag": 0, "external_deleted_flag": false,
        "mail_tracking_status": (direction == Sent).then_some("opened"), "mua_message_id": format!("{number}@mail.example.com"),
        "message_time": time, "add_time": time, "update_time": time, "is_deleted": false,
    }))
}

fn build_party(number: usize, (name, address): &(String, String)) -> Value {
    json!({ "id": number, "email_address": address, "name": name, "mail_message_party_id": number })
}

/// Finds the name and the address of the other side.
fn find_address(state: &State, other_side: OtherSide) -> (String, String) {
    let person = match other_side {
        OtherSide::Stranger(address) => return (String::new(), address.to_owned()),
        OtherSide::Person(id) => state.get("persons", id),
        OtherSide::Of(id) => state.rows("persons").find(|person| person.get("org_id").and_then(Value::as_u64) == Some(id)),
    };
    let person = person.expect("the demo has someone to write to");
    (read_text(person, "name").to_owned(), person["emails"][0]["value"].as_str().unwrap_or_default().to_owned())
}

fn make_account_id(user: u64) -> String {
    format!("mailbox-{user}")
}
