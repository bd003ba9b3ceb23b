//! A record: something that came from outside.

use std::cell::RefCell;
use std::fmt;

use contract::Timestamp;
use diesel::prelude::*;
use zstd::bulk::{Compressor, Decompressor};

use crate::Error;
use crate::schema::evidence;

/// What is gained above this level is not worth its time.
const LEVEL: i32 = 3;
/// The largest body that is unpacked: more than any reply may have.
const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Where a record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The source answered us.
    Reply,
    /// The source told us unasked.
    Webhook,
    /// Somebody gave us a file.
    File,
    /// Somebody decided something.
    Decision,
    /// Somebody set something.
    Setting,
}

impl Kind {
    /// Its name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Webhook => "webhook",
            Self::File => "file",
            Self::Decision => "decision",
            Self::Setting => "setting",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    pub(crate) kind: Kind,
    pub(crate) subject: String,
    pub(crate) status: u16,
    pub(crate) page: i32,
    pub(crate) pages: i32,
    pub(crate) at: Timestamp,
    /// Compressed.
    pub(crate) body: Vec<u8>,
}

impl NewRecord {
    /// A record of these bytes. The subject says what they answer or what they are about: of a
    /// reply, its request.
    pub fn new(
        kind: Kind,
        subject: impl Into<String>,
        at: Timestamp,
        body: &[u8],
    ) -> Result<Self, Error> {
        Ok(Self::packed(kind, subject.into(), at, pack(body)?))
    }

    /// A record whose body is compressed already.
    pub(crate) fn packed(kind: Kind, subject: String, at: Timestamp, body: Vec<u8>) -> Self {
        Self {
            kind,
            subject,
            status: 0,
            page: 0,
            pages: 0,
            at,
            body,
        }
    }

    /// The bytes as they came.
    pub(crate) fn body(&self) -> Result<Vec<u8>, Error> {
        unpack(&self.body, capacity(&self.body))
    }

    /// With the status of a reply.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// As one page of a list, from 1, and of how many; 0 where that is not known.
    #[must_use]
    pub fn as_page(self, page: i32, pages: i32) -> Self {
        Self {
            page,
            pages,
            ..self
        }
    }
}

/// A record, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = evidence, treat_none_as_default_value = false)]
pub struct Record {
    pub(crate) chain_id: String,
    /// Its place in the chain, from 1.
    pub number: i64,
    /// The name of its [`Kind`].
    pub kind: String,
    /// What it answers, or what it is about.
    pub subject: String,
    /// The status of a reply; 0 where there is none.
    pub status: i32,
    /// Which page of a list, from 1; 0 where it is none.
    pub page: i32,
    /// How many pages the list has; 0 where that was not known.
    pub pages: i32,
    /// When it came, by this machine's clock; never before the record before it.
    #[diesel(column_name = at_ms)]
    pub at: Timestamp,
    pub(crate) body: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl Record {
    /// The bytes as they came.
    pub fn body(&self) -> Result<Vec<u8>, Error> {
        unpack(&self.body, capacity(&self.body))
    }
}

/// How large a body is unpacked, by what the frame says of itself.
fn capacity(body: &[u8]) -> usize {
    let told = zstd::zstd_safe::get_frame_content_size(body);
    let told = told
        .ok()
        .flatten()
        .and_then(|size| usize::try_from(size).ok());
    told.unwrap_or(BODY_BYTES_MAX).min(BODY_BYTES_MAX)
}

thread_local! {
    // Making one takes longer than a small body does.
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn pack(body: &[u8]) -> Result<Vec<u8>, Error> {
    PACKER.with_borrow_mut(|packer| {
        let mut ready = match packer.take() {
            Some(ready) => ready,
            None => Compressor::new(LEVEL)?,
        };
        let packed = ready.compress(body)?;
        *packer = Some(ready);
        Ok(packed)
    })
}

fn unpack(body: &[u8], capacity: usize) -> Result<Vec<u8>, Error> {
    UNPACKER.with_borrow_mut(|unpacker| {
        let mut ready = match unpacker.take() {
            Some(ready) => ready,
            None => Decompressor::new()?,
        };
        let unpacked = ready.decompress(body, capacity)?;
        *unpacker = Some(ready);
        Ok(unpacked)
    })
}
