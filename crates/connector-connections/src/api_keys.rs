//! The keys by which programs call a host: shown once, kept as hashes.

use connector_core::{Error, ErrorKind};
use secrecy::SecretString;
use serde::Serialize;

use crate::store::statement::{Row, sql};
use crate::value::clock::Moment;
use crate::value::names::{check_name, check_owner};
use crate::value::random;
use crate::vault::Vault;

/// Who holds a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Who runs the host, and acts for every owner.
    Operator,
    /// One owner.
    Owner(String),
}

/// A key as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ApiKey {
    /// A UUID.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Its first characters, to know it by.
    pub prefix: String,
    /// Whose it is; none is the operator's.
    pub owner: Option<String>,
    /// When it was made.
    pub creation_time: Moment,
}

/// A key that was just made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewApiKey {
    /// What is listed of it from now on.
    pub key: ApiKey,
    /// The key itself, this once.
    pub secret: SecretString,
}

const MARK: &str = "ck_";
const SHOWN: usize = MARK.len() + 6;

impl Holder {
    fn owner(&self) -> Option<&str> {
        match self {
            Self::Operator => None,
            Self::Owner(owner) => Some(owner),
        }
    }
}

impl Vault {
    /// Makes a key of 256 random bits.
    pub async fn create_api_key(&self, holder: &Holder, name: &str) -> Result<NewApiKey, Error> {
        check_name(name)?;
        holder.owner().map_or(Ok(()), check_owner)?;
        let secret = format!("{MARK}{}", random::generate_secret()?);
        let key = ApiKey {
            id: random::generate_id()?,
            name: name.to_owned(),
            prefix: secret[..SHOWN].to_owned(),
            owner: holder.owner().map(str::to_owned),
            creation_time: self.0.clock.now(),
        };
        let keep = sql!(
            "INSERT INTO connector_key (id, hash, prefix, name, owner, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
            &key.id,
            random::hash(&secret),
            &key.prefix,
            &key.name,
            key.owner.as_ref(),
            key.creation_time
        );
        self.0.store.rows(keep).await?;
        Ok(NewApiKey { key, secret: secret.into() })
    }

    /// A holder's keys, oldest first.
    pub async fn list_api_keys(&self, holder: &Holder) -> Result<Vec<ApiKey>, Error> {
        let list = sql!(
            "SELECT id, name, prefix, owner, created_at FROM connector_key WHERE COALESCE(owner, '') = $1 AND (owner IS NULL) = ($2 = 1) \
             ORDER BY created_at, id",
            holder.owner().unwrap_or_default(),
            i64::from(holder == &Holder::Operator)
        );
        self.0.store.rows(list).await?.iter().map(ApiKey::from_row).collect()
    }

    /// Whose key this is, if it is in force.
    pub async fn check_api_key(&self, secret: &str) -> Result<Option<Holder>, Error> {
        // The look-up is by hash: how long it takes tells nothing of the key.
        let get = sql!("SELECT owner FROM connector_key WHERE hash = $1", random::hash(secret));
        let rows = self.0.store.rows(get).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(row.maybe_text(0)?.map_or(Holder::Operator, |owner| Holder::Owner(owner.to_owned()))))
    }

    /// Ends a holder's key at once.
    pub async fn revoke_api_key(&self, holder: &Holder, id: &str) -> Result<(), Error> {
        let revoke = sql!(
            "DELETE FROM connector_key WHERE id = $1 AND COALESCE(owner, '') = $2 AND (owner IS NULL) = ($3 = 1) RETURNING 1",
            id,
            holder.owner().unwrap_or_default(),
            i64::from(holder == &Holder::Operator)
        );
        if self.0.store.rows(revoke).await?.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "There is no such key."));
        }
        Ok(())
    }
}

impl ApiKey {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.text(0)?.to_owned(),
            name: row.text(1)?.to_owned(),
            prefix: row.text(2)?.to_owned(),
            owner: row.maybe_text(3)?.map(str::to_owned),
            creation_time: row.moment(4)?,
        })
    }
}
