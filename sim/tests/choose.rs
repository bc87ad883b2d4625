//! The cheapest setting that holds, against closed forms.

mod support;

use model::read::Resolved;
use model::report::Choice;
use model::sweep::Axis;
use render::{Answer, Exit, Format, Paint};
use sim::choose::{BUDGET, Cost, Question};
use support::scenario;

fn chosen(resolved: &Resolved, choose: &[&str], cost: Option<&str>) -> Choice {
    let keys: Vec<Axis> = choose.iter().map(|text| text.parse().expect("values")).collect();
    let cost = Cost::new(cost, &keys).unwrap_or_else(|problems| panic!("{problems}"));
    let question = Question::new(resolved, &keys, &cost);
    let question = question.unwrap_or_else(|problems| panic!("{problems}"));
    let answer = question.answer(100_000_000, BUDGET, &mut |_, _| {});
    answer.unwrap_or_else(|runaway| panic!("{runaway}"))
}

fn values(choice: &Choice) -> Option<Vec<&str>> {
    Some(choice.chosen.as_ref()?.values.iter().map(String::as_str).collect())
}

const LAMBDA: f64 = 280.0;
const MMC: [&str; 4] = ["cpu.cores=8", "load.rate=280/s", "load.warmup=3s", "load.duration=30s"];

/// Mean response time of M/M/c by Erlang's delay formula; infinite where it has none.
fn mean(c: u32, mu: f64) -> f64 {
    let offered = LAMBDA / mu;
    if offered >= f64::from(c) {
        return f64::INFINITY;
    }
    // Erlang B by its recursion, and C from it.
    let blocked = (1..=c).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b));
    let busy = offered / f64::from(c);
    let waits = blocked / (1.0 - busy * (1.0 - blocked));
    1.0 / mu + waits / (f64::from(c) * mu - LAMBDA)
}

#[test]
fn the_least_number_of_servers_of_mmc_is_found_with_every_seed() {
    let limit = 0.018;
    let least = (1..=8).find(|&c| mean(c, 100.0) < limit).expect("one is enough");
    // Neither it nor the one before is near the limit.
    assert!(mean(least, 100.0) < 0.85 * limit && mean(least - 1, 100.0) > 1.5 * limit);
    for seed in 1..=10 {
        let seed = format!("seed={seed}");
        let sets = [&MMC[..], &[&seed]].concat();
        let resolved = scenario("theory/mmc.toml", &sets, &["mean < 18ms"]);
        let choice = chosen(&resolved, &["service.threads=1..8"], None);
        assert_eq!(values(&choice), Some(vec![&*least.to_string()]), "{seed}: {choice:?}");
        assert_eq!(choice.tried.len(), least as usize, "{seed}");
        assert!(choice.undecided.is_empty(), "{seed}: {:?}", choice.undecided);
    }
}

/// Servers may be more, or twice as fast and dearer.
#[test]
fn the_cheapest_of_two_settings_is_that_of_the_closed_form() {
    let cost = |c: u32, speed: u32| f64::from(c) * f64::from(speed).powf(1.5);
    for limit in [0.012, 0.018] {
        let all = (1..=6).flat_map(|c| [1, 2].map(|speed| (c, speed)));
        let holds = |&(c, speed): &(u32, u32)| mean(c, 100.0 * f64::from(speed)) < limit;
        let wanted = all
            .clone()
            .filter(holds)
            .min_by(|&(c, s), &(d, t)| cost(c, s).total_cmp(&cost(d, t)))
            .expect("one holds");
        for (c, speed) in all.filter(|&(c, speed)| cost(c, speed) <= cost(wanted.0, wanted.1)) {
            let off = mean(c, 100.0 * f64::from(speed)) / limit - 1.0;
            assert!(off.abs() > 0.08, "{c} and {speed} are too near {limit} to be told: {off}");
        }
        let keep = format!("mean < {}ms", limit * 1e3);
        let resolved = scenario("theory/mmc.toml", &MMC, &[&keep]);
        let keys = ["service.threads=1..6", "cpu.speed=1,2"];
        let choice = chosen(&resolved, &keys, Some("threads * speed^1.5"));
        let wanted = [wanted.0.to_string(), wanted.1.to_string()];
        assert_eq!(
            values(&choice),
            Some(wanted.iter().map(String::as_str).collect()),
            "{choice:?}"
        );
    }
}

#[test]
fn the_answer_is_checked_on_other_seeds_and_the_same_every_time() {
    let resolved = scenario("theory/mmc.toml", &MMC, &["mean < 18ms"]);
    let choice = chosen(&resolved, &["service.threads=1..8"], None);
    let confirmed = choice.chosen.as_ref().expect("one holds");
    let screened = choice.tried.last().expect("it was tried");
    assert_eq!(confirmed.values, screened.values);
    assert!(confirmed.level.kept && confirmed.level.sure && confirmed.level.replications >= 20);
    assert_ne!(confirmed.level.objectives, screened.level.objectives);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    let again = pool.install(|| chosen(&resolved, &["service.threads=1..8"], None));
    let json = |choice: &Choice| choice.print(Format::Json, Paint::default());
    assert_eq!(json(&choice), json(&again));
    let back: Choice = serde_json::from_str(&json(&choice)).expect("its own form");
    assert_eq!(back, choice);
}

/// Each worker serves one request at a time: at 150/s and 100/s for each, one falls behind.
#[test]
fn a_lost_worker_is_tried_as_the_setting_with_one_less() {
    let sets = ["cpu.cores=8", "load.rate=150/s", "load.warmup=3s", "load.duration=30s"];
    let resolved = scenario("theory/mm1.toml", &sets, &["mean < 100ms"]);
    let choice = chosen(&resolved, &["service.workers=1..6"], None);
    let workers: u32 = values(&choice).expect("one holds")[0].parse().expect("a number");
    assert!(workers >= 2, "{choice:?}");
    let less = choice.one_worker_less.as_ref().expect("it has more than one");
    assert!(!less.level.kept && less.level.sure, "{less:?}");
    let text = choice.page().text(Paint::default());
    assert!(text.contains("✗ With one worker lost it does not hold"), "{text}");
    // Where more are asked for, one may be lost.
    let more = format!("service.workers={}..{}", workers + 1, workers + 3);
    let choice = chosen(&resolved, &[&more], None);
    let less = choice.one_worker_less.as_ref().expect("it has more than one");
    assert!(less.level.kept && less.level.sure, "{less:?}");
}

/// A job takes 10 ms by itself, whatever there is of servers.
#[test]
fn what_no_setting_keeps_says_how_near_it_comes() {
    let resolved = scenario("theory/mmc.toml", &MMC, &["mean < 5ms"]);
    let choice = chosen(&resolved, &["service.threads=3..6"], None);
    assert_eq!((&choice.chosen, choice.undecided.len(), choice.tried.len()), (&None, 0, 4));
    let nearest = choice.nearest.as_ref().expect("one is the nearest");
    assert!(["5", "6"].contains(&nearest.setting.values[0].as_str()), "{nearest:?}");
    let text = choice.page().text(Paint::default());
    assert!(text.contains("No setting keeps mean < 5ms") && text.contains("% beyond"), "{text}");
}

/// The highest rate of M/M/1 with a mean response time below T is mu - 1/T: with T = 40 ms 75/s at
/// mu = 100/s, and 175/s at twice the speed.
#[test]
fn a_question_under_another_setting_has_an_answer_beside_the_first() {
    let words = "sim size theory/mm1.toml --set load.warmup=2s --set load.duration=30s --max-events \
                 100000000 --under cpu.speed=2 --format";
    let asked = |format: &str| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = words.split_whitespace().chain([format, "--keep", "mean < 40ms"]);
        let exit = sim::cli::run(args, &mut out, &mut err);
        assert_eq!((exit, &*String::from_utf8_lossy(&err)), (Exit::Success, ""));
        String::from_utf8(out).expect("UTF-8")
    };
    let json: serde_json::Value = serde_json::from_str(&asked("json")).expect("JSON");
    let answers = json["answers"].as_array().expect("answers");
    let changes: Vec<&serde_json::Value> = answers.iter().map(|one| &one["under"]).collect();
    assert_eq!(changes, [&serde_json::Value::Null, &"cpu.speed=2".into()]);
    for (answer, wanted) in answers.iter().zip([75.0, 175.0]) {
        let holds = &answer["answer"]["holds"];
        let end = |name: &str| holds[name].as_f64().expect("a number");
        // Twice the distance from the value: an interval of 95 % may miss.
        let (low, high) = (2.0 * end("low") - end("value"), 2.0 * end("high") - end("value"));
        assert!((low..high).contains(&wanted), "{holds} instead of {wanted}");
    }
    let text = asked("text");
    let table: Vec<&str> = text.lines().take(3).collect();
    assert!(table[0].starts_with("under") && table[1].starts_with("as it is"), "{text}");
    assert!(table[2].starts_with("cpu.speed=2") && table[2].contains("Holds 1"), "{text}");
}

/// What `sim size` says to wrong questions, all of which end with exit code 2.
#[test]
fn wrong_questions_are_refused() {
    let told = |words: &[&str]| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = ["sim", "size", "v5.toml"].iter().chain(words).copied();
        let exit = sim::cli::run(args, &mut out, &mut err);
        assert_eq!((exit, &*String::from_utf8_lossy(&out)), (Exit::Failure, ""), "{words:?}");
        String::from_utf8_lossy(&err).into_owned()
    };
    let keep = ["--keep", "p99 < 10s"];
    let two = ["--choose", "service.workers=1..4", "--choose", "cpu.cores=1..2"];
    let with = |more: &[&str]| told(&[&keep[..], more].concat());
    for (found, wanted) in [
        (told(&two[..2]), "there is no objective"),
        (with(&two), "--cost 'workers*1 + pool*0.01'"),
        (with(&[&two[..], &["--cost", "users*2"]].concat()), "`users` is no key that is chosen"),
        (with(&["--choose", "service.wokers=1..4"]), "unknown key `service.wokers`"),
        (with(&["--choose", "service.workers=4..1"]), "`4..1` is empty"),
        (with(&["--choose", "service.server=uvicorn,gunicorn"]), "are no numbers of one kind"),
        (with(&["--choose", "service.workers=1..4", "--rate", "fast"]), "load.rate"),
        (with(&["--choose", "service.workers=1..4", "--keep", "p50 > 20s"]), "--keep"),
        (with(&["--cost", "workers"]), "--choose"),
        (with(&["--under", "service.wokers=2"]), "unknown key `service.wokers`"),
    ] {
        assert!(found.contains(wanted), "{wanted}: {found}");
    }
}
