//! Header values of which only a part is secret.

use super::{Redactor, names};
use std::borrow::Cow;

impl Redactor {
    /// The value of the field `name`, in lower case, without what is secret of it; none when nothing is.
    pub(super) fn header(&self, name: &str, value: &str) -> Option<String> {
        match name {
            "cookie" => self.cookies(value),
            "set-cookie" => self.set_cookie(value),
            _ if names::HEADERS.contains(&name) => self.credentials(value),
            _ => self.text(value.as_bytes()).map(super::text_of),
        }
    }

    // `Bearer abc`: the scheme stays.
    fn credentials(&self, value: &str) -> Option<String> {
        let known = |(scheme, _): &(&str, &str)| names::SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
        let (scheme, secret) = value.split_once(' ').filter(known).unwrap_or(("", value));
        match self.token(secret.trim()) {
            Cow::Borrowed(_) => None,
            Cow::Owned(token) if scheme.is_empty() => Some(token),
            Cow::Owned(token) => Some(format!("{scheme} {token}")),
        }
    }

    fn cookies(&self, value: &str) -> Option<String> {
        let mut out = String::new();
        let mut changed = false;
        for (at, pair) in value.split(';').enumerate() {
            if at > 0 {
                out.push(';');
            }
            changed |= self.pair(pair, &mut out);
        }
        changed.then_some(out)
    }

    // One `name=value`, or a value without a name; whether it was changed.
    fn pair(&self, pair: &str, out: &mut String) -> bool {
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (&pair[..=name.len()], value),
            None => pair.split_at(pair.len() - pair.trim_start().len()),
        };
        out.push_str(name);
        let token = self.token(value.trim());
        let changed = matches!(token, Cow::Owned(_));
        out.push_str(if changed { &token } else { value });
        changed
    }

    // Some sources join several fields by line ends or commas; a pair after a comma is a cookie again.
    fn set_cookie(&self, value: &str) -> Option<String> {
        let mut out = String::new();
        let mut changed = false;
        for (at, cookie) in value.split('\n').enumerate() {
            if at > 0 {
                out.push('\n');
            }
            for (at, piece) in cookie.split(';').enumerate() {
                if at > 0 {
                    out.push(';');
                }
                let attribute = if at > 0 { attribute_len(piece) } else { 0 };
                out.push_str(&piece[..attribute]);
                if attribute < piece.len() {
                    changed |= self.pair(&piece[attribute..], &mut out);
                }
            }
        }
        changed.then_some(out)
    }
}

// How much of `piece` is a known attribute and not another cookie.
fn attribute_len(piece: &str) -> usize {
    let end = piece.find(['=', ',']).unwrap_or(piece.len());
    let name = piece[..end].trim();
    if !name.is_empty() && !names::COOKIE_ATTRIBUTES.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return 0;
    }
    let rest = piece.get(end + 1..).unwrap_or_default();
    let joined = match piece.as_bytes().get(end) {
        Some(b',') if rest.contains('=') => Some(0),
        Some(b'=') => rest.find('=').and_then(|next| Some(rest[..next].rfind(',')? + 1)),
        _ => None,
    };
    joined.map_or(piece.len(), |at| end + 1 + at)
}
