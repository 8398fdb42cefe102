//! People in a browser.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{World, on_both};

on_both!(a_link_signs_in_once_and_a_session_ends);

async fn a_link_signs_in_once_and_a_session_ends(world: World) {
    let vault = &world.vault;
    let link = vault.create_sign_in_link("ann").await.expect("a link");
    let link = link.expose_secret();
    assert_eq!(vault.check_sign_in_link(link).await.expect("asked").as_deref(), Some("ann"));
    assert_eq!(vault.check_session(link).await.expect("asked"), None, "a link is no session");
    let (owner, session) = vault.sign_in(link).await.expect("asked").expect("it is good");
    let session = session.expose_secret();
    assert_eq!((owner.as_str(), vault.check_session(session).await.expect("asked").as_deref()), ("ann", Some("ann")));
    assert!(vault.sign_in(link).await.expect("asked").is_none(), "a link opens once");
    assert!(vault.sign_in(session).await.expect("asked").is_none(), "a session is no link");
    world.place.holds_none_of(&[link, session]).await;
    vault.sign_out(session).await.expect("ended");
    assert_eq!(vault.check_session(session).await.expect("asked"), None);

    let (link, other) = (vault.create_sign_in_link("ann").await.expect("a link"), vault.create_sign_in_link("ann").await.expect("a link"));
    let (_, session) = vault.sign_in(other.expose_secret()).await.expect("asked").expect("it is good");
    world.clock.advance(Duration::from_mins(16));
    assert_eq!(vault.check_sign_in_link(link.expose_secret()).await.expect("asked"), None, "a link is good for a quarter of an hour");
    world.clock.advance(Duration::from_hours(12));
    vault.sweep().await.expect("swept");
    assert_eq!(vault.check_session(session.expose_secret()).await.expect("asked"), None, "a session lasts half a day");
}
