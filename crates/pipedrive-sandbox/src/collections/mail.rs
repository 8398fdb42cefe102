//! The rows of the mailbox. What a thread says of its messages is read from them.

use serde_json::Value;

use crate::mail;
use crate::value::record::is_deleted;

use super::{Collection, PLAIN, V1, Verb};

pub(super) static ROWS: &[Collection] = &[
    Collection {
        name: "mailThreads",
        label: "Mail thread",
        route: "/api/v1/mailbox/mailThreads",
        verbs: &[Verb::Get, Verb::Update, Verb::Delete],
        links: &[("user_id", "users"), ("deal_id", "deals"), ("lead_id", "leads")],
        hidden: |thread, call| thread.get("user_id").and_then(Value::as_u64) != Some(call.user),
        v1: &[
            ("snippet", V1::Made(|state, thread| mail::snippet(mail::newest(state, thread, mail::any)))),
            ("snippet_draft", V1::Made(|state, thread| mail::snippet(mail::newest(state, thread, mail::is_draft)))),
            ("snippet_sent", V1::Made(|state, thread| mail::snippet_or_nothing(mail::newest(state, thread, mail::is_sent)))),
            ("parties", V1::Made(mail::parties)),
            ("drafts_parties", V1::Made(mail::parties_of_drafts)),
            ("folders", V1::Made(|state, thread| mail::folders(state, thread).into())),
            ("message_count", V1::Made(|state, thread| mail::messages(state, thread).count().into())),
            ("deleted_flag", V1::Made(|_, thread| u8::from(is_deleted(thread)).into())),
            ("has_draft_flag", V1::Made(|state, thread| u8::from(mail::messages(state, thread).any(mail::is_draft)).into())),
            ("has_sent_flag", V1::Made(|state, thread| u8::from(mail::messages(state, thread).any(mail::is_sent)).into())),
            ("all_messages_sent_flag", V1::Made(|state, thread| u8::from(mail::messages(state, thread).all(mail::is_sent)).into())),
            (
                "first_message_to_me_flag",
                V1::Made(|state, thread| u8::from(mail::oldest(state, thread).is_some_and(mail::is_received)).into()),
            ),
            ("first_message_timestamp", V1::Made(|state, thread| mail::time(mail::oldest(state, thread)))),
            ("last_message_timestamp", V1::Made(|state, thread| mail::time(mail::newest(state, thread, mail::any)))),
            ("last_message_sent_timestamp", V1::Made(|state, thread| mail::time(mail::newest(state, thread, mail::is_sent)))),
            ("last_message_received_timestamp", V1::Made(|state, thread| mail::time(mail::newest(state, thread, mail::is_received)))),
            (
                "deal_status",
                V1::Made(|state, thread| state.linked(thread, "deal_id", "deals").and_then(|deal| deal.get("status")).cloned().into()),
            ),
            ("add_time", V1::Moment("add_time")),
            ("update_time", V1::Moment("update_time")),
        ],
        rule: mail::rule,
        ..PLAIN
    },
    Collection {
        name: "mailMessages",
        label: "Mail message",
        route: "/api/v1/mailbox/mailMessages",
        verbs: &[],
        links: &[("user_id", "users"), ("mail_thread_id", "mailThreads")],
        v1: &[
            ("from", V1::Made(|state, message| mail::named(state, message, "from"))),
            ("to", V1::Made(|state, message| mail::named(state, message, "to"))),
            ("cc", V1::Made(|state, message| mail::named(state, message, "cc"))),
            ("bcc", V1::Made(|state, message| mail::named(state, message, "bcc"))),
            ("body_url", V1::Made(|_, message| mail::body_url(message).into())),
            (
                "read_flag",
                V1::Made(|state, message| {
                    state.linked(message, "mail_thread_id", "mailThreads").and_then(|thread| thread.get("read_flag")).cloned().into()
                }),
            ),
            ("item_type", V1::Fixed(|| Value::from("mailMessage"))),
            ("timestamp", V1::Moment("message_time")),
            ("message_time", V1::Moment("message_time")),
            ("add_time", V1::Moment("add_time")),
            ("update_time", V1::Moment("update_time")),
            ("company_id", V1::Company),
        ],
        ..PLAIN
    },
];
