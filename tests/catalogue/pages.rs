//! Lists read whole, over each way to page of the catalogue.

use connector_core::declare::Declaration;
use connector_core::run::{Invocation, Runtime, View};
use serde_json::{Value, json};

use crate::support::repository::{build_catalogue, read_json};
use crate::support::runtime::{build_sandbox_runtime, run};
use crate::support::sandbox::sandbox_options;

/// Returns the records of an outcome, in whatever list they stand.
pub(super) fn records(outcome: &Value) -> &Vec<Value> {
    let data = &outcome["data"];
    data.as_array()
        .or_else(|| data["items"].as_array())
        .or_else(|| data["results"].as_array())
        .unwrap_or_else(|| panic!("no list: {outcome}"))
}

/// Reads a list page by page. Returns the records of each page.
pub(super) async fn read_singly(runtime: &Runtime, key: &str, input: &Value, view: View) -> Vec<Value> {
    let (mut input, mut all) = (input.clone(), Vec::new());
    loop {
        let outcome = run(runtime, Invocation::new(key).input(input.clone()).view(view)).await;
        all.extend(records(&outcome).iter().cloned());
        if outcome["page"]["complete"] == true {
            return all;
        }
        input["cursor"] = outcome["page"]["next"].clone();
    }
}

pub(super) fn with_limit(input: &Value, limit: usize) -> Value {
    let mut input = input.clone();
    input["limit"] = limit.into();
    input
}

/// Lists the actions that page, with the greatest page size and an input for each.
pub(super) fn list_paged() -> Vec<(&'static Declaration, usize, Value)> {
    let catalogue = build_catalogue();
    let paged: Vec<&'static Declaration> =
        catalogue.actions().filter(|action| action.paging().is_some() && action.removed.is_none()).collect();
    let greatest = |key: &str| {
        let schema = catalogue.find(None, key).expect("the key is known").input_schema();
        usize::try_from(schema["properties"]["limit"]["maximum"].as_u64().unwrap_or_else(|| panic!("{key} has a greatest page")))
            .expect("it is small")
    };
    let input = |key: &str| {
        let mut input = read_json(&format!("tests/fixtures/pipedrive/{key}.json"))["input"].clone();
        for page in ["limit", "cursor", "start"] {
            input.as_object_mut().expect("an input is an object").remove(page);
        }
        input
    };
    paged.into_iter().map(|action| (action, greatest(action.key), input(action.key))).collect()
}

#[tokio::test]
async fn each_list_returns_each_record_once_over_all_page_sizes() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    let paged = list_paged();
    assert!(paged.len() > 40, "the catalogue has more lists than {}", paged.len());
    let mut several = 0;
    for (action, greatest, input) in paged {
        let key = action.key;
        let whole = read_singly(&runtime, key, &with_limit(&input, greatest), View::Record).await;
        for size in [1, 2, whole.len().clamp(1, greatest), greatest] {
            let call = || Invocation::new(key).input(with_limit(&input, size));
            let outcome = run(&runtime, call().all_pages(None)).await;
            assert_eq!(outcome["ok"], true, "{key} in pages of {size}: {outcome}");
            assert_eq!(records(&outcome), &whole, "{key} in pages of {size}");
            let page = json!({"count": whole.len(), "complete": true, "next": null});
            assert_eq!(outcome["page"], page, "{key} in pages of {size}");
            several += u64::from(outcome["meta"]["requests"].as_u64() > Some(1));
            // A part of the list, and the rest by its cursor.
            let most = whole.len() / 2;
            if most > 0 {
                let part = run(&runtime, call().all_pages(most as u64)).await;
                assert_eq!(records(&part).as_slice(), &whole[..most], "{key} in pages of {size}");
                assert_eq!((&part["page"]["count"], &part["page"]["complete"]), (&json!(most), &json!(false)), "{key} in pages of {size}");
                let mut rest = with_limit(&input, greatest);
                rest["cursor"] = part["page"]["next"].clone();
                let rest = read_singly(&runtime, key, &rest, View::Record).await;
                assert_eq!(rest.as_slice(), &whole[most..], "{key}: `next` goes on where the records end");
            }
        }
    }
    assert!(several > 50, "most lists have several pages, and {several} did");
}

#[tokio::test]
async fn flat_view_is_that_of_the_single_pages() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for (key, input, limit) in [
        ("getDeals", json!({}), 50),
        ("getNotes", json!({}), 3),
        ("searchDeals", json!({"term": "a a", "fields": ["title"]}), 2),
        ("getMailThreads", json!({"folder": "inbox"}), 2),
    ] {
        let input = with_limit(&input, limit);
        let singly = read_singly(&runtime, key, &input, View::Flat).await;
        let outcome = run(&runtime, Invocation::new(key).input(input).view(View::Flat).all_pages(None)).await;
        assert_eq!(records(&outcome), &singly, "{key}");
        let page = &outcome["data"];
        assert_eq!((&page["hasMore"], &page["nextCursor"], &page["nextStart"]), (&json!(false), &json!(null), &json!(null)), "{key}");
        assert_eq!(outcome["page"]["count"], singly.len(), "{key}");
    }
}

#[tokio::test]
async fn data_sources_are_read_whole_too() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for input in [json!({"limit": 40}), json!({"limit": 1, "search": "Heron"})] {
        let singly = read_singly(&runtime, "selectDeal", &input, View::Record).await;
        let outcome = run(&runtime, Invocation::new("selectDeal").input(input.clone()).all_pages(None)).await;
        assert_eq!((records(&outcome), &outcome["page"]["complete"]), (&singly, &json!(true)), "{input}");
        let some = run(&runtime, Invocation::new("selectDeal").input(input).all_pages(2)).await;
        assert_eq!(some["page"]["count"], singly.len().min(2), "{some}");
    }
}

#[tokio::test]
async fn last_page_asks_only_for_what_is_left() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for (input, most, requests) in [
        (json!({"limit": 4}), 10, 3),
        // A limit that is left out is the greatest.
        (json!({}), 10, 1),
        (json!({"limit": 10}), 10, 1),
    ] {
        let outcome = run(&runtime, Invocation::new("getDeals").input(input.clone()).all_pages(most)).await;
        assert_eq!((&outcome["page"]["count"], &outcome["meta"]["requests"]), (&json!(most), &json!(requests)), "{input}: {outcome}");
        assert_eq!(outcome["meta"]["tokens"], requests * 10, "the cost is that of all pages");
        assert_eq!(outcome["meta"]["attempts"], requests, "each page is an attempt");
        let next = outcome["page"]["next"].clone();
        let following = run(&runtime, Invocation::new("getDeals").input(json!({"cursor": next, "limit": 1}))).await;
        assert_eq!(following["data"][0]["id"], 11, "{following}");
    }
}

#[tokio::test]
async fn related_objects_of_all_pages_are_merged() {
    let runtime = build_sandbox_runtime(sandbox_options()).await;
    for key in ["getNotes", "getDealMailMessages", "getDealParticipants", "getOrganizationUpdates"] {
        let input = read_json(&format!("tests/fixtures/pipedrive/{key}.json"))["input"].clone();
        let (one, all) = (with_limit(&input, 50), with_limit(&input, 1));
        let one = run(&runtime, Invocation::new(key).input(one)).await;
        let all = run(&runtime, Invocation::new(key).input(all).all_pages(None)).await;
        assert_eq!(one["extra"], all["extra"], "{key}");
    }
}
