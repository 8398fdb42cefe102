//! API keys as they are listed, without their secrets.

use connector_core::run::View;
use serde::Serialize;

use crate::value::clock::Moment;

/// Holder of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The operator of the host, who acts for every owner.
    Operator,
    /// One owner.
    Owner(String),
}

/// Key as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// A UUID.
    pub id: String,
    /// The purpose.
    pub name: String,
    /// The first characters, by which people tell keys apart.
    pub prefix: String,
    /// The owner; the operator's keys have none.
    pub owner: Option<String>,
    /// Time of creation.
    pub creation_time: Moment,
    /// The view of invocations that name none. Left out, their connection's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
}

impl Holder {
    pub(crate) fn owner(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Owner(owner) => Some(owner),
        }
    }
}

impl ApiKey {
    /// Returns the holder of the key.
    pub fn holder(&self) -> Holder {
        self.owner.clone().map_or(Holder::Operator, Holder::Owner)
    }
}
