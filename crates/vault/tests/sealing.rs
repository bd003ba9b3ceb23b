//! What is sealed opens again in its own place under its own key, and nowhere else.

use std::collections::HashSet;

use data_encoding::HEXLOWER;
use proptest::prelude::*;
use vault::{Error, Key, Keyring, PLAINTEXT_BYTES_MAX, Vault};

const CONTEXT: &str = "payments.signing_key/K1";

fn key(byte: u8) -> Key {
    Key::from_bytes(&[byte; 32])
}

fn vault(byte: u8) -> Vault {
    Vault::new(key(byte))
}

proptest! {
    #[test]
    fn sealed_bytes_open_to_what_was_sealed(
        context in any::<String>(),
        plaintext in any::<Vec<u8>>(),
    ) {
        let sealed = vault(1).seal(&context, &plaintext).unwrap();
        prop_assert_eq!(vault(1).open(&context, &sealed).unwrap().to_vec(), plaintext.clone());
    }

    #[test]
    fn sealed_bytes_do_not_open_in_another_place(
        context in any::<String>(),
        other in any::<String>(),
        plaintext in any::<Vec<u8>>(),
    ) {
        prop_assume!(context != other);
        let sealed = vault(1).seal(&context, &plaintext).unwrap();
        let refused = vault(1).open(&other, &sealed);
        let names_the_place = matches!(refused, Err(Error::Tampered { context }) if context == other);
        prop_assert!(names_the_place);
    }

    #[test]
    fn any_bytes_at_all_are_refused_without_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(vault(1).open(CONTEXT, &bytes).is_err());
        prop_assert!(vault(1).rotate(CONTEXT, &bytes).is_err());
        prop_assert!(vault(1).needs_rotation(&bytes));
    }

    #[test]
    fn rotation_keeps_the_content_and_changes_the_key(
        context in any::<String>(),
        plaintext in any::<Vec<u8>>(),
    ) {
        let old = vault(1);
        let both = Vault::new(Keyring::new(key(2), vec![key(1)]));
        let new = vault(2);

        let under_old = old.seal(&context, &plaintext).unwrap();
        prop_assert_eq!(both.open(&context, &under_old).unwrap().to_vec(), plaintext.clone());
        prop_assert!(!old.needs_rotation(&under_old) && both.needs_rotation(&under_old));

        let under_new = both.rotate(&context, &under_old).unwrap();
        prop_assert!(!both.needs_rotation(&under_new));
        prop_assert_eq!(new.open(&context, &under_new).unwrap().to_vec(), plaintext.clone());
        let refused = old.open(&context, &under_new);
        prop_assert!(matches!(refused, Err(Error::UnknownKey { .. })), "the old key opened it");
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let vault = vault(1);
    let sealed = vault.seal(CONTEXT, b"a signing key").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut damaged = sealed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let refused = vault.open(CONTEXT, &damaged);
        match bit / 8 {
            0 => assert!(
                matches!(refused, Err(Error::UnknownVersion(_))),
                "bit {bit}"
            ),
            1..=8 => assert!(
                matches!(refused, Err(Error::UnknownKey { .. })),
                "bit {bit}"
            ),
            _ => assert!(matches!(refused, Err(Error::Tampered { .. })), "bit {bit}"),
        }
    }
}

#[test]
fn sealed_bytes_cut_short_are_refused() {
    let vault = vault(1);
    let sealed = vault.seal(CONTEXT, b"").unwrap();
    assert!(vault.open(CONTEXT, &sealed).unwrap().is_empty());
    for length in 0..sealed.len() {
        let refused = vault.open(CONTEXT, &sealed[..length]);
        assert!(matches!(refused, Err(Error::Malformed(l)) if l == length));
    }
}

#[test]
fn a_nonce_is_never_used_twice() {
    let vault = vault(1);
    let nonces: HashSet<Vec<u8>> = (0..10_000)
        .map(|_| vault.seal(CONTEXT, b"the same secret").unwrap()[9..33].to_vec())
        .collect();
    assert_eq!(nonces.len(), 10_000);
}

#[test]
fn more_than_the_limit_is_not_sealed() {
    let largest = vec![7; PLAINTEXT_BYTES_MAX];
    let sealed = vault(1).seal(CONTEXT, &largest).unwrap();
    assert!(vault(1).open(CONTEXT, &sealed).unwrap().as_slice() == largest);

    let refused = vault(1).seal(CONTEXT, &vec![7; PLAINTEXT_BYTES_MAX + 1]);
    assert!(matches!(refused, Err(Error::TooLarge(n)) if n == PLAINTEXT_BYTES_MAX + 1));
}

/// Sealed by a separate implementation: `HChaCha20` written out from draft-irtf-cfrg-xchacha and
/// checked with its example 2.2.1, then the ChaCha20-Poly1305 of OpenSSL. Key bytes 00 to 1f, nonce
/// bytes 40 to 57, key id the head of SHA-256("nightaudit key id" + key).
#[test]
fn data_sealed_by_another_implementation_opens() {
    let sealed = HEXLOWER
        .decode(
            concat!(
                "01",
                "0fe0c41f4791835d",
                "404142434445464748494a4b4c4d4e4f5051525354555657",
                "b5197619b78e1078e8d4ecdbd6635fe8585c5b898d5e17766dec7595b3",
            )
            .as_bytes(),
        )
        .unwrap();
    let key = Key::from_bytes(&std::array::from_fn(|i| u8::try_from(i).unwrap()));
    assert_eq!(key.id().to_string(), "0fe0c41f4791835d");

    let opened = Vault::new(key).open(CONTEXT, &sealed).unwrap();
    assert_eq!(opened.as_slice(), b"a signing key");
}

#[test]
fn a_wrong_key_is_named_and_so_is_the_remedy() {
    let sealed = vault(1).seal(CONTEXT, b"secret").unwrap();
    let (right, wrong, wrong_too) = (key(1).id(), key(2).id(), key(3).id());

    let refused = vault(2).open(CONTEXT, &sealed).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "this data was sealed with key {right}; the key given is {wrong}: \
             give the right one with --key-file or NIGHTAUDIT_KEY"
        )
    );
    let several = Vault::new(Keyring::new(key(2), vec![key(3)]));
    let refused = several.open(CONTEXT, &sealed).unwrap_err().to_string();
    assert!(refused.contains(&format!("the keys given are {wrong}, {wrong_too}:")));
}

#[test]
fn a_check_value_tells_the_right_keys_from_wrong_ones() {
    let check_value = vault(1).check_value().unwrap();
    vault(1).verify_check_value(&check_value).unwrap();
    Vault::new(Keyring::new(key(2), vec![key(1)]))
        .verify_check_value(&check_value)
        .unwrap();

    let refused = vault(2).verify_check_value(&check_value);
    assert!(matches!(refused, Err(Error::UnknownKey { .. })));
    let secret = vault(1).seal(CONTEXT, b"secret").unwrap();
    let refused = vault(1).verify_check_value(&secret);
    assert!(matches!(refused, Err(Error::Tampered { .. })));
}

#[test]
fn debug_output_shows_no_key() {
    let (hex, decimal) = ("abababab", "171, 171");
    let keys = Keyring::new(key(0xab), vec![key(0xab)]);
    for shown in [
        format!("{:?}", key(0xab)),
        format!("{keys:?}"),
        format!("{:?}", Vault::new(keys)),
    ] {
        assert!(shown.contains(&key(0xab).id().to_string()), "{shown}");
        assert!(!shown.contains(hex) && !shown.contains(decimal), "{shown}");
    }
}
