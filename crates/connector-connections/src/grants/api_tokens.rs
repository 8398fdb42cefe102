//! Connections by an API token.

use connector_core::embed::Credential;
use connector_core::run::View;
use connector_core::{Error, ErrorKind};
use secrecy::SecretString;

use crate::grants::oauth;
use crate::grants::settle::{MAX_ATTEMPTS, find_free_name, too_many_attempts};
use crate::state::context::Context;
use crate::state::lookup::{self, find_same_account};
use crate::state::rows::connections::{self, NewConnection};
use crate::state::rows::secrets;
use crate::store::statement::Ran;
use crate::value::app::App;
use crate::value::model::{Connection, Metadata, Method, Status};
use crate::value::names::{check_name, check_owner};
use crate::value::random;
use crate::value::wording::name_taken;

/// Checks the input, asks the vendor for the account, then stores the token.
///
/// A vendor that tells no account does not check the token either.
pub(crate) async fn add(
    context: &Context,
    owner: &str,
    app: &str,
    name: Option<&str>,
    view: Option<View>,
    origin: &str,
    token: &SecretString,
) -> Result<Connection, Error> {
    let app = context.app(app)?;
    check_owner(owner)?;
    name.map_or(Ok(()), check_name)?;
    if !app.connector().takes_token() {
        let hint = if app.connector().is_open() { "Its API is open to all: no connection is needed." } else { "Connect by OAuth." };
        return Err(Error::new(ErrorKind::NoConnection, format!("{} takes no API token.", app.label())).with_hint(hint));
    }
    let access = app.access(origin, Credential::ApiToken(token.clone()))?;
    let account = oauth::fetch_account(context.http(), app, &access).await?;
    store(context, owner, app, name, view, &account, token).await
}

async fn store(
    context: &Context,
    owner: &str,
    app: &App,
    name: Option<&str>,
    view: Option<View>,
    account: &Metadata,
    token: &SecretString,
) -> Result<Connection, Error> {
    for _ in 0..MAX_ATTEMPTS {
        let all = lookup::list(context, connections::select_all(owner)).await?;
        let known = if app.has_identity() {
            find_same_account(&all, app.key(), account)
        } else {
            // An account that the vendor does not name is known by the name of its connection.
            all.iter().find(|one| one.app == app.key() && one.method == Method::ApiKey && name == Some(&one.name))
        };
        if let Some(by_oauth) = known.filter(|known| known.method == Method::OAuth2) {
            let message = format!("The account is connected by OAuth already, as {}.", by_oauth.name);
            return Err(Error::new(ErrorKind::Conflict, message).with_hint("Use that connection, or remove it first."));
        }
        let (fresh, now) = (random::generate_id()?, context.now());
        let id = known.map_or(&fresh, |known| &known.id);
        // A known connection keeps its name, which calls use.
        if let Some(taken) = name.filter(|name| known.is_none() && all.iter().any(|one| one.app == app.key() && one.name == *name)) {
            return Err(name_taken(taken));
        }
        let free = find_free_name(&all, app.key(), account);
        let (name, method, status) = (name.unwrap_or(&free), Method::ApiKey, Status::Active);
        let new = NewConnection { id, owner, app: app.key(), name, method, status, view, now };
        let ran = context
            .write(|key| {
                let mut batch = match known {
                    None => new.insert(account),
                    Some(_) if view.is_some() => vec![connections::set_view(owner, id, view, now)],
                    Some(_) => Vec::new(),
                };
                batch.push(secrets::store_api_token(id, key.seal_text(id, "api_token", token)?, now));
                batch.push(connections::activate(id, Method::ApiKey, account, &free, now));
                Ok(batch)
            })
            .await;
        context.cache().forget();
        match ran {
            Ok(Ran::All(_)) => return lookup::get(context, owner, id).await,
            // Somebody took the name or the account meanwhile, so that both are looked for again.
            Ok(Ran::Missed(_)) => {}
            Err(error) if error.kind() == ErrorKind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(too_many_attempts())
}
