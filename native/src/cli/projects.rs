//! `reqlog projects`: what projects there are, and changes to them.

use super::api::{self, Path};
use super::backend::{Absent, Backend};
use super::output;
use super::settings::Settings;
use super::table::Table;
use super::{Place, Problem, Verdict};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

/// Lists, makes and deletes projects
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Projects {
    #[command(subcommand)]
    change: Option<Change>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Change {
    /// Lists projects and their environments
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Makes a project, or environments of one that is there
    Create {
        name: String,
        /// An environment to declare; may be repeated
        #[arg(long, value_name = "NAME")]
        environment: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Deletes a project with its records and keys
    Delete {
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Deserialize, Serialize)]
struct List {
    items: Vec<Project>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Project {
    name: String,
    #[serde(default)]
    environments: Vec<String>,
}

const ROUTE: &str = "projects";

impl Projects {
    pub fn run(self, settings: &Settings) -> Result<Verdict, Problem> {
        match self.change {
            None => list(&self.place, self.json, settings)?,
            Some(Change::List { json, place }) => list(&place, json, settings)?,
            Some(Change::Create { name, environment, place }) => {
                let backend = Backend::of(&place, settings, Absent::Make)?;
                let made: Project =
                    api::post(&backend, Path::new(ROUTE), &Project { name, environments: environment })?;
                println!("{}: {}", made.name, made.environments.join(", "));
            }
            Some(Change::Delete { name, place }) => {
                let backend = Backend::of(&place, settings, Absent::Refuse)?;
                api::delete(&backend, Path::of(ROUTE, &name))?;
            }
        }
        Ok(Verdict::Fine)
    }
}

fn list(place: &Place, json: bool, settings: &Settings) -> Result<(), Problem> {
    let backend = Backend::of(place, settings, Absent::Refuse)?;
    let list: List = api::get(&backend, Path::new(ROUTE))?;
    if json {
        return Ok(output::json(&list)?);
    }
    let mut table = Table::new(&["project", "environments"]);
    for project in list.items {
        table.row(&[project.name, project.environments.join(", ")]);
    }
    Ok(table.print()?)
}
