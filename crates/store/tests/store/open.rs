//! Which databases are opened, and which are refused.

use diesel::connection::SimpleConnection;
use diesel_migrations::embed_migrations;
use store::testing::{Engine, TestDatabase};
use store::{DatabaseUrl, Error, Lock, Migrations, Store, migrate, new_id};

use crate::support::{Bank, MIGRATIONS, NAME, accounts, insert, open};

const NEWER: Migrations = embed_migrations!("tests/newer");

store::on_both_engines! {
    async fn a_newer_database_is_refused_clearly(bank: Bank) {
        migrate(bank.database.url(), NAME, &NEWER).unwrap();
        for refused in [
            Store::open(bank.database.url(), NAME, &MIGRATIONS),
            Store::open_read_only(bank.database.url(), NAME, &MIGRATIONS),
        ] {
            let Err(error @ Error::Newer { .. }) = refused.map(|_| ()) else {
                panic!("a newer database was opened")
            };
            let text = error.to_string();
            assert!(text.contains("20261121000002"), "{text}");
            assert!(text.contains("newer version"), "{text}");
        }
    }

    async fn an_older_database_is_brought_up_to_date(bank: Bank) {
        let id = bank.open_account(1).await;
        let older = Store::open_read_only(bank.database.url(), NAME, &NEWER);
        let Err(error @ Error::Open { .. }) = older.map(|_| ()) else {
            panic!("an older database was opened as it is")
        };
        assert!(error.to_string().contains("older version"), "{error}");

        let store = Store::open(bank.database.url(), NAME, &NEWER).unwrap();
        let owned = store.write(Lock::none(), |c| {
            c.batch_execute("UPDATE account SET owner = 'ann'")?;
            Ok::<_, Error>(())
        });
        owned.await.unwrap();
        assert!(accounts(&store).await.contains(&id));
    }

    async fn a_migrated_database_opens_again(bank: Bank) {
        let id = bank.open_account(1).await;
        let again = open(bank.database.url());
        assert!(accounts(&again).await.contains(&id));
    }

    async fn two_stores_of_one_database_have_migrations_of_their_own(bank: Bank) {
        let other = Store::open(bank.database.url(), "other", &NEWER).unwrap();
        bank.open_account(1).await;
        assert!(accounts(&other).await.is_empty());
        open(bank.database.url());
    }

    async fn a_store_opened_for_reading_follows_the_writer_and_writes_nothing(bank: Bank) {
        let reading = Store::open_read_only(bank.database.url(), NAME, &MIGRATIONS).unwrap();
        let id = bank.open_account(1).await;
        assert!(accounts(&reading).await.contains(&id));

        let other = new_id();
        let written = reading.write(Lock::none(), move |c| insert(c, other, 1));
        assert!(matches!(written.await, Err(Error::ReadOnly)));
    }

    async fn a_store_that_does_not_exist_is_not_made_by_reading(bank: Bank) {
        for _ in 0..2 {
            let absent = Store::open_read_only(bank.database.url(), "absent", &MIGRATIONS);
            assert!(matches!(absent.map(|_| ()), Err(Error::Open { .. })));
        }
    }
}

#[tokio::test]
async fn a_directory_may_have_any_name() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["what?", "50%25", "a#b", "file:x", "ünïcode with blanks"] {
        let url = DatabaseUrl::Sqlite(directory.path().join(name));
        let store = open(&url);
        assert!(accounts(&store).await.is_empty());
        assert!(
            directory.path().join(name).join("bank.db").exists(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_says_which_and_why() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    let garbage = directory.path().join("bank.db");
    std::fs::write(
        garbage,
        "not a database, though it is long enough to look".repeat(100),
    )
    .unwrap();
    for place in [file.as_path(), directory.path()] {
        let url = DatabaseUrl::Sqlite(place.to_owned());
        let Err(error) = Store::open(&url, NAME, &MIGRATIONS).map(|_| ()) else {
            panic!("{} was opened", place.display())
        };
        assert!(matches!(error, Error::Open { .. }), "{error}");
        assert!(error.to_string().contains("bank.db"), "{error}");
    }
    let nobody: DatabaseUrl = "postgres://ann:secret@localhost:1/nowhere".parse().unwrap();
    let Err(error) = Store::open(&nobody, NAME, &MIGRATIONS).map(|_| ()) else {
        panic!("nobody answered")
    };
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn a_test_database_is_gone_with_its_value() {
    let database = TestDatabase::new(Engine::Sqlite, &[(NAME, &MIGRATIONS)]);
    let DatabaseUrl::Sqlite(directory) = database.url().clone() else {
        unreachable!()
    };
    assert!(directory.exists());
    drop(database);
    assert!(!directory.exists());
}
