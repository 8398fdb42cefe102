//! Faults of lists and searches.

use super::FaultyServer;
use crate::tests::list_ids;

#[tokio::test]
async fn duplicate_page_comes_again_and_goes_on() {
    let server = FaultyServer::start("duplicate-page=#1").await;
    let (mut path, mut pages) = ("/api/v2/deals?limit=50".to_owned(), Vec::new());
    loop {
        let answer = server.get(&path).await.json();
        pages.push(list_ids(&answer["data"]));
        let Some(next) = answer["additional_data"]["next_cursor"].as_str() else { break };
        path = format!("/api/v2/deals?limit=50&cursor={next}");
    }
    assert_eq!(pages[1], pages[2], "the second page should come twice");
    pages.remove(1);
    let all = list_ids(&crate::tests::get_data(&server.sandbox, "/api/v2/deals?limit=500"));
    assert_eq!(pages.concat(), all);
}

#[tokio::test]
async fn duplicate_page_by_start_names_itself_as_the_next() {
    let server = FaultyServer::start("duplicate-page=#1").await;
    let page = |start: u64| format!("/api/v1/notes?limit=5&start={start}");
    let answer = server.get(&page(5)).await.json();
    let pagination = &answer["additional_data"]["pagination"];
    assert_eq!((&pagination["next_start"], &pagination["more_items_in_collection"]), (&5.into(), &true.into()), "{answer}");
    let again = server.get(&page(5)).await.json();
    assert_eq!((list_ids(&again["data"]), &again["additional_data"]["pagination"]["next_start"]), (list_ids(&answer["data"]), &10.into()));
}

#[tokio::test]
async fn cursor_expires_on_the_way() {
    let server = FaultyServer::start("expired-cursor=always").await;
    let first = server.get("/api/v2/deals?limit=50").await.json();
    let next = first["additional_data"]["next_cursor"].as_str().expect("there are more deals");
    let answer = server.get(&format!("/api/v2/deals?limit=50&cursor={next}")).await;
    assert_eq!((answer.status(), answer.fault()), (400, Some("expired-cursor")));
    let error = answer.json()["error"].to_string();
    assert!(error.contains("cursor: has expired"), "{error}");
}

#[tokio::test]
async fn search_lags_behind_writes() {
    let server = FaultyServer::start("search-lag=always:10s").await;
    server.create_deal("Latecomer").await;
    let search = async |term: &str| {
        let answer = server.get(&format!("/api/v2/deals/search?term={term}")).await.json();
        answer["data"]["items"].as_array().map_or_else(|| panic!("no items in {answer}"), Vec::len)
    };
    assert_eq!(search("Latecomer").await, 0, "a new deal should not be found yet");
    assert!(search("website").await > 0, "older deals should be found");
    assert_eq!(server.count_deals("Latecomer"), 1, "lists should have it");
    server.advance(10_000);
    assert_eq!(search("Latecomer").await, 1);
}
