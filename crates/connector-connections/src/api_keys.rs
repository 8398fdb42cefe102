//! API keys by which programs call a host. A key is shown once, and its hash is stored.

use connector_core::run::View;
use connector_core::{Error, ErrorKind};
use secrecy::SecretString;

use crate::state::rows::api_keys;
use crate::value::api_key::{ApiKey, Holder};
use crate::value::names::{check_name, check_owner};
use crate::value::random;
use crate::vault::Vault;

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

impl Vault {
    /// Creates a key of 256 random bits, with the view of invocations that name none.
    pub async fn create_api_key(&self, holder: &Holder, name: &str, view: Option<View>) -> Result<NewApiKey, Error> {
        check_name(name)?;
        holder.owner().map_or(Ok(()), check_owner)?;
        let secret = format!("{MARK}{}", random::generate_secret()?);
        let key = ApiKey {
            id: random::generate_id()?,
            name: name.to_owned(),
            prefix: secret[..PREFIX_LENGTH].to_owned(),
            owner: holder.owner().map(str::to_owned),
            creation_time: self.context().now(),
            view,
        };
        self.context().store().rows(api_keys::insert(&key, random::hash(&secret))).await?;
        Ok(NewApiKey { key, secret: secret.into() })
    }

    /// Lists a holder's keys, oldest first.
    pub async fn list_api_keys(&self, holder: &Holder) -> Result<Vec<ApiKey>, Error> {
        self.context().store().rows(api_keys::select_all(holder.owner())).await?.iter().map(api_keys::read).collect()
    }

    /// Finds the key of a secret, if it exists.
    pub async fn find_api_key(&self, secret: &str) -> Result<Option<ApiKey>, Error> {
        // The look-up is by hash, so that the time taken reveals nothing of the key.
        self.context().store().rows(api_keys::select_by_hash(random::hash(secret))).await?.first().map(api_keys::read).transpose()
    }

    /// Revokes a holder's key.
    pub async fn revoke_api_key(&self, holder: &Holder, id: &str) -> Result<(), Error> {
        if self.context().store().rows(api_keys::delete(id, holder.owner())).await?.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "There is no such key."));
        }
        Ok(())
    }
}
