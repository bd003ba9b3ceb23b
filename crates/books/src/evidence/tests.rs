//! No byte of a chain can be changed unseen.

use contract::Timestamp;
use proptest::prelude::*;

use super::verify::{Flaw, Walk};
use super::{Head, Record, Signer};

const KEY: [u8; 32] = [9; 32];

/// A chain of records with these bodies.
fn chain(bodies: &[Vec<u8>]) -> Vec<Record> {
    let signer = Signer::new(&KEY);
    let mut previous = Head::EMPTY;
    let records = bodies.iter().zip(1..).map(|(body, number)| {
        let mut record = Record {
            chain_id: "64da246c7a5a2d00331a5b1c".to_owned(),
            number,
            kind: "reply".to_owned(),
            subject: format!("GET /v1/listings?skip={number}"),
            status: 200,
            page: 1,
            pages: 0,
            at: Timestamp::from_millis(1_700_000_000_000 + number),
            body: body.clone(),
            signature: Vec::new(),
        };
        previous = signer.sign(previous, &record);
        record.signature = previous.0.to_vec();
        record
    });
    records.collect()
}

/// The first record that is not as it was, counted from 1.
fn first_broken(records: &[Record]) -> Option<(i64, Flaw)> {
    let signer = Signer::new(&KEY);
    let mut walk = Walk {
        signer: &signer,
        done: 0,
        previous: Head::EMPTY,
    };
    let broken = records.iter().find_map(|record| walk.step(record).err());
    broken.map(|flaw| (walk.done + 1, flaw))
}

fn flip(bytes: &mut [u8], place: usize, bit: u8) {
    let length = bytes.len();
    bytes[place % length] ^= 1 << (bit % 8);
}

fn flip_text(text: &mut String, place: usize) {
    let mut characters: Vec<char> = text.chars().collect();
    let length = characters.len();
    let found = &mut characters[place % length];
    *found = if *found == 'x' { 'y' } else { 'x' };
    *text = characters.into_iter().collect();
}

/// Changes one byte or number of a record.
fn spoil(record: &mut Record, what: u8, place: usize, bit: u8) {
    let number = 1_i32 << (bit % 31);
    match what {
        0 => flip(&mut record.body, place, bit),
        1 => flip(&mut record.signature, place, bit),
        2 => flip_text(&mut record.subject, place),
        3 => flip_text(&mut record.kind, place),
        4 => flip_text(&mut record.chain_id, place),
        5 => record.status ^= number,
        6 => record.page ^= number,
        7 => record.pages ^= number,
        8 => record.at = Timestamp::from_millis(record.at.millis() ^ i64::from(number)),
        _ => record.number ^= i64::from(number),
    }
}

fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 1..8)
}

proptest! {
    #[test]
    fn a_chain_as_it_was_appended_is_sound(bodies in bodies()) {
        prop_assert_eq!(first_broken(&chain(&bodies)), None);
    }

    #[test]
    fn a_single_change_of_any_byte_is_found_where_it_is(
        bodies in bodies(), at: prop::sample::Index, what in 0..10_u8, place: usize, bit in 0..32_u8,
    ) {
        let mut records = chain(&bodies);
        let at = at.index(records.len());
        spoil(&mut records[at], what, place, bit);
        let (number, _) = first_broken(&records).expect("the change is found");
        prop_assert_eq!(number, i64::try_from(at).unwrap() + 1);
    }

    /// Bytes may not wander from one part of a record into the next.
    #[test]
    fn parts_are_told_apart(bodies in bodies(), at: prop::sample::Index) {
        let mut records = chain(&bodies);
        let record = at.get(&records).clone();
        let moved = Record {
            kind: format!("{}{}", record.kind, &record.subject[..1]),
            subject: record.subject[1..].to_owned(),
            ..record
        };
        let at = at.index(records.len());
        records[at] = moved;
        prop_assert!(first_broken(&records).is_some());
    }

    #[test]
    fn a_record_taken_out_of_the_middle_is_missed(bodies in bodies(), at: prop::sample::Index) {
        let mut records = chain(&bodies);
        let at = at.index(records.len());
        records.remove(at);
        let missed = (at < records.len()).then(|| (i64::try_from(at).unwrap() + 1, Flaw::Missing));
        prop_assert_eq!(first_broken(&records), missed);
    }

    #[test]
    fn records_that_changed_places_are_found(
        bodies in bodies(), one: prop::sample::Index, other: prop::sample::Index,
    ) {
        let mut records = chain(&bodies);
        let (one, other) = (one.index(records.len()), other.index(records.len()));
        records.swap(one, other);
        for (record, number) in records.iter_mut().zip(1..) {
            record.number = number;
        }
        let first = (one != other).then(|| i64::try_from(one.min(other)).unwrap() + 1);
        prop_assert_eq!(first_broken(&records).map(|(number, _)| number), first);
    }
}

#[test]
fn another_key_signs_otherwise() {
    let records = chain(&[b"a".to_vec()]);
    assert!(
        Signer::new(&[8; 32])
            .check(Head::EMPTY, &records[0])
            .is_none()
    );
}
