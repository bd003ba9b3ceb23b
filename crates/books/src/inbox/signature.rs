//! The scheme of Svix: a message is signed with its id and the second in which it was sent.

use std::sync::LazyLock;

use contract::Timestamp;
use data_encoding::BASE64;
use guesty::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use store::random_bytes;
use zeroize::Zeroizing;

/// How far a message's clock and ours may be apart, either way.
const TOLERANCE_SECONDS: u64 = 300;
/// How many signatures are looked at: two while a secret is being replaced.
const SIGNATURES_MAX: usize = 8;
const ID_CHARACTERS_MAX: usize = 200;
/// How a secret begins that says what it is.
const PREFIX: &str = "whsec_";

/// What stands beside a message's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) id: String,
    /// As it was signed.
    seconds: String,
    signatures: Vec<[u8; 32]>,
}

/// A message that cannot be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("svix-id must have 1 to {ID_CHARACTERS_MAX} visible ASCII characters")]
    Id,
    #[error("svix-timestamp must be the second in which the message was sent, in digits")]
    Timestamp,
    #[error(
        "svix-timestamp is more than {TOLERANCE_SECONDS} seconds off: set the clocks, and sign a \
         message anew when it is sent again"
    )]
    OtherTime,
    #[error("svix-signature has no signature of the form v1,… with 32 bytes in base64")]
    Signature,
}

impl Stamp {
    /// Reads what the headers say, and refuses another time than ours.
    pub(crate) fn read(
        id: &str,
        seconds: &str,
        signatures: &str,
        now: Timestamp,
    ) -> Result<Self, Malformed> {
        let is_visible = |byte: u8| byte.is_ascii_graphic();
        if !(1..=ID_CHARACTERS_MAX).contains(&id.len()) || !id.bytes().all(is_visible) {
            return Err(Malformed::Id);
        }
        if !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Malformed::Timestamp);
        }
        let sent: i64 = seconds.parse().map_err(|_| Malformed::Timestamp)?;
        if sent.abs_diff(now.seconds()) > TOLERANCE_SECONDS {
            return Err(Malformed::OtherTime);
        }
        let signatures: Vec<[u8; 32]> = (signatures.split(' '))
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .filter_map(|text| BASE64.decode(text.as_bytes()).ok()?.try_into().ok())
            .take(SIGNATURES_MAX)
            .collect();
        if signatures.is_empty() {
            return Err(Malformed::Signature);
        }
        Ok(Self {
            id: id.to_owned(),
            seconds: seconds.to_owned(),
            signatures,
        })
    }
}

/// What messages are signed with.
#[derive(Clone)]
pub(super) struct Key(Hmac<Sha256>);

impl Key {
    /// None if it is no secret of this scheme.
    pub(super) fn of(secret: &Secret) -> Option<Self> {
        let text = secret.reveal();
        let text = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = Zeroizing::new(BASE64.decode(text.as_bytes()).ok()?);
        Some(Self::from_bytes(&bytes))
    }

    /// A key that nobody has: what it is not right for takes as long as with any other.
    pub(super) fn nobodys() -> Self {
        static KEY: LazyLock<Key> = LazyLock::new(|| Key::from_bytes(&random_bytes::<32>()));
        KEY.clone()
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        Self(Hmac::new_from_slice(bytes).expect("HMAC takes keys of any length"))
    }

    /// Whether one of the signatures is the right one; each is compared in constant time.
    pub(super) fn has_signed(&self, stamp: &Stamp, body: &[u8]) -> bool {
        let mut mac = self.0.clone();
        for part in [stamp.id.as_bytes(), b".", stamp.seconds.as_bytes(), b"."] {
            mac.update(part);
        }
        mac.update(body);
        let is_right = |signature: &[u8; 32]| mac.clone().verify_slice(signature).is_ok();
        stamp.signatures.iter().any(is_right)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use standardwebhooks::Webhook;

    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SENT: i64 = 1_614_265_330;

    fn key() -> Key {
        Key::of(&Secret::new(SECRET)).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn read(id: &str, seconds: &str, signatures: &str) -> Result<Stamp, Malformed> {
        Stamp::read(id, seconds, signatures, at(SENT))
    }

    /// As a library of the scheme's own authors signs it.
    fn signed(id: &str, body: &[u8]) -> String {
        Webhook::new(SECRET).unwrap().sign(id, SENT, body).unwrap()
    }

    /// The example of Svix's own documentation.
    #[test]
    fn the_documented_example_is_right() {
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let stamp = read(id, "1614265330", signature).unwrap();
        assert!(key().has_signed(&stamp, br#"{"test": 2432232314}"#));
        assert!(!key().has_signed(&stamp, br#"{"test": 2432232315}"#));
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let wrong = format!("v1,{}", BASE64.encode(&[7; 32]));
        let right = signed("msg_1", b"{}");
        for signatures in [
            format!("{wrong} {right}"),
            format!("{right} {wrong}"),
            format!("v1a,AAAA v1,short v2,x {right}"),
        ] {
            let stamp = read("msg_1", &SENT.to_string(), &signatures).unwrap();
            assert!(key().has_signed(&stamp, b"{}"), "{signatures}");
        }
    }

    #[test]
    fn what_cannot_be_checked_is_refused_by_name() {
        let (seconds, signature) = (SENT.to_string(), signed("m", b""));
        let long = "m".repeat(ID_CHARACTERS_MAX + 1);
        for id in ["", "a b", "a\u{e9}", &long] {
            assert_eq!(read(id, &seconds, &signature), Err(Malformed::Id), "{id}");
        }
        for seconds in [
            "",
            "+1614265330",
            "-1",
            "1614265330.5",
            "9".repeat(30).as_str(),
        ] {
            let refused = read("m", seconds, &signature);
            assert_eq!(refused, Err(Malformed::Timestamp), "{seconds}");
        }
        for signatures in ["", "v1,", "v1,AAAA", "v2,AAAA", &signature[3..]] {
            let refused = read("m", &seconds, signatures);
            assert_eq!(refused, Err(Malformed::Signature), "{signatures}");
        }
    }

    #[test]
    fn five_minutes_either_way_are_the_limit() {
        let signature = signed("m", b"");
        for (now, is_good) in [
            (SENT + 300, true),
            (SENT + 301, false),
            (SENT - 300, true),
            (SENT - 301, false),
        ] {
            let read = Stamp::read("m", &SENT.to_string(), &signature, at(now));
            let expected = if is_good {
                None
            } else {
                Some(Malformed::OtherTime)
            };
            assert_eq!(read.err(), expected, "{now}");
        }
    }

    proptest! {
        #[test]
        fn nothing_but_what_was_signed_passes(
            body in "\\PC{1,60}", place: prop::sample::Index, bit in 0..8_u8,
        ) {
            let stamp = read("msg_1", &SENT.to_string(), &signed("msg_1", body.as_bytes())).unwrap();
            prop_assert!(key().has_signed(&stamp, body.as_bytes()));

            let mut other = body.clone().into_bytes();
            let length = other.len();
            other[place.index(length)] ^= 1 << bit;
            prop_assert!(!key().has_signed(&stamp, &other));
            let renamed = Stamp { id: "msg_2".to_owned(), ..stamp.clone() };
            prop_assert!(!key().has_signed(&renamed, body.as_bytes()));
            let later = Stamp { seconds: (SENT + 1).to_string(), ..stamp.clone() };
            prop_assert!(!key().has_signed(&later, body.as_bytes()));
            let mut spoiled = stamp.clone();
            spoiled.signatures[0][place.index(32)] ^= 1 << bit;
            prop_assert!(!key().has_signed(&spoiled, body.as_bytes()));
            let stranger = Key::nobodys();
            prop_assert!(!stranger.has_signed(&stamp, body.as_bytes()));
        }
    }
}
