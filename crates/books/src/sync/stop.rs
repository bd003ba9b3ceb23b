//! Stopping a run before its end, from whichever process.
//!
//! That it is to end stands in the run's row. It looks there, and ends after what it is taking in.

use std::time::Duration;

use contract::id::ConnectionId;
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use store::{Connection, Lock, both};
use tokio::time::{Instant, sleep};

use super::RunRecord;
use super::record::{by_id, under_way};
use crate::schema::sync_run;
use crate::{Books, Error};

/// A run that was killed is out of the way after a minute.
const PATIENCE: Duration = Duration::from_secs(70);
const PAUSE: Duration = Duration::from_millis(100);

impl Books {
    /// Asks the run that is under way over a connection to end, in whichever process it is; none if
    /// there is none. What it has taken in stays, and the next run goes on there.
    pub async fn stop_sync(&self, connection: ConnectionId) -> Result<Option<RunRecord>, Error> {
        let now = self.clock().now();
        let ask = move |c: &mut Connection| ask(c, connection, now);
        self.store().write(Lock::none(), ask).await
    }

    /// A run once it has ended; as it is after a minute and a bit if it has not.
    pub async fn sync_ended(&self, run: RunRecord) -> Result<RunRecord, Error> {
        let given_up = Instant::now() + PATIENCE;
        let mut run = run;
        while run.ended_at.is_none() && Instant::now() < given_up {
            sleep(PAUSE).await;
            let (id, now) = (run.id, self.clock().now());
            run = self.store().read(move |c| by_id(c, id, now)).await?;
        }
        Ok(run)
    }
}

fn ask(
    c: &mut Connection,
    chain: ConnectionId,
    now: Timestamp,
) -> Result<Option<RunRecord>, Error> {
    let Some(run) = under_way(c, chain)?.filter(|run| now < run.until_ms) else {
        return Ok(None);
    };
    let id = run.id;
    let open = sync_run::table
        .find(id)
        .filter(sync_run::ended_ms.is_null())
        .filter(sync_run::stop_ms.is_null());
    let asked = sync_run::stop_ms.eq(now);
    both!(c, c => diesel::update(open).set(asked).execute(c))?;
    by_id(c, id, now).map(Some)
}

/// Whether somebody asked a run to end.
pub(super) fn is_asked(c: &mut Connection, run: ObjectId) -> Result<bool, Error> {
    let row = sync_run::table.find(run).select(sync_run::stop_ms);
    let asked: Option<Option<Timestamp>> = row.first(c).optional()?;
    Ok(asked.flatten().is_some())
}
