//! Actions that run: by their declaration, or by code.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use crate::declare::action::Declaration;
use crate::runtime::call::Call;
use crate::runtime::stop::Stop;
use crate::value::error::{Error, ErrorKind};
use crate::value::outcome::Answer;

/// A kind of action or data source of this crate. No other crate adds one, so the traits of both may grow.
pub trait Runnable {}

/// An action in the catalogue, which does not distinguish declared actions from code.
#[async_trait]
pub trait Action: Runnable + fmt::Debug + Send + Sync {
    /// Returns the declaration.
    fn declaration(&self) -> &'static Declaration;
    /// Runs the action.
    async fn run(&self, call: &Call<'_>) -> Result<Answer, Stop>;
}

/// An action that needs code. Its inputs are read into the struct, and `run` does the rest.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has neither an endpoint nor code",
    note = "give #[action] an endpoint, as `get(\"/api/v2/deals\")`, or write `impl Handler for {Self}`"
)]
#[async_trait]
pub trait Handler: DeserializeOwned + Send {
    /// Runs the action. It sends all requests through `call`.
    async fn run(self, call: &Call<'_>) -> Result<Answer, Stop>;
}

/// An action that its declaration describes whole: one request, one answer.
#[derive(Debug)]
pub struct DeclaredAction(&'static Declaration);

/// An action that names its endpoint and runs code.
pub struct CodedAction(&'static Declaration, Code);

/// The code of a [`CodedAction`].
pub type Code = for<'a> fn(&'a Call<'_>, &'static Declaration) -> Pin<Box<dyn Future<Output = Result<Answer, Stop>> + Send + 'a>>;

/// An action that is made of others. The runtime carries it out, since it needs the whole catalogue.
#[derive(Debug)]
pub struct UpsertAction(&'static Declaration);

/// An action that a [`Handler`] runs.
pub struct HandledAction<H>(&'static Declaration, PhantomData<fn() -> H>);

impl DeclaredAction {
    /// Builds the action of a declaration that has an endpoint.
    pub const fn new(declaration: &'static Declaration) -> Self {
        Self(declaration)
    }
}

impl UpsertAction {
    /// Builds the action of a declaration that names others.
    pub const fn new(declaration: &'static Declaration) -> Self {
        Self(declaration)
    }
}

impl Runnable for DeclaredAction {}
impl Runnable for UpsertAction {}
impl Runnable for CodedAction {}
impl<H> Runnable for HandledAction<H> {}

impl CodedAction {
    /// Builds the action from its declaration and its code.
    pub const fn new(declaration: &'static Declaration, code: Code) -> Self {
        Self(declaration, code)
    }
}

impl fmt::Debug for CodedAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CodedAction").field(&self.0.key).finish()
    }
}

impl<H> HandledAction<H> {
    /// Builds the action from its declaration.
    pub const fn new(declaration: &'static Declaration) -> Self {
        Self(declaration, PhantomData)
    }
}

impl<H> fmt::Debug for HandledAction<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HandledAction").field(&self.0.key).finish()
    }
}

#[async_trait]
impl Action for DeclaredAction {
    fn declaration(&self) -> &'static Declaration {
        self.0
    }

    async fn run(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let request = call.request(self.0);
        if self.0.returns.is_file() {
            return call.download(request).await;
        }
        Ok(call.send(request).await?.into_answer(self.0)?)
    }
}

#[async_trait]
impl Action for UpsertAction {
    fn declaration(&self) -> &'static Declaration {
        self.0
    }

    async fn run(&self, _: &Call<'_>) -> Result<Answer, Stop> {
        Err(Error::new(ErrorKind::Bug, format!("The upsert {} is carried out by the runtime.", self.0.key)).into())
    }
}

#[async_trait]
impl Action for CodedAction {
    fn declaration(&self) -> &'static Declaration {
        self.0
    }

    async fn run(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        (self.1)(call, self.0).await
    }
}

#[async_trait]
impl<H: Handler> Action for HandledAction<H> {
    fn declaration(&self) -> &'static Declaration {
        self.0
    }

    async fn run(&self, call: &Call<'_>) -> Result<Answer, Stop> {
        let handler = H::deserialize(call.input()).map_err(|error| {
            Error::new(ErrorKind::Bug, format!("The input of {} fits its schema, and its code cannot read it.", self.0.key))
                .with_source(error)
        })?;
        handler.run(call).await
    }
}
