//! Chromium, as people use it: each has a browser of their own, and all end with the test.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// Names the ChromeDriver to use.
const DRIVER: &str = "CONNECTOR_TEST_BROWSER";

/// Without the network of its own accord, and with nothing of this machine's.
const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// How long a page may take, on a machine that has much to do.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked for.
const POLL: Duration = Duration::from_millis(20);

pub(crate) struct Chromium {
    driver: Child,
    url: String,
    /// Profiles lie here.
    _folder: tempfile::TempDir,
}

/// Somebody at a browser.
pub(crate) struct Person(Client);

impl Chromium {
    /// Where there is a driver; else the test says that it did not run.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = std::env::var_os(DRIVER) else {
            #[expect(clippy::print_stderr, reason = "a test that did not run says so")]
            {
                eprintln!("skipped: {DRIVER} names no ChromeDriver");
            }
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(&program);
        // A group of its own: the browsers are processes of the driver's, and do not end with it.
        command.arg("--port=0").env("TMPDIR", folder.path()).process_group(0).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().unwrap_or_else(|error| panic!("{DRIVER}, {}: {error}", program.display()));
        let lines = BufReader::new(driver.stdout.take().expect("stdout is piped")).lines().map_while(Result::ok);
        let port =
            { lines }.find_map(|line| line.split_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned()));
        Some(Self { driver, url: format!("http://127.0.0.1:{}", port.expect("it says its port")), _folder: folder })
    }

    pub(crate) async fn person(&self) -> Person {
        let capabilities = json!({"acceptInsecureCerts": true, "goog:chromeOptions": {"args": FLAGS}});
        let capabilities = capabilities.as_object().expect("an object").clone();
        let client = ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&self.url).await;
        Person(client.expect("the browser starts"))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.driver.id())]).status();
        let _ = self.driver.wait();
    }
}

impl Person {
    pub(crate) async fn open(&self, url: &str) {
        self.0.goto(url).await.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// Presses a button or a link, and waits until the page is gone.
    pub(crate) async fn press(&self, css: &str) {
        let page = self.found("html").await;
        self.choose(css).await;
        let gone = async { while page.tag_name().await.is_ok() {} };
        assert!(tokio::time::timeout(PATIENCE, gone).await.is_ok(), "{css} leads nowhere from {}", self.shown().await);
    }

    /// Clicks what leads nowhere.
    pub(crate) async fn choose(&self, css: &str) {
        self.found(css).await.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.found(css).await.text().await.expect("it has a text")
    }

    async fn found(&self, css: &str) -> Element {
        let found = self.0.wait().at_most(PATIENCE).every(POLL).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("there is no {css} on {}\n{error}", self.shown().await),
        }
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.0.find_all(Locator::Css(css)).await.expect("the page is there").len()
    }

    /// The heading of the page.
    pub(crate) async fn heading(&self) -> String {
        self.text("h1").await
    }

    /// Where the browser is, with what the address tells.
    pub(crate) async fn address(&self) -> String {
        self.0.current_url().await.expect("it is somewhere").to_string()
    }

    pub(crate) async fn cookie(&self, name: &str) -> Option<fantoccini::cookies::Cookie<'static>> {
        self.0.get_named_cookie(name).await.ok()
    }

    /// Puts a cookie into the browser, as if the page that is shown had set it.
    pub(crate) async fn plant(&self, name: &str, value: &str) {
        let cookie = fantoccini::cookies::Cookie::build((name.to_owned(), value.to_owned()))
            .domain("127.0.0.1")
            .path("/")
            .secure(true)
            .http_only(true);
        self.0.add_cookie(cookie.into()).await.expect("the cookie is taken");
    }

    async fn shown(&self) -> String {
        let page = self.0.source().await.unwrap_or_default();
        format!("{}:\n{page}", self.address().await)
    }
}
