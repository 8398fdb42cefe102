//! Grants: codes, access tokens and refresh tokens.

/// The id of a client that has a secret.
pub const CLIENT_ID: &str = "lark-client";
/// The secret of that client.
pub const CLIENT_SECRET: &str = "lark-secret-of-client";
/// The id of a client that has no secret.
pub const PUBLIC_CLIENT_ID: &str = "lark-public-client";

/// The scopes that a client may ask for.
pub(super) const SCOPES: [&str; 3] = ["tickets:read", "tickets:write", "people:read"];

/// The codes and tokens that were given out.
#[derive(Debug, Default)]
pub(super) struct Grants {
    all: Vec<Grant>,
    count: u64,
}

/// A grant: what a person allowed a client.
#[derive(Debug)]
struct Grant {
    client: String,
    scopes: Vec<String>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// A code was given out.
    Code { code: String, redirect_uri: String, challenge: Option<String> },
    /// The code was exchanged.
    Tokens { access: Option<String>, refresh: String },
}

/// A pair of tokens, freshly given out.
#[derive(Debug)]
pub(super) struct Issued {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) scopes: Vec<String>,
}

impl Grants {
    /// Gives out a code.
    pub(super) fn add_code(&mut self, client: &str, scopes: Vec<String>, redirect_uri: &str, challenge: Option<&str>) -> String {
        let code = self.name("code");
        let state = State::Code { code: code.clone(), redirect_uri: redirect_uri.to_owned(), challenge: challenge.map(str::to_owned) };
        self.all.push(Grant { client: client.to_owned(), scopes, state });
        code
    }

    /// Exchanges a code for tokens. It is used up even if the client, the redirect URI or the challenge is another.
    pub(super) fn exchange(&mut self, client: &str, code: &str, redirect_uri: &str, challenge: Option<&str>) -> Option<Issued> {
        let at = self.all.iter().position(|grant| matches!(&grant.state, State::Code { code: known, .. } if known == code))?;
        let grant = self.all.remove(at);
        let State::Code { redirect_uri: asked, challenge: proof, .. } = &grant.state else { return None };
        let fits = grant.client == client && asked == redirect_uri && proof.as_deref() == challenge;
        fits.then(|| self.issue(grant.client.clone(), grant.scopes.clone()))
    }

    /// Exchanges a refresh token for tokens. The former ones end.
    pub(super) fn refresh(&mut self, client: &str, token: &str) -> Option<Issued> {
        let is_it = |grant: &Grant| grant.client == client && matches!(&grant.state, State::Tokens { refresh, .. } if refresh == token);
        let at = self.all.iter().position(is_it)?;
        let grant = self.all.remove(at);
        Some(self.issue(grant.client, grant.scopes))
    }

    /// Ends the grant of a token.
    pub(super) fn revoke(&mut self, client: &str, token: &str) {
        self.all.retain(|grant| grant.client != client || !grant.state.has(token));
    }

    /// Returns the scopes of an access token that is in force.
    pub(super) fn find_scopes(&self, token: &str) -> Option<Vec<String>> {
        let is_it = |grant: &&Grant| matches!(&grant.state, State::Tokens { access: Some(access), .. } if access == token);
        self.all.iter().find(is_it).map(|grant| grant.scopes.clone())
    }

    /// Ends all access tokens. Their refresh tokens stay.
    pub(super) fn expire_access_tokens(&mut self) {
        for grant in &mut self.all {
            if let State::Tokens { access, .. } = &mut grant.state {
                *access = None;
            }
        }
    }

    /// Counts the grants whose code was exchanged and that are in force.
    pub(super) fn count_live(&self) -> usize {
        self.all.iter().filter(|grant| matches!(grant.state, State::Tokens { .. })).count()
    }

    fn issue(&mut self, client: String, scopes: Vec<String>) -> Issued {
        let (access, refresh) = (self.name("access"), self.name("refresh"));
        let state = State::Tokens { access: Some(access.clone()), refresh: refresh.clone() };
        self.all.push(Grant { client, scopes: scopes.clone(), state });
        Issued { access, refresh, scopes }
    }

    fn name(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("lark-{kind}-of-grant-{}", self.count)
    }
}

impl State {
    fn has(&self, token: &str) -> bool {
        matches!(self, Self::Tokens { access, refresh } if refresh == token || access.as_deref() == Some(token))
    }
}
