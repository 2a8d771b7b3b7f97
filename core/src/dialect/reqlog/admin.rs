//! Projects and keys.

use super::Render;
use crate::auth::{Key, NewKey, Role, Scope};
use crate::dialect::{Asked, Planned, json};
use crate::error::{Error, Thing};
use crate::filter::Moment;
use crate::plan::{Context, Operation};
use crate::timestamp::Timestamp;
use bytes::Bytes;
use http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

/// A change that is described in the request's body.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A project or environments of it.
    Project,
    /// A key.
    Key {
        /// Where the key that asks may make keys.
        within: Scope,
    },
}

/// Names travel in paths, headers and queries.
const LONGEST_NAME: usize = 128;

#[derive(Deserialize)]
struct NewProject {
    name: String,
    #[serde(default)]
    environments: Vec<String>,
}

// a misspelt `project` must not make a key that opens all of them
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyWanted {
    #[serde(default)]
    name: String,
    role: String,
    project: Option<String>,
    expires: Option<String>,
}

impl Change {
    /// At most this many bytes of JSON.
    pub(crate) const LIMIT: usize = 64 << 10;

    /// Reads the body and says what to do.
    pub(crate) fn read(self, body: &[u8], context: &Context<'_>) -> Result<Planned, Error> {
        match self {
            Self::Project => declare(parse(body, "{\"name\":\"…\",\"environments\":[\"…\"]}")?, context),
            Self::Key { within } => make(parse(body, "{\"name\":\"…\",\"role\":\"read\"}")?, &within, context),
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(body: &[u8], example: &str) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Body(format!("The body is not JSON like {example}: {error}.")))
}

fn declare(wanted: NewProject, context: &Context<'_>) -> Result<Planned, Error> {
    let NewProject { name, environments } = wanted;
    for name in std::iter::once(&name).chain(&environments) {
        check_name(name)?;
    }
    let known = context.projects.environments(&name);
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let mut all = known.cloned().unwrap_or_default();
    all.extend(environments.iter().cloned());
    let answer = json(status, &json!({"name": name, "environments": all}));
    let operation = Operation::CreateProject { name, environments };
    Ok(Planned::run(operation, Render::Done(answer)))
}

fn check_name(name: &str) -> Result<(), Error> {
    let plain = |c: char| !c.is_control() && c != '/';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(plain) && name.trim() == name {
        return Ok(());
    }
    Err(Error::Body(format!(
        "A name has 1 to {LONGEST_NAME} bytes, no '/', no control characters and no space at its ends."
    )))
}

fn make(wanted: KeyWanted, within: &Scope, context: &Context<'_>) -> Result<Planned, Error> {
    let KeyWanted { name, role, project, expires } = wanted;
    let role = Role::parse(&role)
        .ok_or_else(|| Error::Body(format!("role is one of {}.", Role::ALL.map(Role::name).join(", "))))?;
    if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(Error::Body(format!("name has at most {LONGEST_NAME} bytes and no control characters.")));
    }
    let scope = match (project, within) {
        (None, within) => within.clone(),
        (Some(project), within) if within.admits(Some(&project)) => {
            check_name(&project)?;
            Scope::Project(project)
        }
        (Some(project), _) => return Err(Error::OtherProject { project }),
    };
    let expires = expires.map(|text| moment(&text)).transpose()?;
    if expires.is_some_and(|expires| expires <= context.now) {
        return Err(Error::Body("expires lies in the past.".to_owned()));
    }
    let operation = Operation::CreateKey(NewKey { name, role, scope, expires });
    Ok(Planned::run(operation, Render::NewKey))
}

fn moment(text: &str) -> Result<Timestamp, Error> {
    // as the query language reads it; what lies beyond the range would come back as another time
    let first = Moment::absolute(text).map(|moment| moment.first).filter(|&first| first < Timestamp::MAX);
    first.ok_or_else(|| Error::Body("expires is a time as 2027-01-01T00:00:00Z.".to_owned()))
}

/// The projects that a key may see.
pub(super) fn projects(asked: &Asked<'_>, key: &Key) -> Planned {
    let items: Vec<_> = asked
        .context
        .projects
        .iter()
        .filter(|(name, _)| key.scope.admits(Some(name)))
        .map(|(name, environments)| json!({"name": name, "environments": environments}))
        .collect();
    Planned::Ready(json(StatusCode::OK, &json!({"items": items})))
}

/// Forgets a project; only for a key that concerns all.
pub(super) fn forget(asked: &Asked<'_>, key: &Key, name: String) -> Result<Planned, Error> {
    organisation(key)?;
    if asked.context.projects.environments(&name).is_none() {
        return Err(Error::Missing(Thing::Project));
    }
    Ok(Planned::run(Operation::DeleteProject { name }, Render::Done(no_content())))
}

/// Refuses a key of one project.
pub(super) fn organisation(key: &Key) -> Result<(), Error> {
    if key.scope == Scope::Organisation { Ok(()) } else { Err(Error::Organisation) }
}

/// The stored keys within a key's scope; one that a process made for its own run has no number and is not listed.
pub(super) fn keys(asked: &Asked<'_>, key: &Key) -> Planned {
    let items: Vec<_> =
        asked.context.keyring.keys().iter().filter(|other| other.id > 0 && governs(key, other)).map(shown).collect();
    Planned::Ready(json(StatusCode::OK, &json!({"items": items})))
}

/// Revokes a key within a key's scope.
pub(super) fn revoke(asked: &Asked<'_>, key: &Key, id: &str) -> Result<Planned, Error> {
    let known = id.parse().ok().and_then(|id| asked.context.keyring.get(id)).filter(|other| governs(key, other));
    let id = known.ok_or(Error::Missing(Thing::Key))?.id;
    Ok(Planned::run(Operation::RevokeKey { id }, Render::Done(no_content())))
}

fn no_content() -> Response<Bytes> {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

fn governs(key: &Key, other: &Key) -> bool {
    key.scope == Scope::Organisation || key.scope == other.scope
}

/// A key without its secret.
pub(super) fn shown(key: &Key) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "role": key.role.name(),
        "project": key.scope.project(),
        "created": key.created.to_string(),
        "expires": key.expires.map(|expires| expires.to_string()),
    })
}
