//! The released command, serving a directory of its own.

use super::Result;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub const KEY: &str = "admin-key-of-the-wire-benchmark";

/// A running server, killed when dropped.
pub struct Server {
    /// Its process.
    pub child: Child,
    /// Host and port.
    pub address: String,
    _data: tempfile::TempDir,
}

impl Server {
    /// Starts the binary that `make bench` built.
    pub fn start() -> Result<Self> {
        let binary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/reqlog");
        let data = tempfile::tempdir()?;
        let mut child = Command::new(&binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path().join("data"))
            .env("REQLOG_ADMIN_KEY", KEY)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}; build it with cargo build --release", binary.display()))?;
        let out = child.stdout.take().ok_or("no stdout")?;
        let line = BufReader::new(out).lines().next().ok_or("the server said nothing")??;
        let address = line.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Self { child, address, _data: data })
    }

    /// Sends records; all must be taken.
    pub fn ingest(&self, path: &str, lines: &[u8]) -> Result<()> {
        let url = format!("http://{}{path}", self.address);
        let mut answer = ureq::post(url).header("Authorization", format!("Bearer {KEY}")).send(lines)?;
        let report: serde_json::Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        if report["rejected"] == 0 { Ok(()) } else { Err(report.to_string().into()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
