//! The user's browser, shown the UI with a key that nobody else sees.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::NamedTempFile;

/// Asks the desktop to open `url`; that it cannot is no failure.
///
/// A key goes into the fragment, which no server is told. It is not an argument of a command either, which everyone on
/// this machine could read: what is opened is a file in `directory` that only its owner reads and that leads there. The
/// file is removed when what is returned is dropped.
pub fn show(url: &str, key: Option<&str>, directory: &Path) -> io::Result<Option<NamedTempFile>> {
    let Some(key) = key else {
        open(url.as_ref());
        return Ok(None);
    };
    let mut file = tempfile::Builder::new().prefix("open-").suffix(".html").tempfile_in(directory)?;
    file.write_all(page(url, key).as_bytes())?;
    file.flush()?;
    open(file.path());
    Ok(Some(file))
}

fn page(url: &str, key: &str) -> String {
    let target = format!("{url}#key={}", utf8_percent_encode(key, NON_ALPHANUMERIC));
    let target = target.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>reqlog</title>\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <meta http-equiv=\"refresh\" content=\"0; url={target}\"><a href=\"{target}\">reqlog</a></html>\n"
    )
}

fn open(what: &Path) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = Stdio::null;
    if let Err(error) = Command::new(opener).arg(what).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn() {
        tracing::warn!("{opener}: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_the_fragment_and_nothing_of_it_is_markup() {
        let page = page("http://127.0.0.1:7070/logs/", "a&b\"<c#d");
        assert_eq!(page.matches("http://127.0.0.1:7070/logs/#key=a%26b%22%3Cc%23d\"").count(), 2, "{page}");
    }
}
