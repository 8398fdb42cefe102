//! API keys by which programs call a host. A key is shown once, and its hash is stored.

use connector_core::{Error, ErrorKind};
use secrecy::SecretString;
use serde::Serialize;

use crate::state::rows::api_keys;
use crate::store::statement::Row;
use crate::value::clock::Moment;
use crate::value::names::{check_name, check_owner};
use crate::value::random;
use crate::vault::Vault;

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
}

/// Key that was just created.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewApiKey {
    /// The key as it is listed.
    pub key: ApiKey,
    /// The secret, which is shown only now.
    pub secret: SecretString,
}

const MARK: &str = "ck_";
const PREFIX_LENGTH: usize = MARK.len() + 6;

impl Holder {
    fn owner(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Owner(owner) => Some(owner),
        }
    }
}

impl Vault {
    /// Creates a key of 256 random bits.
    pub async fn create_api_key(&self, holder: &Holder, name: &str) -> Result<NewApiKey, Error> {
        check_name(name)?;
        holder.owner().map_or(Ok(()), check_owner)?;
        let secret = format!("{MARK}{}", random::generate_secret()?);
        let key = ApiKey {
            id: random::generate_id()?,
            name: name.to_owned(),
            prefix: secret[..PREFIX_LENGTH].to_owned(),
            owner: holder.owner().map(str::to_owned),
            creation_time: self.context().now(),
        };
        let insert = api_keys::insert(&key.id, random::hash(&secret), &key.prefix, name, holder.owner(), key.creation_time);
        self.context().store().rows(insert).await?;
        Ok(NewApiKey { key, secret: secret.into() })
    }

    /// Lists a holder's keys, oldest first.
    pub async fn list_api_keys(&self, holder: &Holder) -> Result<Vec<ApiKey>, Error> {
        self.context().store().rows(api_keys::select_all(holder.owner())).await?.iter().map(read).collect()
    }

    /// Finds the holder of a key, if the key exists.
    pub async fn check_api_key(&self, secret: &str) -> Result<Option<Holder>, Error> {
        // The look-up is by hash, so that the time taken reveals nothing of the key.
        let rows = self.context().store().rows(api_keys::select_owner(random::hash(secret))).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(row.maybe_text(0)?.map_or(Holder::Operator, |owner| Holder::Owner(owner.to_owned()))))
    }

    /// Revokes a holder's key.
    pub async fn revoke_api_key(&self, holder: &Holder, id: &str) -> Result<(), Error> {
        if self.context().store().rows(api_keys::delete(id, holder.owner())).await?.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "There is no such key."));
        }
        Ok(())
    }
}

/// Reads a row of a list.
fn read(row: &Row) -> Result<ApiKey, Error> {
    Ok(ApiKey {
        id: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        prefix: row.text(2)?.to_owned(),
        owner: row.maybe_text(3)?.map(str::to_owned),
        creation_time: row.moment(4)?,
    })
}
