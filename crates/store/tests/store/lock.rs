//! Two commands on one row never decide on the same state.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use diesel::prelude::*;
use store::Lock;

use crate::support::{Bank, Trouble, account, balance, set_balance, together, write};

/// Gives work that should be alone the time to be joined by another, if anything lets it.
#[derive(Default)]
struct Readers {
    count: Mutex<u32>,
    another: Condvar,
}

impl Readers {
    fn meet_another(&self) {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        self.another.notify_all();
        let patience = Duration::from_millis(200);
        let waited = self
            .another
            .wait_timeout_while(count, patience, |count| *count < 2);
        drop(waited.unwrap());
    }
}

store::on_both_engines! {
    async fn of_32_racing_takers_of_one_balance_exactly_one_wins(bank: Bank) {
        let purse = bank.open_account(100).await;
        let taken = bank.open_account(0).await;
        let readers = Arc::new(Readers::default());
        let writes = (0..32).map(|_| {
            let readers = Arc::clone(&readers);
            write(&bank.store, Lock::row("account", &purse), move |c| {
                let held = balance(c, purse)?;
                readers.meet_another();
                if held < 100 {
                    return Err(Trouble::Refused);
                }
                set_balance(c, purse, held - 100)?;
                diesel::update(account::table.find(taken))
                    .set(account::balance.eq(account::balance + 100))
                    .execute(c)?;
                Ok(())
            })
        });

        let answers = together(&bank.store, writes.collect()).await;

        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        let refused = |answer: &&Result<(), Trouble>| matches!(answer, Err(Trouble::Refused));
        assert_eq!(answers.iter().filter(refused).count(), 31);
        assert_eq!(bank.balance(purse).await, 0);
        assert_eq!(bank.balance(taken).await, 100);
    }

    async fn racing_decrements_lose_none(bank: Bank) {
        let purse = bank.open_account(100).await;
        let writes = (0..64).map(|_| {
            write(&bank.store, Lock::row("account", &purse), move |c| {
                let held = balance(c, purse)?;
                set_balance(c, purse, held - 1)
            })
        });

        for answer in together(&bank.store, writes.collect()).await {
            answer.unwrap();
        }

        assert_eq!(bank.balance(purse).await, 36);
    }
}
