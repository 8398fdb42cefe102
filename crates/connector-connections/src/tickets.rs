//! Tickets: sealed values that lead a browser back to a connection, for a time and once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connector_core::{Error, ErrorKind};

use crate::store::statement::{Statement, sql};
use crate::value::clock::Moment;
use crate::value::random;
use crate::value::wording::BEGIN_AGAIN;
use crate::vault::Inner;

/// What a ticket is for; one for another purpose does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The `state` of an authorization.
    State,
    /// A link to sign in by.
    Link,
}

/// What a ticket says.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) connection: String,
    browser: [u8; 32],
    nonce: [u8; 16],
    expires: Moment,
}

const ID: usize = 36;

impl Purpose {
    const fn column(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Link => "link",
        }
    }
}

impl Ticket {
    /// A ticket to a connection, for the browser that holds this token; for any, where it is empty.
    pub(crate) fn new(connection: &str, browser: &str, expires: Moment) -> Result<Self, Error> {
        Ok(Self {
            connection: connection.to_owned(),
            browser: random::digest(browser.as_bytes()),
            nonce: random::generate_bytes()?,
            expires,
        })
    }

    /// Whether it was made for the browser that holds this token.
    pub(crate) fn check_browser(&self, browser: &str) -> Result<(), Error> {
        if self.browser == random::digest(browser.as_bytes()) {
            return Ok(());
        }
        Err(refused("was made for another browser"))
    }

    /// Marks it as used; it gives no row where it was.
    pub(crate) fn used(&self) -> Statement {
        let hash = random::hash(&URL_SAFE_NO_PAD.encode(self.nonce));
        sql!("INSERT INTO connector_used (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1", hash, self.expires)
    }
}

impl Inner {
    pub(crate) fn write_ticket(&self, ticket: &Ticket, purpose: Purpose) -> Result<String, Error> {
        let expires = ticket.expires.as_micros().to_be_bytes();
        let said = [ticket.connection.as_bytes(), &ticket.browser, &ticket.nonce, &expires].concat();
        Ok(URL_SAFE_NO_PAD.encode(self.keys.sealing().seal("ticket", purpose.column(), &said)?))
    }

    /// What a ticket says that was written here and is not too old. Whether it was used is not known yet.
    pub(crate) fn read_ticket(&self, text: &str, purpose: Purpose) -> Result<Ticket, Error> {
        let forged = || refused("was not made here");
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| forged())?;
        let said = self.keys.open("ticket", purpose.column(), &sealed).map_err(|_| forged())?;
        let (connection, rest) = said.split_at_checked(ID).ok_or_else(forged)?;
        let (browser, rest) = rest.split_first_chunk::<32>().ok_or_else(forged)?;
        let (nonce, rest) = rest.split_first_chunk::<16>().ok_or_else(forged)?;
        let expires = Moment::from_micros(i64::from_be_bytes(rest.try_into().map_err(|_| forged())?));
        if expires <= self.clock.now() {
            return Err(refused("is too old"));
        }
        let connection = String::from_utf8(connection.to_vec()).map_err(|_| forged())?;
        Ok(Ticket { connection, browser: *browser, nonce: *nonce, expires })
    }

    /// Uses a ticket up.
    pub(crate) async fn use_up(&self, ticket: &Ticket) -> Result<(), Error> {
        if self.store.rows(ticket.used()).await?.is_empty() { Err(refused("was used already")) } else { Ok(()) }
    }
}

fn refused(why: &str) -> Error {
    Error::new(ErrorKind::Forbidden, format!("The link or its answer {why}.")).with_hint(BEGIN_AGAIN)
}
