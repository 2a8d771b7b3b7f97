//! The names whose values are secrets: data, in one place.
//!
//! Names of header fields are compared in lower case; names of parameters and JSON fields without case, `_`, `-` and
//! `.`, so `api_key`, `apiKey` and `API-Key` are one name. Names are compared whole: `next_token` and `tokens` are none.

/// Header fields whose whole value is a secret, but for a scheme before it.
pub(super) const HEADERS: &[&str] = &[
    "api-key",
    "authorization",
    "proxy-authorization",
    "x-access-token",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-goog-api-key",
    "x-reqlog-key",
    "x-vault-token",
    "x-xsrf-token",
];

/// Authentication schemes that stay readable: the IANA registry, and those in use beside it.
pub(super) const SCHEMES: &[&str] = &[
    "api-key",
    "apikey",
    "aws4-hmac-sha256",
    "basic",
    "bearer",
    "concealed",
    "digest",
    "dpop",
    "gnap",
    "googlelogin",
    "hawk",
    "hmac",
    "hoba",
    "key",
    "mutual",
    "negotiate",
    "ntlm",
    "oauth",
    "privatetoken",
    "scram-sha-1",
    "scram-sha-256",
    "sharedkey",
    "signature",
    "token",
    "vapid",
];

/// Attributes of a cookie that are no secrets (RFC 6265bis, section 5.6).
pub(super) const COOKIE_ATTRIBUTES: &[&str] =
    &["domain", "expires", "httponly", "max-age", "partitioned", "path", "priority", "samesite", "secure"];

/// Query parameters, form fields and JSON fields; sorted.
pub(super) const FIELDS: &[&str] = &[
    "accesskey",
    "accesstoken",
    "apikey",
    "apisecret",
    "apitoken",
    "assertion",
    "auth",
    "authorization",
    "authtoken",
    "awssecretaccesskey",
    "bearertoken",
    "cardnumber",
    "clientassertion",
    "clientsecret",
    "codeverifier",
    "cookie",
    "creditcard",
    "creditcardcvv",
    "creditcardnumber",
    "csrftoken",
    "currentpassword",
    "cvc",
    "cvv",
    "encryptionkey",
    "idtoken",
    "jwt",
    "newpassword",
    "oldpassword",
    "otp",
    "pass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwordconfirmation",
    "pin",
    "privatekey",
    "proxyauthorization",
    "pwd",
    "refreshtoken",
    "secret",
    "secretaccesskey",
    "secretkey",
    "securitytoken",
    "sessiontoken",
    "setcookie",
    "sig",
    "signature",
    "signingkey",
    "ssn",
    "token",
    "totp",
    "webhooksecret",
    "xamzcredential",
    "xamzsecuritytoken",
    "xamzsignature",
    "xapikey",
    "xauthtoken",
    "xcsrftoken",
];

/// Longest of [`FIELDS`].
const LONGEST: usize = 24;

/// Whether `name` is listed, its spelling aside.
pub(super) fn is_secret(name: &[u8]) -> bool {
    let mut plain = [0u8; LONGEST];
    let mut len = 0;
    for byte in name.iter().filter(|byte| !is_separator(**byte)) {
        let Some(slot) = plain.get_mut(len) else { return false };
        *slot = byte.to_ascii_lowercase();
        len += 1;
    }
    let Some(last) = len.checked_sub(1) else { return false };
    has_shape(plain[0], plain[last], len)
        && std::str::from_utf8(&plain[..len]).is_ok_and(|plain| FIELDS.binary_search(&plain).is_ok())
}

/// Whether the name that ends where `before` ends and begins after a quote may be listed: false only when it is not,
/// which is so of nearly all and told by its length and two letters. One with escapes may always be.
#[inline]
pub(super) fn may_be_secret(before: &[u8]) -> bool {
    let (mut first, mut last, mut len) = (0, 0, 0);
    for &byte in before.iter().rev() {
        match byte {
            b'"' => return has_shape(first, last, len),
            b'\\' => return true,
            _ if is_separator(byte) => {}
            _ if len == LONGEST => return false,
            _ => {
                first = byte;
                last = if len == 0 { byte } else { last };
                len += 1;
            }
        }
    }
    false
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'.')
}

/// Whether a name of [`FIELDS`] is `len` long and begins and ends so, case aside; now and then true of another.
const fn has_shape(first: u8, last: u8, len: usize) -> bool {
    SHAPES[first as usize % 32][last as usize % 32] >> len & 1 == 1
}

// a bit for each length, by first and last letter
static SHAPES: [[u32; 32]; 32] = {
    let mut shapes = [[0; 32]; 32];
    let mut at = 0;
    while at < FIELDS.len() {
        let name = FIELDS[at].as_bytes();
        assert!(!name.is_empty() && name.len() <= LONGEST);
        shapes[name[0] as usize % 32][name[name.len() - 1] as usize % 32] |= 1 << name.len();
        at += 1;
    }
    shapes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_passes_the_first_look_in_any_spelling() {
        assert!(FIELDS.is_sorted());
        let spelt = ["api_key", "apiKey", "API-Key", "client_secret", "Set-Cookie", "_pwd_"];
        for name in FIELDS.iter().chain(&spelt) {
            assert!(is_secret(name.as_bytes()), "{name}");
            for name in [(*name).to_owned(), name.to_uppercase(), format!("-{name}.")] {
                assert!(may_be_secret(format!("\"x\":\"{name}").as_bytes()), "{name} would be overlooked");
            }
        }
        assert!(may_be_secret(br#""p\u0061ss"#));
        for name in ["", "id", "items", "renews_at", "a_name_that_is_longer_than_any"] {
            assert!(!may_be_secret(format!("\"{name}").as_bytes()), "{name} is looked at again");
        }
        for name in ["next_token", "tokens", "key", "", "passenger", "author"] {
            assert!(!is_secret(name.as_bytes()), "{name}");
        }
    }
}
