//! Laws that hold in every single run, to the request and the nanosecond.

use model::place;
use model::scenario::Scenario;
use sim::observe::Observations;
use sim::replicate::replicate;
use tests::claim::theory_scenario;

fn run(scenario: &Scenario) -> Observations {
    replicate(scenario, 0, 100_000_000).unwrap()
}

#[test]
fn even_arrivals_hit_their_rate_to_the_request() {
    // The first of the window's arrivals is due at its very start, and so is the window:
    // which of the two comes first is one request either way.
    let seen = run(&theory_scenario("arrivals", &["load.spacing=even"]));
    assert!(seen.sent.abs_diff(20_000) <= 1, "{}", seen.sent);
    assert_eq!(seen.dropped, 0);
    assert_eq!(seen.in_flight.peak(), 10, "a thousand a second for ten milliseconds each");
}

#[test]
fn dropped_arrivals_balance() {
    let all = run(&theory_scenario("arrivals", &[]));
    for users in [1, 3, 5, 8, 12] {
        let seen = run(&theory_scenario("arrivals", &[&format!("load.max_users={users}")]));
        assert_eq!(seen.sent + seen.dropped, all.sent, "the very same arrivals");
        assert!(seen.dropped > 0 && seen.in_flight.peak() == users);
    }
}

#[test]
fn a_quota_caps_utilisation() {
    let seen = run(&theory_scenario("quota", &[]));
    let (budget, periods) = (50_000_000, 1_000);
    let used = seen.cpu.cores.area();
    // A rest that is less than a nanosecond for each of two running threads is lost.
    assert!(used <= budget * periods, "{used}");
    assert!(used >= (budget - 2) * periods, "{used}");

    // The same when threads come and go and share the budget.
    let think = "load.think_time={ mean = \"10ms\" }";
    let seen = run(&theory_scenario("quota", &["load.users=6", think]));
    let used = seen.cpu.cores.area();
    assert!(used <= budget * periods && used > budget * periods * 9 / 10, "{used}");

    // A quota that is not reached costs nothing.
    let free = run(&theory_scenario("quota", &["cpu.quota=none"]));
    let wide = run(&theory_scenario("quota", &["cpu.quota.budget=200ms"]));
    assert_eq!(free.good(), wide.good());
    assert_eq!(free.cpu.cores.area(), 2 * free.window.nanos() as u128, "saturated");
}

#[test]
fn an_unused_quota_does_not_add_up() {
    let seen = run(&theory_scenario("quota-burst", &[]));
    assert_eq!(seen.good(), 10);
    // Rests below a nanosecond per thread and period are made up for in the last period.
    let late = seen.classes[0].sum - 10 * 350_000_000;
    assert!(late <= 10 * 4, "{late}");
}

#[test]
fn twice_the_speed_halves_the_cpu_time_of_the_same_requests() {
    let slow = run(&theory_scenario("drain", &[]));
    let fast = run(&theory_scenario("drain", &["cpu.speed=2"]));
    assert!(slow.good() > 5_000);
    assert_eq!((slow.in_flight.value(), fast.in_flight.value()), (0, 0));
    assert_eq!(slow.good(), fast.good());
    let cpu = |seen: &Observations| seen.classes[0].time[place::CPU.index()];
    // Each time is rounded to a nanosecond.
    assert!((2 * cpu(&fast)).abs_diff(cpu(&slow)) <= 2 * u128::from(slow.good()));
}

#[test]
fn littles_law_holds_on_the_path() {
    for name in ["mm1", "mmc", "laws", "erlang-b", "timeout", "semaphore", "repairman", "quota"] {
        let seen = run(&theory_scenario(name, &["load.duration=50s"]));
        assert_eq!(seen.in_flight.area(), seen.sojourn, "{name}");
    }
}
