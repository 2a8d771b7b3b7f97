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

/// Something of which every name of [`FIELDS`] contains at least one, spelt with or without its
/// separators between words (not within them), or an escape that may hide one: a cheap first look.
pub(super) const STEMS: &str =
    r"(?i-u)pass|pwd|secret|token|key|sig|auth|card|cvc|cvv|ssn|otp|pin|jwt|assertion|verifier|cookie|credential|\\u";

/// Whether `name` is listed, its spelling aside.
pub(super) fn is_secret(name: &[u8]) -> bool {
    let mut plain = [0u8; 24];
    let mut len = 0;
    for byte in name.iter().filter(|byte| !matches!(byte, b'_' | b'-' | b'.')) {
        let Some(slot) = plain.get_mut(len) else { return false };
        *slot = byte.to_ascii_lowercase();
        len += 1;
    }
    std::str::from_utf8(&plain[..len]).is_ok_and(|plain| FIELDS.binary_search(&plain).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_short_enough_and_passes_the_first_look() {
        assert!(FIELDS.is_sorted());
        let stems = regex::bytes::Regex::new(STEMS).unwrap();
        for name in FIELDS {
            assert!(is_secret(name.as_bytes()), "{name} is longer than a name may be");
            assert!(stems.is_match(name.as_bytes()), "{name} would be overlooked");
        }
        for name in ["api_key", "apiKey", "API-Key", "client_secret", "Set-Cookie"] {
            assert!(is_secret(name.as_bytes()), "{name}");
            assert!(stems.is_match(name.as_bytes()), "{name} would be overlooked");
        }
        for name in ["next_token", "tokens", "key", "", "passenger", "author"] {
            assert!(!is_secret(name.as_bytes()), "{name}");
        }
    }
}
