//! Artifacts in buckets: Amazon S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage; and, so that one
//! value serves every address, in folders.
//!
//! It moves bytes and verifies none of them: digests are the launcher's.

mod connection;
mod open;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::future::Future;
use std::io::{self, Read, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use camino::{Utf8Path, Utf8PathBuf};
use futures_util::{StreamExt, TryStreamExt, stream};
use mlp_runtime::executor::Cancel;
use mlp_runtime::launcher::{Disk, Objects, ObjectsError};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt};

use crate::Environment;
use crate::http::agent;
use connection::Connector;
use open::{Cloud, open};

/// Bytes of one request. Larger objects are moved in several.
const PIECE: u64 = 8 << 20;
/// No cloud takes more pieces of one object than 10,000.
const MOST_PIECES: u64 = 9_000;
/// How many requests are under way at once.
const AT_ONCE: usize = 4;
/// How much of a cloud's own words is shown.
const SHOWN_CHARACTERS: usize = 400;

type Stores = BTreeMap<(Cloud, String), Arc<dyn ObjectStore>>;

/// Reads and writes at addresses in buckets and folders.
pub struct Buckets {
    environment: Environment,
    cancel: Cancel,
    /// Made with the first bucket; a task whose root is a folder needs none.
    runtime: Mutex<Option<Arc<tokio::runtime::Runtime>>>,
    stores: Mutex<Stores>,
}

/// Something in a bucket.
struct Place<'a> {
    address: &'a str,
    cloud: Cloud,
    store: Arc<dyn ObjectStore>,
    path: Path,
}

/// Why something does not work, before it is told.
enum Trouble {
    /// The cloud says so, or cannot be reached.
    Store(object_store::Error),
    /// The disk of this machine.
    Disk(Utf8PathBuf, io::Error),
    /// The platform ended it.
    Cancelled,
}

impl From<object_store::Error> for Trouble {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl Buckets {
    /// With the credentials and addresses of an environment; what is under way ends when `cancel` says so.
    #[must_use]
    pub fn new(environment: Environment, cancel: &Cancel) -> Self {
        Self {
            environment,
            cancel: cancel.clone(),
            runtime: Mutex::default(),
            stores: Mutex::default(),
        }
    }

    /// The bucket and path of an address; nothing for one in a folder.
    fn place<'a>(&self, address: &'a str, done: &'static str) -> Result<Option<Place<'a>>, ObjectsError> {
        let Some((scheme, rest)) = address.split_once("://").filter(|(scheme, _)| *scheme != "file") else {
            return Ok(None);
        };
        let failed = |reason: String, help: &str| ObjectsError::Failed {
            address: address.to_owned(),
            done,
            reason,
            help: help.to_owned(),
        };
        let Some(cloud) = Cloud::of_scheme(scheme) else {
            return Err(failed(
                format!("`{scheme}://` names no place that is known"),
                "Write a path, or an address that begins with `s3://`, `gs://` or `az://`.",
            ));
        };
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() || path.is_empty() {
            return Err(failed(
                "it names no bucket with a path in it".to_owned(),
                "Write it as `s3://bucket/path`.",
            ));
        }
        let path = Path::parse(path).map_err(|error| failed(error.to_string(), "Rename the file or folder."))?;
        let store = self.store(cloud, bucket).map_err(|error| {
            let help = format!("The credentials are looked for in {}.", cloud.credentials());
            failed(words(&error), &help)
        })?;
        Ok(Some(Place {
            address,
            cloud,
            store,
            path,
        }))
    }

    fn store(&self, cloud: Cloud, bucket: &str) -> object_store::Result<Arc<dyn ObjectStore>> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = stores.get(&(cloud, bucket.to_owned())) {
            return Ok(Arc::clone(store));
        }
        let agent = agent(&self.environment, 0).map_err(|error| object_store::Error::Generic {
            store: "HTTP",
            source: Box::new(error),
        })?;
        let store = open(cloud, bucket, &self.environment, &Connector(agent))?;
        stores.insert((cloud, bucket.to_owned()), Arc::clone(&store));
        Ok(store)
    }

    fn runtime(&self) -> io::Result<Arc<tokio::runtime::Runtime>> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*runtime {
            return Ok(Arc::clone(runtime));
        }
        let made = Arc::new(tokio::runtime::Builder::new_current_thread().enable_time().build()?);
        *runtime = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Waits for something to be done at a place.
    fn wait<T>(
        &self,
        place: &Place<'_>,
        done: &'static str,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, ObjectsError> {
        let runtime = self
            .runtime()
            .map_err(|error| place.told(done, Trouble::Disk("/".into(), error)))?;
        let ended = runtime.block_on(async {
            tokio::select! {
                ended = work => ended,
                () = self.cancel.killed() => Err(Trouble::Cancelled),
            }
        });
        ended.map_err(|trouble| place.told(done, trouble))
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A request that is under way when the platform ends the task is nobody's any more.
        if let Some(runtime) = runtime.and_then(Arc::into_inner) {
            runtime.shutdown_background();
        }
    }
}

impl Objects for Buckets {
    fn read(&self, address: &str) -> Result<Option<Vec<u8>>, ObjectsError> {
        let Some(place) = self.place(address, "read")? else {
            return Disk.read(address);
        };
        self.wait(&place, "read", async {
            match place.store.get(&place.path).await {
                Ok(found) => Ok(Some(found.bytes().await?.to_vec())),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn write(&self, address: &str, bytes: &[u8]) -> Result<(), ObjectsError> {
        let Some(place) = self.place(address, "written")? else {
            return Disk.write(address, bytes);
        };
        // What is small is written whole once it is begun: nobody could tell whether a request that was left alone has
        // arrived.
        let runtime = self.runtime();
        let runtime = runtime.map_err(|error| place.told("written", Trouble::Disk("/".into(), error)))?;
        let payload = Bytes::copy_from_slice(bytes).into();
        let written = runtime.block_on(place.store.put(&place.path, payload));
        written.map(|_| ()).map_err(|error| place.told("written", error.into()))
    }

    fn remove(&self, address: &str) -> Result<(), ObjectsError> {
        let Some(place) = self.place(address, "removed")? else {
            return Disk.remove(address);
        };
        self.wait(&place, "removed", async { delete(&place, &place.path).await })
    }

    fn size(&self, address: &str, folder: bool) -> Result<Option<u64>, ObjectsError> {
        let Some(place) = self.place(address, "read")? else {
            return Disk.size(address, folder);
        };
        self.wait(&place, "read", async {
            if folder {
                let found = below(&place).await?;
                let total = found.iter().map(|object| object.size).sum();
                return Ok(Some(total).filter(|_| !found.is_empty()));
            }
            match place.store.head(&place.path).await {
                Ok(found) => Ok(Some(found.size)),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn fetch(&self, address: &str, folder: bool, to: &Utf8Path) -> Result<(), ObjectsError> {
        let Some(place) = self.place(address, "read")? else {
            return Disk.fetch(address, folder, to);
        };
        self.wait(&place, "read", async {
            if !folder {
                let found = place.store.head(&place.path).await?;
                return fetch_file(&place, &found, to).await;
            }
            let found = below(&place).await?;
            fs::create_dir_all(to).map_err(|error| Trouble::Disk(to.to_owned(), error))?;
            for object in &found {
                let name = object.location.as_ref().strip_prefix(place.path.as_ref());
                let name = name.unwrap_or_default().trim_start_matches('/');
                let file = to.join(name);
                let parent = file.parent().map_or(Ok(()), fs::create_dir_all);
                parent.map_err(|error| Trouble::Disk(file.clone(), error))?;
                fetch_file(&place, object, &file).await?;
            }
            Ok(())
        })
    }

    fn put(&self, from: &Utf8Path, address: &str) -> Result<(), ObjectsError> {
        let Some(place) = self.place(address, "written")? else {
            return Disk.put(from, address);
        };
        self.wait(&place, "written", async {
            // What an earlier attempt has left would be taken for a part of it.
            for object in below(&place).await? {
                delete(&place, &object.location).await?;
            }
            let unreadable = |error| Trouble::Disk(from.to_owned(), error);
            let mut files = Vec::new();
            list(from, &mut files).map_err(unreadable)?;
            let folder = fs::metadata(from).map_err(unreadable)?.is_dir();
            if folder {
                delete(&place, &place.path).await?;
            }
            let all = stream::iter(files.iter().map(|file| put_file(&place, from, file, folder)));
            all.buffer_unordered(AT_ONCE).try_collect::<()>().await
        })
    }
}

impl Place<'_> {
    /// What went wrong, for people.
    fn told(&self, done: &'static str, trouble: Trouble) -> ObjectsError {
        use object_store::Error;
        let (reason, help) = match trouble {
            Trouble::Cancelled => return ObjectsError::Cancelled,
            Trouble::Disk(path, error) => (
                format!("`{path}`: {error}"),
                "Make room on the disk of the task, or give it more, and run the task again.".to_owned(),
            ),
            Trouble::Store(error) if matches!(error, Error::NotFound { .. }) || words(&error).contains("404 Not Found") => (
                format!("there is none ({})", words(&error)),
                "See that the bucket exists, and that nothing below the root of the run was removed; then run the task that \
                 writes it again."
                    .to_owned(),
            ),
            Trouble::Store(error @ (Error::PermissionDenied { .. } | Error::Unauthenticated { .. })) => (
                words(&error),
                format!(
                    "See that the credentials may read, write and list there. They are looked for in {}.",
                    self.cloud.credentials()
                ),
            ),
            Trouble::Store(error) => (
                words(&error),
                format!(
                    "See that the address is right and can be reached from the task, and that it has credentials ({}); then \
                     run the task again. Nothing was left that others could take for an output.",
                    self.cloud.credentials()
                ),
            ),
        };
        ObjectsError::Failed {
            address: self.address.to_owned(),
            done,
            reason,
            help,
        }
    }
}

/// The words of an error and of what is behind it, on one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(cause) = behind {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            let _ = write!(text, ": {cause_text}");
        }
        behind = cause.source();
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches('.');
    match text.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The objects of a folder.
async fn below(place: &Place<'_>) -> Result<Vec<ObjectMeta>, Trouble> {
    let found = place.store.list(Some(&place.path)).try_collect::<Vec<_>>().await;
    match found {
        Ok(found) => Ok(found),
        Err(object_store::Error::NotFound { .. }) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

async fn delete(place: &Place<'_>, path: &Path) -> Result<(), Trouble> {
    match place.store.delete(path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn fetch_file(place: &Place<'_>, object: &ObjectMeta, to: &Utf8Path) -> Result<(), Trouble> {
    let unwritable = |error| Trouble::Disk(to.to_owned(), error);
    let mut file = File::create(to).map_err(unwritable)?;
    let pieces = (0..object.size.div_ceil(PIECE)).map(|piece| {
        let start = piece * PIECE;
        start..object.size.min(start + PIECE)
    });
    let store = &place.store;
    let mut pieces = stream::iter(pieces.map(|range| store.get_range(&object.location, range))).buffered(AT_ONCE);
    while let Some(piece) = pieces.next().await {
        file.write_all(&piece?).map_err(unwritable)?;
    }
    file.flush().map_err(unwritable)
}

async fn put_file(place: &Place<'_>, from: &Utf8Path, file: &Utf8Path, folder: bool) -> Result<(), Trouble> {
    let unreadable = |error| Trouble::Disk(file.to_owned(), error);
    let path = if folder {
        let name = file.strip_prefix(from).unwrap_or(file);
        let name = format!("{}/{name}", place.path);
        Path::parse(name).map_err(object_store::Error::from)?
    } else {
        place.path.clone()
    };
    let size = fs::metadata(file).map_err(unreadable)?.len();
    if size <= PIECE {
        let bytes = fs::read(file).map_err(unreadable)?;
        place.store.put(&path, bytes.into()).await?;
        return Ok(());
    }
    let mut upload = place.store.put_multipart(&path).await?;
    let sent = send_pieces(upload.as_mut(), file, size.div_ceil(MOST_PIECES).max(PIECE)).await;
    match sent {
        Ok(()) => upload.complete().await.map(|_| ()).map_err(Trouble::from),
        Err(trouble) => {
            // Pieces of what is not completed cost money; the error that is told is the first.
            let _ = upload.abort().await;
            Err(trouble)
        }
    }
}

async fn send_pieces(upload: &mut dyn MultipartUpload, file: &Utf8Path, piece: u64) -> Result<(), Trouble> {
    let unreadable = |error| Trouble::Disk(file.to_owned(), error);
    let mut from = File::open(file).map_err(unreadable)?;
    loop {
        let mut sent = Vec::new();
        for _ in 0..AT_ONCE {
            let mut bytes = Vec::new();
            Read::by_ref(&mut from)
                .take(piece)
                .read_to_end(&mut bytes)
                .map_err(unreadable)?;
            if bytes.is_empty() {
                break;
            }
            sent.push(upload.put_part(bytes.into()));
        }
        if sent.is_empty() {
            return Ok(());
        }
        stream::iter(sent).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
}

/// The file itself, or the files below a folder, links followed.
fn list(path: &Utf8Path, files: &mut Vec<Utf8PathBuf>) -> io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in path.read_dir_utf8()? {
        list(entry?.path(), files)?;
    }
    Ok(())
}
