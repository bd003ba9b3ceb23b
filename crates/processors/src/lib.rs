//! Card processors behind one trait, and the [sandbox](sandbox::Sandbox), a processor in its own
//! right. This crate knows nothing of reservations' balances, of HTTP or of who asks.

// The macro that builds a reply's JSON recurses for each of its many fields.
#![recursion_limit = "256"]

mod answer;
mod feed;
mod ids;
mod payout;
mod processor;
mod request;
pub mod sandbox;
mod step;

pub use answer::{Answer, CardFacts, DeclineClass, Verdict};
pub use feed::{Cursor, SubAccount, TransactionKind, TransactionRecord, TransactionStatus};
pub use ids::{AttemptKey, MerchantId, MethodToken, PayoutId, SubAccountId, TransactionId};
pub use payout::{Activity, Fee, PayoutLine, PayoutRecord, PayoutStatus, Release};
pub use processor::{Failure, Processor};
pub use request::{Address, Billing, Charge, FollowUp, Order, Request, Shape, Verify};
pub use step::{SentPayout, Step, StepKind};
