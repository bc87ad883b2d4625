//! A database server that is down, is killed or stands still for a time, and the services at it.

use model::measurement::MeasuredFault;
use testkit::{has_postgres, in_time};

use crate::fastapi::python::options;
use crate::support::{Kept, Lab};

/// Requests that the fault hits, before and after which there are others.
fn orders(database: &str) -> Lab {
    Lab::new(&format!(
        r#"
        load = {{ users = 4, think_time = "20ms", warmup = "200ms" }}
        service.concurrency = "async"
        [database]
        engine = "postgres"
        round_trip = "300us"
        connections = {{ kind = "pool", size = 4, overflow = 0, timeout = "20s" }}
        [[fault]]
        at = "1500ms"
        database = "{database}"
        for = "600ms"
        [[endpoint]]
        name = "order"
        weight = 1
        steps = [{{ transaction = [{{ read = "item" }}, {{ write = "sale" }}] }}]
        "#
    ))
}

/// A run at the end of which the server is back, which takes long on a slow machine.
fn outlived(database: &str, sets: &str) -> Kept {
    in_time(|times| {
        let kept = orders(database).run(&format!("{sets} --set load.duration={}s", 5 * times));
        let server = kept.measurement().database.as_ref();
        let back = |faults: &[MeasuredFault]| faults.iter().all(|fault| fault.lasted.is_some());
        server.is_some_and(|server| back(&server.faults)).then_some(kept)
    })
}

/// The fault came, and the server is back and works.
fn came(kept: &Kept, database: &str) -> MeasuredFault {
    let server = kept.measurement().database.as_ref().expect("there was a server");
    let [fault] = server.faults.as_slice() else { panic!("one fault: {:?}", server.faults) };
    assert_eq!((fault.database.as_str(), fault.at), (database, 1.5), "{fault:?}");
    // It ends when it was to end, also if the machine was late to begin it.
    assert!(fault.lasted.is_some_and(|lasted| fault.late + lasted >= 0.6), "{fault:?}");
    assert_eq!(server.counts.is_none(), database == "killed", "{server:?}");
    assert!(server.utilisation > 0.0, "{server:?}");
    assert!(kept.report.run.samples > 0);
    fault.clone()
}

/// Kinds of errors that a service may meet at a server that goes.
fn only_of_a_server_that_goes(kept: &Kept) {
    let errors = &kept.measurement().accounting.errors;
    let known = ["database_connection_lost", "database_connection_refused"];
    assert!(errors.keys().all(|kind| known.contains(&kind.as_str())), "{errors:?}");
}

#[test]
fn axum_waits_for_a_server_that_is_away_or_stands_still() {
    if !has_postgres() {
        return;
    }
    // sqlx asks each connection whether it answers, and tries again while the server refuses.
    for database in ["down", "killed", "paused"] {
        let kept = outlived(database, "--set database.connections.pre_ping=true");
        came(&kept, database);
        only_of_a_server_that_goes(&kept);
        if database == "paused" {
            kept.has_errors_of(&[]);
        }
    }
}

#[test]
fn axum_fails_on_connections_that_are_gone() {
    if !has_postgres() {
        return;
    }
    for database in ["down", "killed"] {
        let kept = outlived(database, "--set database.connections.pre_ping=false");
        came(&kept, database);
        only_of_a_server_that_goes(&kept);
        let lost = kept.measurement().accounting.errors["database_connection_lost"];
        assert!((1..=4).contains(&lost), "one for each connection at most: {lost}");
    }
}

#[test]
fn fastapi_says_what_a_server_that_goes_does_to_it() {
    let Some(on) = options().filter(|_| has_postgres()) else { return };
    for concurrency in ["async", "threadpool"] {
        for (database, ping) in [("down", true), ("killed", false), ("paused", false)] {
            let sets = format!(
                "{on} --set service.concurrency={concurrency} \
                 --set database.connections.pre_ping={ping}"
            );
            let kept = outlived(database, &sets);
            came(&kept, database);
            only_of_a_server_that_goes(&kept);
            let failed = kept.measurement().accounting.failed();
            assert_eq!(failed > 0, database != "paused", "{:?}", kept.measurement().accounting);
        }
    }
}
