//! The web UI, embedded when it was there as this was built; see `build.rs`.

use bytes::Bytes;
use reqlog_core::plan::{Ui, UiError};
use std::sync::Arc;

include!(concat!(env!("OUT_DIR"), "/www.rs"));

/// The UI of this build; `None` if it was built without one.
pub fn embedded() -> Result<Option<Arc<Ui>>, UiError> {
    let content =
        |name: &str| FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| Bytes::from_static(bytes));
    TABLE.map(|table| Ui::read(table, content).map(Arc::new)).transpose()
}
