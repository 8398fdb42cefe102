//! Sign-in of people in a browser.

use std::time::Duration;

use secrecy::ExposeSecret;

use super::{World, on_both};

on_both!(a_link_signs_in_once_and_a_session_ends);

async fn a_link_signs_in_once_and_a_session_ends(world: World) {
    let vault = &world.vault;
    let link = vault.create_sign_in_link("ann").await.expect("a link");
    let link = link.expose_secret();
    assert_eq!(vault.check_sign_in_link(link).await.expect("it is looked up").as_deref(), Some("ann"));
    assert_eq!(vault.check_session(link).await.expect("it is looked up"), None, "a link was accepted as a session");
    let (owner, session) = vault.sign_in(link).await.expect("it is looked up").expect("the link is valid");
    let session = session.expose_secret();
    assert_eq!((owner.as_str(), vault.check_session(session).await.expect("it is looked up").as_deref()), ("ann", Some("ann")));
    assert!(vault.sign_in(link).await.expect("it is looked up").is_none(), "a link opened twice");
    assert!(vault.sign_in(session).await.expect("it is looked up").is_none(), "a session was accepted as a link");
    world.place.assert_holds_none_of(&[link, session]).await;
    vault.sign_out(session).await.expect("it ends");
    assert_eq!(vault.check_session(session).await.expect("it is looked up"), None);

    let (link, other) = (vault.create_sign_in_link("ann").await.expect("a link"), vault.create_sign_in_link("ann").await.expect("a link"));
    let (_, session) = vault.sign_in(other.expose_secret()).await.expect("it is looked up").expect("the link is valid");
    world.clock.advance(Duration::from_mins(16));
    assert_eq!(
        vault.check_sign_in_link(link.expose_secret()).await.expect("it is looked up"),
        None,
        "a link was valid for longer than a quarter of an hour"
    );
    world.clock.advance(Duration::from_hours(12));
    vault.sweep().await.expect("the sweep runs");
    assert_eq!(
        vault.check_session(session.expose_secret()).await.expect("it is looked up"),
        None,
        "a session lasted longer than half a day"
    );
}
