//! A comparison as text and as Markdown.

use render::{Answer, Paint};

use super::sample::*;

#[test]
fn the_verdict_comes_first_then_the_numbers() {
    let (mut p, mut m) = (predicted(), measured());
    for report in [&mut p, &mut m] {
        report.classes.truncate(1);
        report.stations.truncate(2);
        report.errors.clear();
    }
    p.throughput = about(44.0, 0.005);
    p.classes[0].response_time.p50 = 0.3;
    set_time(&mut m, "p95", about(0.6, 0.1));
    m.run.replications = 1;
    let expected = "\
shop: prediction and measurement DISAGREE: throughput +10.0 % (at most 5.0 %).
Unsaturated: nothing is full, as predicted.

            predicted              measured                error       noise  tolerance  verdict
throughput     44.0/s  ±0.22         40.0/s  ±0.80       +10.0 %      ±2.0 %      5.0 %  DISAGREES
mean           260 ms  ±1.3 ms       260 ms  ±5.2 ms       0.0 %      ±2.0 %      5.0 %  agrees
P50            210 ms  ±1.0 ms       210 ms  ±4.2 ms       0.0 %      ±2.0 %      5.0 %  agrees
P90            400 ms  ±2.0 ms       400 ms  ±8.0 ms       0.0 %      ±2.0 %      7.5 %  agrees
P95            550 ms  ±2.8 ms       600 ms  ±60 ms       -8.3 %       ±10 %      7.5 %  within noise
P99            900 ms  ±4.5 ms       900 ms  ±18 ms        0.0 %      ±2.0 %       10 %  agrees
errors            0 %  ±0.032 pts       0 %  ±0.032 pts  0.0 pts  ±0.032 pts    1.0 pts  agrees
CPU in use       50 %  ±0.50 pts       50 %  ±0.50 pts   0.0 pts   ±0.50 pts    5.0 pts  agrees
in flight        10.4  ±0.052          10.4  ±0.21         0.0 %      ±2.0 %       10 %  agrees

Errors by endpoint (4 agree, 1 disagree):
endpoint  throughput     mean        P50      P95      P99
cart         0.0 %    0.0 %    +42.9 % !  0.0 %    0.0 %

Stations, predicted / measured (6 agree):   ! disagrees   ~ within noise   ? not judged   - not known
station         in use     wait before each  requests there
cpu      50 % / 50 %    20.0 ms / 20.0 ms     2.00 / 2.00
loop     45 % / 45 %    20.0 ms / 20.0 ms     2.00 / 2.00

note: measured once: its noise is that within one run, and runs differ by more.
";
    assert_eq!(compared(&p, &m).page().text(Paint::default()), expected);
}

#[test]
fn paired_rounds_are_told_beside_the_error() {
    let [mut p, mut m] = [predicted(), measured()];
    for report in [&mut p, &mut m] {
        report.classes.clear();
        report.stations.clear();
        report.errors.clear();
    }
    slow_down(&mut p, 1.08);
    let factors = [0.9, 1.0, 1.1];
    let comparison = compared(&in_rounds(p, &factors), &in_rounds(m, &factors));
    let expected = "\
shop: prediction and measurement DISAGREE: throughput -7.4 % (at most 5.0 %), mean +8.0 % (at most 5.0 %), P50 +8.0 % (at most 5.0 %).
The measurement does not say what is full: judged as if nothing was. Errors are judged by how much they differ between 3 pairs of rounds with the same load.

            predicted              measured                error  in pairs       noise  tolerance  verdict
throughput     37.0/s  ±9.3          40.0/s  ±10          -7.4 %    ±1.9 %       ±25 %      5.0 %  DISAGREES
mean           281 ms  ±70 ms        260 ms  ±65 ms       +8.0 %    ±2.0 %       ±25 %      5.0 %  DISAGREES
P50            227 ms  ±56 ms        210 ms  ±52 ms       +8.0 %    ±2.0 %       ±25 %      5.0 %  DISAGREES
P90            432 ms  ±107 ms       400 ms  ±99 ms       +8.0 %    ±2.0 %       ±25 %      7.5 %  within noise
P95            594 ms  ±148 ms       550 ms  ±137 ms      +8.0 %    ±2.0 %       ±25 %      7.5 %  within noise
P99            972 ms  ±241 ms       900 ms  ±224 ms      +8.0 %    ±2.0 %       ±25 %       10 %  agrees
errors            0 %  ±0.032 pts       0 %  ±0.032 pts  0.0 pts         -  ±0.032 pts    1.0 pts  agrees
CPU in use          -                     -                    -         -           -    5.0 pts  not judged: neither side has it
in flight        10.4                  10.4                0.0 %      ±0 %        ±0 %       10 %  agrees

note: CPU in use: neither side has it.
";
    assert_eq!(comparison.page().text(Paint::default()), expected);
    let reason = "throughput: -7.4 % is beyond the tolerance of 5.0 % by more than the noise of \
                  ±1.9 % between paired rounds";
    assert_eq!(comparison.reasons[0], reason);
    let row = "| throughput | 37.0/s | ±9.3 | 40.0/s | ±10 | -7.4 % | ±1.9 % | ±25 % | 5.0 % |";
    assert!(comparison.page().markdown().contains(row));
}

#[test]
fn the_same_in_markdown() {
    let (mut p, mut m) = (predicted(), measured());
    for report in [&mut p, &mut m] {
        report.classes.clear();
        report.stations.truncate(1);
    }
    thin(&mut m, 500);
    let expected = "\
**shop: INCONCLUSIVE: P99: 500 good answers were measured, and it takes 1000.** Unsaturated: nothing is full, as predicted.

|  | predicted |  | measured |  | error | noise | tolerance | verdict |
| --- | ---: | --- | ---: | --- | ---: | ---: | ---: | --- |
| throughput | 40.0/s | ±0.20 | 40.0/s | ±0.80 | 0.0 % | ±2.0 % | 5.0 % | agrees |
| mean | 260 ms | ±1.3 ms | 260 ms | ±5.2 ms | 0.0 % | ±2.0 % | 5.0 % | agrees |
| P50 | 210 ms | ±1.0 ms | 210 ms | ±4.2 ms | 0.0 % | ±2.0 % | 5.0 % | agrees |
| P90 | 400 ms | ±2.0 ms | 400 ms | ±8.0 ms | 0.0 % | ±2.0 % | 7.5 % | agrees |
| P95 | 550 ms | ±2.8 ms | 550 ms | ±11 ms | 0.0 % | ±2.0 % | 7.5 % | agrees |
| P99 | 900 ms | ±4.5 ms | 900 ms | ±18 ms | 0.0 % | ±2.0 % | 10 % | not judged: 500 good answers were measured, and it takes 1000 |
| errors | 0.1 % | ±0.081 pts | 0 % | ±0.76 pts | +0.1 pts | ±0.76 pts | 1.0 pts | agrees |
| client gave up | 0.1 % | ±0.081 pts | 0 % | ±0.76 pts | +0.1 pts | ±0.76 pts | 1.0 pts | agrees |
| CPU in use | 50 % | ±0.50 pts | 50 % | ±0.50 pts | 0.0 pts | ±0.50 pts | 5.0 pts | agrees |
| in flight | 10.4 | ±0.052 | 10.4 | ±0.21 | 0.0 % | ±2.0 % | 10 % | agrees |

Stations, predicted / measured (3 agree):   ! disagrees   ~ within noise   ? not judged   - not known

| station | in use | wait before each | requests there |
| --- | ---: | ---: | ---: |
| cpu | 50 % / 50 % | 20.0 ms / 20.0 ms | 2.00 / 2.00 |
";
    assert_eq!(compared(&p, &m).page().markdown(), expected);
}

#[test]
fn colour_says_nothing_that_words_do_not() {
    let comparison = compared(&predicted(), &measured());
    let coloured = comparison.page().text(Paint::new(true));
    let plain = coloured.replace("\x1b[1m", "").replace("\x1b[0m", "");
    assert_eq!(plain, comparison.page().text(Paint::default()));
    assert_ne!(plain, coloured);
}
