//! Grants to apps: authorization codes, installations and tokens, each with its lifetime.
//! Secrets are stored as digests alone.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::secret::{hash, random};
use crate::world::refusal::Refusal;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const CODE_LIVES: i64 = 5 * MINUTE;
/// The time for which a used or expired code is still recognized, so that the error can say so.
const CODE_IS_KNOWN: i64 = DAY;
pub(crate) const ACCESS_LIVES: i64 = 60 * MINUTE;
/// Counted from the last use.
const REFRESH_LIVES: i64 = 60 * DAY;
const QUESTION_LIVES: i64 = 30 * MINUTE;
/// The limit keeps pages that nobody answers from filling the state.
const MOST_QUESTIONS: usize = 100;

/// Pipedrive asks its clients to allow 768 characters.
const ACCESS_BYTES: usize = 567;
const SECRET_BYTES: usize = 30;

/// The way in which a refresh treats the refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefreshTokens {
    /// The same token is answered again, as Pipedrive's documents say.
    #[default]
    Kept,
    /// A new token replaces it, as those documents hint elsewhere. The old one becomes invalid.
    Rotated,
}

/// All grants of a sandbox. Times are seconds since 1970.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Grants {
    last_install: u64,
    /// By the digest of the page's token.
    questions: BTreeMap<String, Asked>,
    /// By the digest of the code. Access tokens are stored likewise.
    codes: BTreeMap<String, Code>,
    installs: BTreeMap<u64, Install>,
    access: BTreeMap<String, Access>,
}

/// A question of a page that waits for its answer.
#[derive(Clone, Serialize, Deserialize)]
struct Asked {
    question: Question,
    at: i64,
}

/// The question of a page.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    Consent { client_id: String, redirect_uri: String, state: Option<String> },
    Uninstall { client_id: String },
}

/// A user of a company who uses an app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grantor {
    pub(crate) client_id: String,
    pub(crate) company: u64,
    pub(crate) user: u64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Code {
    by: Grantor,
    redirect_uri: String,
    scopes: Vec<String>,
    at: i64,
    is_used: bool,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Install {
    pub(crate) by: Grantor,
    pub(crate) scopes: Vec<String>,
    refresh: String,
    used: i64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Access {
    install: u64,
    at: i64,
}

/// Issued tokens. Only this answer to the client has them.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) scopes: Vec<String>,
}

impl Grants {
    /// Stores the question of a page, and returns a token that the answer must bring.
    pub(crate) fn ask(&mut self, question: Question, now: i64) -> String {
        self.forget(now);
        if self.questions.len() >= MOST_QUESTIONS
            && let Some(oldest) = self.questions.iter().min_by_key(|(_, asked)| asked.at).map(|(key, _)| key.clone())
        {
            self.questions.remove(&oldest);
        }
        let token = random(SECRET_BYTES);
        self.questions.insert(hash(&token), Asked { question, at: now });
        token
    }

    /// Takes the question to which an answer belongs. It can be answered once.
    pub(crate) fn take_question(&mut self, token: &str, now: i64) -> Option<Question> {
        self.forget(now);
        self.questions.remove(&hash(token)).map(|asked| asked.question)
    }

    pub(crate) fn allow(&mut self, by: Grantor, redirect_uri: String, scopes: Vec<String>, now: i64) -> String {
        let code = random(SECRET_BYTES);
        self.codes.insert(hash(&code), Code { by, redirect_uri, scopes, at: now, is_used: false });
        code
    }

    pub(crate) fn exchange(&mut self, client_id: &str, code: &str, redirect_uri: &str, now: i64) -> Result<Issued, Refusal> {
        self.forget(now);
        let found = self.codes.get_mut(&hash(code)).filter(|found| found.by.client_id == client_id);
        let found = found.ok_or(Refusal::Grant("code is unknown"))?;
        if found.is_used {
            return Err(Refusal::Grant("code was already exchanged"));
        }
        if now >= found.at + CODE_LIVES {
            return Err(Refusal::Grant("code has expired, as one does after 5 minutes"));
        }
        if found.redirect_uri != redirect_uri {
            return Err(Refusal::Grant("redirect_uri is not the one that code was sent to"));
        }
        found.is_used = true;
        let (by, scopes) = (found.by.clone(), found.scopes.clone());
        Ok(self.install(by, scopes, now))
    }

    /// Installs an app for a user. The tokens of an earlier installation become invalid.
    pub(crate) fn install(&mut self, by: Grantor, scopes: Vec<String>, now: i64) -> Issued {
        self.end(|install| install.by == by);
        self.last_install += 1;
        let refresh_token = random(SECRET_BYTES);
        let install = Install { by, scopes: scopes.clone(), refresh: hash(&refresh_token), used: now };
        self.installs.insert(self.last_install, install);
        Issued { access_token: self.issue_access(self.last_install, now), refresh_token, scopes }
    }

    pub(crate) fn refresh(&mut self, client_id: &str, token: &str, tokens: RefreshTokens, now: i64) -> Result<Issued, Refusal> {
        self.forget(now);
        let digest = hash(token);
        let found = self.installs.iter_mut().find(|(_, install)| install.refresh == digest && install.by.client_id == client_id);
        let (&id, install) = found.ok_or(Refusal::Grant("refresh_token is unknown, revoked, expired or already exchanged"))?;
        install.used = now;
        let refresh_token = match tokens {
            RefreshTokens::Kept => token.to_owned(),
            RefreshTokens::Rotated => random(SECRET_BYTES),
        };
        install.refresh = hash(&refresh_token);
        let scopes = install.scopes.clone();
        Ok(Issued { access_token: self.issue_access(id, now), refresh_token, scopes })
    }

    /// Revokes a token.
    /// A refresh token ends its installation, an access token itself alone. Unknown tokens and those of other apps end nothing.
    pub(crate) fn revoke(&mut self, client_id: &str, token: &str) {
        let digest = hash(token);
        self.end(|install| install.by.client_id == client_id && install.refresh == digest);
        let installs = &self.installs;
        self.access
            .retain(|key, access| *key != digest || installs.get(&access.install).is_none_or(|install| install.by.client_id != client_id));
    }

    /// Ends a user's installation and codes, and tells whether there was an installation.
    pub(crate) fn uninstall(&mut self, by: &Grantor) -> bool {
        let before = self.installs.len();
        self.end(|install| install.by == *by);
        self.codes.retain(|_, code| code.by != *by);
        self.installs.len() < before
    }

    pub(crate) fn installs_of(&self, client_id: &str, now: i64) -> impl Iterator<Item = &Install> {
        self.installs.values().filter(move |install| install.by.client_id == client_id && install.is_alive(now))
    }

    /// Finds the installation of an access token, and the token's digest.
    pub(crate) fn find_access(&self, token: &str, now: i64) -> Option<(&Install, String)> {
        let digest = hash(token);
        let access = self.access.get(&digest).filter(|access| access.is_alive(now))?;
        Some((self.installs.get(&access.install)?, digest))
    }

    fn issue_access(&mut self, install: u64, now: i64) -> String {
        let token = format!("v1u:{}", random(ACCESS_BYTES));
        self.access.insert(hash(&token), Access { install, at: now });
        token
    }

    fn end(&mut self, concerns: impl Fn(&Install) -> bool) {
        self.installs.retain(|_, install| !concerns(install));
        let installs = &self.installs;
        self.access.retain(|_, access| installs.contains_key(&access.install));
    }

    /// Drops all that has expired.
    fn forget(&mut self, now: i64) {
        self.questions.retain(|_, asked| now < asked.at + QUESTION_LIVES);
        self.codes.retain(|_, code| now < code.at + CODE_IS_KNOWN);
        self.end(|install| !install.is_alive(now));
        self.access.retain(|_, access| access.is_alive(now));
    }
}

/// Questions are left out, as the `state` of a client is a secret.
impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants").field("installs", &self.installs.len()).finish_non_exhaustive()
    }
}

impl Install {
    fn is_alive(&self, now: i64) -> bool {
        now < self.used + REFRESH_LIVES
    }
}

impl Access {
    fn is_alive(&self, now: i64) -> bool {
        now < self.at + ACCESS_LIVES
    }
}
