//! The load: several clients at once, each of which asks for whatever chance wants next, until told
//! to stop. What was not answered is asked for again where it has a key; without one it stays open.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hyper::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::books::{Books, How, Operation, What};
use super::chance::Chance;
use super::line::Line;
use super::minor;
use super::world::{GUEST, LISTING, World};

/// How many clients ask at once.
const CLIENTS: usize = 8;
/// How many reservations there are to begin with; more come.
const RESERVATIONS: usize = 8;
/// How long is waited when the platform says that it cannot serve now.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the load may stand still.
const STANDSTILL: Duration = Duration::from_mins(1);

/// An operation as it is asked for. Asked for again, it is the same to the byte.
#[derive(Clone)]
struct Letter {
    operation: Operation,
    method: Method,
    path: String,
    body: Option<Value>,
}

/// A load that runs. Cheap to clone.
#[derive(Clone)]
pub(super) struct Load {
    world: World,
    books: Rc<RefCell<Books>>,
    /// What is to be asked for again.
    again: Rc<RefCell<Vec<Letter>>>,
    is_over: Rc<Cell<bool>>,
    cards: &'static [&'static str],
}

impl Load {
    /// Makes what the load is about: reservations, and a method of each card in both kinds.
    pub(super) async fn prepare(world: &World, cards: &'static [&'static str]) -> Result<Self> {
        let load = Self {
            world: world.clone(),
            books: Rc::default(),
            again: Rc::default(),
            is_over: Rc::default(),
            cards,
        };
        let mut line = world.line(0);
        for _ in 0..RESERVATIONS {
            let operation = load.books.borrow_mut().begin(Books::reservation);
            load.must(&mut line, &operation).await?;
        }
        for card in cards {
            for is_stripe in [true, false] {
                let operation = load
                    .books
                    .borrow_mut()
                    .begin(|_| What::Method { card, is_stripe });
                load.must(&mut line, &operation).await?;
            }
        }
        Ok(load)
    }

    /// Sends all clients off.
    pub(super) fn start(&self, chance: &mut Chance) -> JoinSet<Result<()>> {
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            clients.spawn_local(client(self.clone(), number, chance.fork()));
        }
        clients
    }

    /// Tells all clients to stop once they are answered.
    pub(super) fn stop(&self) {
        self.is_over.set(true);
    }

    pub(super) fn books(&self) -> std::cell::Ref<'_, Books> {
        self.books.borrow()
    }

    /// The books, once the load is over.
    pub(super) fn into_books(self) -> Books {
        self.books.take()
    }

    /// Waits until so many further operations have begun.
    pub(super) async fn go_on_for(&self, operations: usize) -> Result<()> {
        let until = self.books().operations.len() + operations;
        self.wait(|books| books.operations.len() >= until).await
    }

    /// Waits until the books say so.
    pub(super) async fn wait(&self, until: impl Fn(&Books) -> bool) -> Result<()> {
        let began = Instant::now();
        while !until(&self.books()) {
            ensure!(began.elapsed() < STANDSTILL, "the load stands still");
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn must(&self, line: &mut Line, operation: &Operation) -> Result<()> {
        self.perform(line, operation).await;
        let books = self.books();
        let last = books.operations.last().context("nothing was asked")?;
        ensure!(last.is_acknowledged(), "cannot be prepared: {last:?}");
        Ok(())
    }

    async fn perform(&self, line: &mut Line, operation: &Operation) {
        match letter(line, operation).await {
            Ok(letter) => self.send(line, letter).await,
            Err(_) => self.books.borrow_mut().silence(),
        }
    }

    async fn send(&self, line: &mut Line, letter: Letter) {
        let (operation, key) = (&letter.operation, letter.operation.key());
        let (method, path) = (letter.method.clone(), &letter.path);
        let asked = line
            .ask_under(key.as_deref(), method, path, letter.body.as_ref())
            .await;
        let status = asked.as_ref().map_or(0, |(status, _)| status.as_u16());
        match asked {
            Ok((_, body)) => self.books.borrow_mut().reply(operation, status, &body),
            Err(_) => self.books.borrow_mut().silence(),
        }
        match status {
            503 => sleep(PAUSE).await,
            // The token's time is over where a clock was moved.
            401 | 403 => drop(self.world.renew_token().await),
            _ => {}
        }
        if key.is_some() && matches!(status, 0 | 409 | 503) {
            self.again.borrow_mut().push(letter);
        }
    }

    /// Asks for all that can be asked for again, until each is answered.
    pub(super) async fn ask_again(&self) -> Result<()> {
        let began = Instant::now();
        let mut line = self.world.line(0);
        loop {
            let letters = self.again.take();
            if letters.is_empty() {
                return Ok(());
            }
            for letter in letters {
                self.send(&mut line, letter).await;
            }
            if let Some(letter) = self.again.borrow().first() {
                let note = letter.operation.note();
                ensure!(
                    began.elapsed() < STANDSTILL,
                    "no answer under its key: {note}"
                );
            }
            sleep(PAUSE).await;
        }
    }
}

async fn client(load: Load, number: usize, mut chance: Chance) -> Result<()> {
    let mut line = load.world.line(number);
    loop {
        line.connected(|| !load.is_over.get()).await?;
        if load.is_over.get() {
            return Ok(());
        }
        let again = if chance.below(4) == 0 {
            chance.take(&mut load.again.borrow_mut())
        } else {
            None
        };
        if let Some(letter) = again {
            load.send(&mut line, letter).await;
        } else {
            let operation = load.books.borrow_mut().plan(&mut chance, load.cards);
            load.perform(&mut line, &operation).await;
        }
    }
}

/// How an operation is asked for.
async fn letter(line: &mut Line, operation: &Operation) -> Result<Letter> {
    let note = operation.note();
    let payments = |reservation: &str| format!("/v1/reservations/{reservation}/payments");
    let (path, body) = match &operation.what {
        What::Reservation { fare, currency } => (
            "/v1/reservations".to_owned(),
            json!({
                "listingId": LISTING,
                "guestId": GUEST,
                "checkInDateLocalized": "2024-01-10",
                "checkOutDateLocalized": "2024-01-15",
                "status": "confirmed",
                "money": { "fareAccommodation": minor::print(*fare)?, "currency": currency },
            }),
        ),
        What::Method { card, is_stripe } => {
            let field = if *is_stripe { "stripeCardToken" } else { "_id" };
            let path = format!("/v1/guests/{GUEST}/payment-methods");
            (path, json!({ field: card }))
        }
        What::Payment {
            reservation,
            how,
            amount,
            method,
        } => {
            let mut body = json!({ "amount": minor::print(*amount)?, "note": note });
            body["paymentMethod"] = match how {
                How::Record => json!({ "method": "BANK_TRANSFER" }),
                _ => json!({ "method": method.name, "id": method.id }),
            };
            match how {
                How::Hold => body["isAuthorizationHold"] = true.into(),
                How::Later(seconds) => body["shouldBePaidAt"] = later(line, *seconds).await?,
                How::Charge | How::Record => {}
            }
            (payments(reservation), body)
        }
        What::Refund {
            payment,
            amount,
            later: seconds,
        } => {
            let mut body = json!({ "amount": minor::print(*amount)?, "note": note });
            if let Some(seconds) = seconds {
                body["shouldBePaidAt"] = later(line, *seconds).await?;
            }
            let path = format!("{}/{}/refund", payments(&payment.reservation), payment.id);
            (path, body)
        }
        What::Capture { payment, amount } => {
            let path = format!("{}/{}/capture", payments(&payment.reservation), payment.id);
            (path, json!({ "amount": minor::print(*amount)? }))
        }
        What::Release { payment } => {
            let path = format!("{}/{}/cancel", payments(&payment.reservation), payment.id);
            return Ok(Letter {
                operation: operation.clone(),
                method: Method::PATCH,
                path,
                body: None,
            });
        }
    };
    Ok(Letter {
        operation: operation.clone(),
        method: Method::POST,
        path,
        body: Some(body),
    })
}

/// The instant of business time that is so many seconds from now.
async fn later(line: &mut Line, seconds: u64) -> Result<Value> {
    let (_, clock) = line.ask(Method::GET, "/sandbox/clock", None).await?;
    let now = clock["now"].as_str().context("a clock without hands")?;
    let now = chrono::DateTime::parse_from_rfc3339(now)?;
    let due = now + Duration::from_secs(seconds);
    Ok(due
        .to_utc()
        .format("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
        .into())
}

/// Waits until all clients have stopped.
pub(super) async fn join(mut clients: JoinSet<Result<()>>) -> Result<()> {
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    Ok(())
}
