//! Which project a `projectId` names.
//!
//! An id has 24 characters of `[a-z0-9]`. It names the project whose name it is, or whose name's SHA-256 begins with
//! these 24 hexadecimal digits. **Ours:** another form is a 400. A key of one project gets a 403 for every id but its
//! own, whether or not there is such a project; an organisation-wide key gets a 404 where there is none.

use crate::auth::Key;
use crate::dialect::ParamError;
use crate::error::{Error, Thing};
use crate::plan::Projects;
use sha2::{Digest, Sha256};

const ACCEPTED: &str = "24 characters of a-z and 0-9";

/// The name of the project that the key may read and the id names.
pub(super) fn named(id: &str, key: &Key, projects: &Projects) -> Result<String, Error> {
    if id.len() != 24 || !id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()) {
        let (value, accepted) = (id.to_owned(), ACCEPTED.to_owned());
        return Err(ParamError::Value { name: "projectId", value, accepted }.into());
    }
    if let Some(own) = key.scope.project() {
        let is_own = own == id || id_of(own) == id;
        return if is_own { Ok(own.to_owned()) } else { Err(Error::OtherProject { project: id.to_owned() }) };
    }
    if projects.environments(id).is_some() {
        return Ok(id.to_owned());
    }
    let hashed = || projects.iter().map(|(name, _)| name).find(|name| id_of(name) == id);
    let is_hash = id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(hashed).flatten().map(str::to_owned).ok_or(Error::Missing(Thing::Project))
}

/// The id of a project whose name is none.
fn id_of(name: &str) -> String {
    Sha256::digest(name.as_bytes())[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{KeyHash, Role, Scope};
    use crate::timestamp::Timestamp;

    #[test]
    fn a_project_is_named_by_its_name_or_its_hash_within_the_scope() {
        let named_id = "0123456789abcdef01234567";
        let mut projects = Projects::default();
        for name in [named_id, "shop", "größe"] {
            projects.declare(name, None);
        }
        let key = |scope| Key {
            id: 1,
            hash: KeyHash::of("k"),
            name: String::new(),
            role: Role::Read,
            scope,
            created: Timestamp::from_nanos(0),
            expires: None,
        };
        let organisation = key(Scope::Organisation);
        let shop = key(Scope::Project("shop".into()));
        // printf shop | sha256sum
        let shop_id = "8d9001d32c6a703d95921a77";
        for (id, by_organisation, by_shop) in [
            (named_id, Some(named_id), None),
            (shop_id, Some("shop"), Some("shop")),
            (&id_of("größe"), Some("größe"), None),
            ("ffffffffffffffffffffffff", None, None),
            ("zzzzzzzzzzzzzzzzzzzzzzzz", None, None),
        ] {
            assert_eq!(named(id, &organisation, &projects).ok().as_deref(), by_organisation, "{id}");
            let got = named(id, &shop, &projects);
            assert_eq!(got.as_deref().ok(), by_shop, "{id}");
            assert!(by_shop.is_some() || got == Err(Error::OtherProject { project: id.to_owned() }), "{id}");
        }
        for id in [
            "shop",
            "",
            "0123456789ABCDEF01234567",
            "0123456789abcdef0123456",
            "0123456789abcdef01234567a",
            "ééééééééé",
        ] {
            assert!(matches!(named(id, &organisation, &projects), Err(Error::Param(_))), "{id}");
            assert!(matches!(named(id, &shop, &projects), Err(Error::Param(_))), "{id}");
        }
    }
}
