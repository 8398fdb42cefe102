//! The marketplace, where a person installs and uninstalls an app without visiting it.

use bytes::Bytes;
use http::{Response, StatusCode};
use percent_encoding::percent_decode_str;

use crate::oauth::apps::App;
use crate::oauth::form::Form;
use crate::oauth::notice;
use crate::oauth::pages::{ErrorPage, build_choice, label_person, list_scopes, read_grantor};
use crate::oauth::responses::{Text, build_page};
use crate::oauth::visit::Visit;
use crate::world::grants::{Grantor, Install, Question};

/// Shows an app. Its link leads to the same consent as the app's own, but without a `state`.
pub(super) fn show(visit: &Visit, client_id: &str) -> Result<Response<Bytes>, ErrorPage> {
    let app = find_app(visit, client_id)?;
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", &app.client_id).append_pair("redirect_uri", app.callback());
    let body = format!(
        "<p>This app asks for access to:</p>\n{}\n<p><a href=\"/oauth/authorize?{}\">Install</a></p>\n\
         <p><a href=\"/marketplace/{}/uninstall\">Uninstall</a></p>",
        list_scopes(app),
        Text(&query.finish()),
        Text(client_id),
    );
    Ok(build_page(StatusCode::OK, &app.name, &body))
}

pub(super) fn ask_uninstall(visit: &Visit, client_id: &str) -> Result<Response<Bytes>, ErrorPage> {
    let app = find_app(visit, client_id)?;
    let question = Question::Uninstall { client_id: app.client_id.clone() };
    let (token, people) = visit.kept.write(|world| {
        let token = world.grants_mut().ask(question, visit.seconds());
        let installs = world.grants().installs_of(&app.client_id, visit.seconds());
        let row = |by: &Grantor| world.company(by.company)?.get("users", by.user);
        let people: Vec<_> = installs.filter_map(|Install { by, .. }| Some(label_person(by.company, by.user, row(by)?))).collect();
        Ok::<_, ErrorPage>((token, people))
    })?;
    let body = if people.is_empty() {
        "<p>Nobody has this app installed.</p>".to_owned()
    } else {
        format!(
            "<p>The app loses its access, and is told so.</p>\n<form method=\"post\" action=\"/marketplace/{}/uninstall\">\n{}\n\
             <button>Uninstall</button>\n</form>",
            Text(client_id),
            build_choice(&token, &people),
        )
    };
    Ok(build_page(StatusCode::OK, &format!("Uninstall {}", app.name), &body))
}

pub(super) fn uninstall(visit: &Visit, client_id: &str) -> Result<Response<Bytes>, ErrorPage> {
    let app = find_app(visit, client_id)?;
    let form = Form::from_body(visit.request).map_err(ErrorPage::request)?;
    let by = visit.kept.write(|world| {
        let question = world.grants_mut().take_question(form.get("page").unwrap_or_default(), visit.seconds());
        if question != Some(Question::Uninstall { client_id: app.client_id.clone() }) {
            return Err(ErrorPage::outdated());
        }
        let by: Option<Grantor> = read_grantor(&form, app).filter(|by| world.grants_mut().uninstall(by));
        by.ok_or_else(|| ErrorPage::request("This user does not have the app installed."))
    })?;
    let report = match notice::send(app, &by, visit.now) {
        Ok(status) => format!("Its callback was told, and answered {status}."),
        Err(reason) => format!("Its callback was not told: {reason}."),
    };
    let body = format!("<p>{} has no access any more.</p>\n<p>{}</p>", Text(&app.name), Text(&report));
    Ok(build_page(StatusCode::OK, "Uninstalled", &body))
}

fn find_app<'a>(visit: &'a Visit, client_id: &str) -> Result<&'a App, ErrorPage> {
    visit.app(&percent_decode_str(client_id).decode_utf8_lossy()).ok_or_else(ErrorPage::no_app)
}
