//! The host's own keys.

use connector_core::ErrorKind;
use connector_core::run::View;
use secrecy::ExposeSecret;

use super::{World, on_both};
use crate::Holder;

on_both!(keys_belong_to_their_holder_until_revoked);

async fn keys_belong_to_their_holder_until_revoked(world: World) {
    let (ann, bob) = (Holder::Owner("ann".to_owned()), Holder::Owner(String::new()));
    let vault = &world.vault;
    let made = vault.create_api_key(&ann, "n8n", None).await.expect("it is created");
    let operator = vault.create_api_key(&Holder::Operator, "ours", Some(View::Flat)).await.expect("it is created");
    let secret = made.secret.expose_secret();
    assert!(secret.starts_with(&made.key.prefix) && secret.len() > made.key.prefix.len() + 32, "the prefix reveals too much");
    let found = vault.find_api_key(secret).await.expect("the key is looked for").expect("it exists");
    assert_eq!((found.holder(), &found), (ann.clone(), &made.key));
    let found = vault.find_api_key(operator.secret.expose_secret()).await.expect("the key is looked for").expect("it exists");
    assert_eq!((found.holder(), found.view, &found), (Holder::Operator, Some(View::Flat), &operator.key));
    for wrong in ["", &made.key.prefix, &secret[..secret.len() - 1], &secret.to_uppercase()] {
        assert_eq!(vault.find_api_key(wrong).await.expect("the key is looked for"), None, "{wrong}");
    }
    assert_eq!(vault.list_api_keys(&ann).await.expect("a list"), std::slice::from_ref(&made.key));
    assert_eq!(vault.list_api_keys(&Holder::Operator).await.expect("a list"), std::slice::from_ref(&operator.key));
    assert!(vault.list_api_keys(&bob).await.expect("a list").is_empty(), "an owner without a name saw the operator's keys");
    for other in [&bob, &Holder::Operator] {
        assert_eq!(vault.revoke_api_key(other, &made.key.id).await.expect_err("it is another owner's").kind(), ErrorKind::NotFound);
    }
    vault.revoke_api_key(&ann, &made.key.id).await.expect("it is revoked");
    assert_eq!(vault.find_api_key(secret).await.expect("the key is looked for"), None);
    world.place.assert_holds_none_of(&[secret, operator.secret.expose_secret()]).await;
}
