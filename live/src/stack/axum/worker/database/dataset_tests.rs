use super::testing::{Data, MODES, ROWS, scenario};
use model::scenario::JournalMode;

use crate::dataset::{DataError, Table, create, mode_name};
use crate::stack::axum::worker::waiting::block_on;

#[test]
fn each_row_has_a_page_of_its_own_and_the_mode_is_kept() {
    for mode in MODES {
        let data = Data::patient(mode);
        let mut connection = data.open();
        block_on(async {
            let rows = connection.ask("SELECT cast(count(*) AS text) FROM item").await;
            assert_eq!(rows, ROWS.to_string());
            let leaves = "SELECT cast(count(*) AS text) FROM dbstat \
                 WHERE name = 'item' AND pagetype = 'leaf' AND ncell = 1";
            assert_eq!(connection.ask(leaves).await, ROWS.to_string(), "{mode:?}");
            assert_eq!(connection.ask("PRAGMA journal_mode").await, mode_name(mode));
            connection.close().await;
        });
    }
}

#[test]
fn the_data_set_grows_with_the_largest_write() {
    assert_eq!(Table::of(&scenario(&[])).free, ROWS);
    assert_eq!(Table::of(&scenario(&["costs.query.sale.pages=2500"])).rows(), 2_500);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let missing = folder.path().join("missing");
    let settings = Data::patient(JournalMode::Wal).settings.sqlite;
    let error = block_on(create(&missing, &settings, 1)).expect_err("there is no folder");
    let text = error.to_string();
    assert!(text.contains(&missing.display().to_string()), "{text}");
    assert!(matches!(error, DataError::Folder { .. }));
}

#[test]
fn a_file_that_is_there_is_not_replaced() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let settings = Data::patient(JournalMode::Delete).settings.sqlite;
    let file = block_on(create(folder.path(), &settings, 1)).expect("the first");
    let size = std::fs::metadata(&file).expect("the file").len();
    assert!(block_on(create(folder.path(), &settings, 9)).is_err());
    assert_eq!(std::fs::metadata(&file).expect("the file").len(), size);
}
