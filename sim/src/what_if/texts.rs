//! A scenario in memory, for where there are no files.

use model::read::{Resolved, load_texts};
use serde::{Deserialize, Serialize};

/// A scenario in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// The path of the scenario among the texts.
    pub name: String,
    /// Paths and texts: the scenario, what it extends, its costs.
    pub texts: Vec<(String, String)>,
}

impl Texts {
    /// What was read for a scenario.
    pub fn of(resolved: &Resolved) -> Texts {
        Texts { name: resolved.path().to_string(), texts: resolved.texts() }
    }

    /// The same without the folders that all files of the user lie in: they tell where somebody keeps
    /// the files. Unchanged where a file names another one by its whole path.
    pub fn without_folders(self) -> Texts {
        let folder = self.common_folder();
        let short = |path: &String| path.strip_prefix(&folder).unwrap_or(path).to_string();
        let texts = self.texts.iter().map(|(path, text)| (short(path), text.clone())).collect();
        let moved = Texts { name: short(&self.name), texts };
        match (moved.load(&[]), self.load(&[])) {
            (Ok(moved_to), Ok(from)) if moved_to.scenario == from.scenario => moved,
            _ => self,
        }
    }

    /// The scenario with changes.
    ///
    /// # Errors
    /// Every problem of the texts and of the changes.
    pub(super) fn load(&self, set: &[String]) -> Result<Resolved, model::read::Diagnostics> {
        let texts: Vec<(&str, &str)> =
            self.texts.iter().map(|(path, text)| (&**path, &**text)).collect();
        load_texts(&self.name, &texts, set)
    }

    /// The longest folder, its `/` included, that all files lie in but for those that are built in.
    fn common_folder(&self) -> String {
        let own = self.texts.iter().map(|(path, _)| path.as_str());
        let own: Vec<&str> = own.filter(|path| !path.starts_with("scenarios/")).collect();
        let Some((first, rest)) = own.split_first() else { return String::new() };
        let folders = first.match_indices('/').map(|(slash, _)| &first[..=slash]);
        let is_common = |folder: &&str| rest.iter().all(|path| path.starts_with(folder));
        folders.take_while(is_common).last().unwrap_or_default().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = r#"
        costs.cpu.request = "1ms"
        load = { users = 20, duration = "5s" }
        service.concurrency = "async"
        endpoint = [{ name = "list", weight = 1 }]
    "#;

    fn texts(name: &str, all: &[(&str, &str)]) -> Texts {
        let texts = all.iter().map(|(path, text)| (path.to_string(), text.to_string())).collect();
        Texts { name: name.to_string(), texts }
    }

    fn paths(texts: &Texts) -> Vec<&str> {
        texts.texts.iter().map(|(path, _)| path.as_str()).collect()
    }

    #[test]
    fn folders_of_the_user_are_not_told() {
        let child = "extends = \"../base.toml\"\nservice.workers = 2";
        let files = [("/home/me/shop/a/mine.toml", child), ("/home/me/shop/base.toml", PARENT)];
        let short = texts(files[0].0, &files).without_folders();
        assert_eq!(short.name, "a/mine.toml");
        assert_eq!(paths(&short), ["a/mine.toml", "base.toml"]);
        // What is built in keeps its place, under which it is looked for.
        let child = "extends = \"v1.toml\"\nservice.workers = 2";
        let files = [("/home/me/mine.toml", child), ("scenarios/v1.toml", PARENT)];
        let short = texts(files[0].0, &files).without_folders();
        assert_eq!(paths(&short), ["mine.toml", "scenarios/v1.toml"]);
        // A whole path in a file is found under no other name.
        let child = "extends = \"/home/me/base.toml\"\nservice.workers = 2";
        let files = [("/home/me/mine.toml", child), ("/home/me/base.toml", PARENT)];
        let same = texts(files[0].0, &files);
        assert_eq!(same.clone().without_folders(), same);
    }
}
