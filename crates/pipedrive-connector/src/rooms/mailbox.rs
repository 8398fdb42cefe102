//! Mail: threads and messages of the connected user's mailbox, and messages of a record.

use connector_core::{Both, DateTime, Flag, Id, Json, MapOf, Uuid, action, record};

use crate::data_sources::{SelectDeal, SelectOrganization, SelectPerson};
use crate::types::{ByStart, Deleted};

/// Get Mail Message
///
/// Get one mail message
#[action(get("/api/v1/mailbox/mailMessages/{mail_message_id}"), scopes("mail:read", "mail:full"), cost = 2, returns(MailMessage))]
struct GetMailMessage {
    /// The mail message to read.
    mail_message_id: Id,
    /// Whether to include the body. Left out, it is not there.
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
    /// Whether to include the bodies. Left out, they are not there.
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

/// What messages and threads have in common.
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
    /// How the text begins.
    snippet: Option<String>,
    /// Whether it was read.
    read_flag: Option<ZeroOrOne>,
    /// Whether it was opened, where that is followed.
    mail_tracking_status: Option<String>,
    /// Whether links in it are followed.
    mail_link_tracking_enabled_flag: Option<ZeroOrOne>,
    /// Whether it has attachments.
    has_attachments_flag: Option<ZeroOrOne>,
    /// Whether it has attachments that are shown in the text.
    has_inline_attachments_flag: Option<ZeroOrOne>,
    /// Whether it has attachments that are not shown in the text.
    has_real_attachments_flag: Option<ZeroOrOne>,
    /// Whether it is deleted.
    deleted_flag: Option<ZeroOrOne>,
    /// Whether it came from the mail account.
    synced_flag: Option<ZeroOrOne>,
    /// Whether it came by the address that keeps mail with a deal.
    smart_bcc_flag: Option<ZeroOrOne>,
    /// When it was added.
    add_time: Option<DateTime>,
    /// When it was last changed.
    update_time: Option<DateTime>,
}

/// What a message has beside.
#[record]
struct MessageParts {
    /// Who sent it.
    from: Option<Vec<MailParty>>,
    /// To whom it was sent.
    to: Option<Vec<MailParty>>,
    /// Who got a copy.
    cc: Option<Vec<MailParty>>,
    /// Who got a copy unseen by the others.
    bcc: Option<Vec<MailParty>>,
    /// Where the body can be read.
    body_url: Option<String>,
    /// The body, as HTML; only where it was asked for.
    body: Option<String>,
    /// The thread that it belongs to.
    mail_thread_id: Option<i64>,
    /// The draft, where it was not sent.
    draft: Option<String>,
    /// Whether it is a draft.
    draft_flag: Option<ZeroOrOne>,
    /// Whether it has a body.
    has_body_flag: Option<ZeroOrOne>,
    /// Whether it was sent.
    sent_flag: Option<ZeroOrOne>,
    /// Whether it was sent from Pipedrive.
    sent_from_pipedrive_flag: Option<ZeroOrOne>,
    /// When it was sent or came.
    message_time: Option<DateTime>,
}

/// What a thread has beside.
#[record]
struct ThreadParts {
    /// Who takes part.
    parties: Option<MailParties>,
    /// Who would take part by its drafts.
    drafts_parties: Option<Vec<MapOf<Json>>>,
    /// The folders that it is in.
    folders: Option<Vec<String>>,
    /// How often it was changed.
    version: Option<f64>,
    /// How its draft begins.
    snippet_draft: Option<String>,
    /// How the last message that was sent begins.
    snippet_sent: Option<String>,
    /// How many messages it has.
    message_count: Option<i64>,
    /// Whether it has a draft.
    has_draft_flag: Option<ZeroOrOne>,
    /// Whether it has a message that was sent.
    has_sent_flag: Option<ZeroOrOne>,
    /// Whether it is archived.
    archived_flag: Option<ZeroOrOne>,
    /// Whether others of the company can see it.
    shared_flag: Option<ZeroOrOne>,
    /// Whether it was deleted in the mail account.
    external_deleted_flag: Option<ZeroOrOne>,
    /// Whether its first message came to the user.
    first_message_to_me_flag: Option<ZeroOrOne>,
    /// Whether all of its messages were sent.
    all_messages_sent_flag: Option<ZeroOrOne>,
    /// When its first message was sent or came.
    first_message_timestamp: Option<DateTime>,
    /// When its last message was sent or came.
    last_message_timestamp: Option<DateTime>,
    /// When the user last sent a message.
    last_message_sent_timestamp: Option<DateTime>,
    /// When a message last came.
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
    /// What kind of thing it is, always a mail message.
    object: Option<String>,
    /// When it was sent or came, in UTC.
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
    /// When it was added.
    timestamp: Option<DateTime>,
    /// The ID under which the mail provider is asked for it.
    nylas_id: Option<String>,
    /// The ID that the sender's mail program gave it.
    mua_message_id: Option<String>,
    /// The template that it was written with.
    template_id: Option<i64>,
    /// Whether it was deleted in the mail account.
    external_deleted_flag: Option<bool>,
    /// The store that keeps its body.
    s3_bucket: Option<String>,
    /// Where its body is in that store.
    s3_bucket_path: Option<String>,
}

/// Who takes part in a thread.
#[record]
struct MailParties {
    /// To whom messages were sent.
    to: Option<Vec<MailParty>>,
    /// Who sent messages.
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
    email_address: Option<String>,
    /// Whether they sent the last message.
    latest_sent: Option<bool>,
    /// When their last message was sent, in seconds since 1970.
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
