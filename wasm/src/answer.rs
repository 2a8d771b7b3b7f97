//! An answer under way, as JavaScript steps it.

use crate::store::Store;
use bytes::Bytes;
use http::Response;
use js_sys::{Array, Uint8Array};
use reqlog_core::offline::{self, Read, Step};
use reqlog_core::plan::Failure;
use reqlog_core::timestamp::Timestamp;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const STEP: &str = r#"
/** What to do next: read bytes of a file and supply them; or send an answer, whole or in parts. */
export type Step =
  | ["read", place: number, start: number, end: number]
  | ["whole", status: number, headers: [string, string][], body: Uint8Array]
  | ["head", status: number, headers: [string, string][]]
  | ["chunk", bytes: Uint8Array]
  | ["end"]
  | ["broken", why: string];
"#;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(typescript_type = "Step")]
    pub type StepArray;
}

/// An answer under way.
#[wasm_bindgen]
pub struct Answer(pub(crate) offline::Answer);

#[wasm_bindgen]
impl Answer {
    /// Goes on until bytes are needed or there is something to send, at a time in ns.
    pub fn step(&mut self, store: &Store, now: i64) -> StepArray {
        let step = match self.0.step(store.inner(), Timestamp::from_nanos(now)) {
            Step::Read(Read { place, range }) => {
                array([&"read".into(), &place.get().into(), &(range.start as f64).into(), &(range.end as f64).into()])
            }
            Step::Whole(response) => {
                let (status, headers) = head(&response);
                array([&"whole".into(), &status, &headers, &Uint8Array::from(&response.body()[..]).into()])
            }
            Step::Head(response) => {
                let (status, headers) = head(&response);
                array([&"head".into(), &status, &headers])
            }
            Step::Chunk(bytes) => array([&"chunk".into(), &chunk(&bytes)]),
            Step::End => array([&"end".into()]),
            Step::Broken(failure) => array([&"broken".into(), &format!("{failure:?}").into()]),
        };
        JsValue::from(step).into()
    }

    /// The bytes that were asked for, from the first on; none where the file has ended.
    pub fn supply(&mut self, bytes: &[u8]) {
        self.0.supply(bytes);
    }

    /// Says that the file cannot be read any longer.
    pub fn fail(&mut self) {
        self.0.fail(Failure::Changed);
    }
}

fn array<const N: usize>(items: [&JsValue; N]) -> Array {
    items.into_iter().collect()
}

fn chunk(bytes: &Bytes) -> JsValue {
    Uint8Array::from(&bytes[..]).into()
}

fn head<T>(response: &Response<T>) -> (JsValue, JsValue) {
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        // what JavaScript calls a byte string
        let value: String = value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
        array([&name.as_str().into(), &value.into()])
    };
    (response.status().as_u16().into(), response.headers().iter().map(field).collect::<Array>().into())
}
