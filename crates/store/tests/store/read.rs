//! What a read sees, and what it cannot do.

use std::thread;

use diesel::Connection as _;
use diesel::prelude::*;
use store::{Error, Lock, new_id};
use tokio::runtime::Handle;

use crate::support::{Bank, account, insert};

store::on_both_engines! {
    async fn all_of_a_read_sees_one_state(bank: Bank) {
        bank.open_account(1).await;
        let writer = bank.store.clone();
        let runtime = Handle::current();
        let counts = bank.store.read(move |c| {
            let before: i64 = account::table.count().get_result(c)?;
            let write = thread::spawn(move || {
                let id = new_id();
                runtime.block_on(writer.write(Lock::none(), move |c| insert(c, id, 1)))
            });
            write.join().unwrap()?;
            let after: i64 = account::table.count().get_result(c)?;
            Ok::<_, Error>((before, after))
        });
        assert_eq!(counts.await.unwrap(), (1, 1));
        assert_eq!(bank.accounts().await.len(), 2);
    }

    async fn an_answered_write_is_seen_by_every_read_after_it(bank: Bank) {
        for count in 1..50 {
            bank.open_account(1).await;
            assert_eq!(bank.accounts().await.len(), count);
        }
    }

    async fn a_read_cannot_write(bank: Bank) {
        let id = new_id();
        let written = bank.store.read(move |c| insert(c, id, 1)).await;
        assert!(written.is_err());
        assert!(bank.accounts().await.is_empty());
    }

    async fn a_panicking_read_harms_nobody(bank: Bank) {
        let read = bank.store.read(|c| -> Result<(), Error> {
            c.transaction(|_| panic!("meant by the test"))
        });
        assert!(matches!(read.await, Err(Error::Panicked)));
        assert!(bank.accounts().await.is_empty());
    }

    async fn a_row_that_is_not_there_is_told_so(bank: Bank) {
        let missing: contract::ObjectId = new_id();
        let read = bank.store.read(move |c| crate::support::balance(c, missing));
        assert!(matches!(read.await, Err(Error::NotFound)));
    }
}
