//! All that was opened.

use crate::answer::Answer;
use crate::input::Input;
use crate::refusal;
use http::{HeaderName, HeaderValue, Request};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::offline::{self, Indexed, Place, Setup};
use reqlog_core::timestamp::Timestamp;
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Opened files, and every segment that was made of them.
#[wasm_bindgen]
pub struct Store(offline::Store);

#[wasm_bindgen]
impl Store {
    /// Set up by the JSON of `offline::Setup`, `{}` for what everyone may read. `key` are 32 bytes for the hashes of
    /// replaced secrets, `budget` the bytes of decoded parts that are kept.
    #[wasm_bindgen(constructor)]
    pub fn new(setup: &str, key: &[u8], budget: usize) -> Result<Self, JsValue> {
        Ok(Self(offline::Store::new(read(setup, key)?, budget)))
    }

    /// Forgets everything, and goes on with another setup.
    pub fn reset(&mut self, setup: &str, key: &[u8]) -> Result<(), JsValue> {
        self.0.reset(read(setup, key)?);
        Ok(())
    }

    /// Opens a file, before anything of it is adopted.
    pub fn insert(&mut self, place: u8, input: &Input) {
        self.0.insert(Place::new(place), input.0.clone());
    }

    /// Takes over what was made of the next portion of a file, which begins on `line` where a `Cutter` said so. What the
    /// file has come to: JSON of `records`, `rejected` and `errors`.
    pub fn adopt(&mut self, place: u8, indexed: &[u8], line: Option<f64>) -> Result<String, JsValue> {
        let place = Place::new(place);
        let mut indexed = Indexed::decode(indexed).map_err(refusal::crashed)?;
        let opened =
            |store: &offline::Store| store.inputs().find(|(at, _)| *at == place).map(|(_, opened)| opened.clone());
        let before = opened(&self.0).ok_or_else(|| refusal::query("no such file was opened"))?;
        if let Some(line) = line {
            // the store counts from the end of the portion before
            for rejection in &mut indexed.report.errors {
                rejection.line = (rejection.line + line as u64 - 1).saturating_sub(before.lines);
            }
        }
        self.0.adopt(place, indexed).map_err(refusal::crashed)?;
        let after = opened(&self.0).unwrap_or(before);
        Ok(json!({ "records": after.rows, "rejected": after.rejected, "errors": after.rejections }).to_string())
    }

    /// Takes note of rows up to this identity that are gone: what was signed for them stays valid.
    pub fn raise(&mut self, arrival: u64, seq: u64) {
        if let Some(seq) = Seq::new(seq) {
            self.0.raise(EntryId::new(arrival, seq));
        }
    }

    /// Bytes of encoded segments, and of decoded parts that are kept.
    pub fn weight(&self) -> Vec<f64> {
        let (encoded, decoded) = self.0.weight();
        vec![encoded as f64, decoded as f64]
    }

    /// The answer to a request at a time in ns, to be stepped; `headers` are names and values in turn.
    pub fn answer(
        &self,
        method: &str,
        url: &str,
        headers: Vec<String>,
        body: Vec<u8>,
        now: i64,
    ) -> Result<Answer, JsValue> {
        let mut request = Request::builder().method(method).uri(url);
        for field in headers.chunks_exact(2) {
            let name = HeaderName::try_from(&field[0]).map_err(refusal::query)?;
            // what JavaScript calls a byte string
            let value: Option<Vec<u8>> = field[1].chars().map(|char| u8::try_from(char).ok()).collect();
            let value = HeaderValue::try_from(value.unwrap_or_default()).map_err(refusal::query)?;
            request = request.header(name, value);
        }
        let request = request.body(body.into()).map_err(refusal::query)?;
        let now = Timestamp::from_nanos(now);
        Ok(Answer(self.0.answer(request, now)))
    }

    pub(crate) fn inner(&self) -> &offline::Store {
        &self.0
    }
}

fn read(setup: &str, key: &[u8]) -> Result<Setup, JsValue> {
    let key = key.try_into().map_err(|_| refusal::query("a redaction key has 32 bytes"))?;
    Setup::from_json(setup, key).map_err(refusal::query)
}
