//! `reqlog keys`: who may enter.

use super::api::{self, Path};
use super::backend::{Absent, Backend};
use super::output;
use super::settings::Settings;
use super::table::Table;
use super::{Place, Problem, Verdict};
use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

/// Makes, lists and revokes keys
#[derive(Args, Debug)]
pub struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes a key and prints its secret, this once
    Create {
        /// What its owner calls it
        #[arg(default_value = "")]
        name: String,
        /// What it may do
        #[arg(long, value_enum, default_value_t = Role::Read)]
        role: Role,
        /// The one project that it opens; all without it
        #[arg(long)]
        project: Option<String>,
        /// From when on it is refused, RFC 3339 or a date
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        #[command(flatten)]
        shown: Shown,
    },
    /// Lists keys without their secrets
    List {
        #[command(flatten)]
        shown: Shown,
    },
    /// Makes a key useless at once
    Revoke {
        /// Its number in the list
        id: u64,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Args, Debug)]
struct Shown {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Read,
    Ingest,
    Admin,
}

#[derive(Serialize)]
struct Wanted {
    name: String,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct List {
    items: Vec<Key>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Key {
    id: u64,
    #[serde(default)]
    name: String,
    role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

const ROUTE: &str = "keys";

impl Keys {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        match self.action {
            Action::Create { name, role, project, expires, shown } => {
                let backend = Backend::of(&shown.place, settings, Absent::Make)?;
                let wanted = Wanted { name, role, project, expires };
                let made: Key = api::post(&backend, Path::new(ROUTE), &wanted)?;
                match (&made.secret, shown.json) {
                    (Some(secret), false) => println!("{secret}"),
                    _ => output::json(&made)?,
                }
            }
            Action::List { shown } => {
                let backend = Backend::of(&shown.place, settings, Absent::Refuse)?;
                let list: List = api::get(&backend, Path::new(ROUTE))?;
                if shown.json { output::json(&list)? } else { table(list).print()? }
            }
            Action::Revoke { id, place } => {
                let backend = Backend::of(&place, settings, Absent::Refuse)?;
                api::delete(&backend, Path::of(ROUTE, &id.to_string()))?;
            }
        }
        Ok(Verdict::Fine)
    }
}

fn table(list: List) -> Table {
    let mut table = Table::new(&["id", "role", "project", "name", "created", "expires"]);
    for key in list.items {
        let text = |value: Option<String>| value.unwrap_or_default();
        table.row(&[key.id.to_string(), key.role, text(key.project), key.name, text(key.created), text(key.expires)]);
    }
    table
}
