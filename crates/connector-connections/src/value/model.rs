//! Connections as their owners see them, without secrets.

use connector_core::run::View;
use connector_core::wording::quote;
use connector_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::value::clock::Moment;

/// Connection of an owner to an account of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Connection {
    /// A UUID.
    #[serde(rename = "connection_id")]
    pub id: String,
    /// The owner: the embedding platform's own name for its customer.
    pub owner: String,
    /// The name, unique among the owner's connections of the app.
    pub name: String,
    /// The connector's key.
    pub app: String,
    /// The way it signs in.
    pub method: Method,
    /// The state.
    pub status: Status,
    /// The reason of a failed connection.
    pub reason: Option<Reason>,
    /// Time of creation.
    pub creation_time: Moment,
    /// Time of the last change.
    pub last_updated_time: Moment,
    /// True for the connection that calls use when they name none.
    pub is_default: bool,
    /// The account, as the vendor describes it.
    pub metadata: Metadata,
    /// The view of calls that name none. Left out, the host's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
}

/// Way in which a connection signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// OAuth tokens that an install granted.
    OAuth2,
    /// An API token of one user.
    ApiKey,
}

/// State of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Begun, and not yet granted or confirmed.
    Pending,
    /// Ready for calls.
    Active,
    /// Out of use until it is granted again.
    Failed,
}

/// Reason why a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The vendor no longer accepts the grant.
    NeedsReconnect,
    /// The user uninstalled the app.
    Uninstalled,
}

/// Fate of the grant of a connection that was removed or declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revocation {
    /// The grant was revoked at the vendor.
    Yes,
    /// There was no grant to revoke.
    NothingToRevoke,
    /// The grant could not be revoked yet; `Vault::sweep` tries again for a day.
    No,
    /// Another connection uses the same grant and keeps it.
    StillUsed,
    /// The vendor revokes no grants: this one ends at the vendor, by its user or by its age.
    NotOffered,
}

/// Account of a connection, as the vendor describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Metadata {
    /// The company.
    pub company: Company,
    /// The user in whose name calls are made.
    pub user: User,
    /// The granted scopes, if known.
    pub scopes: Option<Vec<String>>,
    /// The host of the account's API.
    pub api_domain: Option<String>,
}

/// Company at the vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Company {
    /// The id.
    pub id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The company's own label in its host name.
    pub domain: Option<String>,
}

/// User at the vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The id.
    pub id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
}

/// Maps each variant to its word: one list serves to write, parse and serialize it.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* }) => {
        impl $type {
            /// Returns the word of the contract.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Finds the variant of a word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words!(Method { OAuth2 = "OAUTH2", ApiKey = "API_KEY" });
words!(Status { Pending = "PENDING", Active = "ACTIVE", Failed = "FAILED" });
words!(Revocation { Yes = "yes", NothingToRevoke = "nothingToRevoke", No = "no", StillUsed = "stillUsed", NotOffered = "notOffered" });
words!(Reason { NeedsReconnect = "needsReconnect", Uninstalled = "uninstalled" });

impl Status {
    /// Checks that a connection in this state can be used; the error says what to do otherwise.
    pub(crate) fn check_usable(self, reason: Option<Reason>, name: &str) -> Result<(), Error> {
        let reconnect = |why: &str| {
            Err(Error::new(ErrorKind::ReconnectRequired, format!("The connection {} {why}.", quote(name)))
                .with_hint("Connect the account again: GET /v1/connections/{id} shows a link to open, and `connector connect` makes one."))
        };
        match (self, reason) {
            (Self::Active, _) => Ok(()),
            (Self::Pending, _) => Err(Error::new(ErrorKind::NoConnection, format!("The connection {} is not finished.", quote(name)))
                .with_hint("Open its link, which GET /v1/connections/{id} shows, or confirm it.")),
            (Self::Failed, Some(Reason::Uninstalled)) => reconnect("has ended: its user uninstalled the app"),
            (Self::Failed, _) => reconnect("is no longer authorized"),
        }
    }
}

impl Metadata {
    /// Checks that two descriptions are of the same company and user. One without both is like no other.
    pub(crate) fn is_same_account(&self, other: &Self) -> bool {
        (self.company.id.is_some() || self.user.id.is_some()) && self.company.id == other.company.id && self.user.id == other.user.id
    }
}
