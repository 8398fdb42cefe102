//! A platform whose users connect through the host.

use crate::support::chromium::{Chromium, Person};
use crate::support::platform::Platform;
use crate::support::site::{Site, allow_access, company_name, summarize};

/// Checks that the platform shows the company of an account.
async fn assert_ready(person: &Person, account: &str) {
    assert_eq!((person.heading().await.as_str(), person.text("#company").await.as_str()), ("Ready", company_name(account)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn platform_callback_connects_new_signed_out_and_signed_in_users() {
    let Some(chromium) = Chromium::start() else { return };
    let platform = Platform::start().await;
    let site = Site::start_behind_platform(&format!("{}/callback", platform.url)).await;
    platform.use_host(&site);
    let key = site.server.create_key("ann");
    let ann = chromium.open_browser().await;
    // A new user.
    let first = site.install(&ann, 0).await;
    assert_eq!(ann.heading().await, "Who are you?");
    assert!(site.read_connections(&key).await.is_empty());
    ann.press("#log-in").await;
    assert_eq!(ann.heading().await, "Connect?");
    ann.press("#confirm").await;
    assert_ready(&ann, &first).await;
    // A signed-out user with another company.
    ann.open(&format!("{}/log-out", platform.url)).await;
    let second = site.install(&ann, site.count_accounts(&ann).await - 1).await;
    ann.press("#log-in").await;
    ann.press("#confirm").await;
    assert_ready(&ann, &second).await;
    let both = [summarize("ACTIVE", &first), summarize("ACTIVE", &second)];
    assert_eq!(site.read_connections(&key).await, both);
    // A signed-in user renews the first account. Then the platform begins, with its own state.
    assert_eq!(site.install(&ann, 0).await, first);
    ann.press("#confirm").await;
    assert_ready(&ann, &first).await;
    ann.open(&format!("{}/connect", platform.url)).await;
    assert_eq!(allow_access(&ann, 0).await, first);
    assert_ready(&ann, &first).await;
    assert!(ann.address().await.contains("state=word-"), "use the state of the platform");
    assert_eq!(site.read_connections(&key).await, both);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn platform_confirms_an_install_that_the_host_received() {
    let Some(chromium) = Chromium::start() else { return };
    let platform = Platform::start().await;
    let site = Site::start_over_https(&["--install-redirect", &format!("{}/setup", platform.url)]).await;
    platform.use_host(&site);
    let key = site.server.create_key("ann");
    let ann = chromium.open_browser().await;
    let account = site.install(&ann, 0).await;
    assert_eq!(ann.heading().await, "Who are you?");
    ann.press("#log-in").await;
    assert_eq!(ann.text("#account").await, account);
    assert_eq!(site.read_connections(&key).await, [summarize("PENDING", &account)]);
    ann.press("#confirm").await;
    assert_ready(&ann, &account).await;
    assert_eq!(site.read_connections(&key).await, [summarize("ACTIVE", &account)]);
}
