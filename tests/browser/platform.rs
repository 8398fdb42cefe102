//! A small platform with users of its own, that lets the host connect them: by a callback of its own, or by the handle
//! of an install that the host received.

use crate::support::chromium::{Chromium, Person};
use crate::support::platform::Platform;
use crate::support::site::{Site, allow, company, is};

async fn assert_ready(person: &Person, whose: &str) {
    assert_eq!((person.heading().await.as_str(), person.text("#company").await.as_str()), ("Ready", company(whose)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn platform_callback_connects_new_signed_out_and_signed_in_users() {
    let Some(chromium) = Chromium::start() else { return };
    let platform = Platform::start().await;
    let site = Site::behind(&format!("{}/callback", platform.url)).await;
    platform.knows(&site);
    let key = site.served.key("ann");
    let ann = chromium.person().await;
    // New.
    let first = site.install(&ann, 0).await;
    assert_eq!(ann.heading().await, "Who are you?");
    assert!(site.connections(&key).await.is_empty());
    ann.press("#log-in").await;
    assert_eq!(ann.heading().await, "Connect?");
    ann.press("#confirm").await;
    assert_ready(&ann, &first).await;
    // Signed out, another company.
    ann.open(&format!("{}/log-out", platform.url)).await;
    let second = site.install(&ann, site.people(&ann).await - 1).await;
    ann.press("#log-in").await;
    ann.press("#confirm").await;
    assert_ready(&ann, &second).await;
    let both = [is("ACTIVE", company(&first)), is("ACTIVE", company(&second))];
    assert_eq!(site.connections(&key).await, both);
    // Signed in: the same account again is renewed. Then one that begins at the platform, with its own state.
    assert_eq!(site.install(&ann, 0).await, first);
    ann.press("#confirm").await;
    assert_ready(&ann, &first).await;
    ann.open(&format!("{}/connect", platform.url)).await;
    assert_eq!(allow(&ann, 0).await, first);
    assert_ready(&ann, &first).await;
    assert!(ann.address().await.contains("state=word-"), "the state is the platform's");
    assert_eq!(site.connections(&key).await, both);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn platform_confirms_an_install_that_the_host_received() {
    let Some(chromium) = Chromium::start() else { return };
    let platform = Platform::start().await;
    let site = Site::over_https(&["--install-redirect", &format!("{}/setup", platform.url)]).await;
    platform.knows(&site);
    let key = site.served.key("ann");
    let ann = chromium.person().await;
    let whose = site.install(&ann, 0).await;
    assert_eq!(ann.heading().await, "Who are you?");
    ann.press("#log-in").await;
    assert_eq!(ann.text("#whose").await, whose);
    assert_eq!(site.connections(&key).await, [is("PENDING", company(&whose))]);
    ann.press("#confirm").await;
    assert_ready(&ann, &whose).await;
    assert_eq!(site.connections(&key).await, [is("ACTIVE", company(&whose))]);
}
