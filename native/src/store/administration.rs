//! Projects and keys.

use super::{Fault, Store, database};
use reqlog_core::auth::{Key, NewKey, Role, Scope, Secret};
use reqlog_core::timestamp::Timestamp;

impl Store {
    /// Makes a project and environments of it known; what is known already stays.
    pub fn create_project(&self, name: &str, environments: &[String]) -> Result<(), Fault> {
        let (name, environments) = (name.to_owned(), environments.to_vec());
        self.run(move |committer| {
            committer.database.write(|tx| {
                database::declare(tx, &name, None)?;
                environments.iter().try_for_each(|each| database::declare(tx, &name, Some(each)))
            })?;
            let mut projects = (*committer.shared.projects.get()).clone();
            projects.declare(&name, None);
            for environment in &environments {
                projects.declare(&name, Some(environment));
            }
            committer.shared.projects.set(projects);
            Ok(())
        })
    }

    /// Makes a key with a secret of 256 random bits, which is shown here and never again.
    pub fn create_key(&self, new: NewKey) -> Result<(Key, Secret), Fault> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| Fault::Failed(error.to_string()))?;
        let secret = Secret::mint(random);
        self.add_key(new, &secret).map(|key| (key, secret))
    }

    /// Makes a key useless at once.
    pub fn revoke_key(&self, id: u64) -> Result<(), Fault> {
        self.run(move |committer| {
            committer.database.write(|tx| database::drop_key(tx, id))?;
            let mut keyring = (*committer.shared.keyring.get()).clone();
            keyring.revoke(id);
            committer.shared.keyring.set(keyring);
            // its streams end
            committer.shared.live.tell();
            Ok(())
        })
    }

    /// Sees to it that somebody can administrate: the given secret opens everything afterwards; without one, a key is
    /// made if there is no admin key of the organisation, and its secret returned.
    pub fn ensure_admin(&self, given: Option<Secret>) -> Result<Option<Secret>, Fault> {
        let new = NewKey { name: "admin".into(), role: Role::Admin, scope: Scope::Organisation, expires: None };
        if let Some(secret) = given {
            return match self.add_key(new, &secret) {
                Ok(_) | Err(Fault::Exists) => Ok(None),
                Err(fault) => Err(fault),
            };
        }
        let now = self.now();
        let usable = |key: &Key| {
            key.role == Role::Admin
                && key.scope == Scope::Organisation
                && key.expires.is_none_or(|expires| now < expires)
        };
        if self.keyring().keys().iter().any(usable) { Ok(None) } else { Ok(Some(self.create_key(new)?.1)) }
    }

    fn add_key(&self, new: NewKey, secret: &Secret) -> Result<Key, Fault> {
        let (hash, created) = (secret.hash(), self.now());
        self.run(move |committer| {
            let key = committer.database.write(|tx| database::put_key(tx, &new, hash, created))?;
            let mut keyring = (*committer.shared.keyring.get()).clone();
            keyring.insert(key.clone());
            committer.shared.keyring.set(keyring);
            Ok(key)
        })
    }

    /// What time it is by the store's clock. Nothing arrives earlier from now on, as far as this process goes.
    pub fn now(&self) -> Timestamp {
        self.inner.shared.now()
    }
}
