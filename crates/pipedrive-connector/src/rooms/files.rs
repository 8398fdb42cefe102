//! Files that are attached to records.

use connector_core::declare::{File, Id, Text, UtcTime, Uuid};
use connector_core::{action, record};

use crate::data_sources::{SelectActivity, SelectDeal, SelectFile, SelectLead, SelectOrganization, SelectPerson, SelectProduct};
use crate::types::{AtMost, ByStart, Deleted};

/// Add File
///
/// Upload and add a new file to a deal, person, org, product, activity or lead
#[action(
    post("/api/v1/files"),
    scopes("deals:full", "activities:full", "contacts:full"),
    cost = 10,
    returns(StoredFile),
    rules(any_of(&["dealId", "personId", "orgId", "productId", "activityId", "leadId", "projectId"]))
)]
struct AddFile {
    /// The file: its name, its media type and its bytes in base64, as downloadFile gives them.
    #[multipart]
    file: File,
    /// The deal to attach it to. Left out, it is attached to none.
    #[multipart]
    #[source(SelectDeal)]
    deal_id: Option<Id>,
    /// The person to attach it to. Left out, it is attached to none.
    #[multipart]
    #[source(SelectPerson)]
    person_id: Option<Id>,
    /// The organization to attach it to. Left out, it is attached to none.
    #[multipart]
    #[source(SelectOrganization)]
    org_id: Option<Id>,
    /// The product to attach it to. Left out, it is attached to none.
    #[multipart]
    #[source(SelectProduct)]
    product_id: Option<Id>,
    /// The activity to attach it to. Left out, it is attached to none.
    #[multipart]
    #[source(SelectActivity)]
    activity_id: Option<Id>,
    /// The lead to attach it to. Left out, it is attached to none.
    #[multipart]
    #[source(SelectLead)]
    lead_id: Option<Uuid>,
    /// The project to attach it to. Left out, it is attached to none.
    #[multipart]
    project_id: Option<Id>,
}

/// Download File
///
/// Download one file
#[action(
    get("/api/v1/files/{file_id}/download"),
    scopes("deals:read", "deals:full", "activities:read", "activities:full", "contacts:read", "contacts:full"),
    cost = 20,
    returns(File)
)]
struct DownloadFile {
    /// The file to download.
    #[source(SelectFile)]
    file_id: Id,
}

/// Get File Metadata by ID
///
/// Get metadata about one file by ID
#[action(
    get("/api/v1/files/{file_id}"),
    scopes("deals:read", "deals:full", "activities:read", "activities:full", "contacts:read", "contacts:full"),
    cost = 2,
    returns(StoredFile)
)]
struct GetFile {
    /// The file to read about.
    #[source(SelectFile)]
    file_id: Id,
}

/// List Files
///
/// List all files attached to all entities
#[action(
    get("/api/v1/files"),
    scopes("deals:read", "deals:full", "activities:read", "activities:full", "contacts:read", "contacts:full"),
    cost = 20,
    returns(Vec<StoredFile>),
    with(ByStart)
)]
pub(crate) struct GetFiles {
    /// The field to sort by, and the direction. Left out, the ID, ascending.
    sort: Option<FileSort>,
    /// The number of files on a page, at most 100. Left out, 100.
    limit: Option<AtMost<100>>,
}

/// Get Deal Files
///
/// List files attached to a deal
#[action(get("/api/v1/deals/{deal_id}/files"), scopes("deals:read", "deals:full"), cost = 20, returns(Vec<StoredFile>), like(GetFiles))]
struct GetDealFiles {
    /// The deal whose files to read.
    #[source(SelectDeal)]
    deal_id: Id,
}

/// Get Organization Files
///
/// List files attached to an organization
#[action(
    get("/api/v1/organizations/{org_id}/files"),
    scopes("contacts:read", "contacts:full"),
    cost = 20,
    returns(Vec<StoredFile>),
    like(GetFiles)
)]
struct GetOrganizationFiles {
    /// The organization whose files to read.
    #[source(SelectOrganization)]
    org_id: Id,
}

/// Get Person Files
///
/// List files attached to a person
#[action(
    get("/api/v1/persons/{person_id}/files"),
    scopes("contacts:read", "contacts:full"),
    cost = 20,
    returns(Vec<StoredFile>),
    like(GetFiles)
)]
struct GetPersonFiles {
    /// The person whose files to read.
    #[source(SelectPerson)]
    person_id: Id,
}

/// Get Product Files
///
/// List files attached to a product
#[action(
    get("/api/v1/products/{product_id}/files"),
    scopes("products:read", "products:full"),
    cost = 20,
    returns(Vec<StoredFile>),
    like(GetFiles)
)]
struct GetProductFiles {
    /// The product whose files to read.
    #[source(SelectProduct)]
    product_id: Id,
}

/// Update File
///
/// Update file name or description
#[action(
    put("/api/v1/files/{file_id}"),
    scopes("deals:full", "activities:full", "contacts:full"),
    cost = 10,
    returns(StoredFile),
    record(GetFile)
)]
struct UpdateFile {
    /// The file to change.
    #[source(SelectFile)]
    file_id: Id,
    /// The name that is shown. Left out, it stays.
    #[form]
    name: Option<Text>,
    /// The description of the file. Left out, it stays.
    #[form]
    description: Option<String>,
}

/// Delete File
///
/// Delete a file
#[action(
    delete("/api/v1/files/{file_id}"),
    scopes("deals:full", "activities:full", "contacts:full"),
    cost = 6,
    returns(Deleted),
    record(GetFile)
)]
struct DeleteFile {
    /// The file to delete; after 30 days it is gone for good.
    #[source(SelectFile)]
    file_id: Id,
}

/// A field to sort files by, and the direction.
#[record]
enum FileSort {
    #[wire("id ASC")]
    IdAscending,
    #[wire("id DESC")]
    IdDescending,
    #[wire("update_time ASC")]
    UpdateTimeAscending,
    #[wire("update_time DESC")]
    UpdateTimeDescending,
}

/// A stored file without its bytes.
#[record]
struct StoredFile {
    /// The ID of the file.
    id: i64,
    /// The user who added it.
    user_id: Option<i64>,
    /// The linked deal.
    deal_id: Option<i64>,
    /// The linked person.
    person_id: Option<i64>,
    /// The linked organization.
    org_id: Option<i64>,
    /// The linked product.
    product_id: Option<i64>,
    /// The linked activity.
    activity_id: Option<i64>,
    /// The linked lead.
    lead_id: Option<Uuid>,
    /// The linked project.
    project_id: Option<i64>,
    /// The time at which it was added, in UTC.
    add_time: Option<UtcTime>,
    /// The time of its last change, in UTC.
    update_time: Option<UtcTime>,
    /// The name under which it is kept.
    file_name: Option<String>,
    /// Its size in bytes.
    file_size: Option<i64>,
    /// True if it is not deleted.
    active_flag: Option<bool>,
    /// True if it is shown within a mail.
    inline_flag: Option<bool>,
    /// The service that holds it, if not Pipedrive.
    remote_location: Option<String>,
    /// Its ID there.
    remote_id: Option<String>,
    /// Its ID within a mail.
    cid: Option<String>,
    /// The place where Pipedrive keeps it.
    s3_bucket: Option<String>,
    /// The mail message that it came with.
    mail_message_id: Option<String>,
    /// The mail template that it belongs to.
    mail_template_id: Option<String>,
    /// The title of the linked deal.
    deal_name: Option<String>,
    /// The name of the linked person.
    person_name: Option<String>,
    /// The name of the linked organization.
    org_name: Option<String>,
    /// The name of the linked product.
    product_name: Option<String>,
    /// The title of the linked lead.
    lead_name: Option<String>,
    /// The title of the linked project.
    project_name: Option<String>,
    /// The address to download it from with the connection's credential.
    url: Option<String>,
    /// The name that is shown.
    name: Option<String>,
    /// Its description.
    description: Option<String>,
}
