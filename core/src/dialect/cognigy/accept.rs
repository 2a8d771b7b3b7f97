//! Which representation a client gets: `Accept` by RFC 9110, section 12.5.1.
//!
//! Of each representation the most specific media range that fits decides its weight; the heaviest wins, then the one
//! that was named more exactly, then the first of [`Representation::ALL`]. Weight 0 excludes.
//!
//! **Ours:** every representation fits `charset=utf-8`, CSV also `header=present`; a range with another parameter fits
//! none. An element that is no media range is passed over; no `Accept`, or an empty one, means JSON. Java's old `*` and
//! `q=.2` are read as `*/*` and `q=0.2`.

use http::HeaderMap;
use http::header::ACCEPT;

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Representation {
    /// The documented one.
    Json,
    /// JSON with links.
    Hal,
    /// As `application/xml`.
    Xml,
    /// The same as `text/xml`.
    TextXml,
    /// A header row and a row for each entry.
    Csv,
}

impl Representation {
    /// Every representation, the preferred first.
    pub(super) const ALL: [Self; 5] = [Self::Json, Self::Hal, Self::Xml, Self::TextXml, Self::Csv];

    /// The media type without parameters.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Hal => "application/hal+json",
            Self::Xml => "application/xml",
            Self::TextXml => "text/xml",
            Self::Csv => "text/csv",
        }
    }

    /// The `Content-Type`.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::Hal => self.media_type(),
            Self::Xml => "application/xml; charset=utf-8",
            Self::TextXml => "text/xml; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// What an entity tag ends in, so that no two representations share one.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Json => "",
            Self::Hal => "-hal",
            Self::Xml => "-xml",
            Self::TextXml => "-text-xml",
            Self::Csv => "-csv",
        }
    }

    /// The one that the client wants; `None` when it accepts none.
    pub(super) fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let lines: Vec<_> =
            headers.get_all(ACCEPT).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        if lines.iter().all(|line| line.trim().is_empty()) {
            return Some(Self::Json);
        }
        let ranges: Vec<_> = lines.iter().flat_map(|line| split(line, ',')).filter_map(Range::read).collect();
        let mut best = None;
        for representation in Self::ALL {
            let fitting = ranges.iter().filter(|range| range.fits(representation));
            // the same range twice: the heavier
            let Some(range) = fitting.max_by_key(|range| (range.specificity(), range.weight)) else { continue };
            let rank = (range.weight, range.specificity());
            if range.weight > 0 && best.is_none_or(|(known, _)| rank > known) {
                best = Some((rank, representation));
            }
        }
        best.map(|(_, representation)| representation)
    }

    fn has(self, name: &str, value: &str) -> bool {
        name.eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8")
            || self == Self::Csv && name.eq_ignore_ascii_case("header") && value.eq_ignore_ascii_case("present")
    }
}

/// One element of `Accept`.
#[derive(Debug)]
struct Range<'h> {
    main: &'h str,
    sub: &'h str,
    parameters: Vec<(&'h str, String)>,
    // thousandths
    weight: u16,
}

impl<'h> Range<'h> {
    fn read(element: &'h str) -> Option<Self> {
        let mut parts = split(element, ';').map(str::trim);
        let (main, sub) = match parts.next()? {
            "*" => ("*", "*"),
            range => range.split_once('/')?,
        };
        let mut range = Self { main, sub, parameters: Vec::new(), weight: 1000 };
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            let (name, value) = (name.trim(), unquote(value.trim()));
            if name.eq_ignore_ascii_case("q") {
                // what follows the weight were extensions, which nobody has defined
                range.weight = weight(&value)?;
                break;
            }
            range.parameters.push((name, value));
        }
        let token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        (token(main) && token(sub) && (main != "*" || sub == "*")).then_some(range)
    }

    fn fits(&self, representation: Representation) -> bool {
        let Some((main, sub)) = representation.media_type().split_once('/') else { return false };
        (self.main == "*" || self.main.eq_ignore_ascii_case(main))
            && (self.sub == "*" || self.sub.eq_ignore_ascii_case(sub))
            && self.parameters.iter().all(|(name, value)| representation.has(name, value))
    }

    fn specificity(&self) -> usize {
        usize::from(self.main != "*") + usize::from(self.sub != "*") + self.parameters.len()
    }
}

/// Thousandths of a weight of 0 to 1; more digits than three are dropped, but for what would then be 0.
fn weight(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if text.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digit = |place: usize| fraction.as_bytes().get(place).map_or(0, |digit| u16::from(digit - b'0'));
    let thousandths = digit(0) * 100 + digit(1) * 10 + digit(2);
    let is_zero = fraction.bytes().all(|byte| byte == b'0');
    match whole {
        "1" if is_zero => Some(1000),
        "0" | "" => Some(if is_zero { 0 } else { thousandths.max(1) }),
        _ => None,
    }
}

/// The parts of `text` between separators that are not within a quoted string.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        if escaped {
            escaped = false;
        } else if quoted && c == '\\' {
            escaped = true;
        } else if c == '"' {
            quoted = !quoted;
        }
        !quoted && c == separator
    })
}

fn unquote(value: &str) -> String {
    let Some(inside) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut out = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

#[cfg(test)]
mod tests;
