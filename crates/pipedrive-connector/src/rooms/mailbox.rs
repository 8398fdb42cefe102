//! Mail: threads and messages of the connected user's mailbox, and messages of a record.

use connector_core::declare::{Both, DateTime, Flag, Id, Json, MapOf, Uuid};
use connector_core::{action, record};

use crate::data_sources::{SelectDeal, SelectOrganization, SelectPerson};
use crate::types::{ByStart, Deleted};

/// Get Mail Message
///
/// Get one mail message
#[action(get("/api/v1/mailbox/mailMessages/{mail_message_id}"), scopes("mail:read", "mail:full"), cost = 2, returns(MailMessage), when_flat(include_body = Bool(true)))]
struct GetMailMessage {
    /// The mail message to read.
    mail_message_id: Id,
    /// True to include the body. Left out, it is not there.
    include_body: Option<Flag>,
}

/// Get Mail Thread
///
/// Get one mail thread
#[action(get("/api/v1/mailbox/mailThreads/{mail_thread_id}"), scopes("mail:read", "mail:full"), cost = 20, returns(MailThread))]
struct GetMailThread {
    /// The mail thread to read.
    mail_thread_id: Id,
}

/// Get Mail Thread Messages
///
/// Get all mail messages of mail thread
#[action(
    get("/api/v1/mailbox/mailThreads/{mail_thread_id}/mailMessages"),
    scopes("mail:read", "mail:full"),
    cost = 20,
    returns(Vec<MailMessage>)
)]
struct GetMailThreadMessages {
    /// The mail thread whose messages to read.
    mail_thread_id: Id,
}

/// Get Mail Threads
///
/// Get mail threads
#[action(get("/api/v1/mailbox/mailThreads"), scopes("mail:read", "mail:full"), cost = 20, returns(Vec<MailThread>), with(ByStart))]
struct GetMailThreads {
    /// The folder to look into.
    folder: MailFolder,
}

/// Delete Mail Thread
///
/// Delete mail thread
#[action(delete("/api/v1/mailbox/mailThreads/{mail_thread_id}"), scopes("mail:full"), cost = 6, returns(Deleted))]
struct DeleteMailThread {
    /// The mail thread to delete, with its messages.
    mail_thread_id: Id,
}

/// Get Deal Mail Messages
///
/// List mail messages associated with a deal
#[action(
    get("/api/v1/deals/{deal_id}/mailMessages"),
    scopes("mail:read", "mail:full"),
    cost = 20,
    returns(Vec<MailOfRecord>),
    with(ByStart)
)]
struct GetDealMailMessages {
    /// The deal whose mail to read.
    #[source(SelectDeal)]
    deal_id: Id,
    /// True to include the bodies. Left out, they are not there.
    include_body: Option<Flag>,
}

/// Get Organization Mail Messages
///
/// List mail messages associated with an organization
#[action(
    get("/api/v1/organizations/{org_id}/mailMessages"),
    scopes("mail:read", "mail:full"),
    cost = 20,
    returns(Vec<MailOfRecord>),
    like(GetDealMailMessages)
)]
struct GetOrganizationMailMessages {
    /// The organization whose mail to read.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Get Person Mail Messages
///
/// List mail messages associated with a person
#[action(
    get("/api/v1/persons/{person_id}/mailMessages"),
    scopes("mail:read", "mail:full"),
    cost = 20,
    returns(Vec<MailOfRecord>),
    like(GetDealMailMessages)
)]
struct GetPersonMailMessages {
    /// The person whose mail to read.
    #[source(SelectPerson)]
    person_id: Id,
}

/// A folder of the mailbox.
#[record]
enum MailFolder {
    Inbox,
    Drafts,
    Sent,
    Archive,
}

/// No, as 0, or yes, as 1.
#[record]
enum ZeroOrOne {
    #[wire(0)]
    Zero,
    #[wire(1)]
    One,
}

/// The members that messages and threads share.
#[record]
struct Mail {
    /// The ID.
    id: i64,
    /// The ID of the mail account.
    account_id: Option<String>,
    /// The user whose mailbox it is in.
    user_id: Option<i64>,
    /// The subject.
    subject: Option<String>,
    /// The beginning of the text.
    snippet: Option<String>,
    /// 1 if it was read.
    #[flat("read", flag)]
    read_flag: Option<ZeroOrOne>,
    /// The state of tracking whether it was opened; null where that is not tracked.
    mail_tracking_status: Option<String>,
    /// 1 if links in it are tracked.
    #[flat(flag)]
    mail_link_tracking_enabled_flag: Option<ZeroOrOne>,
    /// 1 if it has attachments.
    #[flat("hasAttachments", flag)]
    has_attachments_flag: Option<ZeroOrOne>,
    /// 1 if it has attachments that are shown in the text.
    #[flat(flag)]
    has_inline_attachments_flag: Option<ZeroOrOne>,
    /// 1 if it has attachments that are not shown in the text.
    #[flat(flag)]
    has_real_attachments_flag: Option<ZeroOrOne>,
    /// 1 if it is deleted.
    #[flat(flag)]
    deleted_flag: Option<ZeroOrOne>,
    /// 1 if it came from the mail account.
    #[flat(flag)]
    synced_flag: Option<ZeroOrOne>,
    /// 1 if it came by the address that keeps mail with a deal.
    #[flat(flag)]
    smart_bcc_flag: Option<ZeroOrOne>,
    /// The time at which it was added.
    add_time: Option<DateTime>,
    /// The time of its last change.
    update_time: Option<DateTime>,
}

/// The further members of a message.
#[record]
struct MessageParts {
    /// The sender.
    from: Option<Vec<MailParty>>,
    /// The recipients.
    to: Option<Vec<MailParty>>,
    /// The recipients of a copy.
    cc: Option<Vec<MailParty>>,
    /// The recipients of a blind copy.
    bcc: Option<Vec<MailParty>>,
    /// The address to read the body from.
    body_url: Option<String>,
    /// The body, as HTML; only where it was asked for.
    body: Option<String>,
    /// The thread that it belongs to.
    mail_thread_id: Option<i64>,
    /// The draft, where it was not sent.
    draft: Option<String>,
    /// 1 if it is a draft.
    #[flat(flag)]
    draft_flag: Option<ZeroOrOne>,
    /// 1 if it has a body.
    #[flat(flag)]
    has_body_flag: Option<ZeroOrOne>,
    /// 1 if it was sent.
    #[flat(flag)]
    sent_flag: Option<ZeroOrOne>,
    /// 1 if it was sent from Pipedrive.
    #[flat(flag)]
    sent_from_pipedrive_flag: Option<ZeroOrOne>,
    /// The time at which it was sent or came.
    message_time: Option<DateTime>,
    /// The linked deal, which a message does not tell; its thread does.
    #[flat(null)]
    deal_id: Option<i64>,
    /// The linked person, which a message does not tell; its parties do.
    #[flat(null)]
    person_id: Option<i64>,
    /// The linked organization, which a message does not tell; its parties do.
    #[flat(null)]
    org_id: Option<i64>,
}

/// The further members of a thread.
#[record]
struct ThreadParts {
    /// The people who take part.
    parties: Option<MailParties>,
    /// The people who take part in its drafts.
    drafts_parties: Option<Vec<MapOf<Json>>>,
    /// The folders that it is in.
    folders: Option<Vec<String>>,
    /// Its version.
    version: Option<f64>,
    /// The beginning of its draft.
    snippet_draft: Option<String>,
    /// The beginning of the last message that was sent.
    snippet_sent: Option<String>,
    /// The number of its messages.
    message_count: Option<i64>,
    /// 1 if it has a draft.
    #[flat(flag)]
    has_draft_flag: Option<ZeroOrOne>,
    /// 1 if it has a message that was sent.
    #[flat(flag)]
    has_sent_flag: Option<ZeroOrOne>,
    /// 1 if it is archived.
    #[flat(flag)]
    archived_flag: Option<ZeroOrOne>,
    /// 1 if others of the company can see it.
    #[flat(flag)]
    shared_flag: Option<ZeroOrOne>,
    /// 1 if it was deleted in the mail account.
    #[flat(flag)]
    external_deleted_flag: Option<ZeroOrOne>,
    /// 1 if its first message came to the user.
    #[flat(flag)]
    first_message_to_me_flag: Option<ZeroOrOne>,
    /// 1 if all of its messages were sent.
    #[flat(flag)]
    all_messages_sent_flag: Option<ZeroOrOne>,
    /// The time at which its first message was sent or came.
    first_message_timestamp: Option<DateTime>,
    /// The time at which its last message was sent or came.
    last_message_timestamp: Option<DateTime>,
    /// The time at which the user last sent a message.
    last_message_sent_timestamp: Option<DateTime>,
    /// The time at which a message last came.
    last_message_received_timestamp: Option<DateTime>,
    /// The linked deal.
    deal_id: Option<i64>,
    /// The status of the linked deal.
    deal_status: Option<String>,
    /// The linked lead.
    lead_id: Option<Uuid>,
}

/// A mail message.
type MailMessage = Both<Mail, MessageParts>;

/// A mail thread.
type MailThread = Both<Mail, ThreadParts>;

/// A mail message of a record.
#[record]
struct MailOfRecord {
    /// The kind of thing it is, always a mail message.
    object: Option<String>,
    /// The time at which it was sent or came, in UTC.
    timestamp: Option<String>,
    /// The message.
    data: Option<Both<MailMessage, MailCopy>>,
}

/// The further members of a mail message of a record.
#[record]
struct MailCopy {
    /// The company that the account belongs to.
    company_id: Option<i64>,
    /// The word mailMessage.
    item_type: Option<String>,
    /// The time at which it was added.
    timestamp: Option<DateTime>,
    /// The ID under which the mail provider is asked for it.
    nylas_id: Option<String>,
    /// The ID that the sender's mail program gave it.
    mua_message_id: Option<String>,
    /// The template that it was written with.
    template_id: Option<i64>,
    /// True if it was deleted in the mail account.
    external_deleted_flag: Option<bool>,
    /// The store that keeps its body.
    s3_bucket: Option<String>,
    /// The place of its body in that store.
    s3_bucket_path: Option<String>,
}

/// The people who take part in a thread.
#[record]
struct MailParties {
    /// The people to whom messages were sent.
    to: Option<Vec<MailParty>>,
    /// The people who sent messages.
    from: Option<Vec<MailParty>>,
}

/// Someone who sent or got a message.
#[record]
struct MailParty {
    /// The ID of the party.
    id: Option<i64>,
    /// Their name.
    name: Option<String>,
    /// Their email address.
    #[flat("email")]
    email_address: Option<String>,
    /// True if they sent the last message.
    latest_sent: Option<bool>,
    /// The time of their last message, in seconds since 1970.
    message_time: Option<f64>,
    /// The person that they are in the account.
    linked_person_id: Option<i64>,
    /// The name of that person.
    linked_person_name: Option<String>,
    /// The organization that they belong to.
    linked_organization_id: Option<i64>,
    /// The ID of the party within the message.
    mail_message_party_id: Option<i64>,
}
