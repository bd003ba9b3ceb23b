//! Where keys come from: the order of sources, the forms of a key, and key files.
#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may fail as the test does"
)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::thread;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use proptest::prelude::*;
use tempfile::TempDir;
use vault::{Key, KeyError, KeyId, KeySource, Keyring, Vault, rotate_key_file};

fn hex(byte: u8) -> String {
    HEXLOWER.encode(&[byte; 32])
}

fn id(byte: u8) -> KeyId {
    Key::from_bytes(&[byte; 32]).id()
}

fn write_key_file(dir: &TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("keys");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

fn load_file(path: &Path) -> Result<Keyring, KeyError> {
    KeySource::File(path.to_owned()).load()
}

fn load_variable(value: &str) -> Result<Keyring, KeyError> {
    KeySource::choose(None, Some(value.to_owned()), PathBuf::new()).load()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names_in(dir: &TempDir) -> Vec<String> {
    fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

proptest! {
    #[test]
    fn a_key_reads_the_same_in_every_form(bytes in any::<[u8; 32]>()) {
        let id = Key::from_bytes(&bytes).id();
        for text in [
            HEXLOWER.encode(&bytes),
            HEXUPPER.encode(&bytes),
            BASE64.encode(&bytes),
            BASE64URL_NOPAD.encode(&bytes),
        ] {
            prop_assert_eq!(Key::parse(&text).map(|key| key.id()), Some(id));
        }
    }

    #[test]
    fn a_key_of_another_length_is_refused(bytes in any::<Vec<u8>>()) {
        prop_assume!(bytes.len() != 32);
        prop_assert!(Key::parse(&HEXLOWER.encode(&bytes)).is_none());
        prop_assert!(Key::parse(&BASE64.encode(&bytes)).is_none());
    }

    #[test]
    fn any_text_at_all_is_read_or_refused_without_panic(text in any::<String>()) {
        prop_assert!(load_variable(&text).is_err());
    }
}

#[test]
fn the_key_file_wins_over_the_variable_and_the_variable_over_the_data_directory() {
    let dir = TempDir::new().unwrap();
    let file = write_key_file(&dir, &hex(1));
    let choose = |file: Option<&PathBuf>, variable: Option<String>| {
        let source = KeySource::choose(file.cloned(), variable, dir.path().to_owned());
        source.load().unwrap().primary().id()
    };

    assert_eq!(choose(Some(&file), Some(hex(2))), id(1));
    assert_eq!(choose(None, Some(hex(2))), id(2));
    assert!(
        !dir.path().join("key").exists(),
        "no key is made without need"
    );
    let made = choose(None, None);
    assert_eq!(
        load_file(&dir.path().join("key")).unwrap().primary().id(),
        made
    );
}

#[test]
fn the_first_key_is_the_primary_and_the_others_are_former() {
    let dir = TempDir::new().unwrap();
    let text = format!(
        "# made in spring, still used\n{}\n\n  {}  \r\n",
        hex(1),
        hex(2)
    );
    let keys = load_file(&write_key_file(&dir, &text)).unwrap();
    assert_eq!(keys.ids().collect::<Vec<_>>(), [id(1), id(2)]);

    let keys = load_variable(&format!("{},{}", hex(1), hex(2))).unwrap();
    assert_eq!(keys.ids().collect::<Vec<_>>(), [id(1), id(2)]);
}

#[test]
fn a_variable_that_is_set_but_empty_is_refused() {
    for value in ["", " ", ",", "\n"] {
        let refused = load_variable(value).unwrap_err();
        assert!(
            refused
                .to_string()
                .starts_with("NIGHTAUDIT_KEY holds no key")
        );
    }
}

#[test]
fn an_unreadable_key_is_named_by_its_place_and_never_shown() {
    let dir = TempDir::new().unwrap();
    let mistyped = "hunter2-hunter2";
    let path = write_key_file(&dir, &format!("# comment\n{}\n{mistyped}\n", hex(1)));
    let refused = load_file(&path).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with(&format!("key 2 of {} has 15", path.display()))
    );
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));

    let source = KeySource::choose(None, Some(mistyped.to_owned()), PathBuf::new());
    assert!(!format!("{source:?}").contains("hunter2"));
}

#[test]
fn a_key_file_that_is_missing_or_no_key_file_is_refused() {
    let dir = TempDir::new().unwrap();
    let missing = dir.path().join("absent");
    let refused = load_file(&missing).unwrap_err().to_string();
    assert!(refused.starts_with(&format!("cannot open the key file {}", missing.display())));
    assert!(!missing.exists());

    let path = write_key_file(&dir, &"# so many words\n".repeat(5000));
    assert!(matches!(load_file(&path), Err(KeyError::TooLarge { .. })));
    let path = write_key_file(&dir, "");
    assert!(matches!(load_file(&path), Err(KeyError::Empty { .. })));
}

#[test]
fn a_key_file_that_others_can_use_is_refused_with_the_remedy() {
    let dir = TempDir::new().unwrap();
    let path = write_key_file(&dir, &hex(1));
    for exposed in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601] {
        fs::set_permissions(&path, Permissions::from_mode(exposed)).unwrap();
        for refused in [
            load_file(&path).unwrap_err(),
            rotate_key_file(&path).unwrap_err(),
        ] {
            let remedy = format!("(its mode is {exposed:o}): chmod 600 {}", path.display());
            assert!(refused.to_string().ends_with(&remedy), "{refused}");
        }
    }
    for private in [0o600, 0o400] {
        fs::set_permissions(&path, Permissions::from_mode(private)).unwrap();
        assert_eq!(load_file(&path).unwrap().primary().id(), id(1));
    }
}

#[test]
fn a_data_directory_gets_one_private_key_and_keeps_it() {
    let dir = TempDir::new().unwrap();
    let source = KeySource::DataDir(dir.path().to_owned());
    let made = source.load().unwrap().primary().id();
    assert_eq!(source.load().unwrap().primary().id(), made);
    assert_eq!(mode(&dir.path().join("key")), 0o600);
    assert_eq!(names_in(&dir), ["key"]);

    let other = TempDir::new().unwrap();
    let other = KeySource::DataDir(other.path().to_owned()).load().unwrap();
    assert_ne!(other.primary().id(), made);
}

#[test]
fn programs_that_start_at_once_agree_on_one_key() {
    for _ in 0..20 {
        let dir = TempDir::new().unwrap();
        let barrier = Barrier::new(16);
        let ids: Vec<KeyId> = thread::scope(|scope| {
            let load = || {
                barrier.wait();
                KeySource::DataDir(dir.path().to_owned())
                    .load()
                    .unwrap()
                    .primary()
                    .id()
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(load)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(names_in(&dir), ["key"]);
    }
}

#[test]
fn rotating_a_key_file_puts_a_new_key_before_the_old_ones() {
    let dir = TempDir::new().unwrap();
    let path = write_key_file(&dir, &format!("# the first\n{}", hex(1)));
    let sealed = Vault::new(load_file(&path).unwrap())
        .seal("a/1", b"old")
        .unwrap();

    let new = rotate_key_file(&path).unwrap();

    let keys = load_file(&path).unwrap();
    assert_eq!(keys.ids().collect::<Vec<_>>(), [new, id(1)]);
    assert!(fs::read_to_string(&path).unwrap().contains("# the first"));
    assert_eq!(mode(&path), 0o600);
    assert_eq!(names_in(&dir), ["keys"]);

    let vault = Vault::new(keys);
    assert!(vault.needs_rotation(&sealed));
    assert_eq!(vault.open("a/1", &sealed).unwrap().as_slice(), b"old");
}

#[test]
fn rotating_through_a_link_replaces_the_file_and_keeps_the_link() {
    let dir = TempDir::new().unwrap();
    let path = write_key_file(&dir, &hex(1));
    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();

    let new = rotate_key_file(&link).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(load_file(&path).unwrap().primary().id(), new);
}

#[test]
fn rotations_that_race_lose_no_key() {
    let dir = TempDir::new().unwrap();
    let path = write_key_file(&dir, &hex(1));
    let barrier = Barrier::new(16);
    let mut made: Vec<String> = thread::scope(|scope| {
        let rotate = || {
            barrier.wait();
            rotate_key_file(&path).unwrap().to_string()
        };
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(rotate)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    made.push(id(1).to_string());
    made.sort();
    let mut kept: Vec<String> = load_file(&path)
        .unwrap()
        .ids()
        .map(|id| id.to_string())
        .collect();
    kept.sort();
    assert_eq!(kept, made);
}

#[test]
fn a_file_that_cannot_be_read_as_keys_is_not_rotated() {
    let dir = TempDir::new().unwrap();
    let path = write_key_file(&dir, "not a key\n");
    assert!(matches!(
        rotate_key_file(&path),
        Err(KeyError::Unreadable { .. })
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), "not a key\n");

    let full = format!("{}\n{}", hex(1), "#".repeat(64 * 1024 - 65));
    let path = write_key_file(&dir, &full);
    assert_eq!(load_file(&path).unwrap().primary().id(), id(1));
    assert!(matches!(
        rotate_key_file(&path),
        Err(KeyError::TooLarge { .. })
    ));
    assert_eq!(fs::read_to_string(&path).unwrap(), full);
}
