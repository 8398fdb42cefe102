//! The marketplace: pages to install an app without visiting it first, and to uninstall it without its help.

use bytes::Bytes;
use http::{Response, StatusCode};
use percent_encoding::percent_decode_str;

use crate::oauth::apps::App;
use crate::oauth::context::Context;
use crate::oauth::form::Form;
use crate::oauth::notice;
use crate::oauth::pages::{PageError, build_choice, build_option, list_scopes, read_grantor};
use crate::oauth::responses::{Text, build_page};
use crate::world::grants::{Grantor, Install, Question};

/// Shows the page of an app. Its link leads to the consent page without a `state`, which only the app could set.
pub(super) fn show_app(context: &Context, client_id: &str) -> Result<Response<Bytes>, PageError> {
    let app = find_app(context, client_id)?;
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

/// Shows the page that asks who uninstalls an app.
pub(super) fn show_uninstall(context: &Context, client_id: &str) -> Result<Response<Bytes>, PageError> {
    let app = find_app(context, client_id)?;
    let question = Question::Uninstall { client_id: app.client_id.clone() };
    let (token, people) = context.store.write(|world| {
        let token = world.grants_mut().add_question(question, context.seconds());
        let installs = world.grants().list_installs(&app.client_id, context.seconds());
        let find_row = |by: &Grantor| world.company(by.company)?.get("users", by.user);
        let people: Vec<_> = installs.filter_map(|Install { by, .. }| Some(build_option(by.company, by.user, find_row(by)?))).collect();
        Ok::<_, PageError>((token, people))
    })?;
    let body = if people.is_empty() {
        "<p>Nobody has this app installed.</p>".to_owned()
    } else {
        format!(
            "<p>The app loses its access, and gets a notice.</p>\n<form method=\"post\" action=\"/marketplace/{}/uninstall\">\n{}\n\
             <button>Uninstall</button>\n</form>",
            Text(client_id),
            build_choice(&token, &people),
        )
    };
    Ok(build_page(StatusCode::OK, &format!("Uninstall {}", app.name), &body))
}

/// Uninstalls an app, sends it a notice, and shows the outcome.
pub(super) fn uninstall(context: &Context, client_id: &str) -> Result<Response<Bytes>, PageError> {
    let app = find_app(context, client_id)?;
    let form = Form::from_body(context.request).map_err(PageError::bad_request)?;
    let by = context.store.write(|world| {
        let question = world.grants_mut().take_question(form.get("page").unwrap_or_default(), context.seconds());
        if question != Some(Question::Uninstall { client_id: app.client_id.clone() }) {
            return Err(PageError::stale());
        }
        let by: Option<Grantor> = read_grantor(&form, app).filter(|by| world.grants_mut().uninstall(by));
        by.ok_or_else(|| PageError::bad_request("This user does not have the app installed."))
    })?;
    let outcome = match notice::send(app, &by, context.now) {
        Ok(status) => format!("Its callback got a notice, and answered {status}."),
        Err(reason) => format!("Its callback got no notice: {reason}."),
    };
    let body = format!("<p>{} no longer has access.</p>\n<p>{}</p>", Text(&app.name), Text(&outcome));
    Ok(build_page(StatusCode::OK, "Uninstalled", &body))
}

fn find_app<'a>(context: &'a Context, client_id: &str) -> Result<&'a App, PageError> {
    context.find_app(&percent_decode_str(client_id).decode_utf8_lossy()).ok_or_else(PageError::unknown_app)
}
