//! Automatic payments of a reservation: kept in step with it, in the transaction that changes it.

use contract::Timestamp;
use contract::id::{AccountId, GuestId, ReservationId};
use contract::reservation::Status;
use store::{Connection, Lock, new_id};

use crate::Error;
use crate::collect::{self, Target};
use crate::model::auto_payment::{Dates, fits};
use crate::model::reservation::Reservation;
use crate::model::{Arrange, Command, Payment, Rejection, State};
use crate::store::scope::Scope;
use crate::store::{auto_payment, payment_method, reservation};

/// Keeps the policy by which a reservation is paid that is confirmed now. Where somebody has changed
/// the payments before, none is.
pub(crate) fn agree(connection: &mut Connection, new: &mut Reservation) -> Result<(), Error> {
    let holding = auto_payment::holding(connection, new.account, Some(new.listing))?;
    let policy = holding.map(|(_, policy)| policy);
    new.auto_payments = policy.filter(|policy| fits(policy, new.currency, &new.source));
    Ok(())
}

/// Brings the payments that wait for their date in line with the reservation, which must be locked.
pub(crate) fn follow(
    connection: &mut Connection,
    account: AccountId,
    id: ReservationId,
    now: Timestamp,
) -> Result<(), Error> {
    let scope = Scope {
        account,
        listings: None,
    };
    let stay = reservation::find(connection, &scope, id)?;
    let stay = stay.ok_or(Rejection::ReservationNotFound)?;
    let of_stay = &stay.reservation;
    let Some(policy) = of_stay.auto_payments.as_ref().filter(|_| !stay.is_touched) else {
        return Ok(());
    };
    let command = match of_stay.status {
        Status::Confirmed => {
            // Whoever gives the guest a card waits here, or is seen.
            Lock::row("guest", &of_stay.guest).take(connection)?;
            let cards = payment_method::reusable(connection, account, of_stay.guest, id)?;
            Command::Arrange(Arrange {
                dates: Dates {
                    confirmed: of_stay.confirmed.unwrap_or(now),
                    check_in: of_stay.check_in,
                    check_out: of_stay.check_out,
                    timezone: stay.home.timezone,
                },
                cards,
                ids: policy.policy.iter().map(|_| new_id()).collect(),
            })
        }
        Status::Canceled => Command::CallOff,
        _ => return Ok(()),
    };
    let target = Target {
        account,
        reservation: id,
    };
    collect::keep(connection, target, &command, now)
}

/// A payment was answered. A card that was declined for good is charged no more; what is to be tried
/// again may be more than is due by now, or on such a card.
pub(crate) fn answered(
    connection: &mut Connection,
    Target {
        account,
        reservation,
    }: Target,
    guest: GuestId,
    payment: &Payment,
    now: Timestamp,
) -> Result<(), Error> {
    if payment.was_declined_for_good() {
        cards_changed(connection, account, guest, now)
    } else if payment.auto.is_some() && payment.state == State::Scheduled {
        follow(connection, account, reservation, now)
    } else {
        Ok(())
    }
}

/// A guest has a new card, or one less that can be charged: their payments that wait are charged to
/// what there is by now.
pub(crate) fn cards_changed(
    connection: &mut Connection,
    account: AccountId,
    guest: GuestId,
    now: Timestamp,
) -> Result<(), Error> {
    // Reservations before their guest, as wherever both are locked; one that is confirmed meanwhile is
    // seen once the guest is ours.
    for id in reservation::paid_automatically(connection, account, guest)? {
        Lock::row("reservation", &id).take(connection)?;
    }
    Lock::row("guest", &guest).take(connection)?;
    for id in reservation::paid_automatically(connection, account, guest)? {
        Lock::row("reservation", &id).take(connection)?;
        follow(connection, account, id, now)?;
    }
    Ok(())
}
