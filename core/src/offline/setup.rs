//! How an opened set of files is answered from: by default everything may be read by everyone, without a key.

use crate::auth::{Key, KeyHash, Keyring, Role, Scope};
use crate::format::time::rfc3339;
use crate::limit::Limits;
use crate::plan::{Offers, Projects, Settings};
use crate::settings::Given;
use crate::timestamp::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What an offline store is set up with, beside its files.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// Who may enter.
    pub keyring: Keyring,
    /// Projects and environments that are known without a record that names them.
    pub projects: Projects,
    /// Signs cursors.
    pub secret: [u8; 32],
    /// What replaced secrets are hashed with when files are read.
    pub redact_key: [u8; 32],
    /// How requests are planned; [`Settings::offers`] is [`Offers::OPENED`].
    pub settings: Settings,
}

impl Setup {
    /// Signs cursors where no other secret is given. It is public: whoever has the files may read all of them, so there is
    /// nobody from whom a cursor protects anything.
    pub const SECRET: [u8; 32] = *b"reqlog: opened files, no secret.";
    /// Everything is open to everyone; secrets are hashed with `redact_key`, which should be random for the session.
    pub fn open(redact_key: [u8; 32]) -> Self {
        Self {
            keyring: Keyring::open(),
            projects: Projects::default(),
            secret: Self::SECRET,
            redact_key,
            settings: Settings { limits: unlimited(), offers: Offers::OPENED, ..Settings::default() },
        }
    }

    /// Reads a setup from JSON, each member of which may be left out:
    ///
    /// ```json
    /// {"keys": [{"id": 1, "hash": "<64 hex digits: SHA-256 of the secret>", "name": "ci", "role": "read",
    ///            "project": null, "created": "2026-06-24T12:00:00Z", "expires": null}],
    ///  "projects": {"shop": ["staging"]},
    ///  "secret": "<64 hex digits>", "redact_key": "<64 hex digits>",
    ///  "settings": {"REQLOG_BASE_PATH": "/logs", "REQLOG_SCRIP_RATE": "120/60s"}}
    /// ```
    /// Without `keys` no key is needed. Settings are the variables of [`Given`]; requests are not limited unless they say so.
    /// Fails with what is wrong with it.
    pub fn from_json(json: &str, redact_key: [u8; 32]) -> Result<Self, String> {
        let written: Written = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut setup = Self::open(redact_key);
        if let Some(keys) = written.keys {
            setup.keyring = Keyring::new(keys.into_iter().map(WrittenKey::read).collect::<Result<_, _>>()?);
        }
        for (name, environments) in &written.projects {
            setup.projects.declare(name, None);
            for environment in environments {
                setup.projects.declare(name, Some(environment));
            }
        }
        if let Some(secret) = &written.secret {
            setup.secret = bytes("secret", secret)?;
        }
        if let Some(key) = &written.redact_key {
            setup.redact_key = bytes("redact_key", key)?;
        }
        let unlimited = |name: &str| ["REQLOG_FLOWMOCK_RATE", "REQLOG_SCRIP_RATE"].contains(&name);
        let given = Given::of_variables(|name| {
            written.settings.get(name).cloned().or_else(|| unlimited(name).then(|| "off".to_owned()))
        })?;
        setup.settings = Settings {
            base_path: given.base_path(),
            origins: given.origins()?,
            limits: given.limits()?,
            fan_out: given.fan_out(),
            ..setup.settings
        };
        if let Some(key) = given.redact_key() {
            setup.redact_key = key;
        }
        Ok(setup)
    }
}

/// No rates; of live streams, which there are none of, as many as anywhere.
fn unlimited() -> Limits {
    Limits { flowmock: None, scrip: None, ..Limits::default() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    keys: Option<Vec<WrittenKey>>,
    #[serde(default)]
    projects: BTreeMap<String, Vec<String>>,
    secret: Option<String>,
    redact_key: Option<String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    id: u64,
    hash: String,
    #[serde(default)]
    name: String,
    role: String,
    project: Option<String>,
    created: String,
    expires: Option<String>,
}

impl WrittenKey {
    fn read(self) -> Result<Key, String> {
        let time = |text: &str| -> Result<Timestamp, String> {
            rfc3339(text).ok_or_else(|| format!("key {}: '{text}' is no RFC 3339 time", self.id))
        };
        Ok(Key {
            id: self.id,
            hash: KeyHash(bytes("hash", &self.hash)?),
            role: Role::parse(&self.role).ok_or_else(|| format!("key {}: '{}' is no role", self.id, self.role))?,
            scope: self.project.map_or(Scope::Organisation, Scope::Project),
            created: time(&self.created)?,
            expires: self.expires.as_deref().map(time).transpose()?,
            name: self.name,
        })
    }
}

fn bytes(name: &str, hex: &str) -> Result<[u8; 32], String> {
    let digit = |at: usize| hex.as_bytes().get(at).and_then(|digit| (*digit as char).to_digit(16));
    let byte = |at: usize| Some((digit(2 * at)? << 4 | digit(2 * at + 1)?) as u8);
    let read: Option<Vec<u8>> = (0..32).map(byte).collect();
    let whole = read.filter(|_| hex.len() == 64).and_then(|bytes| bytes.try_into().ok());
    whole.ok_or_else(|| format!("{name}: 64 hexadecimal digits are needed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Rate;

    #[test]
    fn nothing_given_is_open_to_everyone() {
        assert_eq!(Setup::from_json("{}", [3; 32]), Ok(Setup::open([3; 32])));
        let setup = Setup::open([3; 32]);
        let key = setup.keyring.identify(&http::HeaderMap::new(), Timestamp::from_nanos(0)).unwrap();
        assert_eq!((key.role, &key.scope), (Role::Admin, &Scope::Organisation));
        assert!(setup.keyring.keys().is_empty(), "the key that nobody has is not listed");
    }

    #[test]
    fn every_member_is_read() {
        let hash = "ab".repeat(32);
        let json = serde_json::json!({
            "keys": [{"id": 7, "hash": hash, "name": "ci", "role": "read", "project": "shop",
                      "created": "2026-06-24T12:00:00Z", "expires": "2026-06-25T12:00:00Z"}],
            "projects": {"shop": ["staging"], "empty": []},
            "secret": "01".repeat(32),
            "redact_key": "02".repeat(32),
            "settings": {"REQLOG_BASE_PATH": "/logs", "REQLOG_SCRIP_RATE": "5/1s", "REQLOG_ORIGINS": "*",
                         "LOGS_ADMIN_FANOUT": "true"},
        });
        let setup = Setup::from_json(&json.to_string(), [3; 32]).unwrap();
        let [key] = setup.keyring.keys() else { panic!("{setup:?}") };
        assert_eq!((key.id, key.hash, key.name.as_str(), key.role), (7, KeyHash([0xab; 32]), "ci", Role::Read));
        assert_eq!(key.scope, Scope::Project("shop".into()));
        assert_eq!(
            (Some(key.created), key.expires),
            (rfc3339("2026-06-24T12:00:00Z"), rfc3339("2026-06-25T12:00:00Z"))
        );
        assert_eq!(setup.keyring.identify(&http::HeaderMap::new(), key.created), None);
        assert!(setup.projects.environments("shop").unwrap().contains("staging"));
        assert!(setup.projects.environments("empty").unwrap().is_empty());
        assert_eq!((setup.secret, setup.redact_key), ([1; 32], [2; 32]));
        assert_eq!(setup.settings.base_path, "/logs");
        assert_eq!(setup.settings.limits.scrip, Rate::parse("5/1s").unwrap());
        assert_eq!((setup.settings.limits.flowmock, setup.settings.offers), (None, Offers::OPENED));
        assert!(setup.settings.fan_out.is_some());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let hash = "ab".repeat(32);
        let key = |member: &str, value: &str| {
            let mut key = serde_json::json!({"id": 1, "hash": hash, "role": "read", "created": "2026-06-24T12:00:00Z"});
            key[member] = value.into();
            serde_json::json!({"keys": [key]}).to_string()
        };
        for (json, told) in [
            ("{\"key\":[]}".to_owned(), "unknown field `key`"),
            ("{\"secret\":\"00\"}".to_owned(), "secret: 64 hexadecimal digits"),
            (format!("{{\"redact_key\":\"{}\"}}", "0g".repeat(32)), "redact_key: 64 hexadecimal digits"),
            (key("role", "root"), "key 1: 'root' is no role"),
            (key("created", "noon"), "key 1: 'noon' is no RFC 3339 time"),
            (key("hash", "ab"), "hash: 64"),
            ("{\"settings\":{\"REQLOG_SCRIP_RATE\":\"fast\"}}".to_owned(), "'fast' is no rate"),
        ] {
            let refused = Setup::from_json(&json, [0; 32]).expect_err(&json);
            assert!(refused.contains(told), "{json}: {refused}");
        }
    }
}
