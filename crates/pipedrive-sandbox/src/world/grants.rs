//! Grants of users to apps: authorization codes, installations and tokens, with their lifetimes.
//!
//! Only digests of secrets are stored.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::value::secret::{draw_secret, hash};
use crate::world::refusal::Refusal;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const CODE_LIFETIME: i64 = 5 * MINUTE;
/// A used or expired code is remembered for so long, so that an error can say what became of it.
const CODE_RETENTION: i64 = DAY;
pub(crate) const ACCESS_TOKEN_LIFETIME: i64 = 60 * MINUTE;
/// The time from the last use of a refresh token to its expiry.
const REFRESH_TOKEN_LIFETIME: i64 = 60 * DAY;
const QUESTION_LIFETIME: i64 = 30 * MINUTE;
/// A limit, so that pages that nobody answers do not fill the state.
const MAX_QUESTIONS: usize = 100;

/// Gives tokens of about 760 characters: Pipedrive's documents ask clients to expect up to 768.
const ACCESS_BYTES: usize = 567;
const SECRET_BYTES: usize = 30;

/// The handling of refresh tokens at a refresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshTokens {
    /// The response has the same refresh token again, as Pipedrive's documents say.
    #[default]
    Kept,
    /// The response has a new refresh token, as those documents hint elsewhere. The old one becomes invalid.
    Rotated,
}

/// All grants of a sandbox. Times are seconds since 1970.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Grants {
    last_install: u64,
    /// By the digest of the page's one-time token.
    questions: BTreeMap<String, PendingQuestion>,
    /// By the digest of the code.
    codes: BTreeMap<String, Code>,
    installs: BTreeMap<u64, Install>,
    /// By the digest of the access token.
    access: BTreeMap<String, Access>,
}

/// A page that was shown and not answered yet.
#[derive(Clone, Serialize, Deserialize)]
struct PendingQuestion {
    question: Question,
    at: i64,
}

/// The question of a page.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    Consent { client_id: String, redirect_uri: String, state: Option<String> },
    Uninstall { client_id: String },
}

/// A user of a company who grants access to an app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grantor {
    pub(crate) client_id: String,
    pub(crate) company: u64,
    pub(crate) user: u64,
}

/// An authorization code.
#[derive(Clone, Serialize, Deserialize)]
struct Code {
    by: Grantor,
    redirect_uri: String,
    scopes: Arc<[String]>,
    at: i64,
    is_used: bool,
}

/// The installation of an app for one user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Install {
    pub(crate) by: Grantor,
    pub(crate) scopes: Arc<[String]>,
    /// The digest of the refresh token.
    refresh: String,
    /// The time of the last refresh, or of the installation.
    used: i64,
}

/// An access token of an installation.
#[derive(Clone, Serialize, Deserialize)]
struct Access {
    install: u64,
    at: i64,
}

/// New tokens. They are shown to the client once.
pub(crate) struct IssuedTokens {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) scopes: Arc<[String]>,
}

impl Grants {
    /// Stores the question of a page, and returns the one-time token that the page's form must send.
    pub(crate) fn add_question(&mut self, question: Question, now: i64) -> String {
        self.remove_expired(now);
        if self.questions.len() >= MAX_QUESTIONS
            && let Some(oldest) = self.questions.iter().min_by_key(|(_, asked)| asked.at).map(|(key, _)| key.clone())
        {
            self.questions.remove(&oldest);
        }
        let token = draw_secret(SECRET_BYTES);
        self.questions.insert(hash(&token), PendingQuestion { question, at: now });
        token
    }

    /// Takes the question with this token. A question can be taken once.
    pub(crate) fn take_question(&mut self, token: &str, now: i64) -> Option<Question> {
        self.remove_expired(now);
        self.questions.remove(&hash(token)).map(|asked| asked.question)
    }

    /// Issues an authorization code.
    pub(crate) fn issue_code(&mut self, by: Grantor, redirect_uri: String, scopes: Arc<[String]>, now: i64) -> String {
        let code = draw_secret(SECRET_BYTES);
        self.codes.insert(hash(&code), Code { by, redirect_uri, scopes, at: now, is_used: false });
        code
    }

    /// Exchanges an authorization code for tokens, which installs the app.
    pub(crate) fn exchange_code(&mut self, client_id: &str, code: &str, redirect_uri: &str, now: i64) -> Result<IssuedTokens, Refusal> {
        self.remove_expired(now);
        let found = self.codes.get_mut(&hash(code)).filter(|found| found.by.client_id == client_id);
        let found = found.ok_or(Refusal::InvalidGrant("code is unknown"))?;
        if found.is_used {
            return Err(Refusal::InvalidGrant("code was already exchanged"));
        }
        if now >= found.at + CODE_LIFETIME {
            return Err(Refusal::InvalidGrant("code has expired: a code is valid for 5 minutes"));
        }
        if found.redirect_uri != redirect_uri {
            return Err(Refusal::InvalidGrant("redirect_uri is not the one that code was sent to"));
        }
        found.is_used = true;
        let (by, scopes) = (found.by.clone(), Arc::clone(&found.scopes));
        Ok(self.install(by, scopes, now))
    }

    /// Installs an app for a user. Tokens of an earlier installation become invalid.
    pub(crate) fn install(&mut self, by: Grantor, scopes: Arc<[String]>, now: i64) -> IssuedTokens {
        self.remove_installs(|install| install.by == by);
        self.last_install += 1;
        let refresh_token = draw_secret(SECRET_BYTES);
        let install = Install { by, scopes: Arc::clone(&scopes), refresh: hash(&refresh_token), used: now };
        self.installs.insert(self.last_install, install);
        IssuedTokens { access_token: self.issue_access(self.last_install, now), refresh_token, scopes }
    }

    /// Issues a new access token for a refresh token.
    pub(crate) fn refresh(&mut self, client_id: &str, token: &str, tokens: RefreshTokens, now: i64) -> Result<IssuedTokens, Refusal> {
        self.remove_expired(now);
        let digest = hash(token);
        let found = self.installs.iter_mut().find(|(_, install)| install.refresh == digest && install.by.client_id == client_id);
        let (&id, install) = found.ok_or(Refusal::InvalidGrant("refresh_token is unknown, revoked, expired or already exchanged"))?;
        install.used = now;
        let refresh_token = match tokens {
            RefreshTokens::Kept => token.to_owned(),
            RefreshTokens::Rotated => draw_secret(SECRET_BYTES),
        };
        install.refresh = hash(&refresh_token);
        let scopes = Arc::clone(&install.scopes);
        Ok(IssuedTokens { access_token: self.issue_access(id, now), refresh_token, scopes })
    }

    /// Revokes a token of an app. A refresh token ends its installation, an access token only itself.
    /// Nothing happens if the app has no such token.
    pub(crate) fn revoke(&mut self, client_id: &str, token: &str) {
        let digest = hash(token);
        self.remove_installs(|install| install.by.client_id == client_id && install.refresh == digest);
        let installs = &self.installs;
        self.access
            .retain(|key, access| *key != digest || installs.get(&access.install).is_none_or(|install| install.by.client_id != client_id));
    }

    /// Ends a user's installation and codes, and tells whether there was an installation.
    pub(crate) fn uninstall(&mut self, by: &Grantor) -> bool {
        let before = self.installs.len();
        self.remove_installs(|install| install.by == *by);
        self.codes.retain(|_, code| code.by != *by);
        self.installs.len() < before
    }

    pub(crate) fn list_installs(&self, client_id: &str, now: i64) -> impl Iterator<Item = &Install> {
        self.installs.values().filter(move |install| install.by.client_id == client_id && install.is_valid(now))
    }

    /// Finds the installation of an access token, and the token's digest.
    pub(crate) fn find_access(&self, token: &str, now: i64) -> Option<(&Install, String)> {
        let digest = hash(token);
        let access = self.access.get(&digest).filter(|access| access.is_valid(now))?;
        Some((self.installs.get(&access.install)?, digest))
    }

    fn issue_access(&mut self, install: u64, now: i64) -> String {
        let token = format!("v1u:{}", draw_secret(ACCESS_BYTES));
        self.access.insert(hash(&token), Access { install, at: now });
        token
    }

    fn remove_installs(&mut self, is_removed: impl Fn(&Install) -> bool) {
        self.installs.retain(|_, install| !is_removed(install));
        let installs = &self.installs;
        self.access.retain(|_, access| installs.contains_key(&access.install));
    }

    /// Removes all that has expired.
    fn remove_expired(&mut self, now: i64) {
        self.questions.retain(|_, asked| now < asked.at + QUESTION_LIFETIME);
        self.codes.retain(|_, code| now < code.at + CODE_RETENTION);
        self.remove_installs(|install| !install.is_valid(now));
        self.access.retain(|_, access| access.is_valid(now));
    }
}

/// Shows no details: a client's `state` is a secret too.
impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants").field("installs", &self.installs.len()).finish_non_exhaustive()
    }
}

impl Install {
    fn is_valid(&self, now: i64) -> bool {
        now < self.used + REFRESH_TOKEN_LIFETIME
    }
}

impl Access {
    fn is_valid(&self, now: i64) -> bool {
        now < self.at + ACCESS_TOKEN_LIFETIME
    }
}
