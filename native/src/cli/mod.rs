//! The command line: what can be typed, and what its exit code says.

mod api;
mod backend;
mod backup;
mod browser;
mod doctor;
mod endpoints;
mod events;
mod expect;
mod export;
mod feed;
mod files;
mod import;
mod keys;
mod limits;
mod literal;
mod manual;
mod opened;
mod outlines;
mod output;
mod projects;
mod query;
mod restore;
mod retention;
mod rows;
mod serve;
mod settings;
mod stats;
mod table;
mod tail;

use clap::{ArgAction, Args, Parser, Subcommand};
use settings::Settings;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Captures HTTP and API traffic, keeps it, and answers questions about it.
#[derive(Debug, Parser)]
#[command(name = "reqlog", version, propagate_version = true, after_help = AFTER)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Settings file; ./reqlog.toml is read when it is there
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Say more on stderr; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

const AFTER: &str = "Settings come from flags, then the environment (REQLOG_DATA, REQLOG_LISTEN, REQLOG_ADMIN_KEY, \
REQLOG_URL, REQLOG_KEY, REQLOG_REDACT_KEY, REQLOG_RETENTION_AGE, REQLOG_RETENTION_BYTES), then reqlog.toml.\nExit codes: 0 fine, 1 it failed or does not hold, \
2 wrong usage.";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Import(import::Import),
    Query(query::Query),
    Tail(tail::Tail),
    Export(export::Export),
    Expect(expect::Expect),
    Stats(stats::Stats),
    Endpoints(endpoints::Endpoints),
    Projects(projects::Projects),
    Keys(keys::Keys),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Doctor(doctor::Doctor),
    Completions(manual::Completions),
    Man(manual::Man),
}

/// Where the records are.
#[derive(Args, Clone, Debug, Default)]
struct Place {
    /// Data directory; one that is being served is asked through its server [default: ./reqlog-data]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    data: Option<PathBuf>,
    /// Base URL of a server
    #[arg(long)]
    url: Option<String>,
    /// Key to show to the server
    #[arg(long, requires = "url")]
    key: Option<String>,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
enum Problem {
    /// It was asked wrongly.
    Usage(String),
    /// It did not work out.
    Failed(String),
    /// Whoever reads the output has had enough.
    Unread,
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// What a command that did its work has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// It did what it was asked, and what it found is not what was wished.
    Unfulfilled,
}

pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log(cli.verbose);
    let done = Settings::load(cli.config.as_deref()).and_then(|settings| match cli.command {
        Command::Serve(serve) => serve.run(&settings),
        Command::Import(import) => import.run(&settings),
        Command::Query(query) => query.run(&settings),
        Command::Tail(tail) => tail.run(&settings),
        Command::Export(export) => export.run(&settings),
        Command::Expect(expect) => expect.run(&settings),
        Command::Stats(stats) => stats.run(&settings),
        Command::Endpoints(endpoints) => endpoints.run(&settings),
        Command::Projects(projects) => projects.run(&settings),
        Command::Keys(keys) => keys.run(&settings),
        Command::Backup(backup) => backup.run(&settings),
        Command::Restore(restore) => restore.run(&settings),
        Command::Doctor(doctor) => doctor.run(&settings),
        Command::Completions(completions) => completions.run(),
        Command::Man(man) => man.run(),
    });
    match done {
        Ok(Verdict::Fine) | Err(Problem::Unread) => ExitCode::SUCCESS,
        Ok(Verdict::Unfulfilled) => ExitCode::FAILURE,
        Err(Problem::Usage(message)) => {
            eprintln!("reqlog: {message}");
            ExitCode::from(2)
        }
        Err(Problem::Failed(message)) => {
            eprintln!("reqlog: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Logs go to stderr; `RUST_LOG` wins over the flags.
fn log(verbose: u8) {
    use tracing_subscriber::EnvFilter;
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(output::colour(&io::stderr()))
        .init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
