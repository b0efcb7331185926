use std::{fs::File, io::Seek};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::header::{self, EntityTag},
    web::Bytes,
};
use futures_util::{TryStreamExt, stream};
use serde::Serialize;
use serde_json::{Map, Value};
use service::{
    error::{Error, Result},
    spreadsheet::{Format, Writer},
};
use sha2::{Digest, Sha256};
use tokio::{
    io::AsyncReadExt,
    sync::{Semaphore, SemaphorePermit, mpsc},
    task::{JoinError, JoinHandle},
};

use super::column::Columns;
use crate::response::{not_serializable, weak_tag};

/// How many rows are on their way to the file together: a page of a list.
pub(super) const CHUNK: usize = 500;
/// How many tables are written at the same time: others wait.
const MAX_TABLES: usize = 8;
/// How many bytes are read of a file at once.
const PIECE: usize = 64 * 1024;

static TABLES: Semaphore = Semaphore::const_new(MAX_TABLES);

type Rows = Vec<Map<String, Value>>;

/// A table that is being written, by a thread that may wait for the file. It ends with its last row, or where
/// nobody has any more.
#[derive(Debug)]
pub(super) struct Filling {
    format: Format,
    rows: mpsc::Sender<Rows>,
    written: JoinHandle<Result<(File, EntityTag)>>,
    _permit: SemaphorePermit<'static>,
}

/// A whole table, in a file that goes when this goes.
#[derive(Debug)]
pub(super) struct Table {
    format: Format,
    file: File,
    /// A tag of what is in it.
    pub(super) tag: EntityTag,
}

impl Filling {
    pub(super) async fn begin(
        format: Format,
        columns: Columns,
        currency: Option<String>,
    ) -> Result<Self> {
        let closed = |_| Error::Unavailable("tables are written no longer".to_owned());
        let permit = TABLES.acquire().await.map_err(closed)?;
        let (rows, received) = mpsc::channel(1);
        let written = tokio::task::spawn_blocking(move || {
            write(format, &columns, currency.as_deref(), received)
        });
        Ok(Self { format, rows, written, _permit: permit })
    }

    pub(super) async fn add<T: Serialize>(&mut self, rows: &[T]) -> Result<()> {
        let rows = rows.iter().map(shown).collect::<Result<Rows>>()?;
        if self.rows.send(rows).await.is_ok() {
            return Ok(());
        }
        // The thread takes no more rows, and says why.
        match (&mut self.written).await.map_err(lost)? {
            Err(error) => Err(error),
            Ok(_) => Err(Error::Internal("a table has ended before its rows".to_owned())),
        }
    }

    pub(super) async fn finish(self) -> Result<Table> {
        drop(self.rows);
        let (file, tag) = self.written.await.map_err(lost)??;
        Ok(Table { format: self.format, file, tag })
    }
}

fn lost(error: JoinError) -> Error {
    Error::Internal(format!("a table: {error}"))
}

fn shown(row: &impl Serialize) -> Result<Map<String, Value>> {
    match serde_json::to_value(row).map_err(not_serializable)? {
        Value::Object(row) => Ok(row),
        _ => Err(Error::Internal("a row is no object".to_owned())),
    }
}

fn write(
    format: Format,
    columns: &Columns,
    currency: Option<&str>,
    mut rows: mpsc::Receiver<Rows>,
) -> Result<(File, EntityTag)> {
    let file = tempfile::tempfile().map_err(unusable)?;
    let mut writer = Writer::begin(file, format, columns.names())?;
    let mut digest = Sha256::new_with_prefix(format.extension());
    for name in columns.names() {
        digest.update(format!("{name}\0"));
    }
    while let Some(rows) = rows.blocking_recv() {
        for row in rows {
            let cells = columns.cells(&row, currency)?;
            for cell in &cells {
                digest.update(cell.text().as_bytes());
                digest.update([0]);
            }
            writer.row(&cells)?;
        }
    }
    let mut file = writer.finish()?;
    file.rewind().map_err(unusable)?;
    Ok((file, weak_tag(&digest.finalize())))
}

impl Table {
    /// Sends it, to be saved under the name of what was asked for.
    pub(super) fn send(
        self,
        mut response: HttpResponseBuilder,
        request: &HttpRequest,
    ) -> HttpResponse {
        let length = match self.file.metadata() {
            Ok(metadata) => metadata.len(),
            Err(error) => {
                return HttpResponse::from_error(crate::problem::Failure::from(unusable(error)));
            }
        };
        let name = request.path().rsplit('/').find(|part| !part.is_empty()).unwrap_or("table");
        let name: String =
            name.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '-').collect();
        let name = format!("attachment; filename=\"{name}.{}\"", self.format.extension());
        let charset = if self.format == Format::Csv { "; charset=utf-8" } else { "" };
        let media_type = format!("{}{charset}", self.format.media_type());
        response
            .content_type(media_type)
            .insert_header((header::CONTENT_DISPOSITION, name))
            .body(SizedStream::new(length, pieces(self.file)))
    }
}

fn pieces(file: File) -> impl stream::Stream<Item = std::io::Result<Bytes>> {
    let file = tokio::fs::File::from_std(file);
    stream::try_unfold(file, async |mut file| {
        let mut piece = Vec::with_capacity(PIECE);
        let read = (&mut file).take(PIECE as u64).read_to_end(&mut piece).await?;
        Ok((read > 0).then(|| (Bytes::from(piece), file)))
    })
    .into_stream()
}

/// There is no room for a temporary file, or it is gone.
fn unusable(error: std::io::Error) -> Error {
    Error::Unavailable(format!("a temporary file: {error}"))
}
