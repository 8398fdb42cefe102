//! Consent: a person sees the scopes of an app, picks the company and user, and returns to the app.

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, Response, StatusCode};

use crate::oauth::apps::App;
use crate::oauth::form::Form;
use crate::oauth::responses::{Text, build_page, forbid_caching};
use crate::oauth::visit::Visit;
use crate::value::failure::Failure;
use crate::value::record::{Record, id_of, text};
use crate::world::contents::World;
use crate::world::grants::{Grantor, Question};

/// Parameters that Pipedrive refuses, as clients found: it has no PKCE.
const REFUSED_PARAMETERS: &[&str] = &["code_challenge", "code_challenge_method"];

/// An error page. It has no link to another place.
#[derive(Debug)]
pub(super) struct ErrorPage {
    status: StatusCode,
    reason: String,
}

impl ErrorPage {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    pub(super) fn request(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, reason)
    }

    pub(super) fn no_app() -> Self {
        Self::new(StatusCode::NOT_FOUND, "App not found: no app has this client id.")
    }

    pub(super) fn outdated() -> Self {
        Self::request("This page was answered before, or is too old. Go back to where you started.")
    }

    pub(super) fn into_response(self) -> Response<Bytes> {
        build_page(self.status, "That did not work", &format!("<p>{}</p>", Text(&self.reason)))
    }
}

impl From<Failure> for ErrorPage {
    fn from(failure: Failure) -> Self {
        Self::new(failure.status, failure.error())
    }
}

pub(super) fn ask_consent(visit: &Visit) -> Result<Response<Bytes>, ErrorPage> {
    let query = Form::from_query(visit.request).map_err(ErrorPage::request)?;
    let app = visit.app(query.get("client_id").unwrap_or_default()).ok_or_else(ErrorPage::no_app)?;
    let redirect_uri = query.get("redirect_uri").filter(|uri| app.has_redirect_uri(uri));
    let redirect_uri =
        redirect_uri.ok_or_else(|| ErrorPage::request("Invalid redirect URL: it must be the one that the app is registered with."))?;
    if let Some(name) = REFUSED_PARAMETERS.iter().find(|name| query.has(name)) {
        return Err(ErrorPage::request(format!("{name} is not known here.")));
    }
    let question = Question::Consent {
        client_id: app.client_id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: query.get("state").map(str::to_owned),
    };
    let (token, people) = visit.kept.write(|world| {
        let token = world.grants_mut().ask(question, visit.seconds());
        Ok::<_, ErrorPage>((token, list_people(world)))
    })?;
    let body = format!(
        "<p><strong>{}</strong> asks for access to:</p>\n{}\n<form method=\"post\" action=\"/oauth/authorize\">\n{}\n\
         <button name=\"decision\" value=\"allow\">Allow</button>\n<button name=\"decision\" value=\"cancel\">Cancel</button>\n</form>",
        Text(&app.name),
        list_scopes(app),
        build_choice(&token, &people),
    );
    Ok(build_page(StatusCode::OK, "Allow access?", &body))
}

pub(super) fn take_consent(visit: &Visit) -> Result<Response<Bytes>, ErrorPage> {
    let form = Form::from_body(visit.request).map_err(ErrorPage::request)?;
    let now = visit.seconds();
    let location = visit.kept.write(|world| {
        let question = world.grants_mut().take_question(form.get("page").unwrap_or_default(), now);
        let Some(Question::Consent { client_id, redirect_uri, state }) = question else {
            return Err(ErrorPage::outdated());
        };
        // Another process on the same file may have other apps.
        let app = visit.app(&client_id).filter(|app| app.has_redirect_uri(&redirect_uri)).ok_or_else(ErrorPage::no_app)?;
        let outcome = match form.get("decision") {
            Some("allow") => {
                let by = read_grantor(&form, app)
                    .filter(|by| exists(world, by))
                    .ok_or_else(|| ErrorPage::request("Pick a company and a user."))?;
                let code = world.grants_mut().allow(by, redirect_uri.clone(), app.scopes_to_grant(), now);
                (visit.on_secret)(&code);
                ("code", code)
            }
            Some("cancel") => ("error", "user_denied".to_owned()),
            _ => return Err(ErrorPage::request("Allow or cancel.")),
        };
        Ok(add_parameters(&redirect_uri, [Some(outcome), state.map(|state| ("state", state))]))
    })?;
    let mut response = forbid_caching(Response::new(Bytes::new()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::from_str(&location).map_err(|_| ErrorPage::request("The redirect URL cannot be sent in a header."))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

pub(super) fn list_scopes(app: &App) -> String {
    let items: String = app.scopes_to_grant().iter().map(|scope| format!("<li>{}</li>", Text(scope))).collect();
    format!("<ul>{items}</ul>")
}

/// Builds the form fields for a page's token and for the choice of company and user.
pub(super) fn build_choice(token: &str, people: &[(String, String)]) -> String {
    let one = |(place, (value, label)): (usize, &(String, String))| {
        let checked = if place == 0 { " checked" } else { "" };
        format!("<label><input type=\"radio\" name=\"account\" value=\"{}\"{checked}> {}</label>\n", Text(value), Text(label))
    };
    let people: String = people.iter().enumerate().map(one).collect();
    format!(
        "<input type=\"hidden\" name=\"page\" value=\"{}\">\n<fieldset>\n<legend>Company and user</legend>\n{people}</fieldset>",
        Text(token)
    )
}

/// Reads the company and the user that the person picked.
pub(super) fn read_grantor(form: &Form, app: &App) -> Option<Grantor> {
    let (company, user) = form.get("account")?.split_once(':')?;
    Some(Grantor { client_id: app.client_id.clone(), company: company.parse().ok()?, user: user.parse().ok()? })
}

/// Lists each user of each company, as a choice.
fn list_people(world: &World) -> Vec<(String, String)> {
    world
        .companies()
        .flat_map(|state| state.live("users").filter_map(|user| Some(label_person(state.company(), id_of(user)?, user))))
        .collect()
}

/// Builds the value and the label of a choice.
pub(super) fn label_person(company: u64, user: u64, row: &Record) -> (String, String) {
    let label = format!("{} ({}), {}", text(row, "name"), text(row, "email"), text(row, "company_name"));
    (format!("{company}:{user}"), label)
}

fn exists(world: &World, by: &Grantor) -> bool {
    world.company(by.company).is_some_and(|state| state.get_live("users", by.user).is_some())
}

fn add_parameters(uri: &str, parameters: [Option<(&str, String)>; 2]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters.into_iter().flatten());
    let joint = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{joint}{}", query.finish())
}
