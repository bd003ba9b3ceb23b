//! What happens to stays: bookings, longer stays, fees, cancellations.

use chrono::Duration;
use contract::id::{PaymentMethodId, ReservationId};
use contract::invoice::{MoneyFields, NewInvoiceItem};
use contract::local::LocalDate;
use contract::reservation::{CanceledBy, NewGuest, ReservationFields, Status};
use money::{Currency, Decimal, Money, Rate, Rounding};
use processors::Shape;
use store::{Lock, new_id};

use super::{Scene, TriggerError, Triggered, nothing_fits};
use crate::Error;
use crate::booking::{amend, book, find};
use crate::collect::{NewMethod, Prepared, Target, make_method, perform};
use crate::model::amount::in_currency;
use crate::model::reservation::Reservation;
use crate::model::{Command, PostPayment, RefundPayment, State, stay};
use crate::store::reservation::Stay;
use crate::store::trigger::{self, StayWanted};
use crate::store::{listing, payment_method};

const NIGHTS: i64 = 3;
const NIGHTS_MORE: i64 = 2;
/// So many days before the arrival is booked.
const LEAD_DAYS: i64 = 14;
/// After so many days a direct booking is charged.
const CHARGED_AFTER: Duration = Duration::days(7);

impl Scene<'_> {
    pub(super) async fn channel_booking(&self) -> Result<Triggered, TriggerError> {
        let booked = self.booked("Airbnb", "Ada", "Channel").await?;
        let total = booked.reservation.totals().total;
        let payment = self.pay(&booked.reservation, None, "AIRBNB", total).await?;
        Ok(Triggered {
            happened: format!("a guest booked through Airbnb, which collected {total}"),
            payment: Some(payment),
            amount: Some(total.to_string()),
            ..about(&booked.reservation)
        })
    }

    pub(super) async fn direct_booking(&self) -> Result<Triggered, TriggerError> {
        let booked = self.booked("website", "Dora", "Direct").await?;
        let new = NewMethod {
            token: "pm_card_visa".to_owned(),
            shape: Shape::Amaryllis,
            provider: None,
            reservation: Some(booked.reservation.id),
            save_for_future_use: true,
            is_reusable: true,
            claim: None,
        };
        let guest = booked.reservation.guest;
        let method = make_method(self.platform, self.scope(), guest, new, self.now).await?;
        let total = booked.reservation.totals().total;
        if booked.reservation.auto_payments.is_some() {
            return Ok(Triggered {
                happened: format!(
                    "a guest booked directly, and {total} will be charged as the auto payments \
                     policy says"
                ),
                payment_method: Some(method.id),
                amount: Some(total.to_string()),
                ..about(&booked.reservation)
            });
        }
        let payment = self
            .pay(&booked.reservation, Some(method.id), "AMARYLLIS", total)
            .await?;
        Ok(Triggered {
            happened: format!(
                "a guest booked directly, and {total} will be charged at {}",
                self.now + CHARGED_AFTER
            ),
            payment_method: Some(method.id),
            payment: Some(payment),
            amount: Some(total.to_string()),
            ..about(&booked.reservation)
        })
    }

    async fn booked(&self, source: &str, first: &str, last: &str) -> Result<Stay, TriggerError> {
        let (scope, named, now) = (self.scope(), self.request.listing, self.now);
        let given = self.request.amount;
        let guest = NewGuest {
            first_name: Some(first.to_owned()),
            last_name: Some(last.to_owned()),
            email: Some(format!("{}@example.com", first.to_lowercase())),
            phone: None,
        };
        let source = source.to_owned();
        let booked = self
            .platform
            .store
            .write(Lock::none(), move |c| {
                let id = match named {
                    Some(id) => Some(id),
                    None => trigger::first_listing(c, scope.account)?,
                };
                let Some(id) = id else { return Ok(None) };
                let row = listing::find(c, &scope, id)?.ok_or(crate::Rejection::ListingNotFound)?;
                let home = row.home()?;
                let earliest = stay::date(now, home.timezone) + Duration::days(LEAD_DAYS);
                let free = trigger::last_departure(c, id)?
                    .max(Some(earliest))
                    .unwrap_or(earliest);
                let written = ReservationFields {
                    listing_id: Some(id),
                    guest: Some(guest.clone()),
                    status: Some(Status::Confirmed),
                    check_in_date_localized: Some(LocalDate(free)),
                    check_out_date_localized: Some(LocalDate(free + Duration::days(NIGHTS))),
                    guests_count: Some(2),
                    source: Some(source.clone()),
                    money: Some(MoneyFields {
                        fare_accommodation: Some(given.unwrap_or(usual_fare(home.currency)?)),
                        ..MoneyFields::default()
                    }),
                    ..ReservationFields::default()
                };
                let id = book(c, &scope, &written, now)?;
                find(c, &scope, id).map(Some)
            })
            .await?;
        booked.ok_or_else(|| {
            nothing_fits("the account has no active listing: make one with POST /v1/listings")
        })
    }

    /// Posts the payment of a booking: recorded, or by card and for later.
    async fn pay(
        &self,
        reservation: &Reservation,
        card: Option<PaymentMethodId>,
        method_name: &str,
        amount: Money,
    ) -> Result<contract::id::PaymentId, Error> {
        let target = Target {
            account: self.account.id,
            reservation: reservation.id,
        };
        let (account, now) = (self.account.id, self.now);
        let id = new_id();
        let (method_name, attempt) = (method_name.to_owned(), new_id());
        perform(self.platform, target, now, move |c, _| {
            let charged = match card {
                Some(card) => payment_method::to_charge(c, account, card)?,
                None => None,
            };
            let command = Command::Post(PostPayment {
                id,
                attempt,
                method_name: method_name.clone(),
                names_method: card.is_some(),
                method: charged.as_ref().map(|charged| charged.method.clone()),
                amount: amount.to_decimal(),
                due: card.map(|_| now + CHARGED_AFTER),
                paid: None,
                note: None,
                is_hold: false,
            });
            Ok(Prepared { command, charged })
        })
        .await?;
        Ok(id)
    }

    pub(super) async fn extension(&self) -> Result<Triggered, TriggerError> {
        let none = "no confirmed stay is ahead or under way: trigger direct-booking first";
        let stay = self.chosen_stay(StayWanted::NotLeft, none).await?;
        let old = stay.reservation;
        let fare = old.totals().fare;
        let more = match &self.request.amount {
            Some(amount) => in_currency("amount", amount, old.currency)?,
            None => fare_of(fare, old.nights(), NIGHTS_MORE),
        };
        let sum = fare
            .checked_add(more)
            .map_err(|e| Error::Corrupt(e.to_string()))?;
        let check_out = old.check_out + Duration::days(NIGHTS_MORE);
        let written = ReservationFields {
            check_out_date_localized: Some(LocalDate(check_out)),
            money: Some(MoneyFields {
                fare_accommodation: Some(sum.to_decimal()),
                ..MoneyFields::default()
            }),
            ..ReservationFields::default()
        };
        self.amend(old.id, written).await?;
        Ok(Triggered {
            happened: format!("the guest stays until {check_out}, for {more} more"),
            amount: Some(more.to_string()),
            ..about(&old)
        })
    }

    pub(super) async fn late_fee(&self) -> Result<Triggered, TriggerError> {
        let none = "no reservation is confirmed: trigger direct-booking first";
        let old = self
            .chosen_stay(StayWanted::Confirmed, none)
            .await?
            .reservation;
        let amount = self.amount_or(usual_fee(old.currency)?);
        let fee = in_currency("amount", &amount, old.currency)?;
        if !fee.is_positive() {
            return Err(crate::Rejection::NothingToMove.into());
        }
        let mut items: Vec<NewInvoiceItem> = old
            .items
            .iter()
            .filter(|i| !i.is_locked)
            .map(same)
            .collect();
        items.push(item("Late check-out", fee, "AFE", Some("LATE_CHECKOUT")));
        self.amend(old.id, with_items(items)).await?;
        Ok(Triggered {
            happened: format!("a fee of {fee} for a late check-out was put on the invoice"),
            amount: Some(fee.to_string()),
            ..about(&old)
        })
    }

    pub(super) async fn cancellation(&self) -> Result<Triggered, TriggerError> {
        let none = "no confirmed stay is still ahead: trigger direct-booking first";
        let old = self.chosen_stay(StayWanted::Ahead, none).await?.reservation;
        let fee = self.retained(&old)?;
        let items = if fee.is_zero() {
            Vec::new()
        } else {
            vec![item("Cancellation fee", fee, "CFE", None)]
        };
        let zero = Money::zero(old.currency).to_decimal();
        let written = with_items(items);
        let money = written.money.map(|money| MoneyFields {
            fare_accommodation: Some(zero),
            fare_cleaning: Some(zero),
            ..money
        });
        let written = ReservationFields {
            status: Some(Status::Canceled),
            canceled_by: Some(CanceledBy::Guest),
            cancellation_reason: Some("The guest cannot come".to_owned()),
            money,
            ..ReservationFields::default()
        };
        self.amend(old.id, written).await?;
        self.call_off_what_waits(old.id).await?;
        let refunds = self.return_beyond(old.id, fee).await?;
        Ok(Triggered {
            happened: format!("the guest called the stay off, and {fee} is kept"),
            refunds,
            amount: Some(fee.to_string()),
            ..about(&old)
        })
    }

    /// What is kept: the amount given, else half of the total.
    fn retained(&self, old: &Reservation) -> Result<Money, TriggerError> {
        let total = old.totals().total;
        let Some(amount) = &self.request.amount else {
            let half = Rate::from_percent("50")
                .and_then(|half| total.times(&half, Rounding::HalfUp))
                .map_err(|error| Error::Corrupt(error.to_string()))?;
            return Ok(half);
        };
        let fee = in_currency("amount", amount, old.currency)?;
        if fee.is_negative() || fee.minor() > total.minor() {
            let message = format!("amount: what is kept is between 0 and the total of {total}");
            return Err(nothing_fits(message));
        }
        Ok(fee)
    }

    async fn call_off_what_waits(&self, reservation: ReservationId) -> Result<(), Error> {
        let stay = self.load(reservation).await?;
        let waits = |state| matches!(state, State::Scheduled | State::Held | State::AwaitingGuest);
        for payment in stay.folio.payments.iter().filter(|p| waits(p.state)) {
            let (payment, attempt) = (payment.id, new_id());
            self.command(reservation, Command::Cancel { payment, attempt })
                .await?;
        }
        Ok(())
    }

    /// Gives back what was paid beyond an amount, of the latest payments first.
    async fn return_beyond(
        &self,
        reservation: ReservationId,
        kept: Money,
    ) -> Result<Vec<contract::id::RefundId>, Error> {
        let folio = self.load(reservation).await?.folio;
        let mut beyond = folio.paid().minor() - folio.refunded().minor() - kept.minor();
        let mut refunds = Vec::new();
        for payment in folio.payments.iter().rev() {
            let part = payment.refundable().minor().min(beyond);
            if part <= 0 {
                continue;
            }
            beyond -= part;
            let id = new_id();
            let command = Command::Refund(RefundPayment {
                payment: payment.id,
                id,
                attempt: new_id(),
                amount: Money::from_minor(part, folio.currency).to_decimal(),
                due: None,
                note: Some("Cancellation".to_owned()),
            });
            self.command(reservation, command).await?;
            refunds.push(id);
        }
        Ok(refunds)
    }

    async fn amend(&self, id: ReservationId, written: ReservationFields) -> Result<(), Error> {
        let (scope, now) = (self.scope(), self.now);
        self.platform
            .store
            .write(Lock::row("reservation", &id), move |c| {
                amend(c, &scope, id, &written, now)
            })
            .await
    }

    /// The reservation that was named, else the last that fits.
    async fn chosen_stay(&self, wanted: StayWanted, none: &str) -> Result<Stay, TriggerError> {
        let (scope, named, now) = (self.scope(), self.request.reservation, self.now);
        let found = self
            .platform
            .store
            .read(move |c| {
                let id = match named {
                    Some(id) => Some(id),
                    None => trigger::stay(c, scope.account, wanted, now)?,
                };
                id.map(|id| find(c, &scope, id)).transpose()
            })
            .await?;
        let stay = found.ok_or_else(|| nothing_fits(none))?;
        if stay.reservation.status != Status::Confirmed {
            return Err(nothing_fits(format!(
                "reservation {} is {}: name one that is confirmed",
                stay.reservation.id,
                stay.reservation.status.name()
            )));
        }
        Ok(stay)
    }
}

fn about(reservation: &Reservation) -> Triggered {
    Triggered {
        listing: Some(reservation.listing),
        reservation: Some(reservation.id),
        confirmation_code: Some(reservation.confirmation_code.clone()),
        guest: Some(reservation.guest),
        ..Triggered::default()
    }
}

fn with_items(items: Vec<NewInvoiceItem>) -> ReservationFields {
    ReservationFields {
        money: Some(MoneyFields {
            invoice_items: Some(items),
            ..MoneyFields::default()
        }),
        ..ReservationFields::default()
    }
}

fn item(title: &str, amount: Money, kind: &str, fee: Option<&str>) -> NewInvoiceItem {
    NewInvoiceItem {
        id: None,
        title: title.to_owned(),
        amount: amount.to_decimal(),
        normal_type: kind.to_owned(),
        description: None,
        second_identifier: fee.map(str::to_owned),
    }
}

/// A line as it stands: written back, it stays.
fn same(item: &crate::model::invoice::Item) -> NewInvoiceItem {
    NewInvoiceItem {
        id: Some(item.id),
        title: item.title.clone(),
        amount: item.amount.to_decimal(),
        normal_type: item.normal_type.clone(),
        description: item.description.clone(),
        second_identifier: item.second_identifier.clone(),
    }
}

/// What so many more nights cost at the fare of the others, rounded half up.
fn fare_of(fare: Money, nights: i64, more: i64) -> Money {
    let nights = i128::from(nights.max(1));
    let doubled = i128::from(fare.minor()) * i128::from(more) * 2 + nights;
    let minor = doubled.div_euclid(nights * 2);
    Money::from_minor(i64::try_from(minor).unwrap_or(i64::MAX), fare.currency())
}

fn usual_fare(currency: Currency) -> Result<Decimal, Error> {
    usual(if currency.exponent() == 0 {
        "45000"
    } else {
        "450"
    })
}

fn usual_fee(currency: Currency) -> Result<Decimal, Error> {
    usual(if currency.exponent() == 0 {
        "5000"
    } else {
        "50"
    })
}

fn usual(amount: &str) -> Result<Decimal, Error> {
    amount
        .parse()
        .map_err(|error: money::MoneyError| Error::Corrupt(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_nights_cost_what_the_others_did() {
        let usd = |minor| Money::from_minor(minor, "USD".parse().unwrap());
        // 100.00 for 3 nights is 33.33… each: 66.67 for 2. 100.01 for 4 is 25.0025: 50.01 for 2.
        assert_eq!(fare_of(usd(10_000), 3, 2), usd(6_667));
        assert_eq!(fare_of(usd(10_001), 4, 2), usd(5_001));
        assert_eq!(fare_of(usd(0), 3, 2), usd(0));
    }
}
