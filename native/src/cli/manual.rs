//! `reqlog completions` and `reqlog man`: generated from the command line itself.

use super::{Cli, Problem, Verdict};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::{self, Write};

/// Prints a completion script
#[derive(Args, Debug)]
pub struct Completions {
    /// For which shell
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<Verdict, Problem> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "reqlog", &mut script);
        io::stdout().write_all(&script)?;
        Ok(Verdict::Fine)
    }
}

/// Prints the manual page
#[derive(Args, Debug)]
pub struct Man {}

impl Man {
    #[expect(clippy::unused_self, reason = "every command runs in the same way")]
    pub fn run(self) -> Result<Verdict, Problem> {
        let mut page = Vec::new();
        let mut command = Cli::command();
        command.build();
        clap_mangen::Man::new(command.clone()).render(&mut page)?;
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let man = clap_mangen::Man::new(inner.clone());
            man.render_name_section(&mut page)?;
            man.render_synopsis_section(&mut page)?;
            man.render_options_section(&mut page)?;
        }
        io::stdout().write_all(&page)?;
        Ok(Verdict::Fine)
    }
}
