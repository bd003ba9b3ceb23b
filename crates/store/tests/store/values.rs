//! Values come back from both engines as they went in.

use chrono::{NaiveDate, NaiveDateTime};
use contract::{ObjectId, Timestamp, id::ReservationId};
use diesel::prelude::*;
use store::{Error, Lock, new_id};

use crate::support::{Bank, account};

diesel::table! {
    note (id) {
        id -> Text,
        at -> BigInt,
        noted -> Nullable<Timestamp>,
        stay -> Date,
        kept -> Bool,
        text -> Text,
        bytes -> Binary,
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = note)]
struct Note {
    id: ReservationId,
    at: Timestamp,
    noted: Option<NaiveDateTime>,
    stay: NaiveDate,
    kept: bool,
    text: String,
    bytes: Vec<u8>,
}

fn note(at: &str, text: &str, bytes: &[u8]) -> Note {
    let at: Timestamp = at.parse().unwrap();
    Note {
        id: new_id(),
        at,
        noted: (!text.is_empty()).then(|| at.to_datetime().naive_utc()),
        stay: at.date(),
        kept: text.is_empty(),
        text: text.to_owned(),
        bytes: bytes.to_owned(),
    }
}

store::on_both_engines! {
    async fn rows_come_back_as_they_went_in(bank: Bank) {
        let mut notes = vec![
            note("1970-01-01", "", &[]),
            note("2023-08-14T13:05:00.263Z", "Zoë, 山田 'quoted' \\ 🏨", &[0, 255, 0]),
            note("9999-12-31T23:59:59.999Z", "\n", &[7; 100_000]),
        ];
        let given = notes.clone();
        let inserted = bank.store.write(Lock::none(), move |c| {
            for note in &given {
                diesel::insert_into(note::table).values(note).execute(c)?;
            }
            Ok::<_, Error>(())
        });
        inserted.await.unwrap();

        let found = bank.store.read(|c| {
            Ok::<Vec<Note>, Error>(note::table.order(note::at.desc()).select(Note::as_select()).load(c)?)
        });

        notes.reverse();
        assert_eq!(found.await.unwrap(), notes);
    }

    async fn rows_are_found_by_id_and_instant(bank: Bank) {
        let early = note("2023-08-14T13:05:00.262Z", "early", &[]);
        let late = note("2023-08-14T13:05:00.263Z", "late", &[]);
        let (given, at, id) = ([early.clone(), late.clone()], late.at, early.id);
        let found = bank.store.write(Lock::none(), move |c| {
            for note in &given {
                diesel::insert_into(note::table).values(note).execute(c)?;
            }
            let before: Vec<Note> = note::table.filter(note::at.lt(at)).select(Note::as_select()).load(c)?;
            let same: Note = note::table.find(id).select(Note::as_select()).first(c)?;
            Ok::<_, Error>((before, same))
        });
        assert_eq!(found.await.unwrap(), (vec![early.clone()], early));
    }

    async fn a_prepared_update_takes_new_values_each_time(bank: Bank) {
        let (one, other) = (bank.open_account(1).await, bank.open_account(2).await);
        for (id, balance) in [(one, 10), (other, 20), (one, 30)] {
            let updated = bank.store.write(Lock::none(), move |c| {
                let account = account::table.find(id);
                let updated =
                    store::update_prepared!(c, account, account::balance.eq(balance))?;
                Ok::<_, Error>(updated)
            });
            assert_eq!(updated.await.unwrap(), 1);
        }
        assert_eq!(bank.balance(one).await, 30);
        assert_eq!(bank.balance(other).await, 20);
    }

    async fn a_text_that_is_no_id_is_an_error_and_no_panic(bank: Bank) {
        let found = bank.store.write(Lock::none(), |c| {
            use diesel::connection::SimpleConnection;
            c.batch_execute("INSERT INTO account VALUES ('not an id', 1)")?;
            let id: ObjectId = account::table
                .select(account::id)
                .first(c)?;
            Ok::<_, Error>(id)
        });
        assert!(matches!(found.await, Err(Error::Statement(_))));
    }
}
