//! Const builders of what a connector declares, so that a new part breaks no connector.

use std::sync::OnceLock;

use crate::declare::action::{Declaration, FoundIn, Upsert};
use crate::declare::answer::Envelope;
use crate::declare::case::Case;
use crate::declare::connector::{Auth, ClientAuth, Connector, Identity, OAuth, OutOfSupport, RawAccess};
use crate::declare::data_source::{Derivation, Finding, SourceDeclaration};
use crate::declare::field::{Field, Place, SourceInput};
use crate::declare::fields::FieldWords;
use crate::declare::flat::FlatWords;
use crate::declare::input_value::InputValue;
use crate::declare::limits::Limits;
use crate::declare::method::{Endpoint, Method};
use crate::declare::page::Paging;
use crate::declare::refusal::Refusal;
use crate::declare::rule::Rule;
use crate::declare::shape::FieldShape;
use crate::value::error::Error;

/// Writes const functions that set one part each: its doc, its name, its member and type, and the value.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($($part:ident: $kind:ty),*) => $member:ident = $value:expr;)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub const fn $name(mut self $(, $part: $kind)*) -> Self {
                self.$member = $value;
                self
            }
        )*
    };
}

impl Connector {
    /// Builds a connector from its key, the name to show, a sentence that says what it is for, and its version.
    ///
    /// Left out, the parts below are those of a vendor whose answers are bare JSON in snake_case, whose lists have one page,
    /// and which asks for no credential. A refusal is explained by its status.
    ///
    /// ```
    /// use connector_core::declare::{Auth, Case, Connector, Envelope, Paging};
    ///
    /// pub static CONNECTOR: Connector = Connector::new("harbour", "Harbour", "Work with ships and berths.", env!("CARGO_PKG_VERSION"))
    ///     .with_host("https://api.harbour.example")
    ///     .with_roots(&["/v1/"])
    ///     .with_auth(&[Auth::bearer_token()])
    ///     .with_case(Case::Camel)
    ///     .with_envelope(Envelope::at("/results"))
    ///     .with_paging(&[Paging::cursor("after", &["/paging/next/after"])]);
    ///
    /// assert!(CONNECTOR.takes_token());
    /// ```
    pub const fn new(key: &'static str, label: &'static str, description: &'static str, version: &'static str) -> Self {
        Self {
            key,
            label,
            description,
            version,
            domains: &[],
            host: None,
            roots: &["/"],
            auth: &[],
            identity: None,
            case: Case::Snake,
            envelope: Envelope::BARE,
            paging: &[],
            flat: FlatWords::COMMON,
            fields: None,
            limits: Limits::NONE,
            refusal: |refusal| refusal.explain(None),
            out_of_support: |_, _| None,
            find_template: |_, _| None,
            synonyms: &[],
            raw: None,
        }
    }

    setters! {
        /// Sets the domains whose subdomains are the hosts of accounts: `&["acme.example"]`.
        with_domains(domains: &'static [&'static str]) => domains = domains;
        /// Sets the host of every account: `https://api.acme.example`.
        with_host(host: &'static str) => host = Some(host);
        /// Sets the path prefixes of the API: `&["/api/v2/"]`. Paths of other prefixes are refused.
        with_roots(roots: &'static [&'static str]) => roots = roots;
        /// Sets the ways to sign in.
        with_auth(auth: &'static [Auth]) => auth = auth;
        /// Sets the request that tells the account of a credential.
        with_identity(identity: Identity) => identity = Some(identity);
        /// Sets the case of names on the wire.
        with_case(case: Case) => case = case;
        /// Sets the shape of a response body.
        with_envelope(envelope: Envelope) => envelope = envelope;
        /// Sets the ways in which lists page.
        with_paging(paging: &'static [Paging]) => paging = paging;
        /// Sets the words that the flat view reads.
        with_flat(flat: FlatWords) => flat = flat;
        /// Sets the words by which the definitions of custom fields are read.
        with_fields(fields: FieldWords) => fields = Some(fields);
        /// Sets the limits for which calls wait.
        with_limits(limits: Limits) => limits = limits;
        /// Sets the function that turns a refusal into an error.
        with_refusal(refusal: fn(&Refusal<'_>) -> Error) => refusal = refusal;
        /// Sets the function that finds an operation the vendor no longer supports, by method and path.
        with_out_of_support(find: fn(method: &str, path: &str) -> Option<OutOfSupport>) => out_of_support = find;
        /// Sets the function that finds the template of a documented path, by method and path.
        with_templates(find: fn(method: &str, path: &str) -> Option<&'static str>) => find_template = find;
        /// Sets the words of callers, in the singular, each with the word of keys that it means.
        with_synonyms(synonyms: &'static [(&'static str, &'static str)]) => synonyms = synonyms;
        /// Sets the action that sends any request.
        with_raw(raw: RawAccess) => raw = Some(raw);
    }
}

impl RawAccess {
    /// Builds the access by an action: its key, and the function that lists documented operations.
    pub const fn new(action: &'static str, operations: fn() -> Vec<(&'static str, &'static str)>) -> Self {
        Self { action, operations }
    }
}

impl OutOfSupport {
    /// Builds the end of support: its time in seconds of Unix time, and the operation to call instead.
    pub const fn new(since: i64, instead: Option<&'static str>) -> Self {
        Self { since, instead }
    }
}

impl Auth {
    /// Signs in by OAuth 2.0.
    pub const fn oauth2(oauth: OAuth) -> Self {
        Self::OAuth2(oauth)
    }

    /// Signs in by an access token that a person copies, sent as `Authorization: Bearer`.
    pub const fn bearer_token() -> Self {
        Self::BearerToken
    }

    /// Signs in by an API key, sent in a header, whose name is in lower case.
    pub const fn api_token(header: &'static str) -> Self {
        Self::ApiToken { header, prefix: "", query: None }
    }

    /// Sets the text before an API key, with its space: `Token `.
    #[must_use]
    pub const fn with_prefix(self, prefix: &'static str) -> Self {
        match self {
            Self::ApiToken { header, query, .. } => Self::ApiToken { header, prefix, query },
            Self::OAuth2(_) | Self::BearerToken => self,
        }
    }

    /// Sets the query parameter from which the vendor also takes an API key. A caller may not send it.
    #[must_use]
    pub const fn with_query(self, query: &'static str) -> Self {
        match self {
            Self::ApiToken { header, prefix, .. } => Self::ApiToken { header, prefix, query: Some(query) },
            Self::OAuth2(_) | Self::BearerToken => self,
        }
    }
}

impl OAuth {
    /// Builds OAuth from the URLs at which a person grants access and a code becomes tokens.
    ///
    /// Left out, the secret of the client travels by `Authorization: Basic`, there is no code challenge, no scope is asked for,
    /// tokens cannot be revoked, and the host is the connector's.
    pub const fn new(authorize: &'static str, token: &'static str) -> Self {
        Self {
            authorize,
            token,
            revoke: None,
            client_auth: ClientAuth::Basic,
            pkce: false,
            scopes: &[],
            scope_separator: ' ',
            host_member: None,
        }
    }

    setters! {
        /// Sets the URL that revokes a token.
        with_revoke(url: &'static str) => revoke = Some(url);
        /// Sets the way in which the client authenticates at the token endpoint.
        with_client_auth(client_auth: ClientAuth) => client_auth = client_auth;
        /// Adds a code challenge (PKCE, method S256).
        with_pkce() => pkce = true;
        /// Sets the scopes to ask for.
        with_scopes(scopes: &'static [&'static str]) => scopes = scopes;
        /// Sets the character between two scopes.
        with_scope_separator(separator: char) => scope_separator = separator;
        /// Sets the member of the token response that holds the account's host.
        with_host_member(member: &'static str) => host_member = Some(member);
    }
}

impl Identity {
    /// Builds the request from its path. Everything else is a JSON pointer into its response.
    pub const fn at(path: &'static str) -> Self {
        Self { path, company: "", company_name: "", company_domain: "", user: "", user_name: "", email: "", cost: 0 }
    }

    setters! {
        /// Sets the pointer to the company's id.
        with_company(pointer: &'static str) => company = pointer;
        /// Sets the pointer to the company's name.
        with_company_name(pointer: &'static str) => company_name = pointer;
        /// Sets the pointer to the part of the host that is the company's own.
        with_company_domain(pointer: &'static str) => company_domain = pointer;
        /// Sets the pointer to the user's id.
        with_user(pointer: &'static str) => user = pointer;
        /// Sets the pointer to the user's name.
        with_user_name(pointer: &'static str) => user_name = pointer;
        /// Sets the pointer to the user's e-mail address.
        with_email(pointer: &'static str) => email = pointer;
        /// Sets the cost of the request, in tokens of the daily budget.
        with_cost(tokens: u32) => cost = tokens;
    }
}

impl Envelope {
    setters! {
        /// Sets the member that is `false` in a refusal with the status of a success.
        with_success(member: &'static str) => success = Some(member);
        /// Sets the list of search results within the data, and the member of a result that is the record.
        with_search(list: &'static str, record: &'static str) => search = Some((list, record));
        /// Refuses an empty body, other than under status 204.
        never_empty() => may_be_empty = false;
    }
}

impl FlatWords {
    setters! {
        /// Sets the members of a nested object that can hold its ID, the likeliest first.
        with_id(members: &'static [&'static str]) => id = members;
        /// Sets the member of an item that holds its value.
        with_value(member: &'static str) => value = member;
        /// Sets the member of an item that is `true` for the main one of a list.
        with_primary(member: &'static str) => primary = member;
        /// Sets the function that finds names which an account chose. No view changes them.
        with_custom_key(is_custom_key: fn(&str) -> bool) => is_custom_key = is_custom_key;
    }
}

impl Paging {
    /// Pages by a cursor of the vendor: its parameter, and the places of the next cursor.
    pub const fn cursor(parameter: &'static str, next: &'static [&'static str]) -> Self {
        Self::Cursor { parameter, next }
    }

    /// Pages by the index of a page's first record: the parameter. Left out, no place tells whether more follows.
    pub const fn start(parameter: &'static str) -> Self {
        Self::Start { parameter, more: &[], next: &[], facts: &[] }
    }

    /// Pages by the number of the page: the parameter, and the number of the first page.
    pub const fn page(parameter: &'static str, first: u64) -> Self {
        Self::Page { parameter, first, more: &[], last: &[], facts: &[] }
    }

    /// Pages by the URL with `rel="next"` in the header `Link`.
    pub const fn link() -> Self {
        Self::Link
    }

    /// Sets the places of a fact that is `true` if more records follow.
    #[must_use]
    pub const fn with_more(self, more: &'static [&'static str]) -> Self {
        match self {
            Self::Start { parameter, next, facts, .. } => Self::Start { parameter, more, next, facts },
            Self::Page { parameter, first, last, facts, .. } => Self::Page { parameter, first, more, last, facts },
            Self::Cursor { .. } | Self::Link => self,
        }
    }

    /// Sets the places of the start of the next page, in a list that pages by a start.
    #[must_use]
    pub const fn with_next(self, next: &'static [&'static str]) -> Self {
        match self {
            Self::Start { parameter, more, facts, .. } => Self::Start { parameter, more, next, facts },
            Self::Cursor { .. } | Self::Page { .. } | Self::Link => self,
        }
    }

    /// Sets the places of the number of the last page, in a list that pages by numbers.
    #[must_use]
    pub const fn with_last(self, last: &'static [&'static str]) -> Self {
        match self {
            Self::Page { parameter, first, more, facts, .. } => Self::Page { parameter, first, more, last, facts },
            Self::Cursor { .. } | Self::Start { .. } | Self::Link => self,
        }
    }

    /// Sets the places of other facts about the page, which are no members of the answer.
    #[must_use]
    pub const fn with_facts(self, facts: &'static [&'static str]) -> Self {
        match self {
            Self::Start { parameter, more, next, .. } => Self::Start { parameter, more, next, facts },
            Self::Page { parameter, first, more, last, .. } => Self::Page { parameter, first, more, last, facts },
            Self::Cursor { .. } | Self::Link => self,
        }
    }
}

impl Endpoint {
    /// Builds an endpoint from its method and path.
    pub const fn new(method: Method, path: &'static str) -> Self {
        Self { method, path }
    }
}

#[doc(hidden)]
impl Declaration {
    /// Builds a declaration of an action from its words, where it is declared, and what it returns.
    pub const fn new(
        key: &'static str,
        [label, description]: [&'static str; 2],
        [module, line]: [&'static str; 2],
        connector: &'static Connector,
        returns: FieldShape,
    ) -> Self {
        Self {
            key,
            label,
            description,
            module,
            resource: None,
            line,
            connector,
            endpoint: None,
            scopes: &[],
            scopes_all: &[],
            cost: None,
            idempotent: None,
            reads: false,
            changes: false,
            destructive: false,
            removed: None,
            rules: &[],
            own: &[],
            with: &[],
            like: None,
            without: &[],
            when_flat: &[],
            paging: None,
            envelope: None,
            found_in: None,
            record: None,
            upsert: None,
            returns,
            derived: OnceLock::new(),
        }
    }

    setters! {
        with_resource(resource: &'static str) => resource = Some(resource);
        with_endpoint(method: Method, path: &'static str) => endpoint = Some(Endpoint::new(method, path));
        with_scopes(scopes: &'static [&'static str]) => scopes = scopes;
        with_scopes_all(lists: &'static [&'static [&'static str]]) => scopes_all = lists;
        with_cost(cost: u32) => cost = Some(cost);
        with_idempotent(idempotent: bool) => idempotent = Some(idempotent);
        mark_as_reading() => reads = true;
        mark_as_changing() => changes = true;
        mark_as_destructive() => destructive = true;
        mark_as_removed(instead: &'static str) => removed = Some(instead);
        with_rules(rules: &'static [Rule]) => rules = rules;
        with_inputs(own: &'static [Field]) => own = own;
        with_groups(groups: &'static [&'static [Field]]) => with = groups;
        with_inputs_like(like: fn() -> &'static Declaration) => like = Some(like);
        without_inputs(without: &'static [(&'static str, &'static str)]) => without = without;
        with_inputs_when_flat(inputs: &'static [(&'static str, InputValue)]) => when_flat = inputs;
        with_paging(paging: &'static Paging) => paging = Some(paging);
        with_envelope(envelope: &'static Envelope) => envelope = Some(envelope);
        with_record_read_by(read: fn() -> &'static Declaration) => record = Some(read);
        with_list_to_find_in(found_in: FoundIn) => found_in = Some(found_in);
        with_upsert(upsert: &'static Upsert) => upsert = Some(upsert);
    }
}

#[doc(hidden)]
impl FoundIn {
    /// Builds the list in which an action's records are found.
    pub const fn new(list: fn() -> &'static Declaration, since: &'static str, created: &'static str, creator: &'static str) -> Self {
        Self { list, since, created, creator }
    }
}

#[doc(hidden)]
impl SourceDeclaration {
    /// Builds a declaration of a data source from its words, its line and its inputs.
    pub const fn new(
        key: &'static str,
        [label, description]: [&'static str; 2],
        line: &'static str,
        connector: &'static Connector,
        own: &'static [Field],
    ) -> Self {
        Self { key, label, description, line, connector, own }
    }
}

#[doc(hidden)]
impl Derivation {
    /// Builds a derivation from the action that lists the records, the path of a choice's value, and its text.
    pub const fn new(list: fn() -> &'static Declaration, value: &'static str, text: &'static str) -> Self {
        let finding = Finding::AtVendor;
        Self {
            list,
            given: &[],
            search: None,
            term: "term",
            value,
            text,
            finding,
            within: None,
            only: &[],
            except: &[],
            order: &[],
            named: &[],
            me: None,
            read: None,
            exact: None,
        }
    }

    /// Sets the action that searches, and its input that takes the term.
    #[must_use]
    pub const fn with_search(mut self, search: fn() -> &'static Declaration, term: &'static str) -> Self {
        (self.search, self.term) = (Some(search), term);
        self
    }

    setters! {
        with_inputs_given(given: &'static [(&'static str, InputValue)]) => given = given;
        with_finding(finding: Finding) => finding = finding;
        with_parts_within(member: &'static str) => within = Some(member);
        with_members(only: &'static [(&'static str, &'static str)]) => only = only;
        without_members(except: &'static [(&'static str, &'static str)]) => except = except;
        with_order(order: &'static [&'static str]) => order = order;
        with_names(named: &'static [(&'static str, &'static str)]) => named = named;
        with_me(member: &'static str) => me = Some(member);
        with_read(read: fn() -> &'static Declaration) => read = Some(read);
        with_exact(input: &'static str) => exact = Some(input);
    }
}

#[doc(hidden)]
impl Field {
    /// Builds an input from its name, its name on the wire, its place, its sentence and the shape of its value.
    pub const fn new(name: &'static str, wire: &'static str, place: Place, doc: &'static str, shape: FieldShape) -> Self {
        Self {
            name,
            wire,
            place,
            doc,
            source: None,
            accepts: &[],
            source_inputs: &[],
            overrides: &[],
            instead_of: None,
            time_of: None,
            shape,
        }
    }

    /// Sets the data source that offers choices, the words that name one, and which of its inputs are given.
    #[must_use]
    pub const fn with_source(
        mut self,
        key: &'static str,
        accepts: &'static [&'static str],
        inputs: &'static [(&'static str, SourceInput)],
    ) -> Self {
        (self.source, self.accepts, self.source_inputs) = (Some(key), accepts, inputs);
        self
    }

    setters! {
        with_overrides(overrides: &'static [&'static str]) => overrides = overrides;
        with_instead_of(rule: Rule) => instead_of = Some(rule);
        with_time_of(date: &'static str) => time_of = Some(date);
    }
}
