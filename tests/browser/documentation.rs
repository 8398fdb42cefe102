//! The documentation as a site, as people search it.

use std::process::Command;

use crate::support::chromium::Chromium;
use crate::support::repository::path;

#[tokio::test]
async fn search_of_the_documentation_leads_to_the_recipe() {
    let Some(chromium) = Chromium::start() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = folder.path().join("site");
    let built = Command::new(path(".ci/site.py")).arg(&site).output().expect("Python runs");
    assert!(built.status.success(), "the site is not built:\n{}", String::from_utf8_lossy(&built.stderr));
    let reader = chromium.open_browser().await;
    for (words, heading) in [("custom+field", "Custom fields"), ("addDeal", "Deals")] {
        reader.open(&format!("file://{}/index.html?search={words}", site.display())).await;
        reader.press("#mdbook-searchresults li a").await;
        assert_eq!(reader.text("main h1").await, heading, "the first result for {words} is {}", reader.address().await);
    }
}
