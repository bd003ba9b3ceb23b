//! The pages of a list that is taken in whole, until the last one came: in memory while they are
//! few, in a file that has no name beyond that. However many come, few are in memory.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use contract::Timestamp;
use guesty::Reply;
use tempfile::SpooledTempFile;

use crate::Error;
use crate::evidence::{Kind, NewRecord};

/// How many bytes are kept in memory.
const MEMORY_BYTES: usize = 4 * 1024 * 1024;

/// Pages, in their order. Its copies share them.
#[derive(Clone)]
pub(super) struct Spool {
    file: Arc<Mutex<SpooledTempFile>>,
    pages: i32,
}

impl Spool {
    pub(super) fn new() -> Self {
        Self {
            file: Arc::new(Mutex::new(SpooledTempFile::new(MEMORY_BYTES))),
            pages: 0,
        }
    }

    /// Keeps a page.
    pub(super) fn push(&mut self, reply: &Reply) -> Result<(), Error> {
        let subject = format!("GET {}", reply.request);
        let record = NewRecord::new(Kind::Reply, subject, reply.received_at, &reply.body)?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        write(&mut *file, reply.status, &record).map_err(Error::Spool)?;
        self.pages = self.pages.saturating_add(1);
        Ok(())
    }

    /// Calls with each page, in their order.
    pub(super) fn each(
        &self,
        visit: &mut dyn FnMut(NewRecord) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(0)).map_err(Error::Spool)?;
        let mut file = BufReader::new(&mut *file);
        for page in 1..=self.pages {
            let record = read(&mut file).map_err(Error::Spool)?;
            visit(record.as_page(page, self.pages))?;
        }
        Ok(())
    }
}

fn write(file: &mut impl Write, status: u16, record: &NewRecord) -> io::Result<()> {
    file.write_all(&status.to_be_bytes())?;
    file.write_all(&record.at.millis().to_be_bytes())?;
    write_bytes(file, record.subject.as_bytes())?;
    write_bytes(file, &record.body)
}

fn read(file: &mut impl Read) -> io::Result<NewRecord> {
    let status = u16::from_be_bytes(read_array(file)?);
    let at = Timestamp::from_millis(i64::from_be_bytes(read_array(file)?));
    let subject = String::from_utf8(read_bytes(file)?).map_err(io::Error::other)?;
    let record = NewRecord::packed(Kind::Reply, subject, at, read_bytes(file)?);
    Ok(record.with_status(status))
}

fn write_bytes(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    file.write_all(&length.to_be_bytes())?;
    file.write_all(bytes)
}

fn read_bytes(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let length = u32::from_be_bytes(read_array(file)?);
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_array<const LENGTH: usize>(file: &mut impl Read) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use store::random_bytes;

    use super::*;

    /// A page that does not become smaller.
    fn page(number: usize) -> Reply {
        Reply {
            request: format!("/v1/payment-transactions/reports?skip={number}"),
            status: 200,
            body: Bytes::from(
                (0..3_000)
                    .flat_map(|_| random_bytes::<32>())
                    .collect::<Vec<u8>>(),
            ),
            received_at: Timestamp::from_millis(1_700_000_000_000),
            sent_at: None,
            request_id: None,
        }
    }

    #[test]
    fn pages_come_back_as_they_were_as_often_as_they_are_asked_for() {
        for count in [0, 1, 2 * MEMORY_BYTES / 96_000] {
            let pages: Vec<Reply> = (0..count).map(page).collect();
            let mut spool = Spool::new();
            for page in &pages {
                spool.push(page).unwrap();
            }
            for _ in 0..2 {
                let mut came = pages.iter().zip(1..);
                let mut check = |record: NewRecord| {
                    let (page, number) = came.next().unwrap();
                    assert_eq!(record.subject, format!("GET {}", page.request));
                    assert_eq!(record.body().unwrap(), page.body);
                    assert_eq!((record.status, record.at), (200, page.received_at));
                    let last = i32::try_from(count).unwrap();
                    assert_eq!((record.page, record.pages), (number, last));
                    Ok(())
                };
                spool.each(&mut check).unwrap();
                assert!(came.next().is_none());
            }
        }
    }
}
