//! Several requests of one sub-account in one transaction, each in a savepoint of its own: one commit
//! for all of them, and what is refused leaves no trace.

use diesel::Connection as _;
use store::{Connection, Error, Lock};

use super::account::Account;
use super::halt::Halt;
use super::operation::{self, Posted};
use super::processor::check_key;
use super::{Sandbox, reply};
use crate::processor::one_by_one;
use crate::{Answer, Failure, Request};

impl Sandbox {
    pub(super) async fn execute_together(
        &self,
        requests: Vec<Request>,
    ) -> Vec<Result<Answer, Failure>> {
        let Some(account) = self.common_account(&requests).await else {
            return one_by_one(self, requests).await;
        };
        let lock = Lock::row("sub_account", &account.id);
        let of = account.clone();
        let done = self
            .store
            .write(lock, move |c| post_all(c, &of, &requests))
            .await;
        match done {
            Ok(posted) => posted
                .into_iter()
                .map(|posted| match posted? {
                    posted if posted.answered => reply::answer(&account, &posted),
                    _ => Err(Failure::Unanswered),
                })
                .collect(),
            // Whether it was kept is known of none of them: the first says so for all.
            Err(halt) => vec![Err(halt.into())],
        }
    }

    /// The sub-account that all requests are about, if there is one.
    async fn common_account(&self, requests: &[Request]) -> Option<Account> {
        let mut common: Option<Account> = None;
        for request in requests {
            let account = self.account_asked(request).await;
            let account = account.ok()?;
            if common.as_ref().is_some_and(|known| known.id != account.id) {
                return None;
            }
            common = Some(account);
        }
        common
    }
}

/// After one that the caller does not hear of, no other is executed.
fn post_all(
    c: &mut Connection,
    account: &Account,
    requests: &[Request],
) -> Result<Vec<Result<Posted, Halt>>, Halt> {
    let mut all = Vec::with_capacity(requests.len());
    for request in requests {
        let posted = match c.transaction(|c| post(c, account, request)) {
            // A key that another sub-account has used is that request's own fault.
            Err(Halt::Store(error)) if !matches!(error, Error::Duplicate(_)) => {
                return Err(error.into());
            }
            posted => posted,
        };
        let is_heard = match &posted {
            Ok(posted) => posted.answered,
            Err(halt) => !matches!(halt, Halt::RequestLost),
        };
        all.push(posted);
        if !is_heard {
            break;
        }
    }
    Ok(all)
}

fn post(c: &mut Connection, account: &Account, request: &Request) -> Result<Posted, Halt> {
    check_key(request.key())?;
    operation::execute(c, account, request)
}
