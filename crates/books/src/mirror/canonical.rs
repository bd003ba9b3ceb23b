//! The one text that a state is written as: JSON without what says nothing (nulls, empty lists,
//! empty objects). Equal states have equal texts. What in a state is to be flagged is found on the
//! way.

use std::fmt::{Display, Write};

use serde::ser::{
    Error as _, Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer,
};
use serde_json::Error;

use super::Kind;
use super::flag::{Finder, Flag};

/// Writes the state of an object, and tells what in it the books do not understand.
pub(super) fn canonical(kind: Kind, state: &impl Serialize) -> Result<(String, Vec<Flag>), Error> {
    let mut writer = Writer {
        bytes: Vec::with_capacity(2_048),
        value: String::new(),
        finder: Finder::new(kind),
    };
    state.serialize(&mut writer)?;
    let text = String::from_utf8(writer.bytes).map_err(Error::custom)?;
    Ok((text, writer.finder.end()))
}

/// Writes JSON. Each value answers whether it says anything.
struct Writer {
    bytes: Vec<u8>,
    /// A value before it is quoted, kept so that not each needs memory of its own.
    value: String,
    finder: Finder,
}

impl Writer {
    fn quote(&mut self, text: &str) -> Result<(), Error> {
        serde_json::to_writer(&mut self.bytes, text)
    }

    fn says(&mut self, value: impl Display) -> Result<bool, Error> {
        write!(self.value, "{value}").map_err(Error::custom)?;
        let text = std::mem::take(&mut self.value);
        let says = self.serialize_str(&text);
        self.value = text;
        self.value.clear();
        says
    }

    fn says_nothing(&mut self) -> bool {
        self.bytes.extend_from_slice(b"null");
        false
    }
}

type Name = &'static str;
type Nowhere = Impossible<bool, Error>;

/// What no state has: its numbers are texts, and floating point is nowhere near them.
fn refused<T>(what: &str) -> Result<T, Error> {
    Err(Error::custom(format_args!("a state with {what}")))
}

macro_rules! refuse {
    ($($method:ident: $type:ty),+ $(,)?) => {$(
        fn $method(self, _: $type) -> Result<bool, Error> {
            refused(concat!("a bare ", stringify!($type)))
        }
    )+};
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = bool;
    type Error = Error;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Nowhere;
    type SerializeTupleStruct = Nowhere;
    type SerializeTupleVariant = Nowhere;
    type SerializeMap = Odd<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Nowhere;

    fn serialize_str(self, text: &str) -> Result<bool, Error> {
        self.finder.meet(text);
        self.quote(text)?;
        Ok(true)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<bool, Error> {
        self.says(value)
    }

    fn serialize_none(self) -> Result<bool, Error> {
        Ok(self.says_nothing())
    }

    fn serialize_unit(self) -> Result<bool, Error> {
        Ok(self.says_nothing())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<bool, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: Name,
        value: &T,
    ) -> Result<bool, Error> {
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, Error> {
        self.bytes.push(b'[');
        Ok(Items {
            writer: self,
            count: 0,
        })
    }

    fn serialize_struct(self, _: Name, _: usize) -> Result<Fields<'a>, Error> {
        self.bytes.push(b'{');
        Ok(Fields {
            writer: self,
            count: 0,
        })
    }

    /// A field that could not be read: an object of its text.
    fn serialize_map(self, _: Option<usize>) -> Result<Odd<'a>, Error> {
        self.bytes.push(b'{');
        Ok(Odd(self))
    }

    refuse! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    fn serialize_unit_variant(self, _: Name, _: u32, _: Name) -> Result<bool, Error> {
        refused("a variant")
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: Name,
        _: u32,
        _: Name,
        _: &T,
    ) -> Result<bool, Error> {
        refused("a variant")
    }

    fn serialize_tuple(self, _: usize) -> Result<Nowhere, Error> {
        refused("a tuple")
    }

    fn serialize_tuple_struct(self, _: Name, _: usize) -> Result<Nowhere, Error> {
        refused("a tuple")
    }

    fn serialize_tuple_variant(self, _: Name, _: u32, _: Name, _: usize) -> Result<Nowhere, Error> {
        refused("a variant")
    }

    fn serialize_struct_variant(
        self,
        _: Name,
        _: u32,
        _: Name,
        _: usize,
    ) -> Result<Nowhere, Error> {
        refused("a variant")
    }
}

/// A list: items that say nothing stay, since their places mean something.
struct Items<'a> {
    writer: &'a mut Writer,
    count: usize,
}

impl SerializeSeq for Items<'_> {
    type Ok = bool;
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Error> {
        let writer = &mut *self.writer;
        if self.count > 0 {
            writer.bytes.push(b',');
        }
        let path = writer.finder.enter(self.count);
        item.serialize(&mut *writer)?;
        writer.finder.leave(path);
        self.count += 1;
        Ok(())
    }

    fn end(self) -> Result<bool, Error> {
        self.writer.bytes.push(b']');
        Ok(self.count > 0)
    }
}

/// An object: fields that say nothing are taken back.
struct Fields<'a> {
    writer: &'a mut Writer,
    count: usize,
}

impl SerializeStruct for Fields<'_> {
    type Ok = bool;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let writer = &mut *self.writer;
        let start = writer.bytes.len();
        if self.count > 0 {
            writer.bytes.push(b',');
        }
        writer.quote(name)?;
        writer.bytes.push(b':');
        let path = writer.finder.enter(name);
        let says = value.serialize(&mut *writer)?;
        if says {
            self.count += 1;
            writer.finder.says();
        } else {
            writer.bytes.truncate(start);
        }
        writer.finder.leave(path);
        Ok(())
    }

    fn end(self) -> Result<bool, Error> {
        self.writer.bytes.push(b'}');
        Ok(self.count > 0)
    }
}

/// A field that could not be read, as [`guesty::Field`] writes it.
struct Odd<'a>(&'a mut Writer);

impl SerializeMap for Odd<'_> {
    type Ok = bool;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        serde_json::to_writer(&mut self.0.bytes, key)?;
        self.0.bytes.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let writer = &mut *self.0;
        writer.finder.is_odd = true;
        value.serialize(&mut *writer)?;
        writer.finder.is_odd = false;
        Ok(())
    }

    fn end(self) -> Result<bool, Error> {
        self.0.bytes.push(b'}');
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use guesty::read_object;
    use guesty::seen::reservation::Reservation;

    use super::*;
    use crate::mirror::Reason;

    fn written(body: &str) -> (String, Vec<Flag>) {
        let reservation: Reservation = read_object(body.as_bytes()).unwrap();
        canonical(Kind::Reservation, &reservation).unwrap()
    }

    #[test]
    fn what_says_nothing_is_left_out_and_items_of_lists_keep_their_places() {
        let (text, _) = written(
            r#"{"_id":"64da246c7a5a2d00331a5b1c","status":null,"source":"","guest":{"fullName":null},
            "money":{"invoiceItems":[{},{"title":"Fee"}],"payments":[],"paymentProviderIds":[null]}}"#,
        );
        assert_eq!(
            text,
            r#"{"_id":"64da246c7a5a2d00331a5b1c","money":{"paymentProviderIds":[null],"invoiceItems":[{},{"title":"Fee"}]}}"#
        );
    }

    #[test]
    fn what_was_written_is_written_alike_when_it_was_read_again() {
        let odd = r#"{"_id":"64da246c7a5a2d00331a5b1c","status":["a \"b\""],"checkIn":"soon\n",
            "money":{"currency":"XQQ","payments":[{"status":"LOST","amount":1e3}]}}"#;
        let (text, flags) = written(odd);
        assert_eq!(written(&text), (text, flags));
    }

    #[test]
    fn what_is_to_be_flagged_is_told_with_its_place() {
        let (_, flags) = written(
            r#"{"status":"confirmed","listingId":"64da246c7a5a2d00331a5b1c","confirmationCode":"C",
            "money":{"payments":[{"status":"SUCCEEDED"},{"status":"LOST"}],"balanceDue":"n/a"}}"#,
        );
        let told = flags.iter().map(|flag| (flag.field.as_str(), &flag.reason));
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                ("money.balanceDue", &Reason::Unreadable("n/a".to_owned())),
                (
                    "money.payments.1.status",
                    &Reason::Unknown("LOST".to_owned())
                ),
            ]
        );
    }

    #[test]
    fn a_state_has_no_bare_number() {
        assert!(canonical(Kind::Reservation, &1.5).is_err());
    }
}
