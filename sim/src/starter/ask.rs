//! Ten questions, and what their answers make of a starter.

use std::io::{self, BufRead};

use clap::ValueEnum;
use clap::builder::PossibleValue;
use render::Console;

use super::{Data, Starter, Traffic};

/// Asks on the console, and reads a line from `answers` for each question. An empty line, or the end
/// of the answers, takes what stands in brackets; an answer that cannot be is asked for again.
///
/// # Errors
/// Those of the stream.
pub(crate) fn ask(
    mut starter: Starter,
    answers: &mut dyn BufRead,
    console: &mut Console<'_>,
) -> io::Result<Starter> {
    let mut questions = Questions { answers, console, number: 0 };
    let stack = questions.word("What is it written in, and what serves it?", starter.stack)?;
    let data = questions.word("What keeps its data?", starter.data)?;
    if (stack, data) != (starter.stack, starter.data) {
        starter = Starter::of(stack, data);
    }
    starter.traffic = questions.traffic(starter.traffic)?;
    starter.workers =
        questions.number("How many worker processes does it have?", starter.workers, 1..=64)?;
    starter.cores =
        questions.number("How many processors do they share?", starter.cores, 1..=64)?;
    starter.cpu = questions.time("How much CPU does a request take?", "ms", starter.cpu)?;
    if data != Data::None {
        let how = "How many database connections does each worker keep?";
        starter.pool = questions.number(how, starter.pool, 1..=1000)?;
        starter.query = questions.time("How long does a query take?", "ms", starter.query)?;
    }
    let how = "How long does half of its calls of other services take (0: it calls none)?";
    let p50 = questions.time(how, "ms", starter.upstream.unwrap_or(0.0))?;
    starter.upstream = (p50 > 0.0).then_some(p50);
    if let Some(p50) = starter.upstream {
        let how = "How long do 99 of 100 such calls take at most?";
        starter.upstream_p99 = questions.time(how, "ms", starter.upstream_p99.max(p50))?.max(p50);
    }
    Ok(starter)
}

struct Questions<'a, 'b> {
    answers: &'a mut dyn BufRead,
    console: &'a mut Console<'b>,
    number: u32,
}

impl Questions<'_, '_> {
    /// Asks until `read` can make something of the answer, or there is none.
    fn ask<T>(
        &mut self,
        question: &str,
        usual: &str,
        default: T,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> io::Result<T> {
        self.number += 1;
        loop {
            self.console.talk(&format!("{:>2}. {question} [{usual}] ", self.number));
            let mut line = String::new();
            if self.answers.read_line(&mut line)? == 0 {
                self.console.talk("\n");
                return Ok(default);
            }
            match line.trim() {
                "" => return Ok(default),
                answer => match read(answer) {
                    Ok(value) => return Ok(value),
                    Err(allowed) => {
                        self.console.talk(&format!("    `{answer}` cannot be: {allowed}\n"));
                    }
                },
            }
        }
    }

    /// One of the words of a list.
    fn word<T: ValueEnum + PartialEq>(&mut self, question: &str, default: T) -> io::Result<T> {
        let words: Vec<(PossibleValue, &T)> = T::value_variants()
            .iter()
            .filter_map(|one| Some((one.to_possible_value()?, one)))
            .collect();
        for (word, _) in &words {
            let help = word.get_help().map(ToString::to_string).unwrap_or_default();
            self.console.talk(&format!("    {:<14} {help}\n", word.get_name()));
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| word.get_name()).collect();
        let allowed = names.join(", ");
        let usual = words.iter().find(|(_, one)| **one == default);
        let usual = usual.map(|(word, _)| word.get_name().to_string()).unwrap_or_default();
        self.ask(question, &usual, default, |answer| {
            T::from_str(answer, true).map_err(|_| allowed.clone())
        })
    }

    /// A whole number within bounds.
    fn number(
        &mut self,
        question: &str,
        default: u32,
        bounds: std::ops::RangeInclusive<u32>,
    ) -> io::Result<u32> {
        let (least, most) = (*bounds.start(), *bounds.end());
        self.ask(question, &default.to_string(), default, |answer| {
            let number = answer.parse().ok().filter(|number| bounds.contains(number));
            number.ok_or_else(|| format!("a whole number from {least} to {most}"))
        })
    }

    /// A time in milliseconds, with or without its unit.
    fn time(&mut self, question: &str, unit: &str, default: f64) -> io::Result<f64> {
        self.ask(question, &format!("{default}{unit}"), default, |answer| {
            let (digits, scale) = match answer.strip_suffix("ms") {
                Some(digits) => (digits, 1.0),
                None => match answer.strip_suffix('s') {
                    Some(digits) => (digits, 1000.0),
                    None => (answer, 1.0),
                },
            };
            let number: Option<f64> = digits.trim().parse().ok();
            let number = number.map(|number| number * scale);
            let allowed = "a time in milliseconds, such as 4, or with its unit, such as 1.5s";
            number.filter(|number| (0.0..=1e6).contains(number)).ok_or_else(|| allowed.to_string())
        })
    }

    /// A rate, or a number of users.
    fn traffic(&mut self, default: Traffic) -> io::Result<Traffic> {
        let usual = match default {
            Traffic::Rate(rate) => format!("{rate}/s"),
            Traffic::Users(users) => format!("{users} users"),
        };
        let question =
            "How many requests per second does it get, or how many users wait for replies?";
        self.ask(question, &usual, default, |answer| {
            let users = answer.strip_suffix("users").and_then(|users| users.trim().parse().ok());
            let rate = answer.strip_suffix("/s").unwrap_or(answer).trim().parse().ok();
            let users = users.filter(|users| (1..=100_000).contains(users)).map(Traffic::Users);
            let rate = rate.filter(|rate| (0.001..=1e6).contains(rate)).map(Traffic::Rate);
            users.or(rate).ok_or_else(|| "a rate such as 20/s, or `50 users`".to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Stack;
    use super::*;

    fn asked(answers: &str) -> (Starter, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let starter = Starter::of(Stack::Fastapi, Data::Postgres);
        let starter = {
            let mut console = Console::plain(&mut out, &mut err);
            ask(starter, &mut answers.as_bytes(), &mut console).expect("read")
        };
        (starter, String::from_utf8(err).expect("UTF-8"))
    }

    #[test]
    fn without_answers_everything_is_usual() {
        let usual = Starter::of(Stack::Fastapi, Data::Postgres);
        assert_eq!(asked("").0, usual);
        assert_eq!(asked("\n\n\n\n\n\n\n\n\n\n").0, usual);
    }

    #[test]
    fn ten_answers_describe_a_service() {
        let (starter, talk) = asked("axum\npostgres\n50 users\n1\n4\n0.3\n20\n1.5s\n80ms\n2s\n");
        let known = Starter {
            traffic: Traffic::Users(50),
            cores: 4,
            cpu: 0.3,
            pool: 20,
            query: 1500.0,
            upstream: Some(80.0),
            upstream_p99: 2000.0,
            ..Starter::of(Stack::Axum, Data::Postgres)
        };
        assert_eq!(starter, known);
        assert!(talk.contains("10. "), "{talk}");
        assert!(!talk.contains("11. "), "{talk}");
    }

    #[test]
    fn an_answer_that_cannot_be_is_asked_for_again() {
        let (starter, talk) = asked("rails\nflask\nnone\nmany\n30/s\n0\n3\n");
        assert_eq!((starter.stack, starter.data), (Stack::Flask, Data::None));
        assert_eq!((starter.traffic, starter.workers), (Traffic::Rate(30.0), 3));
        for wrong in [
            "`rails` cannot be: fastapi, ",
            "`many` cannot be: a rate",
            "`0` cannot be: a whole number from 1 to 64",
        ] {
            assert!(talk.contains(wrong), "{talk}");
        }
    }
}
