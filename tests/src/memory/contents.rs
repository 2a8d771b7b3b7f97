//! What is in memory, for frontends that hold the same in another way.

use super::Memory;
use crate::wire::Setting;
use bytes::Bytes;
use http::Request;
use reqlog_core::auth::Keyring;
use reqlog_core::plan::{BodyUse, Offer, Projects, plan};
use reqlog_core::record::{Field, Stored};
use reqlog_core::timestamp::Timestamp;

impl Memory {
    /// What it began with.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Holds these records, in arrival order, and nothing else.
    pub fn hold(&mut self, rows: Vec<Stored>) {
        for row in &rows {
            if let Some(project) = row.record.text(Field::Project) {
                self.projects.declare(project, row.record.text(Field::Environment));
            }
        }
        self.head = rows.last().map(|row| row.id);
        self.rows = rows;
    }

    /// Every record, in arrival order.
    pub fn rows(&self) -> &[Stored] {
        &self.rows
    }

    /// Every key.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Every project that is known.
    pub fn projects(&self) -> &Projects {
        &self.projects
    }

    /// The clock.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Lets the millisecond pass that passes before every request.
    pub fn tick(&mut self) {
        self.now = self.now.plus_nanos(1_000_000);
        self.told = self.told.max(self.now);
    }

    /// Whether a request is for a store that can be written or followed.
    pub fn is_needed(&self, request: &Request<Bytes>) -> bool {
        let (head, _) = request.clone().into_parts();
        let planned = plan(&head, &self.context());
        matches!(planned.body(), BodyUse::Collect { .. })
            || matches!(planned.operation().needs(), Some(Offer::Write | Offer::Tail))
    }
}
