//! `wasm-bindgen` as a member of the workspace: the command line must have the version of the crate to the last digit, and one lock file holds both.

use std::process::ExitCode;

fn main() -> ExitCode {
    match wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reqlog-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
