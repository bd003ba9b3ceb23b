//! Reading a list ahead of what is being taken in: the next pages are asked for one after the other,
//! and understood side by side.

use futures_util::stream::{self, StreamExt};
use tokio::sync::mpsc;

use super::{List, ListPage, Sync};
use crate::Error;
use crate::mirror::{Asking, Delivery, ReaderId};
use crate::threads::{ahead, apart, side_by_side};

/// How many pages wait at most to be taken in, besides those that are being understood.
const AHEAD: usize = 4;

/// A page, and what it says.
pub(super) struct Came {
    pub(super) page: ListPage,
    pub(super) delivery: Delivery,
}

/// What became of a page: the source may have failed, or we.
pub(super) type Arrival = Result<Result<Came, guesty::Error>, Error>;

impl Sync {
    /// The pages of a list, in their order.
    pub(super) fn ahead(&self, list: List, skip: u64) -> mpsc::Receiver<Arrival> {
        let reader = ReaderId::new();
        let start = (self.chain.clone(), self.source.pages(list, skip));
        let answers = stream::unfold(start, move |(chain, mut pages)| async move {
            let asking = reader.asks(&chain).await;
            let answer = pages.next().await?;
            Some(((asking, answer), (chain, pages)))
        });
        let understood = answers.map(|(asking, answer)| understand(asking, answer));
        ahead(understood.buffered(side_by_side()), AHEAD)
    }
}

async fn understand(
    asking: Result<Asking, Error>,
    answer: Result<ListPage, guesty::Error>,
) -> Arrival {
    let asking = asking?;
    let page = match answer {
        Ok(page) => page,
        Err(error) => return Ok(Err(error)),
    };
    let work = move || {
        let delivery = Delivery::of(&page.reply, 0, 0)?.asked(asking);
        Ok(Came { page, delivery })
    };
    Ok(Ok(apart(work).await?))
}
