//! A web UI of a few small files, as `www/assets.mjs` describes them, for every frontend.

use bytes::Bytes;
use reqlog_core::plan::Ui;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

static STUB: LazyLock<Arc<Ui>> = LazyLock::new(|| {
    let table = fs::read_to_string(directory().join("assets.json")).expect("tests/ui has a table");
    let content = |name: &str| fs::read(directory().join(name)).ok().map(Bytes::from);
    Arc::new(Ui::read(&table, content).expect("tests/ui can be served"))
});

/// Where its files are.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ui")
}

/// Its files, with what is said of them.
pub fn stub() -> Arc<Ui> {
    STUB.clone()
}
