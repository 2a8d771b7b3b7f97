//! An answer under way, as JavaScript steps it.

use crate::store::Store;
use http::Response;
use js_sys::{Array, Uint8Array};
use reqlog_core::offline::{self, Read, Step};
use reqlog_core::timestamp::Timestamp;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(typescript_custom_section)]
const STEP: &str = r#"
/** What to do next: read bytes of files and supply them, read by read; or send an answer, whole or in parts. */
export type Step =
  | ["read", ...reads: [place: number, start: number, end: number][]]
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
        let bytes = |bytes: &[u8]| JsValue::from(Uint8Array::from(bytes));
        let (what, more) = match self.0.step(&store.0, Timestamp::from_nanos(now)) {
            Step::Read(reads) => {
                let read = |read: &Read| {
                    let bounds = [read.range.start, read.range.end].map(|at| JsValue::from(at as f64));
                    [JsValue::from(read.place.get())].into_iter().chain(bounds).collect::<Array>().into()
                };
                ("read", reads.iter().map(read).collect())
            }
            Step::Whole(response) => ("whole", [head(&response).as_slice(), &[bytes(response.body())]].concat()),
            Step::Head(response) => ("head", head(&response).into()),
            Step::Chunk(chunk) => ("chunk", vec![bytes(&chunk)]),
            Step::End => ("end", Vec::new()),
            Step::Broken(failure) => ("broken", vec![failure.to_string().into()]),
        };
        JsValue::from([what.into()].into_iter().chain(more).collect::<Array>()).into()
    }

    /// The bytes of the next read of those asked for, from the first on; none where the file has ended.
    pub fn supply(&mut self, bytes: &[u8]) {
        self.0.supply(bytes);
    }

    /// Says that the file of the next read cannot be read any longer: it has changed, or is gone.
    pub fn fail(&mut self) {
        self.0.changed();
    }
}

/// Status and fields, whose values are byte strings.
fn head<T>(response: &Response<T>) -> [JsValue; 2] {
    let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        let value: String = value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
        [JsValue::from(name.as_str()), value.into()].into_iter().collect::<Array>()
    };
    [response.status().as_u16().into(), response.headers().iter().map(field).collect::<Array>().into()]
}
