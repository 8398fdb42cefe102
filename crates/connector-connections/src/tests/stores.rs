//! Stores: their versions, keys, locks and faults.

use std::time::Duration;

use connector_core::ErrorKind;
use connector_core::embed::{Claim, Kept, KeyedCall, Ledger};
use connector_core::run::View;
use secrecy::ExposeSecret;

use super::vendor::Fault;
use super::{HEX_KEY, Place, START, World, http, on_both, open, token, vault, vendor};
use crate::store::statement::{Ran, sql};
use crate::{Clock, Holder, Key, Revocation, Store, Vault};

on_both!(
    many_callers_open_a_new_store_at_once,
    leaves_a_newer_store_alone,
    upgrades_an_older_store,
    reports_a_wrong_key_before_writing,
    rekeys_while_calls_go_on,
    refuses_a_secret_moved_to_another_row,
    a_missed_batch_changes_nothing,
    rejects_text_with_nul,
);

const OTHER_KEY: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn key(text: &str) -> Key {
    Key::parse(text).expect("a key")
}

async fn many_callers_open_a_new_store_at_once(world: World) {
    // A store that is new to all callers.
    let place = match &world.place {
        Place::Folder(_) => Some(Place::create_folder()),
        #[cfg(feature = "postgres")]
        Place::Schema(_) => Place::create_schema().await,
    };
    let address = place.as_ref().expect("there was one before").address();
    let opened: Vec<_> = (0..8)
        .map(|_| {
            let address = address.clone();
            tokio::spawn(async move { vault(open(&address).await.expect("the store opens"), "http://127.0.0.1:1", &Clock::system()).await })
        })
        .collect();
    for vault in opened {
        assert!(vault.await.expect("no panic").list("ann", None, None).await.expect("a list").is_empty());
    }
}

async fn leaves_a_newer_store_alone(world: World) {
    world
        .vault
        .context()
        .store()
        .rows(sql!("UPDATE connector_setting SET value = '99' WHERE name = 'version'"))
        .await
        .expect("the version is raised");
    let error = open(&world.place.address()).await.expect_err("the store is newer");
    assert!(error.message().contains("newer version"), "{error}");
    let rows = world.vault.context().store().rows(sql!("SELECT value FROM connector_setting WHERE name = 'version'")).await.expect("a row");
    assert_eq!(rows[0].text(0).expect("a text"), "99");
}

async fn upgrades_an_older_store(world: World) {
    let (ann, store) = (Holder::Owner("ann".to_owned()), world.vault.context().store());
    let made = world.vault.create_api_key(&ann, "n8n", None).await.expect("it is created");
    let connected = world.connect("ann", (7, 3)).await;
    let gone = world.connect("ann", (8, 3)).await;
    world.vendor.state().fails = Some(Fault::Answers(503, "{}"));
    assert_eq!(world.vault.remove("ann", &gone.id).await.expect("it is removed"), Revocation::No);
    world.vendor.state().fails = None;
    // The store of version 3 had none of these columns, and another ledger.
    let older = vec![
        sql!("DROP TABLE connector_match"),
        sql!("DROP TABLE connector_match_record"),
        sql!("DROP TABLE connector_permit"),
        sql!("DROP TABLE connector_meter"),
        sql!("DROP TABLE connector_definition"),
        sql!("DROP TABLE connector_ledger_clock"),
        sql!("DROP TABLE connector_ledger"),
        sql!("CREATE TABLE connector_ledger (key TEXT NOT NULL PRIMARY KEY, call TEXT NOT NULL, answer BYTEA, expires_at BIGINT NOT NULL)"),
        sql!(
            "INSERT INTO connector_ledger (key, call, expires_at) VALUES ($1, 'a call', $2)",
            world.vault.for_owner("ann").entry("run-1"),
            START
        ),
        sql!("ALTER TABLE connector_key DROP COLUMN view"),
        sql!("ALTER TABLE connector_connection DROP COLUMN view"),
        sql!("ALTER TABLE connector_secret DROP COLUMN verifier"),
        sql!("UPDATE connector_setting SET value = '3' WHERE name = 'version' RETURNING 1").expect_row(),
    ];
    assert!(matches!(store.run(older).await.expect("the columns are dropped"), Ran::All(_)));
    let upgraded = world.open_another().await;
    let claimed = upgraded.for_owner("ann").claim(&KeyedCall::new("run-1", "a call")).await.expect("the store answers");
    assert_eq!(claimed, Claim::OtherCall, "the call of an older key must not be carried out again");
    let found = upgraded.find_api_key(made.secret.expose_secret()).await.expect("the key is looked for");
    assert_eq!(found.as_ref(), Some(&made.key));
    assert_eq!(upgraded.list("ann", None, None).await.expect("a list"), std::slice::from_ref(&connected));
    world.clock.advance(Duration::from_mins(5));
    upgraded.sweep().await.expect("the sweep runs");
    assert_eq!(world.vendor.revocations(), 1, "a grant that waited to be revoked was lost");
    upgraded.set_view("ann", &connected.id, Some(View::Flat)).await.expect("it is set");
    assert_eq!(world.vault.get("ann", &connected.id).await.expect("it is stored").view, Some(View::Flat));
    super::access(&upgraded, "ann", &connected.id).await.expect("a credential");
    // A process of the older version that still runs writes rows without a view.
    let insert = "INSERT INTO connector_key (id, hash, prefix, name, owner, created_at) VALUES ('1', '2', '3', 'older', 'ann', $1)";
    store.rows(sql!(insert, START)).await.expect("it is written");
    let insert = "INSERT INTO connector_connection (id, owner, app, name, method, status, created_at, updated_at, metadata) \
        VALUES ('1', 'bob', 'acme', 'older', 'OAUTH2', 'PENDING', $1, $1, $2)";
    store.rows(sql!(insert, START, serde_json::to_string(&connected.metadata).expect("JSON"))).await.expect("it is written");
    assert_eq!(upgraded.get("bob", "1").await.expect("it is stored").view, None);
    upgraded.create_api_key(&ann, "newer", Some(View::Record)).await.expect("it is created");
    let mut listed: Vec<_> = upgraded.list_api_keys(&ann).await.expect("a list").into_iter().map(|key| (key.name, key.view)).collect();
    listed.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(listed, [("n8n".to_owned(), None), ("newer".to_owned(), Some(View::Record)), ("older".to_owned(), None)]);
}

async fn reports_a_wrong_key_before_writing(world: World) {
    world.connect("ann", (7, 3)).await;
    let opened = Vault::builder(world.place.store().await, key(OTHER_KEY), &http()).app(world.vendor.app()).open().await;
    let error = opened.expect_err("another key");
    assert!(error.message().contains(&key(HEX_KEY).id()) && error.message().contains(&key(OTHER_KEY).id()), "{error}");
    world.access("ann", "company7").await.expect("the store is unchanged");
}

async fn rekeys_while_calls_go_on(world: World) {
    world.vendor.state().rotates = true;
    world.vendor.state().api_tokens.insert("hunter2-api".to_owned(), (9, 1));
    let made = world.connect("ann", (7, 3)).await;
    let left = world.connect("ann", (7, 9)).await;
    world.vendor.state().fails = Some(vendor::Fault::Answers(503, "{}"));
    assert_eq!(world.vault.remove("ann", &left.id).await.expect("it is removed"), Revocation::No);
    world.vendor.state().fails = None;
    world.vault.add_api_token("ann", "acme", None, None, &world.vendor.url, "hunter2-api".into()).await.expect("it is stored");
    let held = world.vault.hold_install("acme", world.vendor.code((8, 3))).await.expect("it is held");
    let keyed = KeyedCall::new("run-1", "the call");
    world.vault.for_owner("ann").claim(&keyed).await.expect("it is claimed");
    world.vault.for_owner("ann").finish(&keyed, Kept::new(*b"answer")).await.expect("it is stored");

    // Two processes hold both keys, and one of them changes the key of the store.
    let both = || async {
        let builder = Vault::builder(world.place.store().await, key(OTHER_KEY), &http()).former_key(key(HEX_KEY));
        builder.app(world.vendor.app()).clock(world.clock.clone()).open().await.expect("the vault opens")
    };
    let (changing, calling) = (both().await, both().await);
    let calls = tokio::spawn({
        let (calling, clock, id) = (calling.clone(), world.clock.clone(), made.id.clone());
        async move {
            for turn in 0..20 {
                clock.advance(Duration::from_secs(4));
                let keyed = KeyedCall::new(format!("run-{turn}"), "the call");
                calling.for_owner("bob").claim(&keyed).await.expect("it is claimed");
                calling.for_owner("bob").finish(&keyed, Kept::new(*b"answer")).await.expect("it is stored");
                super::access(&calling, "ann", &id).await.expect("a credential");
            }
        }
    });
    assert!(changing.rekey().await.expect("sealed anew") >= 6);
    calls.await.expect("no panic");
    assert_eq!(changing.rekey().await.expect("nothing is left to do"), 0);
    world.expire_tokens();
    super::access(&calling, "ann", &made.id).await.expect("refreshed, and sealed with the new key");

    let only_new = Vault::builder(world.place.store().await, key(OTHER_KEY), &http()).app(world.vendor.app()).clock(world.clock.clone());
    let only_new = only_new.open().await.expect("the new key is enough");
    super::access(&only_new, "ann", &made.id).await.expect("a credential");
    only_new.sweep().await.expect("the sweep runs");
    assert_eq!(world.vendor.revocations(), 1, "a leftover was not revoked after the change of keys");
    assert_eq!(token(&super::access(&only_new, "ann", "company9").await.expect("a credential")), "hunter2-api");
    for owner in ["ann", "bob"] {
        let kept = only_new.for_owner(owner).claim(&KeyedCall::new("run-1", "the call")).await.expect("the answer opens");
        assert_eq!(kept, Claim::Finished(b"answer".to_vec()));
    }
    assert_eq!(only_new.for_owner("bob").list_keys(false, 100).await.expect("they open").len(), 20);
    let late = only_new.claim_install("ann", held.handle.expose_secret()).await.expect_err("an hour is over");
    assert_eq!(late.kind(), ErrorKind::NotFound);
    // A process that has the old key alone fails, and writes nothing.
    world.expire_tokens();
    world.access("ann", &made.id).await.expect_err("the old key");
    assert!(world.vault.hold_install("acme", "code".into()).await.expect_err("the old key").message().contains("sealed with the key"));
}

async fn refuses_a_secret_moved_to_another_row(world: World) {
    let (first, second) = (world.connect("ann", (7, 3)).await, world.connect("bob", (8, 3)).await);
    let moved = sql!(
        "UPDATE connector_secret SET version = version + 1, \
         access_token = (SELECT o.access_token FROM connector_secret o WHERE o.connection_id = $2) WHERE connection_id = $1",
        &second.id,
        &first.id
    );
    world.vault.context().store().rows(moved).await.expect("it is moved");
    world.clock.advance(Duration::from_secs(2));
    let error = world.access("bob", &second.id).await.expect_err("another's token");
    assert!(error.message().contains("was not sealed here"), "{error}");
}

async fn a_missed_batch_changes_nothing(world: World) {
    let store = world.vault.context().store();
    let set = || sql!("INSERT INTO connector_setting (name, value) VALUES ('a', 'b')");
    let ran = store.run(vec![set(), sql!("SELECT 1 FROM connector_setting WHERE name = 'none'").expect_row()]).await.expect("it runs");
    assert!(matches!(ran, Ran::Missed(1)));
    let broken = store.run(vec![set(), sql!("SELECT nothing FROM nowhere")]).await.expect_err("no such table");
    assert!(Store::is_cause_of(&broken) && format!("{broken:?}").contains("nowhere"), "the cause is missing: {broken:?}");
    assert!(store.rows(sql!("SELECT 1 FROM connector_setting WHERE name = 'a'")).await.expect("rows").is_empty());
    let twice = store.run(vec![set(), set()]).await.expect_err("twice the same");
    assert_eq!((twice.kind(), Store::is_cause_of(&twice)), (ErrorKind::Conflict, false));
    // Changes under a lock are kept when it is released, and a missed batch leaves the lock usable.
    let made = world.connect("ann", (7, 3)).await;
    let mut lock = store.lock(&made.id).await.expect("it is held");
    let ran = lock.run(vec![set(), sql!("SELECT 1 FROM connector_setting WHERE name = 'none'").expect_row()]).await.expect("it runs");
    assert!(matches!(ran, Ran::Missed(1)));
    lock.run(vec![set()]).await.expect("it runs");
    lock.release().await.expect("it is released");
    assert_eq!(store.rows(sql!("SELECT 1 FROM connector_setting WHERE name = 'a'")).await.expect("rows").len(), 1);
}

async fn rejects_text_with_nul(world: World) {
    let errors = [
        world.vault.get("ann", "a\0b").await.err(),
        world.access("ann\0", "acme").await.err(),
        world.vault.authorize("ann\0", "acme", None, super::BROWSER).await.err(),
    ];
    for error in errors {
        assert_eq!(error.expect("it is not looked for").kind(), ErrorKind::InvalidInput);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn creates_private_files_and_explains_bad_ones() {
    use crate::seal::files::tests::assert_private;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("made").join("store.db");
    let store = open(path.to_str().expect("it is text")).await.expect("the store opens");
    let vault = vault(store, "http://127.0.0.1:1", &Clock::fixed(START)).await;
    vault.authorize("ann", "acme", None, super::BROWSER).await.expect("it is written");
    let made = path.parent().expect("a folder");
    assert_private(made, 0o700);
    for entry in std::fs::read_dir(made).expect("it is read") {
        let path = entry.expect("it is read").path();
        assert_private(&path, if path.is_dir() { 0o700 } else { 0o600 });
    }

    let no_database = folder.path().join("text");
    std::fs::write(&no_database, "no database at all, but a text that is long enough to be looked at as one").expect("it is written");
    let below_a_file = no_database.join("store.db");
    for (path, says) in [(&no_database, "is no database"), (&below_a_file, "cannot be created or opened")] {
        let error = open(path.to_str().expect("it is text")).await.expect_err(says);
        assert!(error.message().contains(says) && error.hint().is_some() && Store::is_cause_of(&error), "{error}");
    }
}

#[tokio::test]
async fn reports_a_store_locked_by_another_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let store = open(path.to_str().expect("it is text")).await.expect("the store opens");
    let other = rusqlite::Connection::open(&path).expect("it opens");
    other.execute_batch("BEGIN EXCLUSIVE").expect("it is held");
    store.stop_waiting();
    let log = super::log::Lines::default();
    let logged = tracing::subscriber::set_default(log.clone());
    let error = store.rows(sql!("DELETE FROM connector_used")).await.expect_err("it is held");
    drop(logged);
    assert!(log.text().contains("database is locked"), "the log lacks the cause: {}", log.text());
    assert!(Store::is_cause_of(&error) && std::error::Error::source(&error).is_some(), "{error:?}");
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TimedOut, connector_core::Retry::Later));
    assert!(error.message().contains("locked by another program"), "{error}");
    other.execute_batch("COMMIT").expect("the lock ends");
    store.rows(sql!("DELETE FROM connector_used")).await.expect("it works again");
}

#[tokio::test]
async fn gives_up_on_a_lock_that_is_never_released() {
    let World { vault, place, .. } = World::new(Place::create_folder()).await;
    let other = place.store().await;
    let held = other.lock("id").await.expect("it is held");
    tokio::time::pause();
    let error = vault.context().store().lock("id").await.err().expect("held by another");
    tokio::time::resume();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::TimedOut, connector_core::Retry::Later), "{error}");
    held.release().await.expect("it is released");
    vault.context().store().lock("id").await.expect("it works again");
}

#[test]
fn an_unregistered_app_says_what_is_missing() {
    let app = crate::App::new(&vendor::ACME).expect("it signs in by OAuth");
    assert!(app.client().expect_err("no client").hint().expect("a hint").contains("client's id"));
}

#[cfg(unix)]
#[tokio::test]
async fn all_paths_of_a_file_share_one_lock_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, link) = (folder.path().join("store.db"), folder.path().join("link.db"));
    open(path.to_str().expect("it is text")).await.expect("the store opens");
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    open(link.to_str().expect("it is text")).await.expect("the store opens");
    let beside = std::fs::read_dir(folder.path()).expect("it is read").map(|entry| entry.expect("it is read").file_name());
    let locks: Vec<_> = beside.filter(|name| name.to_string_lossy().ends_with(".locks")).collect();
    assert_eq!(locks, ["store.db.locks"]);
}
