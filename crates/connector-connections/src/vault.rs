//! Vault: the public face of connections and their secrets.

use std::fmt;
use std::sync::Arc;

use connector_core::run::{Http, View};
use connector_core::{Error, ErrorKind};
use secrecy::SecretString;

use crate::grants::authorize::{self, Authorization, BeginOptions, Progress};
use crate::grants::installs::{self, ClaimedInstall, HeldInstall};
use crate::grants::sweep::{self, SweepReport};
use crate::grants::{api_tokens, check, removal};
use crate::seal::keys::Key;
use crate::state::context::Context;
use crate::state::key_room::KeyRoom;
use crate::state::rows::connections;
use crate::state::{lookup, rekey};
use crate::store::Store;
use crate::store::statement::Ran;
use crate::value::app::App;
use crate::value::clock::{Clock, Moment};
use crate::value::model::{Connection, Revocation, Status};
use crate::value::names::check_name;
use crate::value::random;
use crate::value::refresh_count::RefreshCount;
use crate::value::wording::name_taken;

/// Connections and their secrets. A vault is cheap to clone, and its clones share one cache.
#[derive(Clone)]
pub struct Vault {
    context: Arc<Context>,
}

/// Builder of a vault.
#[derive(Debug)]
pub struct VaultBuilder {
    store: Store,
    keys: Vec<Key>,
    apps: Vec<App>,
    clock: Clock,
    http: Http,
    most_keys: u64,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("store", self.context.store()).field("apps", &self.context.apps()).finish_non_exhaustive()
    }
}

impl VaultBuilder {
    /// Adds a key that the store was sealed with before. It opens what it sealed until [`Vault::rekey`] is done.
    #[must_use]
    pub fn former_key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds an app that accounts connect through.
    #[must_use]
    pub fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// Sets the clock. Without it the machine's is used.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Limits the idempotency keys that an owner may have within seven days, approximately. The default is 1,000,000.
    #[must_use]
    pub fn idempotency_keys(mut self, most: u64) -> Self {
        self.most_keys = most;
        self
    }

    /// Opens the vault, or reports what is wrong with its store or key.
    pub async fn open(self) -> Result<Vault, Error> {
        let Self { store, keys, apps, clock, http, most_keys } = self;
        let context = Context::open(store, keys, apps, clock, http, KeyRoom::new(most_keys)).await?;
        Ok(Vault { context: Arc::new(context) })
    }
}

impl Vault {
    /// Builds a vault over a store whose secrets a key seals. The client reaches the vendors.
    pub fn builder(store: Store, key: Key, http: &Http) -> VaultBuilder {
        VaultBuilder { store, keys: vec![key], apps: Vec::new(), clock: Clock::system(), http: http.clone(), most_keys: 1_000_000 }
    }

    pub(crate) fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Runs work over the context to its end, even if the caller goes away.
    async fn run_to_end<T, F>(&self, work: impl FnOnce(Arc<Context>) -> F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        self.context.run_to_end(work(Arc::clone(&self.context))).await
    }

    /// Returns the app of a connector.
    pub fn app(&self, key: &str) -> Result<&App, Error> {
        self.context.app(key)
    }

    /// Lists an owner's connections, oldest first, of one app and one status if these are given.
    pub async fn list(&self, owner: &str, app: Option<&str>, status: Option<Status>) -> Result<Vec<Connection>, Error> {
        lookup::list(&self.context, connections::select_filtered(owner, app, status)).await
    }

    /// Returns a connection of an owner.
    pub async fn get(&self, owner: &str, id: &str) -> Result<Connection, Error> {
        lookup::get(&self.context, owner, id).await
    }

    /// Renames a connection.
    pub async fn rename(&self, owner: &str, id: &str, name: &str) -> Result<Connection, Error> {
        check_name(name)?;
        let renamed = self.context.store().rows(connections::rename(owner, id, name, self.context.now())).await;
        self.context.cache().forget();
        match renamed {
            Err(error) if error.kind() == ErrorKind::Conflict => Err(name_taken(name)),
            Err(error) => Err(error),
            Ok(_) => self.get(owner, id).await,
        }
    }

    /// Makes a connection the default of its app, which calls use when they name none.
    pub async fn set_default(&self, owner: &str, id: &str) -> Result<Connection, Error> {
        let app = self.get(owner, id).await?.app;
        let batch = vec![connections::clear_default(owner, &app), connections::set_default(owner, id, self.context.now())];
        let ran = self.context.store().run(batch).await?;
        self.context.cache().forget();
        match ran {
            Ran::All(_) => self.get(owner, id).await,
            Ran::Missed(_) => {
                Err(Error::new(ErrorKind::Conflict, "A connection that is not finished cannot be the default.")
                    .with_hint("Finish it first."))
            }
        }
    }

    /// Sets the view of calls that use the connection and name none. Without one, calls have the view of the host.
    pub async fn set_view(&self, owner: &str, id: &str, view: Option<View>) -> Result<Connection, Error> {
        self.context.store().rows(connections::set_view(owner, id, view, self.context.now())).await?;
        self.context.cache().forget();
        self.get(owner, id).await
    }

    /// Removes a connection, and revokes its grant unless another connection uses it.
    pub async fn remove(&self, owner: &str, id: &str) -> Result<Revocation, Error> {
        removal::remove(&self.context, owner, id).await
    }

    /// Asks the vendor which account a connection's credential belongs to, and stores the account's metadata.
    pub async fn test(&self, owner: &str, id: &str) -> Result<Connection, Error> {
        check::test(&self.context, owner, id).await
    }

    /// Checks whether hosts on several machines can share the store.
    pub fn is_shared(&self) -> bool {
        self.context.store().is_shared()
    }

    /// Removes what expired, and revokes grants that no connection uses. Call it every minute or so.
    pub async fn sweep(&self) -> Result<SweepReport, Error> {
        sweep::sweep(&self.context).await
    }

    /// Seals every secret with the key that the vault was opened with, in one transaction, and returns their number.
    ///
    /// Processes that run meanwhile must hold both keys.
    pub async fn rekey(&self) -> Result<usize, Error> {
        rekey::rekey(&self.context).await
    }

    /// Counts the refreshes of tokens since this vault was opened, by connector and result.
    pub fn count_refreshes(&self) -> Vec<RefreshCount> {
        self.context.refreshes().list()
    }

    /// Waits until all requests have ended that must not be cut off. A program calls it before it exits.
    pub async fn wait_until_idle(&self) {
        self.context.wait_until_idle().await;
    }

    /// Begins an authorization for the browser that holds this token.
    ///
    /// Without a name the connection takes the account's own name once that is known.
    pub async fn authorize(&self, owner: &str, app: &str, name: Option<&str>, browser: &str) -> Result<Authorization, Error> {
        authorize::authorize(&self.context, owner, app, name, browser).await
    }

    /// Finishes an authorization with the code that the browser brought back.
    ///
    /// If the owner has a connection to the account, that one is renewed. If the code is for another account than the link
    /// was made for, it becomes a connection of its own.
    pub async fn finish_authorization(&self, browser: &str, state: &str, code: SecretString) -> Result<Connection, Error> {
        let (browser, state) = (browser.to_owned(), state.to_owned());
        self.run_to_end(async move |context| authorize::finish(&context, &browser, &state, &code).await).await
    }

    /// Finds the connection of a state without using the state up, to check which vendor redirected the browser.
    pub async fn find_by_state(&self, state: &str) -> Result<Connection, Error> {
        authorize::find_by_state(&self.context, state).await
    }

    /// Ends an authorization that the user declined. Returns the connection that waited for it, if there was one.
    pub async fn decline_authorization(&self, browser: &str, state: &str) -> Result<Option<Connection>, Error> {
        authorize::decline(&self.context, browser, state).await
    }

    /// Creates a link by which a connection that is not finished, or failed, can be connected. It opens once.
    pub async fn create_link(&self, owner: &str, id: &str) -> Result<SecretString, Error> {
        authorize::create_link(&self.context, owner, id).await
    }

    /// Finds the connection of a link without using the link up, for a page that shows the owner.
    pub async fn find_by_link(&self, link: &str) -> Result<Connection, Error> {
        authorize::find_by_link(&self.context, link).await
    }

    /// Opens a link once, and begins an authorization for the browser that holds this token.
    pub async fn open_link(&self, link: &str, browser: &str) -> Result<Authorization, Error> {
        authorize::open_link(&self.context, link, browser).await
    }

    /// Begins a connection that waits for a day.
    ///
    /// It waits for its link to be opened, or for a platform that has the browser come back to itself and then gives the code
    /// to [`Vault::exchange`].
    pub async fn begin(&self, owner: &str, app: &str, options: BeginOptions<'_>) -> Result<Authorization, Error> {
        authorize::begin(&self.context, owner, app, options).await
    }

    /// Returns the progress of a connection that was begun. The end of one is known for a day.
    pub async fn progress(&self, owner: &str, id: &str) -> Result<Progress, Error> {
        authorize::find_progress(&self.context, owner, id).await
    }

    /// Finishes a connection that was begun, with the code that came back to a platform.
    pub async fn exchange(&self, owner: &str, id: &str, code: SecretString) -> Result<Connection, Error> {
        let target = self.get(owner, id).await?;
        self.run_to_end(async move |context| authorize::exchange(&context, &target, &code).await).await
    }

    /// Connects an account by an API token, after the vendor has said which account it belongs to.
    ///
    /// If the owner has a connection to the account, that one is renewed: it keeps its name, and its view if none is given.
    pub async fn add_api_token(
        &self,
        owner: &str,
        app: &str,
        name: Option<&str>,
        view: Option<View>,
        origin: &str,
        token: SecretString,
    ) -> Result<Connection, Error> {
        api_tokens::add(&self.context, owner, app, name, view, origin, &token).await
    }

    /// Holds a code that came without a state. It connects nothing until an owner claims and confirms it.
    pub async fn hold_install(&self, app: &str, code: SecretString) -> Result<HeldInstall, Error> {
        installs::hold(&self.context, app, &code).await
    }

    /// Claims an install for an owner who is signed in: its code is exchanged, and the vendor names the account.
    pub async fn claim_install(&self, owner: &str, handle: &str) -> Result<ClaimedInstall, Error> {
        let (owner, hash) = (owner.to_owned(), random::hash(handle));
        self.run_to_end(async move |context| installs::claim(&context, &owner, &hash).await).await
    }

    /// Finds an install that this owner claimed and has not decided on, for a page that is loaded again.
    pub async fn find_claimed_install(&self, owner: &str, handle: &str) -> Result<Option<ClaimedInstall>, Error> {
        installs::find_claimed(&self.context, owner, &random::hash(handle)).await
    }

    /// Confirms a claimed install, which becomes a connection or renews one.
    pub async fn confirm_install(&self, owner: &str, handle: &str) -> Result<Connection, Error> {
        let claimed = installs::get_claimed_connection(&self.context, owner, &random::hash(handle)).await?;
        self.run_to_end(async move |context| installs::confirm(&context, &claimed).await).await
    }

    /// Declines an install, and revokes its grant unless a connection to the account uses it.
    pub async fn decline_install(&self, owner: &str, handle: &str) -> Result<Revocation, Error> {
        installs::decline(&self.context, owner, &random::hash(handle)).await
    }

    /// Records that a user uninstalled the app, and returns how many connections failed.
    ///
    /// With a time, connections that were granted after it are left alone.
    pub async fn record_uninstall(&self, client_id: &str, company_id: &str, user_id: &str, at: Option<Moment>) -> Result<usize, Error> {
        installs::record_uninstall(&self.context, client_id, company_id, user_id, at).await
    }
}
