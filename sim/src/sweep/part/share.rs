//! Which points are whose.

use serde::{Deserialize, Serialize};

/// One of several equal shares of the points: every `of`-th one, so that points that take long,
/// which are neighbours as a rule, go to different shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Share {
    /// Counted from 1.
    pub index: u64,
    /// How many shares there are.
    pub of: u64,
}

/// Who numbers the tasks of an array, the variable in which a task finds its number, and the first
/// number.
const NUMBERED: [(&str, &str, u64); 3] = [
    ("slurm", "SLURM_ARRAY_TASK_ID", 1),
    ("k8s", "JOB_COMPLETION_INDEX", 0),
    ("batch", "AWS_BATCH_JOB_ARRAY_INDEX", 0),
];

/// How a share is written.
pub const ALLOWED: &str =
    "3/64 (counted from 1), or the index of a task: slurm/64, k8s/64, batch/64";

impl Share {
    /// Reads `3/64`, or `slurm/64` where `variable` tells the number of this task.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Share, String> {
        let wrong = || format!("`{text}` is no shard");
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let of: u64 = of.parse().ok().filter(|of| *of > 0).ok_or_else(wrong)?;
        let numbered = NUMBERED.iter().find(|(word, ..)| *word == index);
        let index = match numbered {
            Some((_, name, first)) => {
                let value = variable(name).ok_or_else(|| {
                    format!("`{text}` takes the shard from {name}, which is not set here")
                })?;
                let number = value.parse::<u64>().ok();
                let number = number.and_then(|number| number.checked_add(1)?.checked_sub(*first));
                number.ok_or_else(|| format!("{name} is `{value}`, which is no index"))?
            }
            None => index.parse().map_err(|_| wrong())?,
        };
        let share = Share { index, of };
        match share.is_one() {
            true => Ok(share),
            false => Err(format!("there is no shard {index} of {of}")),
        }
    }

    /// The number of a task in an array, as `slurm/64` has it, tells which share it is.
    pub fn is_numbered(text: &str) -> bool {
        let word = text.split('/').next();
        NUMBERED.iter().any(|(known, ..)| Some(*known) == word)
    }

    /// It is one of those that there are.
    pub fn is_one(self) -> bool {
        (1..=self.of).contains(&self.index)
    }

    /// The places of its points among `points`.
    pub fn indices(self, points: usize) -> impl Iterator<Item = usize> {
        let step = usize::try_from(self.of).unwrap_or(usize::MAX);
        let first = usize::try_from(self.index - 1).unwrap_or(usize::MAX);
        (first..points).step_by(step)
    }

    /// The share that has the point at `index`.
    pub fn of_point(index: usize, of: u64) -> Share {
        Share { index: index as u64 % of + 1, of }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Share, String> {
        Share::parse(text, &|name| match name {
            "SLURM_ARRAY_TASK_ID" => Some("3".into()),
            "JOB_COMPLETION_INDEX" => Some("0".into()),
            "AWS_BATCH_JOB_ARRAY_INDEX" => Some("64".into()),
            _ => None,
        })
    }

    #[test]
    fn a_shard_is_counted_from_one_and_by_tasks_as_their_system_counts() {
        assert_eq!(read("3/64"), Ok(Share { index: 3, of: 64 }));
        assert_eq!(read("slurm/64"), Ok(Share { index: 3, of: 64 }));
        assert_eq!(read("k8s/64"), Ok(Share { index: 1, of: 64 }));
        assert_eq!(read("batch/64"), Err("there is no shard 65 of 64".into()));
        for wrong in ["0/4", "5/4"] {
            assert!(read(wrong).is_err_and(|why| why.starts_with("there is no shard")), "{wrong}");
        }
        for wrong in ["3", "3/0", "x/4", "-1/4", "3/4/5", ""] {
            assert!(read(wrong).is_err_and(|why| why.ends_with("is no shard")), "{wrong}");
        }
        let most = Share::parse("k8s/4", &|_| Some(u64::MAX.to_string()));
        assert!(most.is_err_and(|why| why.ends_with("is no index")));
        assert!(Share::is_numbered("batch/4") && !Share::is_numbered("3/4"));
        let unset = Share::parse("k8s/4", &|_| None);
        assert!(unset.is_err_and(|why| why.contains("JOB_COMPLETION_INDEX")));
    }

    #[test]
    fn each_point_is_in_one_share() {
        for (points, of) in [(10, 3), (2, 5), (7, 1)] {
            let mut all: Vec<usize> =
                (1..=of).flat_map(|index| Share { index, of }.indices(points)).collect();
            all.sort_unstable();
            assert_eq!(all, (0..points).collect::<Vec<_>>());
            for index in 0..points {
                assert!(Share::of_point(index, of).indices(points).any(|one| one == index));
            }
        }
    }
}
