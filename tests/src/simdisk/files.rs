//! Files and directories, as programs see them and as the platter has them.

use super::loss::{Fate, Loss, Survival};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

/// A file, whatever its name is and whether it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ino(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    File(Ino),
    Directory,
}

type Names = BTreeMap<PathBuf, Node>;

#[derive(Debug, Default)]
struct Inode {
    seen: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Write { offset: u64, bytes: Box<[u8]> },
    Truncate(u64),
}

#[derive(Debug)]
enum Naming {
    Link(PathBuf, Node),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, Node),
}

/// Both states of everything on one disk.
#[derive(Debug, Default)]
pub(super) struct Files {
    inodes: Vec<Inode>,
    seen: Names,
    durable: Names,
    pending: Vec<Naming>,
}

impl Files {
    pub(super) fn lookup(&self, path: &Path) -> io::Result<Ino> {
        match self.seen.get(path) {
            Some(Node::File(file)) => Ok(*file),
            Some(Node::Directory) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn exists(&self, path: &Path) -> bool {
        path == Path::new("") || self.seen.contains_key(path)
    }

    pub(super) fn require_directory(&self, path: &Path) -> io::Result<()> {
        match self.seen.get(path) {
            _ if path == Path::new("") => Ok(()),
            Some(Node::Directory) => Ok(()),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        self.require_directory(path)?;
        let inside = self.seen.keys().filter(|name| name.parent() == Some(path));
        Ok(inside.filter_map(|name| name.file_name()).map(PathBuf::from).collect())
    }

    pub(super) fn used(&self) -> u64 {
        let files = self.seen.values().filter_map(|node| match node {
            Node::File(file) => Some(self.inodes[file.0].seen.len() as u64),
            Node::Directory => None,
        });
        files.sum()
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<Ino> {
        self.require_vacant(path)?;
        let file = self.create_unnamed();
        self.name(Naming::Link(path.to_path_buf(), Node::File(file)));
        Ok(file)
    }

    pub(super) fn create_unnamed(&mut self) -> Ino {
        self.inodes.push(Inode::default());
        Ino(self.inodes.len() - 1)
    }

    pub(super) fn create_directory(&mut self, path: &Path) -> io::Result<()> {
        self.require_vacant(path)?;
        self.name(Naming::Link(path.to_path_buf(), Node::Directory));
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let file = self.lookup(from)?;
        self.require_directory(parent(to))?;
        if self.seen.get(to) == Some(&Node::Directory) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.name(Naming::Rename(from.to_path_buf(), to.to_path_buf(), Node::File(file)));
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        self.lookup(path)?;
        self.name(Naming::Unlink(path.to_path_buf()));
        Ok(())
    }

    pub(super) fn contents(&self, file: Ino) -> &[u8] {
        &self.inodes[file.0].seen
    }

    pub(super) fn read(&self, file: Ino, offset: u64, out: &mut [u8]) -> usize {
        let contents = self.contents(file);
        let rest = &contents[contents.len().min(offset as usize)..];
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        len
    }

    pub(super) fn write(&mut self, file: Ino, offset: u64, bytes: &[u8]) {
        self.alter(file, Change::Write { offset, bytes: bytes.into() });
    }

    pub(super) fn truncate(&mut self, file: Ino, len: u64) {
        self.alter(file, Change::Truncate(len));
    }

    /// Brings every change of the file to the platter.
    pub(super) fn sync(&mut self, file: Ino) {
        let inode = &mut self.inodes[file.0];
        for change in inode.pending.drain(..) {
            change.apply(&mut inode.durable);
        }
    }

    /// Gives up bringing the changes to the platter, though they stay readable.
    pub(super) fn forget(&mut self, file: Ino) {
        self.inodes[file.0].pending.clear();
    }

    /// Brings every naming in the directory to the platter.
    ///
    /// A renaming between two directories is one operation there too: it comes with what was done before it in
    /// the other one.
    pub(super) fn sync_directory(&mut self, path: &Path) {
        let mut directories = HashSet::from([path.to_path_buf()]);
        let mut chosen: Vec<bool> = self.pending.iter().rev().map(|naming| naming.joins(&mut directories)).collect();
        for naming in std::mem::take(&mut self.pending) {
            if chosen.pop() == Some(true) {
                naming.apply(&mut self.durable);
            } else {
                self.pending.push(naming);
            }
        }
    }

    /// What the platter has when power fails now.
    pub(super) fn after(&self, loss: Loss) -> Self {
        let mut names = self.durable.clone();
        let contents: Vec<Vec<u8>> = match loss {
            Loss::Unsynced => self.inodes.iter().map(|inode| inode.durable.clone()).collect(),
            Loss::Torn { seed, sector } => {
                let mut fate = Fate::new(seed);
                let kept = fate.below(self.pending.len() as u64 + 1) as usize;
                self.pending[..kept].iter().for_each(|naming| naming.apply(&mut names));
                self.inodes.iter().map(|inode| inode.torn(&mut fate, sector)).collect()
            }
        };
        // what lies in a directory that has no name itself is out of reach
        let reachable = |path: &Path| path.ancestors().skip(1).all(|up| up == Path::new("") || names.contains_key(up));
        let names: Names = names.iter().filter(|(path, _)| reachable(path)).map(|(k, v)| (k.clone(), *v)).collect();
        let inodes =
            contents.into_iter().map(|bytes| Inode { seen: bytes.clone(), durable: bytes, pending: Vec::new() });
        Self { inodes: inodes.collect(), seen: names.clone(), durable: names, pending: Vec::new() }
    }

    fn require_vacant(&self, path: &Path) -> io::Result<()> {
        self.require_directory(parent(path))?;
        if self.exists(path) { Err(io::ErrorKind::AlreadyExists.into()) } else { Ok(()) }
    }

    fn name(&mut self, naming: Naming) {
        naming.apply(&mut self.seen);
        self.pending.push(naming);
    }

    fn alter(&mut self, file: Ino, change: Change) {
        let inode = &mut self.inodes[file.0];
        change.apply(&mut inode.seen);
        inode.pending.push(change);
    }
}

impl Inode {
    fn torn(&self, fate: &mut Fate, sector: u64) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.pending {
            let survival = match (change, fate.survival()) {
                (Change::Truncate(_), Survival::Sectors) if fate.coin() => Survival::All,
                (Change::Truncate(_), Survival::Sectors) => Survival::None,
                (_, survival) => survival,
            };
            match (survival, change) {
                (Survival::None, _) => {}
                (Survival::Sectors, Change::Write { offset, bytes: written }) => {
                    for (at, piece) in sectors(*offset, written, sector) {
                        if fate.coin() {
                            put(&mut bytes, at, piece);
                        }
                    }
                }
                (_, change) => change.apply(&mut bytes),
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => put(to, *offset, bytes),
            Self::Truncate(len) => to.resize(*len as usize, 0),
        }
    }
}

impl Naming {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Link(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Unlink(path) => {
                names.remove(path);
            }
            Self::Rename(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }

    // Whether the operation is in one of the directories; then all its directories belong to them.
    fn joins(&self, directories: &mut HashSet<PathBuf>) -> bool {
        let touched: &[&PathBuf] = match self {
            Self::Link(path, _) | Self::Unlink(path) => &[path],
            Self::Rename(from, to, _) => &[from, to],
        };
        let joins = touched.iter().any(|path| directories.contains(parent(path)));
        if joins {
            directories.extend(touched.iter().map(|path| parent(path).to_path_buf()));
        }
        joins
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn put(to: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let end = offset as usize + bytes.len();
    if to.len() < end {
        to.resize(end, 0);
    }
    to[offset as usize..end].copy_from_slice(bytes);
}

// The pieces of a write that lie in one sector each, with their offsets.
fn sectors(mut offset: u64, mut bytes: &[u8], sector: u64) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        let room = (sector - offset % sector) as usize;
        let (piece, rest) = bytes.split_at(room.min(bytes.len()));
        let at = offset;
        offset += piece.len() as u64;
        bytes = rest;
        (!piece.is_empty()).then_some((at, piece))
    })
}
