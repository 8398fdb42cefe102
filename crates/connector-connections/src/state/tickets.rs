//! Tickets: sealed values that lead a browser back to a connection, once and for a limited time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connector_core::{Error, ErrorKind};
use secrecy::{ExposeSecret, SecretString};

use crate::state::context::Context;
use crate::state::rows::used;
use crate::value::clock::Moment;
use crate::value::random;
use crate::value::wording::BEGIN_AGAIN;

const ID_LENGTH: usize = 36;

/// Purpose of a ticket. A ticket for one purpose does not open for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The `state` of an authorization.
    State,
    /// A link that connects an account.
    Link,
}

/// Content of a ticket.
#[derive(Debug)]
pub(crate) struct Ticket {
    connection: String,
    browser: [u8; 32],
    nonce: [u8; 16],
    expires: Moment,
    /// The code verifier (PKCE) of an authorization.
    verifier: Option<SecretString>,
}

impl Purpose {
    /// Returns the name that binds the seal to the purpose.
    const fn column(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Link => "link",
        }
    }
}

impl Ticket {
    /// Builds a ticket to a connection for the browser that holds this token.
    ///
    /// If the token is empty the ticket is for any browser.
    pub(crate) fn new(connection: &str, browser: &str, expires: Moment) -> Result<Self, Error> {
        let (browser, nonce) = (random::digest(browser.as_bytes()), random::generate_bytes()?);
        Ok(Self { connection: connection.to_owned(), browser, nonce, expires, verifier: None })
    }

    /// Sets the code verifier of the authorization that the ticket leads back from.
    pub(crate) fn with_verifier(mut self, verifier: Option<SecretString>) -> Self {
        self.verifier = verifier;
        self
    }

    /// Returns the code verifier of the authorization.
    pub(crate) fn verifier(&self) -> Option<&SecretString> {
        self.verifier.as_ref()
    }

    /// Returns the id of the connection.
    pub(crate) fn connection(&self) -> &str {
        &self.connection
    }

    /// Checks that the ticket was made for the browser that holds this token.
    pub(crate) fn check_browser(&self, browser: &str) -> Result<(), Error> {
        if self.browser == random::digest(browser.as_bytes()) {
            return Ok(());
        }
        Err(refuse("was made for another browser"))
    }

    /// Seals the ticket into text for a URL.
    pub(crate) fn seal(&self, context: &Context, purpose: Purpose) -> Result<String, Error> {
        let expires = self.expires.as_micros().to_be_bytes();
        let verifier = self.verifier.as_ref().map_or("", |verifier| verifier.expose_secret()).as_bytes();
        let content = [self.connection.as_bytes(), &self.browser, &self.nonce, &expires, verifier].concat();
        Ok(URL_SAFE_NO_PAD.encode(context.keys().sealing().seal("ticket", purpose.column(), &content)?))
    }

    /// Opens a sealed ticket and checks its age. It may have been used before.
    pub(crate) fn open(context: &Context, text: &str, purpose: Purpose) -> Result<Self, Error> {
        let forged = || refuse("was not made here");
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| forged())?;
        let content = context.keys().open("ticket", purpose.column(), &sealed).map_err(|_| forged())?;
        let (connection, rest) = content.split_at_checked(ID_LENGTH).ok_or_else(forged)?;
        let (browser, rest) = rest.split_first_chunk::<32>().ok_or_else(forged)?;
        let (nonce, rest) = rest.split_first_chunk::<16>().ok_or_else(forged)?;
        let (expires, verifier) = rest.split_first_chunk::<8>().ok_or_else(forged)?;
        let expires = Moment::from_micros(i64::from_be_bytes(*expires));
        if expires <= context.now() {
            return Err(refuse("is too old"));
        }
        let connection = String::from_utf8(connection.to_vec()).map_err(|_| forged())?;
        let verifier = String::from_utf8(verifier.to_vec()).map_err(|_| forged())?;
        let verifier = Some(verifier).filter(|verifier| !verifier.is_empty()).map(SecretString::from);
        Ok(Self { connection, browser: *browser, nonce: *nonce, expires, verifier })
    }

    /// Uses the ticket up. A second use fails.
    pub(crate) async fn use_up(&self, context: &Context) -> Result<(), Error> {
        let nonce_hash = random::hash(&URL_SAFE_NO_PAD.encode(self.nonce));
        let rows = context.store().rows(used::insert(nonce_hash, self.expires)).await?;
        if rows.is_empty() { Err(refuse("was used already")) } else { Ok(()) }
    }
}

fn refuse(why: &str) -> Error {
    Error::new(ErrorKind::Forbidden, format!("The link, or the authorization that it began, {why}.")).with_hint(BEGIN_AGAIN)
}
