//! Properties and reservations: lists in the order of ids, whose objects can be read one by one.

use contract::id::ConnectionId;
use contract::{ObjectId, Timestamp};
use diesel::prelude::*;
use guesty::Problem;
use store::{Connection, both};

use super::ahead::Came;
use super::place::Place;
use super::run::Run;
use super::source::CHANGES;
use super::walk::{Gap, Walk};
use super::{List, Span, Sync};
use crate::Error;
use crate::mirror::{Counts, Delivery, Kind, ReaderId, current};
use crate::schema::object;

/// How often a page is asked for again whose objects others change while it is read.
const TRIES_MAX: u32 = 8;
/// How often a list is read from its beginning because fewer rows came than were announced.
const SHORT_MAX: u32 = 3;
/// How many known ids are looked at together.
const TOGETHER: i64 = 1_000;

const SHIFTS: &str = "rows of it are removed faster than it can be read, so it was not read to its \
                      end: the next run goes on there";
const IN_CIRCLES: &str =
    "the source gives the same rows again and again, so it cannot be read to its end";
const OUT_OF_ORDER: &str =
    "the source does not give it in the order of ids, so what was removed is not seen";

impl Sync {
    pub(super) async fn properties(&self, run: &mut Run<'_>) -> Result<(), Error> {
        match run.asks(self.reader.account()).await? {
            Ok(account) => {
                self.is_ours_as_told(&account.value).await?;
                let counts = run.counts;
                self.take_in(run, &account.reply).await?;
                // The account is no property, but what is not understood of it is to be told.
                let flagged = run.counts.flagged;
                run.counts = Counts { flagged, ..counts };
            }
            Err(error) => self.note_failure(run, "the account", &error).await?,
        }
        for active in [true, false] {
            if run.is_cut_off {
                break;
            }
            self.list(run, List::Properties { active }, None).await?;
        }
        Ok(())
    }

    pub(super) async fn reservations(
        &self,
        run: &mut Run<'_>,
        arrivals: Option<Span>,
    ) -> Result<(), Error> {
        let list = List::Reservations { arrivals };
        let begins = self.place(&list.name()).await?.done == 0;
        let mark = match arrivals {
            // If it cannot be asked, neither can the list, which then tells why.
            None if begins => match run.asks(self.source.now()).await? {
                Ok(mark) => mark,
                Err(error) => {
                    run.count_failure(&error);
                    None
                }
            },
            _ => None,
        };
        self.list(run, list, mark).await?;
        Ok(())
    }

    /// Reads a list to its end, from where it was left; whether anything is in it, as far as could
    /// be read. The mark is what time it is at the source.
    pub(super) async fn list(
        &self,
        run: &mut Run<'_>,
        list: List,
        mark: Option<Timestamp>,
    ) -> Result<bool, Error> {
        let mut place = self.place(&list.name()).await?.marked(mark);
        run.goes_on(&list.name(), &place);
        let mut walk = Walk::from(&place);
        let mut pages = self.ahead(list, walk.skip);
        let mut times_short = 0;
        while let Some(arrival) = run.asks(pages.recv()).await? {
            let answer = arrival?;
            let problem = answer.as_ref().err().map(|error| &error.problem);
            let is_short = matches!(problem, Some(Problem::ListShrank { .. }));
            let is_shifted = match &answer {
                Ok(came) => !walk.is_followed_by(&came.page),
                Err(_) => matches!(problem, Some(Problem::ListShifted { .. })),
            };
            if is_shifted {
                if !walk.go_back() {
                    run.note(list.name(), &SHIFTS);
                    return Ok(true);
                }
                pages = self.ahead(list, walk.skip);
                continue;
            }
            if is_short && times_short < SHORT_MAX {
                times_short += 1;
                place = place.anew(self.now());
                walk = Walk::from(&place);
                pages = self.ahead(list, 0);
                continue;
            }
            let Came { page, mut delivery } = match answer {
                Ok(came) => came,
                Err(error) => {
                    self.note_failure(run, list.name(), &error).await?;
                    return Ok(true);
                }
            };
            let mut next = walk.clone();
            let gap = next.go_on(&page);
            if next.is_in_circles {
                run.note(list.name(), &IN_CIRCLES);
                return Ok(true);
            }
            self.look_after_missing(run, list, gap, &page.ids).await?;
            if run.is_cut_off {
                return Ok(true);
            }
            delivery.is_page(next.page);
            delivery.was_met(|id| walk.has_met(id));
            let at = place.at(page.done, next.last());
            match self.commit(run, vec![delivery], Some(at)).await {
                Err(Error::Overtaken { .. }) if walk.tries < TRIES_MAX => {
                    walk.try_again();
                    pages = self.ahead(list, walk.skip);
                    continue;
                }
                Err(overtaken @ Error::Overtaken { .. }) => {
                    run.note(list.name(), &overtaken);
                    return Ok(true);
                }
                committed => committed?,
            }
            run.tell(&list.name(), page.done, page.total);
            walk = next;
        }
        self.look_after_missing(run, list, walk.rest(), &[]).await?;
        if run.is_cut_off {
            return Ok(true);
        }
        if !walk.is_sorted() {
            run.note(list.name(), &OUT_OF_ORDER);
        }
        if walk.has_rows || !list.is_of_changes() {
            self.all_is_in(run, list, place).await?;
        }
        Ok(walk.has_rows)
    }

    /// All of a list is in, and with it all that had changed when its reading began.
    async fn all_is_in(&self, run: &Run<'_>, list: List, place: Place) -> Result<(), Error> {
        let (id, right, now) = (self.chain.id, run.right, self.now());
        let work = move |c: &mut Connection| {
            right.hold(c, now)?;
            if !list.is_of_changes() {
                place.at_end().save(c)?;
            }
            if let Some(mark) = place.mark() {
                let changes = Place::resume(c, id, CHANGES, now)?;
                changes.at_end_as_of(Some(mark)).save(c)?;
            }
            Ok(())
        };
        self.chain.store.write(self.chain.lock(), work).await
    }

    /// Asks for what the mirror has in a gap of ids and the page has not.
    async fn look_after_missing(
        &self,
        run: &mut Run<'_>,
        list: List,
        gap: Option<Gap>,
        met: &[String],
    ) -> Result<(), Error> {
        let mut next = gap;
        while let Some(gap) = next.take() {
            let (id, known) = (self.chain.id, gap.clone());
            let known = move |c: &mut Connection| known_in(c, id, list, &known);
            let known: Vec<String> = self.chain.store.read(known).await?;
            if i64::try_from(known.len()) == Ok(TOGETHER) {
                next = known.last().map(|last| gap.after(last));
            }
            let may_be_asked = |id: &&String| !met.contains(id) && id.parse::<ObjectId>().is_ok();
            for id in known.iter().filter(may_be_asked) {
                if run.is_cut_off {
                    return Ok(());
                }
                self.look_after(run, list.kind(), id).await?;
            }
        }
        Ok(())
    }

    /// Asks for an object that is not where it was.
    async fn look_after(&self, run: &mut Run<'_>, kind: Kind, id: &str) -> Result<(), Error> {
        let asking = ReaderId::new().asks(&self.chain).await?;
        match run.asks(self.one_or_gone(kind, id)).await? {
            Ok(reply) => {
                let delivery = Delivery::of(&reply, 1, 1)?.asked(asking);
                match self.commit(run, vec![delivery], None).await {
                    // Whoever came first knows what it is now.
                    Err(Error::Overtaken { .. }) => Ok(()),
                    committed => committed,
                }
            }
            Err(error) => self.note_failure(run, format!("{kind} {id}"), &error).await,
        }
    }
}

/// What the mirror has of a list in a gap.
fn known_in(
    c: &mut Connection,
    chain: ConnectionId,
    list: List,
    gap: &Gap,
) -> Result<Vec<String>, Error> {
    let Some(mirror) = current(c, chain)? else {
        return Ok(Vec::new());
    };
    // Ids are hexadecimal: none comes after this.
    let up_to = gap.up_to.as_deref().unwrap_or("g");
    let known = object::table
        .filter(object::mirror_id.eq(mirror))
        .filter(object::kind.eq(list.kind().name()))
        .filter(object::id.gt(&gap.after))
        .filter(object::id.le(up_to))
        .filter(object::is_removed.eq(false))
        .order(object::id)
        .limit(TOGETHER)
        .select(object::id);
    let found: QueryResult<Vec<String>> = match list {
        List::Properties { active } => {
            let scope = format!("active={active}");
            both!(c, c => known.filter(object::scope.eq(&scope)).load::<String>(c))
        }
        List::ChangedReservations { .. } => return Ok(Vec::new()),
        List::Reservations { arrivals: None } => both!(c, c => known.load::<String>(c)),
        List::Reservations {
            arrivals: Some(span),
        } => {
            let (from, to) = (span.from().to_string(), span.to().to_string());
            both!(c, c => known.filter(object::day.between(&from, &to)).load::<String>(c))
        }
    };
    Ok(found?)
}
