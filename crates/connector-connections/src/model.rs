//! What a connection is, to its owner: no secret is in it.

use connector_core::Error;
use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::store::{Row, misread};
use crate::vault::Revocation;

/// A connection: an owner's way into an account of an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Connection {
    /// A UUID.
    #[serde(rename = "connection_id")]
    pub id: String,
    /// Whose it is: the embedding platform's own word for its customer.
    pub owner: String,
    /// What its owner calls it; no two of one owner and app have one name.
    pub name: String,
    /// The connector's key.
    pub app: String,
    /// How it signs in.
    pub method: Method,
    /// Where it stands.
    pub status: Status,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// When it was begun.
    pub creation_time: Moment,
    /// When it last changed.
    pub last_updated_time: Moment,
    /// Whether a call that names none uses it.
    pub is_default: bool,
    /// Whose account it is, as the vendor says.
    pub metadata: Metadata,
}

/// How a connection signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// By tokens that an install grants.
    OAuth2,
    /// By a token of one user.
    ApiKey,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It was begun, and is not yet granted or confirmed.
    Pending,
    /// It can be used.
    Active,
    /// It must be granted again.
    Failed,
}

/// Why a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The grant is gone.
    NeedsReconnect,
    /// The user uninstalled the app.
    Uninstalled,
}

/// Whose account a connection is, as the vendor says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Metadata {
    /// The company.
    pub company: Company,
    /// The user, as whom calls are made.
    pub user: User,
    /// What it may do, where that is known.
    pub scopes: Option<Vec<String>>,
    /// The account's host.
    pub api_domain: Option<String>,
}

/// A company of the vendor's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Company {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its own part of its host.
    pub domain: Option<String>,
}

/// A user of the vendor's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// Their id.
    pub id: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
}

/// Each word beside what it stands for: one list to write it, read it and show it.
macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* }) => {
        impl $type {
            /// Its word in the contract.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What a word stands for.
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
words!(Revocation { Yes = "yes", NothingToRevoke = "nothingToRevoke", No = "no", StillUsed = "stillUsed" });
words!(Reason { NeedsReconnect = "needsReconnect", Uninstalled = "uninstalled" });

/// What a statement selects so that [`Connection::from_row`] can read it.
macro_rules! connection_columns {
    () => {
        "id, owner, name, app, method, status, reason, created_at, updated_at, is_default, metadata"
    };
}
pub(crate) use connection_columns;

impl Connection {
    pub(crate) fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?.to_owned(),
            owner: row.text(1)?.to_owned(),
            name: row.text(2)?.to_owned(),
            app: row.text(3)?.to_owned(),
            method: Method::from_word(row.text(4)?).ok_or_else(misread)?,
            status: Status::from_word(row.text(5)?).ok_or_else(misread)?,
            reason: row.maybe_text(6)?.map(|word| Reason::from_word(word).ok_or_else(misread)).transpose()?,
            creation_time: Moment(row.integer(7)?),
            last_updated_time: Moment(row.integer(8)?),
            is_default: row.integer(9)? == 1,
            metadata: Metadata::from_text(row.text(10)?)?,
        })
    }
}

impl Metadata {
    pub(crate) fn from_text(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|_| misread())
    }

    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("it is written to memory")
    }
}
