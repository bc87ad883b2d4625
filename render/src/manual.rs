//! Manual pages, as every program writes them.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory};

use crate::{Console, Failure, whole};

/// `man`: for packages.
#[derive(Debug, Args)]
pub struct Manual {
    /// Write the pages of the program and of each command into this folder; without it the page of the
    /// program is printed
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Manual {
    /// Writes the pages of the program whose command line is `C`.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn write<C: CommandFactory>(&self, console: &mut Console<'_>) -> Result<(), Failure> {
        let mut command = C::command();
        command.build();
        let name = command.get_name().to_string();
        let Some(folder) = &self.out else {
            return Ok(console.data(&String::from_utf8_lossy(&page(command, &name)?))?);
        };
        if !folder.is_dir() {
            let found = format!("cannot write to {}: it is no folder", folder.display());
            return Err(Failure::System(found));
        }
        let shown = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
        let below: Vec<Command> = command.get_subcommands().filter(shown).cloned().collect();
        let all = below.into_iter().map(|one| (format!("{name}-{}", one.get_name()), one));
        for (page_name, one) in std::iter::once((name.clone(), command.clone())).chain(all) {
            let text = page(one, &page_name)?;
            whole::write(&folder.join(format!("{page_name}.1")), |out| Ok(out.write_all(&text)?))?;
        }
        Ok(())
    }
}

/// One page. Examples, which stand before all else on a screen, come last in a manual.
fn page(command: Command, name: &str) -> Result<Vec<u8>, Failure> {
    let examples = command.get_before_help().map(ToString::to_string);
    let command = match (examples, command.get_after_help().map(ToString::to_string)) {
        (Some(examples), Some(rest)) => command.after_help(format!("{examples}\n\n{rest}")),
        (Some(examples), None) => command.after_help(examples),
        (None, _) => command,
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command).title(name.to_uppercase()).render(&mut text)?;
    Ok(text)
}
