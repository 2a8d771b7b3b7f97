//! `SQLite` on a [`SimDisk`].
//!
//! One VFS serves every simulated disk: it is registered once and never removed, and finds the disk by the path
//! ([`SimDisk::root`]), so no connection can outlive it. It behaves like `SQLite`'s own for Unix where that matters to
//! durability: the first sync of a new journal or log also syncs the directory, a deletion syncs it when asked, an
//! empty file counts as absent.
//!
//! Its files have version 1 methods, without shared memory: a database in WAL mode needs
//! `locking_mode = EXCLUSIVE` before its first access.

use crate::simdisk::{Claim, Holder, Ino, SimDisk};
use rusqlite::ffi;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Once;

/// The name to open connections with, once [`register`] was called.
pub const NAME: &str = "simulated";

/// Makes the VFS known to `SQLite` under [`NAME`]; calling it again does nothing.
pub fn register() -> &'static str {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let vfs = Box::leak(Box::new(vfs()));
        // SAFETY: the VFS lives for ever, its methods have the signatures SQLite declares, and its name is
        // NUL-terminated. 0: it does not become the default.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK, "SQLite takes any VFS of version 1 to 3");
    });
    NAME
}

fn vfs() -> ffi::sqlite3_vfs {
    ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: size_of::<File>() as c_int,
        mxPathname: 512,
        pNext: ptr::null_mut(),
        zName: c"simulated".as_ptr(),
        pAppData: ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: None,
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// What `SQLite` allocates for a file: its own head, then ours.
#[repr(C)]
struct File {
    head: ffi::sqlite3_file,
    open: *mut Open,
}

struct Open {
    disk: SimDisk,
    file: Ino,
    holder: Holder,
    claim: Claim,
    /// The directory to sync with the file's first sync.
    directory: Option<PathBuf>,
    /// The name to remove on closing.
    temporary: Option<PathBuf>,
}

/// The file that `open` put there.
///
/// # Safety
/// `file` came to a method of [`METHODS`], so `open` succeeded on it and `close` did not run yet; `SQLite` never calls
/// two methods of one file at a time.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Open {
    // SAFETY: only `open` sets `METHODS`, on memory of szOsFile = size_of::<File>() bytes, and after it set
    // `File::open` to a box of its own that `close` frees.
    unsafe { &mut *(*file.cast::<File>()).open }
}

/// The disk and the path on it that a name means.
///
/// # Safety
/// `name` is NUL-terminated.
unsafe fn place(name: *const c_char) -> io::Result<(SimDisk, PathBuf)> {
    // SAFETY: as for this function.
    let name = unsafe { CStr::from_ptr(name) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    SimDisk::of(path).ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn code(result: io::Result<()>, failure: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(error) if error.kind() == io::ErrorKind::StorageFull => ffi::SQLITE_FULL,
        Err(_) => failure,
    }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let file = file.cast::<File>();
    // SAFETY: SQLite gives szOsFile writable bytes. Without methods it does not close the file if this fails.
    unsafe { (*file).head.pMethods = ptr::null() };
    // SAFETY: the name is null or NUL-terminated; every connection is made with a name under some disk's root.
    let Ok(open) = (unsafe { found_or_made(name, flags) }) else { return ffi::SQLITE_CANTOPEN };
    // SAFETY: as above, and `out_flags` is null or writable.
    unsafe {
        (*file).open = Box::into_raw(Box::new(open));
        (*file).head.pMethods = &raw const METHODS;
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

/// # Safety
/// `name` is null or NUL-terminated.
unsafe fn found_or_made(name: ffi::sqlite3_filename, flags: c_int) -> io::Result<Open> {
    let has = |flag| flags & flag != 0;
    if name.is_null() {
        // a file that SQLite spills to; its content matters to nobody after a restart
        let disk = SimDisk::new();
        let file = disk.create_unnamed()?;
        let holder = disk.holder();
        return Ok(Open { disk, file, holder, claim: Claim::None, directory: None, temporary: None });
    }
    // SAFETY: as for this function.
    let (disk, path) = unsafe { place(name) }?;
    let file = match disk.open(&path) {
        Ok(_) if has(ffi::SQLITE_OPEN_EXCLUSIVE) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && has(ffi::SQLITE_OPEN_CREATE) => disk.create(&path)?,
        found => found?,
    };
    let journal =
        has(ffi::SQLITE_OPEN_MAIN_JOURNAL) || has(ffi::SQLITE_OPEN_SUPER_JOURNAL) || has(ffi::SQLITE_OPEN_WAL);
    let created = has(ffi::SQLITE_OPEN_CREATE);
    Ok(Open {
        file,
        holder: disk.holder(),
        disk,
        claim: Claim::None,
        directory: (journal && created).then(|| path.parent().unwrap_or(Path::new("")).to_path_buf()),
        temporary: has(ffi::SQLITE_OPEN_DELETEONCLOSE).then_some(path),
    })
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let file = file.cast::<File>();
    // SAFETY: `open` made the box, and SQLite closes a file once and calls no method of it afterwards.
    let open = unsafe { Box::from_raw((*file).open) };
    open.disk.lower(open.file, open.holder, Claim::None);
    if let Some(path) = &open.temporary {
        // without power it stays, and the next start finds a temporary file that nobody opens
        let _ = open.disk.remove(path);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, out: *mut c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: called through METHODS; `out` has `amount` writable bytes, which SQLite may leave uninitialised.
    let (open, out) = unsafe {
        ptr::write_bytes(out.cast::<u8>(), 0, amount as usize);
        (opened(file), std::slice::from_raw_parts_mut(out.cast::<u8>(), amount as usize))
    };
    match open.disk.read_at(open.file, offset as u64, out) {
        Ok(len) if len == out.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, bytes: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: called through METHODS; `bytes` has `amount` readable bytes.
    let (open, bytes) = unsafe { (opened(file), std::slice::from_raw_parts(bytes.cast::<u8>(), amount as usize)) };
    code(open.disk.write(open.file, offset as u64, bytes), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: called through METHODS.
    let open = unsafe { opened(file) };
    code(open.disk.truncate(open.file, size as u64), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: called through METHODS.
    let open = unsafe { opened(file) };
    let synced = open.disk.sync(open.file).and_then(|()| match open.directory.take() {
        Some(directory) => open.disk.sync_directory(&directory),
        None => Ok(()),
    });
    code(synced, ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: called through METHODS.
    let open = unsafe { opened(file) };
    let len = open.disk.len(open.file);
    code(
        // SAFETY: `out` is writable.
        len.map(|len| unsafe { *out = len as i64 }),
        ffi::SQLITE_IOERR_FSTAT,
    )
}

fn claim(level: c_int) -> Claim {
    match level {
        ffi::SQLITE_LOCK_NONE => Claim::None,
        ffi::SQLITE_LOCK_SHARED => Claim::Shared,
        ffi::SQLITE_LOCK_RESERVED => Claim::Reserved,
        ffi::SQLITE_LOCK_PENDING => Claim::Pending,
        _ => Claim::Exclusive,
    }
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: called through METHODS.
    let open = unsafe { opened(file) };
    let wanted = claim(level);
    match open.disk.raise(open.file, open.holder, wanted) {
        Ok(now) => {
            open.claim = now;
            if now >= wanted { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
        }
        Err(_) => ffi::SQLITE_IOERR_LOCK,
    }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: called through METHODS.
    let open = unsafe { opened(file) };
    open.claim = claim(level).min(open.claim);
    open.disk.lower(open.file, open.holder, open.claim);
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: called through METHODS.
    let open = unsafe { opened(file) };
    let reserved = open.claim.max(open.disk.strongest_other(open.file, open.holder)) >= Claim::Reserved;
    // SAFETY: `out` is writable.
    unsafe { *out = c_int::from(reserved) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

// What SQLite assumes of any disk under Unix: a write changes no byte outside its range, even if power fails.
unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: the name is NUL-terminated.
    let removed = unsafe { place(name) }.and_then(|(disk, path)| {
        disk.remove(&path)?;
        if sync_directory == 0 { Ok(()) } else { disk.sync_directory(path.parent().unwrap_or(Path::new(""))) }
    });
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => ffi::SQLITE_IOERR_DELETE_NOENT,
        removed => code(removed, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(_: *mut ffi::sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: the name is NUL-terminated.
    let there = unsafe { place(name) }.and_then(|(disk, path)| match disk.open(&path) {
        Ok(file) => Ok(flags != ffi::SQLITE_ACCESS_EXISTS || disk.len(file)? > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    });
    code(
        // SAFETY: `out` is writable.
        there.map(|there| unsafe { *out = c_int::from(there) }),
        ffi::SQLITE_IOERR_ACCESS,
    )
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: the name is NUL-terminated.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if bytes.len() > size as usize {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has `size` writable bytes and is not the name. Names are absolute as they come.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len()) };
    ffi::SQLITE_OK
}

// SQLite seeds its generator from the default VFS; zeros keep what it asks here repeatable.
unsafe extern "C" fn randomness(_: *mut ffi::sqlite3_vfs, size: c_int, out: *mut c_char) -> c_int {
    // SAFETY: `out` has `size` writable bytes.
    unsafe { ptr::write_bytes(out, 0, size as usize) };
    size
}

// Time does not pass on a simulated disk.
unsafe extern "C" fn sleep(_: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

unsafe extern "C" fn last_error(_: *mut ffi::sqlite3_vfs, _: c_int, _: *mut c_char) -> c_int {
    0
}

unsafe extern "C" fn current_time(_: *mut ffi::sqlite3_vfs, out: *mut i64) -> c_int {
    const UNIX_EPOCH: i64 = 210_866_760_000_000;
    // SAFETY: `out` is writable. Julian days times 86 400 000.
    unsafe { *out = UNIX_EPOCH };
    ffi::SQLITE_OK
}
