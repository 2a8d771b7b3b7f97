//! RFC 8288 links to other pages of the same request.

use super::Asked;
use super::params::Params;
use http::header::LINK;
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

// RFC 3986: what needs no escape in a query
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The URL of a request without the parameters by which its pages differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageUrl {
    path: String,
    kept: Vec<String>,
}

impl PageUrl {
    /// Path and known parameters as sent, without those of these names.
    pub(super) fn new(asked: &Asked<'_>, params: &Params, without: &[&str]) -> Self {
        let kept = params.given().filter(|(name, _)| !without.contains(name));
        Self {
            path: format!("{}{}", asked.context.settings.base_path, asked.path),
            kept: kept.map(|(name, value)| pair(name, value)).collect(),
        }
    }

    /// The URL with these parameters beside the kept ones.
    pub(super) fn with(&self, parameters: &[(&str, &str)]) -> String {
        let all: Vec<_> =
            self.kept.iter().cloned().chain(parameters.iter().map(|(name, value)| pair(name, value))).collect();
        if all.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, all.join("&")) }
    }
}

fn pair(name: &str, value: &str) -> String {
    format!("{name}={}", escape(value))
}

/// Percent-encodes the value of a query parameter.
pub(super) fn escape(value: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(value, ESCAPED)
}

/// Sets `Link` to the pages that there are.
pub(super) fn set<'r>(headers: &mut HeaderMap, pages: impl IntoIterator<Item = (Option<String>, &'r str)>) {
    let links: Vec<_> = pages.into_iter().filter_map(|(url, rel)| Some(format!("<{}>; rel=\"{rel}\"", url?))).collect();
    if !links.is_empty()
        && let Ok(value) = HeaderValue::from_str(&links.join(", "))
    {
        headers.insert(LINK, value);
    }
}
