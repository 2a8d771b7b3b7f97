//! All that was opened.

use crate::answer::Answer;
use crate::input::Input;
use crate::{key, refuse};
use http::{HeaderName, HeaderValue, Request};
use reqlog_core::id::{EntryId, Seq};
use reqlog_core::offline::{self, Indexed, Place, Setup};
use reqlog_core::timestamp::Timestamp;
use serde_json::json;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Opened files, and every segment that was made of them.
#[wasm_bindgen]
pub struct Store(pub(crate) offline::Store);

#[wasm_bindgen]
impl Store {
    /// Set up by the JSON of `offline::Setup`; `{}` lets everyone read. `budget`: bytes of decoded parts that are kept.
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

    /// Takes over the next portion of a file, which begins on `line` where a `Cutter` said so. What the file has come to:
    /// JSON of `records`, `rejected` and `errors`.
    pub fn adopt(&mut self, place: u8, indexed: Vec<u8>, line: Option<f64>) -> Result<String, JsValue> {
        let place = Place::new(place);
        let indexed = Indexed::decode(&indexed.into()).map_err(|error| refuse("crashed", error))?;
        let adopted = match line {
            Some(line) => self.0.adopt_from(place, line as u64, indexed),
            None => self.0.adopt(place, indexed),
        };
        adopted.map_err(|error| refuse("crashed", error))?;
        let file = self.0.opened(place);
        Ok(file
            .map(|file| json!({ "records": file.rows, "rejected": file.rejected, "errors": file.rejections }))
            .unwrap_or_default()
            .to_string())
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

    /// The answer to a request at a time in ns, to be stepped; `headers` are names and values (byte strings) in turn.
    #[allow(clippy::needless_pass_by_value, reason = "JavaScript hands over what it sends")]
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
            let value: Option<Vec<u8>> = field[1].chars().map(|char| u8::try_from(char).ok()).collect();
            let value = HeaderValue::try_from(value.unwrap_or_default()).map_err(|error| refuse("query", error))?;
            request = request.header(HeaderName::try_from(&field[0]).map_err(|error| refuse("query", error))?, value);
        }
        let request = request.body(body.into()).map_err(|error| refuse("query", error))?;
        Ok(Answer(self.0.answer(request, Timestamp::from_nanos(now))))
    }
}

fn read(setup: &str, redact: &[u8]) -> Result<Setup, JsValue> {
    Setup::from_json(setup, key(redact)?).map_err(|error| refuse("query", error))
}
