//! What `--repair` does.

use super::super::data_dir::DataDir;
use super::super::database::{Creation, Database};
use super::super::{Fault, OpenError, Options};
use super::mending::{Strangers, mend};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The catalog could not be used; it lies in `lost/` under this name, and a new one was made.
    NewCatalog(String),
    /// A file was moved to `lost/`, under this name.
    Lost(String),
    /// A segment was moved to `lost/`, and what could be read of it was written anew.
    Rewritten {
        /// Its name in `lost/`.
        lost: String,
        /// How many of its records are there again, those of newer segments apart.
        rows: u64,
        /// How many it had, if that is known.
        of: Option<u64>,
        /// How many of them have only the beginning of a body.
        bodiless: u64,
    },
    /// A batch was written anew as a segment.
    Batch {
        /// Its first sequence.
        first: u64,
        /// How many of its records are there again; the others are elsewhere.
        rows: u64,
        /// How many it had.
        of: u64,
    },
    /// The catalog forgot a segment whose file is missing.
    Forgotten(u64),
    /// A segment was taken into the catalog, with this many rows.
    Adopted(u64, u64),
    /// The next record gets this sequence.
    Head(u64),
    /// A deletion that cannot be understood was dropped: its number and text.
    Deletion(u64, String),
    /// A key that opened nothing was removed.
    Key(u64),
    /// A project that records name is known again.
    Declared(String),
}

impl Repair {
    /// Its name for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NewCatalog(_) => "new-catalog",
            Self::Lost(_) => "lost",
            Self::Rewritten { .. } => "rewritten",
            Self::Batch { .. } => "batch",
            Self::Forgotten(_) => "forgotten",
            Self::Adopted(..) => "adopted",
            Self::Head(_) => "head",
            Self::Deletion(..) => "deletion",
            Self::Key(_) => "key",
            Self::Declared(_) => "declared",
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewCatalog(name) => {
                write!(
                    f,
                    "the catalog was not usable: it is lost/{name} now, a new one was made from the segments; keys, \
                     deletions and what was not yet compacted were in the old one only, so that records may be missing \
                     and deleted ones may be back"
                )
            }
            Self::Lost(name) => write!(f, "moved to lost/{name}"),
            Self::Rewritten { lost, rows, of, bodiless } => {
                write!(f, "moved to lost/{lost}; {rows} ")?;
                of.map_or(Ok(()), |of| write!(f, "of {of} "))?;
                write!(f, "records were written anew")?;
                if *bodiless > 0 { write!(f, ", {bodiless} of them with the beginning of a body only") } else { Ok(()) }
            }
            Self::Batch { first, rows, of } => write!(f, "batch {first}: {rows} of {of} records were written anew"),
            Self::Forgotten(id) => write!(f, "segment {id} is missing and was forgotten"),
            Self::Adopted(id, rows) => write!(f, "segment {id} with {rows} records is in the catalog again"),
            Self::Head(next) => write!(f, "the next record gets sequence {next}"),
            Self::Deletion(id, query) => write!(f, "deletion {id} was dropped; its query was: {query}"),
            Self::Key(id) => write!(f, "key {id}, which opened nothing, was removed"),
            Self::Declared(project) => write!(f, "project {project:?} is known again"),
        }
    }
}

/// Makes a data directory usable again, with every record that can be read; what it replaces moves to `lost/`.
///
/// A catalog that is damaged, missing or none is made anew: of what can still be read of the old one, and of the
/// segments. Without any of the old one, keys, projects, deletions and what was not yet compacted are gone with it. The
/// new one takes its place as a whole and last: a repair that is cut off is done again.
pub fn repair(root: &Path, options: &Options) -> Result<Vec<Repair>, OpenError> {
    super::examination::is_store(&options.disk.list(root).map_err(OpenError::failed(root))?, root)?;
    let dir = Arc::new(DataDir::open(root, options.disk.clone())?);
    let failed = |fault| OpenError::Failed(root.to_owned(), fault);
    let mut repairs = Vec::new();
    if dir.has_ready_catalog().map_err(failed)? {
        repairs.extend(dir.install_catalog().map_err(failed)?.into_iter().map(Repair::NewCatalog));
    }
    match Database::open(&dir.catalog(), options.vfs.as_deref(), Creation::Refused) {
        Ok(mut database) if database.is_sound() => {
            repairs.extend(mend(&dir, &mut database, options, Strangers::Lose).map_err(failed)?);
        }
        Ok(damaged) => {
            // it is locked for as long as it is open
            drop(damaged);
            repairs.extend(anew(&dir, options)?);
        }
        Err(OpenError::NoCatalog(_) | OpenError::Foreign(_) | OpenError::Failed(_, Fault::Corrupt(_))) => {
            repairs.extend(anew(&dir, options)?);
        }
        Err(error) => return Err(error),
    }
    Ok(repairs)
}

fn anew(dir: &Arc<DataDir>, options: &Options) -> Result<Vec<Repair>, OpenError> {
    let path = dir.new_catalog();
    let failed = |fault| OpenError::Failed(path.clone(), fault);
    let vfs = options.vfs.as_deref();
    dir.drop_new_catalog().map_err(failed)?;
    let salvaged = Database::salvage(&dir.catalog(), vfs);
    let mut database = Database::open(&path, vfs, Creation::Allowed)?;
    if let Some(salvaged) = salvaged {
        database.put_back(&salvaged).map_err(failed)?;
    }
    let mended = mend(dir, &mut database, options, Strangers::Adopt).map_err(failed)?;
    database.close().map_err(failed)?;
    let old = dir.finish_new_catalog().and_then(|()| dir.install_catalog()).map_err(failed)?;
    Ok(old.into_iter().map(Repair::NewCatalog).chain(mended).collect())
}
