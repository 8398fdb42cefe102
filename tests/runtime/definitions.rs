//! Lists that accounts define: each is read once, kept for an hour, and shared with no other account.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use connector_core::embed::{Access, Cache, CacheEntry, CacheKey, Connection, Connections, Credential};
use connector_core::run::Runtime;
use connector_core::{Error, ErrorKind};
use pipedrive_sandbox::Options;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::runtime::{Recorded, RecordedAccount, build, list_look_ups, run_text};
use crate::support::sandbox::{bind, serve_sandbox};
use crate::support::upstream::Script;

/// The connections of an engine to several companies at one host.
struct Companies {
    url: String,
    tokens: Vec<(&'static str, String)>,
}

#[async_trait]
impl Connections for Companies {
    async fn choose(&self, _connector: &str, named: Option<&str>) -> Result<Connection, Error> {
        Ok(Connection::new(named.unwrap_or_default(), &self.url).mark_as_sandbox())
    }

    async fn access(&self, connection: &Connection) -> Result<Access, Error> {
        let token = self.tokens.iter().find(|(name, _)| *name == connection.name).map(|(_, token)| token);
        Access::new(&self.url, Credential::api_token(token.expect("the company is known")))
    }
}

/// The names of two companies, and the limits by which their requests for lists are told apart.
const COMPANIES: [(&str, u64); 2] = [("acme", 3), ("brook", 4)];

/// The tasks that call at once, and the calls of each.
const TASKS: u64 = 8;
const CALLS: u64 = 1_250;

/// A company's field `Tier`: its code, and the ID of its option `Gold`.
struct TierOf {
    code: String,
    gold: u64,
}

async fn invoke_for(runtime: &Runtime, connection: &str, action: &str, input: Value, options: Value) -> Value {
    let invocation = json!({"action": action, "connection": connection, "input": input, "options": options});
    let outcome = runtime.invoke_json(invocation.to_string().as_bytes()).await;
    serde_json::from_slice(&outcome.to_json()).expect("an outcome is JSON")
}

async fn read_tier(runtime: &Runtime, connection: &str) -> TierOf {
    let fields = invoke_for(runtime, connection, "getDealFields", json!({}), json!({})).await;
    let named = |list: &Value, member: &str, name: &str| {
        let found = list.as_array().and_then(|list| list.iter().find(|item| item[member] == name).cloned());
        found.unwrap_or_else(|| panic!("{connection} has {name}: {list}"))
    };
    let tier = named(&fields["data"], "field_name", "Tier");
    let gold = named(&tier["options"], "label", "Gold")["id"].as_u64().expect("an ID is a number");
    TierOf { code: tier["field_code"].as_str().expect("a code is text").to_owned(), gold }
}

/// Makes one of many calls. Its outcome must have what its own company defines.
async fn make_call(runtime: &Runtime, number: u64, tiers: &[TierOf; 2]) {
    let place = usize::from(number.is_multiple_of(3));
    let ((company, limit), TierOf { code, gold }) = (COMPANIES[place], &tiers[place]);
    if number % 25 != 1 {
        let input = json!({"title": company, "customFields": {"Tier": "Gold"}});
        let outcome = invoke_for(runtime, company, "addDeal", input, json!({"dryRun": true})).await;
        assert_eq!(outcome["data"][0]["json"]["custom_fields"], json!({code: gold}), "{outcome}");
    } else if number % 50 == 1 {
        let input = json!({"title": company, "customFields": {"Tier": "Gold"}});
        let outcome = invoke_for(runtime, company, "addDeal", input, json!({"fields": "names"})).await;
        assert_eq!(outcome["data"]["custom_fields"]["Tier"], "Gold", "{outcome}");
    } else {
        let input = json!({"limit": limit, "sortBy": "add_time", "sortDirection": "desc", "customFields": ["Tier"]});
        let outcome = invoke_for(runtime, company, "getDeals", input, json!({"fields": "both"})).await;
        let deals = outcome["data"].as_array().filter(|deals| deals.len() as u64 == limit);
        for deal in deals.unwrap_or_else(|| panic!("a company has deals: {outcome}")) {
            let is_gold = deal["custom_fields"][code] == *gold;
            assert!(deal["custom_fields"].as_object().is_some_and(|fields| fields.keys().all(|key| key == code)), "{deal}");
            assert_eq!(deal["custom_fields_by_name"]["Tier"] == "Gold", is_gold, "{deal}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_with_the_same_names_share_no_definition() {
    let recorded = Recorded::new();
    let (listener, url) = bind().await;
    let sandbox = serve_sandbox(listener, Options { companies: 2, ..recorded.options() });
    let tokens = COMPANIES.iter().zip(sandbox.companies()).map(|((name, _), company)| (*name, company.api_token.clone())).collect();
    let build_runtime = |tokens| build(Runtime::builder().connections(Companies { url: url.clone(), tokens }));
    let runtime: Runtime = build_runtime(Vec::clone(&tokens));
    // The label of an option in one company is that of another option in the other one.
    let before = read_tier(&runtime, "brook").await;
    for (id, label) in [(before.gold, "Medal"), (1, "Gold"), (before.gold, "Bronze")] {
        let path = format!("/api/v2/dealFields/{}/options", before.code);
        let input = json!({"method": "PATCH", "path": path, "json": [{"id": id, "label": label}]});
        let renamed = invoke_for(&runtime, "brook", "rawRequest", input, json!({})).await;
        assert_eq!(renamed["ok"], true, "{renamed}");
    }
    let tiers = Arc::new([read_tier(&runtime, "acme").await, read_tier(&runtime, "brook").await]);
    assert!(tiers[0].code != tiers[1].code && (tiers[0].gold, tiers[1].gold) == (3, 1), "the companies differ");

    let runtime = build_runtime(tokens);
    let read_before = recorded.count("GET", "/dealFields");
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (runtime, tiers) = (runtime.clone(), Arc::clone(&tiers));
        tasks.spawn(async move {
            for call in 0..CALLS {
                make_call(&runtime, task * CALLS + call, &tiers).await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("each call has what its own company defines");
    }
    assert_eq!(recorded.count("GET", "/dealFields") - read_before, 2, "each company's fields are read once");
    let mut carried = 0;
    for ((company, limit), tier) in COMPANIES.iter().zip(tiers.iter()) {
        for line in recorded.read() {
            let url = line["url"].as_str().unwrap_or_default();
            if line["json"]["title"] == *company {
                assert_eq!(line["json"]["custom_fields"], json!({&tier.code: tier.gold}), "{line}");
                carried += 1;
            } else if url.contains(&format!("limit={limit}&")) || url.ends_with(&format!("limit={limit}")) {
                assert!(url.contains(&format!("custom_fields={}", tier.code)), "{url}");
                carried += 1;
            }
        }
    }
    assert_eq!(carried, TASKS * CALLS / 25, "each request was looked at");
}

#[tokio::test]
async fn fifty_calls_at_once_read_a_list_once() {
    let account = Arc::new(RecordedAccount::start().await);
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let account = Arc::clone(&account);
        let input = json!({"title": "x", "customFields": {"Tier": "Gold"}});
        tasks.spawn(async move { account.call("addDeal", input, json!({"dryRun": true})).await });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(account.count("GET", "/dealFields"), 1);
    let paid: Vec<&Value> = outcomes.iter().filter(|outcome| outcome["meta"]["requests"] != 0).collect();
    assert_eq!(paid.len(), 1, "the cost is in one outcome: {paid:?}");
    let (meta, look_up) = (&paid[0]["meta"], &paid[0]["meta"]["lookups"][0]);
    assert_eq!((&meta["requests"], &meta["tokens"]), (&json!(1), &json!(10)), "{meta}");
    assert_eq!((&look_up["of"], &look_up["requests"], &look_up["tokens"]), (&json!("getDealFields"), &json!(1), &json!(10)), "{meta}");
    for outcome in &outcomes {
        assert!(outcome["ok"] == true && outcome["meta"]["lookups"][0]["ageMs"].is_u64(), "each tells the age: {outcome}");
    }
    let again = account.call("addDeal", json!({"title": "x", "customFields": {"Tier": "Gold"}}), json!({"dryRun": true})).await;
    assert_eq!((list_look_ups(&again), &again["meta"]["tokens"]), (json!({"getDealFields": 0}), &json!(0)));
    let refresh = json!({"dryRun": true, "cache": "refresh"});
    let refreshed = account.call("addDeal", json!({"title": "x", "customFields": {"Tier": "Gold"}}), refresh).await;
    assert_eq!((list_look_ups(&refreshed), account.count("GET", "/dealFields")), (json!({"getDealFields": 1}), 2), "{refreshed}");
}

/// A cache of one list. Clones share it.
#[derive(Clone)]
struct OneList(Arc<watch::Sender<Listed>>);

/// The list in a cache, and the operations that were asked for.
#[derive(Default)]
struct Listed {
    entry: Option<CacheEntry>,
    claimed: bool,
    /// The operation that fails.
    failing: Option<&'static str>,
    loads: usize,
    stores: usize,
    releases: usize,
    keys: Vec<CacheKey>,
}

impl OneList {
    fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Listed::default())))
    }

    fn edit<T>(&self, edit: impl FnOnce(&mut Listed) -> T) -> T {
        let done = Mutex::new(None);
        self.0.send_modify(|listed| *done.lock().unwrap_or_else(PoisonError::into_inner) = Some(edit(listed)));
        done.into_inner().unwrap_or_else(PoisonError::into_inner).expect("the edit was made")
    }

    /// Answers an operation, unless it is the one that fails.
    fn answer<T>(&self, operation: &str, edit: impl FnOnce(&mut Listed) -> T) -> Result<T, Error> {
        self.edit(|listed| {
            let fails = listed.failing == Some(operation);
            let answer = edit(listed);
            if fails { Err(Error::new(ErrorKind::Bug, "The cache is gone.")) } else { Ok(answer) }
        })
    }
}

#[async_trait]
impl Cache for OneList {
    async fn load(&self, key: &CacheKey) -> Result<Option<CacheEntry>, Error> {
        self.answer("load", |listed| {
            listed.loads += 1;
            listed.keys.push(key.clone());
            listed.entry.clone()
        })
    }

    async fn claim(&self, _key: &CacheKey) -> Result<bool, Error> {
        self.answer("claim", |listed| !std::mem::replace(&mut listed.claimed, true))
    }

    async fn store(&self, _key: &CacheKey, entry: &CacheEntry) -> Result<(), Error> {
        self.answer("store", |listed| {
            (listed.entry, listed.claimed) = (Some(entry.clone()), false);
            listed.stores += 1;
        })
    }

    async fn release(&self, _key: &CacheKey) -> Result<(), Error> {
        self.answer("release", |listed| {
            listed.claimed = false;
            listed.releases += 1;
        })
    }
}

/// Adds a deal by name as a dry run, and returns the look-up of the fields.
async fn look_up_fields(runtime: &Runtime) -> Value {
    let invocation = json!({"action": "addDeal", "input": {"title": "x", "customFields": {"Tier": "Gold"}}, "options": {"dryRun": true}});
    let outcome = run_text(runtime, invocation.to_string()).await;
    assert_eq!(outcome["ok"], true, "{outcome}");
    let sent = outcome["data"][0]["json"]["custom_fields"].as_object().and_then(|fields| fields.values().next());
    assert_eq!(sent, Some(&json!(3)), "{outcome}");
    outcome["meta"]["lookups"][0].clone()
}

#[tokio::test]
async fn list_in_a_cache_is_used_for_an_hour() {
    const MINUTE: Duration = Duration::from_mins(1);
    let (account, cache) = (RecordedAccount::start().await, OneList::new());
    assert_eq!(look_up_fields(&account.build_beside(cache.clone())).await["requests"], 1);
    let entry = cache.edit(|listed| listed.entry.clone()).expect("what was read is stored");
    let key = cache.edit(|listed| listed.keys[0].clone());
    assert_eq!((&*key.connector, &*key.connection, &*key.origin), ("pipedrive", "sandbox", &*account.url));
    assert!(key.list.starts_with("getDealFields"), "{key:?}");
    let now = SystemTime::now();
    for (read_at, is_used) in [(now - 59 * MINUTE, true), (now - 61 * MINUTE, false), (now + 60 * MINUTE, false)] {
        cache.edit(|listed| (listed.entry, listed.stores) = (Some(CacheEntry::new(entry.text.clone(), read_at)), 0));
        let read_before = account.count("GET", "/dealFields");
        let look_up = look_up_fields(&account.build_beside(cache.clone())).await;
        let age = Duration::from_millis(look_up["ageMs"].as_u64().expect("the age is told"));
        let stored = cache.edit(|listed| (listed.stores, listed.entry.as_ref().map(|entry| entry.read_at)));
        let read = account.count("GET", "/dealFields") - read_before;
        if is_used {
            assert_eq!((&look_up["requests"], read, stored), (&json!(0), 0, (0, Some(read_at))), "{look_up}");
            assert!(age >= 59 * MINUTE && age < 60 * MINUTE, "{age:?}");
        } else {
            assert_eq!((&look_up["requests"], read, stored.0), (&json!(1), 1, 1), "{look_up}");
            assert!(age < MINUTE && stored.1.is_some_and(|time| time >= now && time <= SystemTime::now()), "{age:?}");
        }
        assert!(!cache.edit(|listed| listed.claimed), "no claim is left behind");
    }
}

#[tokio::test]
async fn cache_that_fails_or_holds_no_list_costs_a_call_and_nothing_else() {
    let account = RecordedAccount::start().await;
    for (failing, text) in
        [(Some("load"), None), (Some("claim"), None), (Some("store"), None), (None, Some(r#"{"no": "list"}"#)), (None, Some("[1"))]
    {
        let (cache, read_before) = (OneList::new(), account.count("GET", "/dealFields"));
        cache.edit(|listed| (listed.failing, listed.entry) = (failing, text.map(|text| CacheEntry::new(text, SystemTime::now()))));
        let runtime = account.build_beside(cache);
        assert_eq!(look_up_fields(&runtime).await["requests"], 1, "{failing:?} {text:?}");
        assert_eq!(look_up_fields(&runtime).await["requests"], 0, "the list is in memory: {failing:?} {text:?}");
        assert_eq!(account.count("GET", "/dealFields") - read_before, 1, "{failing:?} {text:?}");
    }
}

#[tokio::test]
async fn list_that_another_process_reads_is_waited_for() {
    let (account, cache) = (RecordedAccount::start().await, OneList::new());
    look_up_fields(&account.build_beside(cache.clone())).await;
    let entry = cache.edit(|listed| {
        (listed.claimed, listed.loads) = (true, 0);
        listed.entry.take()
    });
    let runtime = account.build_beside(cache.clone());
    let waiting = tokio::spawn(async move { look_up_fields(&runtime).await });
    cache.0.subscribe().wait_for(|listed| listed.loads >= 3).await.expect("the cache is there");
    assert!(!waiting.is_finished() && account.count("GET", "/dealFields") == 1, "the claim of the other process is respected");
    cache.edit(|listed| (listed.entry, listed.claimed) = (entry, false));
    assert_eq!(waiting.await.expect("the call ends")["requests"], 0);
    assert_eq!(account.count("GET", "/dealFields"), 1);
}

#[tokio::test]
async fn answer_that_is_no_list_is_told_and_not_kept() {
    let no_list = json!({"success": true, "data": {"id": 1}});
    let vendor = Script::start([no_list.clone(), no_list]).await;
    for requests in [1, 2] {
        let invocation = json!({"action": "addDeal", "input": {"title": "x", "customFields": {"Tier": "Gold"}}});
        let outcome = run_text(&vendor.runtime, invocation.to_string()).await;
        assert_eq!((&outcome["error"]["kind"], &outcome["error"]["retry"]), (&json!("bad_answer"), &json!("later")), "{outcome}");
        let asked = vendor.asked();
        assert!(asked.len() == requests && asked.iter().all(|asked| asked.starts_with("/api/v2/dealFields")), "{asked:?}");
    }
}
