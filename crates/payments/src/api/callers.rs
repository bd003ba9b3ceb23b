//! Who asks, remembered for a moment: each request of a client would read the same two rows again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use store::Store;

use crate::Error;
use crate::store::account::Account;
use crate::store::application::{self, Application};

/// A change of an application or an account is heeded after so long at the latest.
const REMEMBERED_FOR: Duration = Duration::from_secs(1);

/// An application, and the account that it belongs to.
type Caller = (Application, Account);

/// The callers of the last moment.
#[derive(Default)]
pub(crate) struct Callers(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// By client id, with when it was asked who they are.
    callers: HashMap<String, (Instant, Arc<Caller>)>,
    /// When all were last forgotten: what was read before that is used once and not remembered.
    forgotten: Option<Instant>,
}

impl Callers {
    /// The application of this client id, if there is one.
    pub(super) async fn find(
        &self,
        store: &Store,
        client_id: &str,
    ) -> Result<Option<Arc<Caller>>, Error> {
        if let Some(caller) = self.recall(client_id) {
            return Ok(Some(caller));
        }
        let id = client_id.to_owned();
        let asked = Instant::now();
        let found = store
            .read(move |connection| application::with_account(connection, &id))
            .await?;
        Ok(found.map(|caller| self.remember(client_id, asked, caller)))
    }

    /// Forgets all callers: an account has changed, and that is to be heeded at once.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.callers.clear();
        known.forgotten = Some(Instant::now());
    }

    fn recall(&self, client_id: &str) -> Option<Arc<Caller>> {
        let known = self.known();
        let (asked, caller) = known.callers.get(client_id)?;
        (asked.elapsed() < REMEMBERED_FOR).then(|| Arc::clone(caller))
    }

    fn remember(&self, client_id: &str, asked: Instant, caller: Caller) -> Arc<Caller> {
        let caller = Arc::new(caller);
        let mut known = self.known();
        let is_current = known.forgotten.is_none_or(|forgotten| forgotten < asked);
        if is_current {
            let callers = &mut known.callers;
            callers.retain(|_, (asked, _)| asked.elapsed() < REMEMBERED_FOR);
            callers.insert(client_id.to_owned(), (asked, Arc::clone(&caller)));
        }
        caller
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
