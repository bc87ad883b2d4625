//! The application, as it is built into this program.

/// Name and text of each of its files.
pub(super) const SOURCES: &[(&str, &str)] = &[
    ("account.py", include_str!("../../../targets/fastapi/account.py")),
    ("after.py", include_str!("../../../targets/fastapi/after.py")),
    ("app.py", include_str!("../../../targets/fastapi/app.py")),
    ("blocking.py", include_str!("../../../targets/fastapi/blocking.py")),
    ("burn.py", include_str!("../../../targets/fastapi/burn.py")),
    ("database.py", include_str!("../../../targets/fastapi/database.py")),
    ("driver.py", include_str!("../../../targets/fastapi/driver.py")),
    ("entrance.py", include_str!("../../../targets/fastapi/entrance.py")),
    ("fault.py", include_str!("../../../targets/fastapi/fault.py")),
    ("gauge.py", include_str!("../../../targets/fastapi/gauge.py")),
    ("gunicorn_worker.py", include_str!("../../../targets/fastapi/gunicorn_worker.py")),
    ("lock.py", include_str!("../../../targets/fastapi/lock.py")),
    ("parked.py", include_str!("../../../targets/fastapi/parked.py")),
    ("plan.py", include_str!("../../../targets/fastapi/plan.py")),
    ("pool.py", include_str!("../../../targets/fastapi/pool.py")),
    ("postgres.py", include_str!("../../../targets/fastapi/postgres.py")),
    ("reporter.py", include_str!("../../../targets/fastapi/reporter.py")),
    ("rows.py", include_str!("../../../targets/fastapi/rows.py")),
    ("serve.py", include_str!("../../../targets/fastapi/serve.py")),
    ("session.py", include_str!("../../../targets/fastapi/session.py")),
    ("sqlite.py", include_str!("../../../targets/fastapi/sqlite.py")),
    ("upstream.py", include_str!("../../../targets/fastapi/upstream.py")),
    ("worker.py", include_str!("../../../targets/fastapi/worker.py")),
];

/// The libraries that it needs, with their exact versions.
pub(super) const REQUIREMENTS: &str = include_str!("../../../targets/fastapi/requirements.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_application_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/targets/fastapi");
        let files = std::fs::read_dir(folder).expect("the sources are here");
        let names = files.map(|file| file.expect("it is a file").file_name());
        let names = names.filter_map(|name| name.into_string().ok());
        let mut wanted: Vec<String> = names.filter(|name| name.ends_with(".py")).collect();
        wanted.sort();
        let built: Vec<&str> = SOURCES.iter().map(|(name, _)| *name).collect();
        assert_eq!(built, wanted);
    }
}
