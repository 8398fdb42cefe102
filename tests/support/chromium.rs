//! Chromium under ChromeDriver: each person has their own browser, and all end with the test.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// The variable that names the ChromeDriver.
const DRIVER: &str = "CONNECTOR_TEST_BROWSER";

/// Flags that keep Chromium from the network and from the settings of this machine.
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

/// The longest wait for a page, on a busy machine.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The interval at which an element is looked for.
const INTERVAL: Duration = Duration::from_millis(20);

pub(crate) struct Chromium {
    driver: Child,
    url: String,
    /// The folder of profiles.
    _folder: tempfile::TempDir,
}

/// A person with a browser of their own.
pub(crate) struct Person(Client);

impl Chromium {
    /// Starts ChromeDriver. Without one, reports that the test is skipped.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = std::env::var_os(DRIVER) else {
            #[expect(clippy::print_stderr, reason = "a skipped test must be visible")]
            {
                eprintln!("skipped: {DRIVER} names no ChromeDriver");
            }
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(&program);
        // The browsers are child processes that outlive the driver: a group ends them together.
        command.arg("--port=0").env("TMPDIR", folder.path()).process_group(0).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().unwrap_or_else(|error| panic!("{DRIVER}, {}: {error}", program.display()));
        let lines = BufReader::new(driver.stdout.take().expect("stdout is piped")).lines().map_while(Result::ok);
        let port =
            { lines }.find_map(|line| line.split_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned()));
        Some(Self { driver, url: format!("http://127.0.0.1:{}", port.expect("ChromeDriver prints its port")), _folder: folder })
    }

    pub(crate) async fn open_browser(&self) -> Person {
        let capabilities = json!({"acceptInsecureCerts": true, "goog:chromeOptions": {"args": FLAGS}});
        let capabilities = capabilities.as_object().expect("capabilities are an object").clone();
        let client = ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&self.url).await;
        Person(client.expect("Chromium starts"))
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

    pub(crate) async fn resize_window(&self, width: u32, height: u32) {
        self.0.set_window_size(width, height).await.expect("a window has a size");
    }

    /// Checks that an element is seen whole without scrolling.
    pub(crate) async fn is_in_view(&self, css: &str) -> bool {
        self.find(css).await;
        let script = "const place = document.querySelector(arguments[0]).getBoundingClientRect(); return place.top >= 0 && place.bottom <= innerHeight;";
        self.0.execute(script, vec![json!(css)]).await.expect("the page is measured") == json!(true)
    }

    /// Presses a button or a link, and waits until another page is shown.
    pub(crate) async fn press(&self, css: &str) {
        let page = self.find("html").await;
        self.click(css).await;
        let is_replaced = async { while page.tag_name().await.is_ok() {} };
        assert!(
            tokio::time::timeout(TIMEOUT, is_replaced).await.is_ok(),
            "{css} must lead to another page from {}",
            self.describe_page().await
        );
    }

    /// Clicks an element that leads to no other page.
    pub(crate) async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.expect("the element has a text")
    }

    async fn find(&self, css: &str) -> Element {
        let element = self.0.wait().at_most(TIMEOUT).every(INTERVAL).for_element(Locator::Css(css)).await;
        match element {
            Ok(element) => element,
            Err(error) => panic!("there is no {css} on {}\n{error}", self.describe_page().await),
        }
    }

    pub(crate) async fn count(&self, css: &str) -> usize {
        self.0.find_all(Locator::Css(css)).await.expect("the page can be searched").len()
    }

    pub(crate) async fn heading(&self) -> String {
        self.text("h1").await
    }

    /// Returns the URL of the page with its query.
    pub(crate) async fn address(&self) -> String {
        self.0.current_url().await.expect("a page is shown").to_string()
    }

    pub(crate) async fn cookie(&self, name: &str) -> Option<fantoccini::cookies::Cookie<'static>> {
        self.0.get_named_cookie(name).await.ok()
    }

    /// Adds a cookie, as if the page that is shown had set it.
    pub(crate) async fn add_cookie(&self, name: &str, value: &str) {
        let cookie = fantoccini::cookies::Cookie::build((name.to_owned(), value.to_owned()))
            .domain("127.0.0.1")
            .path("/")
            .secure(true)
            .http_only(true);
        self.0.add_cookie(cookie.into()).await.expect("the browser takes the cookie");
    }

    async fn describe_page(&self) -> String {
        let page = self.0.source().await.unwrap_or_default();
        format!("{}:\n{page}", self.address().await)
    }
}
