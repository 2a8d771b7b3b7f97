//! Keys: who may do what, in which project.
//!
//! A key's secret is 256 random bits that the shell draws; only its SHA-256 is kept. Secrets are as random as a hash,
//! so no slow hash is needed, and every stored hash is compared in constant time.

use crate::timestamp::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use std::fmt;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Every read.
    Read,
    /// `POST …/ingest` and nothing else.
    Ingest,
    /// Everything, deletion and administration included.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Read, Self::Ingest, Self::Admin];

    /// The wire's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ingest => "ingest",
            Self::Admin => "admin",
        }
    }

    /// Reads the wire's name exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether a key of this role may do what `needed` may.
    pub const fn allows(self, needed: Self) -> bool {
        matches!((self, needed), (Self::Admin, _) | (Self::Read, Self::Read) | (Self::Ingest, Self::Ingest))
    }
}

/// Where a key may do it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In every project.
    Organisation,
    /// In one project, by exact name.
    Project(String),
}

impl Scope {
    /// The one project, unless the scope is the whole organisation.
    pub fn project(&self) -> Option<&str> {
        match self {
            Self::Organisation => None,
            Self::Project(project) => Some(project),
        }
    }

    /// Whether a record of `project` is in this scope; one without a project is in the organisation's only.
    pub fn admits(&self, project: Option<&str>) -> bool {
        match self {
            Self::Organisation => true,
            Self::Project(own) => project == Some(own),
        }
    }
}

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// What its owner calls it; need not be unique.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
}

/// A key as kept: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Number in the catalog, from 1, never used again.
    pub id: u64,
    /// SHA-256 of the secret.
    pub hash: KeyHash,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Where.
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is refused.
    pub expires: Option<Timestamp>,
}

/// SHA-256 of a secret; equality takes the same time whatever the bytes.
#[derive(Clone, Copy)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// The hash of a presented secret.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        same_bytes(&self.0, &other.0)
    }
}

impl Eq for KeyHash {}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}{:02x}…", self.0[0], self.0[1])
    }
}

/// Whether two byte strings of one length are equal, without stopping at the first difference.
pub(crate) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |seen, (a, b)| seen | (a ^ b));
    a.len() == b.len() && std::hint::black_box(difference) == 0
}

/// The text a client presents; shown once, never stored, never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Spells 256 random bits as `rql_` and 43 characters of base64url.
    pub fn mint(random: [u8; 32]) -> Self {
        Self(format!("rql_{}", URL_SAFE_NO_PAD.encode(random)))
    }

    /// A secret that was chosen elsewhere, as `REQLOG_ADMIN_KEY`.
    pub fn given(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> KeyHash {
        KeyHash::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Every key of a store, in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keyring {
    keys: Vec<Key>,
    // who presents no valid key is taken for the owner of this one
    open: Option<Key>,
}

impl Keyring {
    /// The keys of a store.
    pub fn new(keys: Vec<Key>) -> Self {
        Self { keys, open: None }
    }

    /// A store that is open to everyone: without a key, or with any, all may be done in every project.
    pub fn open() -> Self {
        let everyone = Key {
            // numbers in a catalog begin at 1
            id: 0,
            // no secret is known that has it
            hash: KeyHash([0; 32]),
            name: "everyone".into(),
            role: Role::Admin,
            scope: Scope::Organisation,
            created: Timestamp::from_nanos(0),
            expires: None,
        };
        Self { keys: Vec::new(), open: Some(everyone) }
    }

    /// The keys in the order given.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The key of this number.
    pub fn get(&self, id: u64) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// Adds a key.
    pub fn insert(&mut self, key: Key) {
        self.keys.push(key);
    }

    /// Removes a key; says whether it was there.
    pub fn revoke(&mut self, id: u64) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.id != id);
        self.keys.len() < before
    }

    /// The key whose secret was presented, unless it has expired at `now`. Looks at every key whatever the outcome.
    pub fn authenticate(&self, secret: &str, now: Timestamp) -> Option<&Key> {
        let hash = KeyHash::of(secret);
        let found = self.keys.iter().fold(None, |found, key| if key.hash == hash { Some(key) } else { found });
        found.filter(|key| key.expires.is_none_or(|expires| now < expires))
    }

    /// The key a request presents, or everyone's in an [open](Self::open) store: `Authorization` as `Bearer`, `Token`, `ApiKey` or the password of `Basic`, or
    /// `X-API-Key`.
    pub fn identify(&self, headers: &HeaderMap, now: Timestamp) -> Option<&Key> {
        let authorization = headers.get_all(AUTHORIZATION).iter().filter_map(|value| credential(value.to_str().ok()?));
        let api_key = headers.get_all("x-api-key").iter().filter_map(|value| Some(value.to_str().ok()?.trim().into()));
        let presented = authorization.chain(api_key).find_map(|secret: String| self.authenticate(&secret, now));
        presented.or(self.open.as_ref())
    }
}

fn credential(value: &str) -> Option<String> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    let rest = rest.trim();
    if ["bearer", "token", "apikey"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Some(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Keyring {
        let key = |id, secret: &str, expires| Key {
            id,
            hash: KeyHash::of(secret),
            name: String::new(),
            role: Role::Read,
            scope: Scope::Organisation,
            created: Timestamp::from_nanos(0),
            expires,
        };
        Keyring::new(vec![key(1, "one", None), key(2, "t:wo", Some(Timestamp::from_millis(10)))])
    }

    #[test]
    fn every_documented_way_to_present_a_key_works() {
        let check = |name: &'static str, value: &str, id: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.append(name, value.parse().unwrap());
            let found = ring().identify(&headers, Timestamp::from_millis(5)).map(|key| key.id);
            assert_eq!(found, id, "{name}: {value}");
        };
        check("authorization", "Bearer one", Some(1));
        check("authorization", "bearer   one ", Some(1));
        check("authorization", "Token one", Some(1));
        check("authorization", "ApiKey one", Some(1));
        check("authorization", "Basic dXNlcjpvbmU=", Some(1));
        check("authorization", "Basic dXNlcjp0Ondv", Some(2));
        check("x-api-key", "t:wo", Some(2));
        for refused in ["one", "Bearer", "Bearer on", "Bearer ONE", "Digest one", "Basic !!", "Basic b25l", "Bearer "] {
            check("authorization", refused, None);
        }
        check("x-api-key", "", None);
    }

    #[test]
    fn a_key_expires_at_its_moment() {
        assert!(ring().authenticate("t:wo", Timestamp::from_millis(9)).is_some());
        assert!(ring().authenticate("t:wo", Timestamp::from_millis(10)).is_none());
    }

    #[test]
    fn roles_allow_what_they_say() {
        use Role::{Admin, Ingest, Read};
        let allowed = |role: Role| Role::ALL.into_iter().filter(|needed| role.allows(*needed)).collect::<Vec<_>>();
        assert_eq!(allowed(Read), [Read]);
        assert_eq!(allowed(Ingest), [Ingest]);
        assert_eq!(allowed(Admin), [Read, Ingest, Admin]);
    }

    #[test]
    fn a_minted_secret_is_256_bits_and_debug_hides_it() {
        let secret = Secret::mint([7; 32]);
        assert_eq!(secret.expose().len(), 47);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
