//! `run.json`: how a serving process tells commands on its data directory where it is.

use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const NAME: &str = "run.json";

/// Where the process that serves a data directory answers, and a key that it takes for as long as it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// The serving process.
    pub pid: u32,
    /// Base URL, without a slash at its end.
    pub url: String,
    /// An admin key of this run only.
    pub key: String,
}

impl RunFile {
    /// What the data directory says, if a process left something readable there. Whether the process still answers is
    /// for the caller to try: a killed one leaves its file behind.
    pub fn read(data: &Path) -> Option<Self> {
        let found: Self = serde_json::from_slice(&fs::read(data.join(NAME)).ok()?).ok()?;
        // where there is a /proc, a process that is gone needs no connection attempt
        let gone = Path::new("/proc/self").exists() && !Path::new("/proc").join(found.pid.to_string()).exists();
        (!gone).then_some(found)
    }

    /// Writes it with mode 0600 and removes it when the guard is dropped.
    pub fn write(&self, data: &Path) -> io::Result<Guard> {
        let path = data.join(NAME);
        // a reader sees the old file or the whole new one
        let draft = data.join("run.json.new");
        let _ = fs::remove_file(&draft);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        fs::rename(&draft, &path)?;
        Ok(Guard(path))
    }
}

/// Removes the file at the end of the run.
#[derive(Debug)]
pub struct Guard(PathBuf);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn is_private_and_gone_after_the_run() {
        let data = tempfile::tempdir().unwrap();
        let run = RunFile { pid: std::process::id(), url: "http://127.0.0.1:1".into(), key: "k".into() };
        let guard = run.write(data.path()).unwrap();
        assert_eq!(RunFile::read(data.path()), Some(run));
        assert_eq!(fs::metadata(data.path().join(NAME)).unwrap().permissions().mode() & 0o777, 0o600);
        drop(guard);
        assert_eq!(RunFile::read(data.path()), None);
    }

    #[test]
    fn of_a_dead_process_is_ignored() {
        let data = tempfile::tempdir().unwrap();
        // above the highest pid that Linux gives out
        let run = RunFile { pid: 1 << 30, url: "http://127.0.0.1:1".into(), key: "k".into() };
        let _guard = run.write(data.path()).unwrap();
        assert_eq!(RunFile::read(data.path()), None);
    }
}
