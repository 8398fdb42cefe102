//! The consent page: a person sees an app's scopes, picks a company and a user, and returns to the app.

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};

use crate::oauth::apps::App;
use crate::oauth::context::Context;
use crate::oauth::form::Form;
use crate::oauth::responses::{Text, build_page, mark_private};
use crate::value::failure::Failure;
use crate::value::record::{Record, read_id, read_text};
use crate::world::contents::World;
use crate::world::grants::{Grantor, Question};

/// Parameters that Pipedrive's authorization refuses, as clients report: it has no PKCE.
const REFUSED_PARAMETERS: &[&str] = &["code_challenge", "code_challenge_method"];

/// An error that is shown as a page. The page never redirects.
#[derive(Debug)]
pub(super) struct PageError {
    status: StatusCode,
    reason: String,
}

impl PageError {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    pub(super) fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    pub(super) fn unknown_app() -> Self {
        Self::new(StatusCode::NOT_FOUND, "App not found: no app has this client id.")
    }

    pub(super) fn stale() -> Self {
        Self::bad_request("This page was answered before, or is too old. Go back to where you started.")
    }

    pub(super) fn to_page(&self) -> Response<Bytes> {
        build_page(self.status, "That did not work", &format!("<p>{}</p>", Text(&self.reason)))
    }
}

impl From<Failure> for PageError {
    fn from(failure: Failure) -> Self {
        Self::new(failure.status, failure.error())
    }
}

/// Shows the consent page of an app.
pub(super) fn show_consent(context: &Context) -> Result<Response<Bytes>, PageError> {
    let query = Form::from_query(context.request).map_err(PageError::bad_request)?;
    let app = context.find_app(query.get("client_id").unwrap_or_default()).ok_or_else(PageError::unknown_app)?;
    let redirect_uri = query.get("redirect_uri").filter(|uri| app.has_redirect_uri(uri));
    let redirect_uri =
        redirect_uri.ok_or_else(|| PageError::bad_request("Invalid redirect URL: it must be one that the app is registered with."))?;
    if let Some(name) = REFUSED_PARAMETERS.iter().find(|name| query.has(name)) {
        return Err(PageError::bad_request(format!("{name} is not supported: leave it out.")));
    }
    let question = Question::Consent {
        client_id: app.client_id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: query.get("state").map(str::to_owned),
    };
    let (token, people) = context.store.write(|world| {
        let token = world.grants_mut().add_question(question, context.seconds());
        Ok::<_, PageError>((token, list_people(world)))
    })?;
    let body = format!(
        "<p><strong>{}</strong> asks for access.</p>\n<form method=\"post\" action=\"/oauth/authorize\">\n\
         <button name=\"decision\" value=\"allow\">Allow</button>\n<button name=\"decision\" value=\"cancel\">Cancel</button>\n{}\n</form>\n\
         <p>It asks for:</p>\n{}",
        Text(&app.name),
        build_choice(&token, &people),
        list_scopes(app),
    );
    Ok(build_page(StatusCode::OK, "Allow access?", &body))
}

/// Handles the answer to a consent page: sends the browser back to the app, with a code or an error.
pub(super) fn handle_consent(context: &Context) -> Result<Response<Bytes>, PageError> {
    let form = Form::from_body(context.request).map_err(PageError::bad_request)?;
    let now = context.seconds();
    let location = context.store.write(|world| {
        let question = world.grants_mut().take_question(form.get("page").unwrap_or_default(), now);
        let Some(Question::Consent { client_id, redirect_uri, state }) = question else {
            return Err(PageError::stale());
        };
        // A process with other apps may have shown the page.
        let app = context.find_app(&client_id).filter(|app| app.has_redirect_uri(&redirect_uri)).ok_or_else(PageError::unknown_app)?;
        let outcome = match form.get("decision") {
            Some("allow") => {
                let by = read_grantor(&form, app)
                    .filter(|by| has_user(world, by))
                    .ok_or_else(|| PageError::bad_request("Pick a company and a user."))?;
                let code = world.grants_mut().issue_code(by, redirect_uri.clone(), app.list_scopes().into(), now);
                (context.on_secret)(&code);
                ("code", code)
            }
            Some("cancel") => ("error", "user_denied".to_owned()),
            _ => return Err(PageError::bad_request("Choose Allow or Cancel.")),
        };
        Ok(add_parameters(&redirect_uri, [Some(outcome), state.map(|state| ("state", state))]))
    })?;
    let mut response = mark_private(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(&location).map_err(|_| PageError::bad_request("The redirect URL does not fit in a header."))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Builds the list of an app's scopes, as markup.
pub(super) fn list_scopes(app: &App) -> String {
    let items: String = app.list_scopes().iter().map(|scope| format!("<li>{}</li>", Text(scope))).collect();
    format!("<ul>{items}</ul>")
}

/// Builds the fields of a form in which a person picks a company and a user.
pub(super) fn build_choice(token: &str, people: &[(String, String)]) -> String {
    let build_radio = |(index, (value, label)): (usize, &(String, String))| {
        let checked = if index == 0 { " checked" } else { "" };
        format!("<label><input type=\"radio\" name=\"account\" value=\"{}\"{checked}> {}</label>\n", Text(value), Text(label))
    };
    let people: String = people.iter().enumerate().map(build_radio).collect();
    format!(
        "<input type=\"hidden\" name=\"page\" value=\"{}\">\n<fieldset>\n<legend>Company and user</legend>\n{people}</fieldset>",
        Text(token)
    )
}

/// Reads the company and the user that a person picked.
pub(super) fn read_grantor(form: &Form, app: &App) -> Option<Grantor> {
    let (company, user) = form.get("account")?.split_once(':')?;
    Some(Grantor { client_id: app.client_id.clone(), company: company.parse().ok()?, user: user.parse().ok()? })
}

/// Lists each user of each company, as options of the choice.
fn list_people(world: &World) -> Vec<(String, String)> {
    world
        .companies()
        .flat_map(|state| state.live("users").filter_map(|user| Some(build_option(state.company(), read_id(user)?, user))))
        .collect()
}

/// Builds an option of the choice: its value and its label.
pub(super) fn build_option(company: u64, user: u64, row: &Record) -> (String, String) {
    let label = format!("{} ({}), {}", read_text(row, "name"), read_text(row, "email"), read_text(row, "company_name"));
    (format!("{company}:{user}"), label)
}

fn has_user(world: &World, by: &Grantor) -> bool {
    world.company(by.company).is_some_and(|state| state.get_live("users", by.user).is_some())
}

fn add_parameters(uri: &str, parameters: [Option<(&str, String)>; 2]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.into_iter().flatten());
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{separator}{}", query.finish())
}
