//! The way to what a service waits for, without a proxy in it.

use std::net::SocketAddr;

use super::traffic::Route;

/// The `command` that starts a service, with the addresses that the proxies of `routes` forward to in the place of
/// the proxies' own: what passes through a proxy costs the service and its database CPU time. None if it does not
/// name each proxy, or has no place for a target.
///
/// `DBPORT=5433 exec serve` with `5433->127.0.0.1:5432` is `DBPORT=5432 exec serve`.
pub fn without_proxies(command: &str, routes: &[&Route]) -> Option<String> {
    let mut direct = String::new();
    let mut named = vec![false; routes.len()];
    let mut rest = command;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = &rest[start..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        direct.push_str(&rest[..start]);
        let (number, after) = digits.split_at(end);
        let place = routes.iter().position(|route| route.listen.port().to_string() == number);
        match place.filter(|_| is_whole(&direct, after)) {
            Some(place) => {
                put_target(&mut direct, routes[place])?;
                named[place] = true;
            }
            None => direct.push_str(number),
        }
        rest = after;
    }
    direct.push_str(rest);
    (!routes.is_empty() && named.iter().all(|&named| named)).then_some(direct)
}

/// A number between these is no part of a longer word.
fn is_whole(before: &str, after: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    !before.ends_with(|c| joins(c) || c == '.') && !after.starts_with(joins)
}

/// Puts the target's port behind `direct`, and its host in the place of the one that ends it. None if that is needed
/// and no host stands there.
fn put_target(direct: &mut String, route: &Route) -> Option<()> {
    let (host, port) = route.target.rsplit_once(':')?;
    let is_here = host == "localhost"
        || route.target.parse::<SocketAddr>().is_ok_and(|target| target.ip().is_loopback());
    if !is_here {
        let own = ["127.0.0.1:", "localhost:"].into_iter().find(|own| direct.ends_with(own))?;
        direct.truncate(direct.len() - own.len());
        direct.push_str(host);
        direct.push(':');
    }
    direct.push_str(port);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(listen: u16, target: &str) -> Route {
        Route { listen: SocketAddr::from(([127, 0, 0, 1], listen)), target: target.into() }
    }

    #[test]
    fn ports_of_proxies_become_those_of_their_targets() {
        let database = route(5433, "127.0.0.1:5432");
        let partner = route(9001, "127.0.0.1:8001");
        let direct = |command: &str| without_proxies(command, &[&database, &partner]);
        assert_eq!(
            direct("DBPORT=5433 PARTNER=http://127.0.0.1:9001/v1 exec serve --port 8000")
                .as_deref(),
            Some("DBPORT=5432 PARTNER=http://127.0.0.1:8001/v1 exec serve --port 8000")
        );
        // One of them is not named, or is part of another word.
        for command in ["DBPORT=5433 serve", "DBPORT=5433 serve v9001", "serve 54330 1.9001", ""] {
            assert_eq!(direct(command), None, "{command}");
        }
        assert_eq!(without_proxies("serve 8000", &[]), None, "there are no proxies");
    }

    #[test]
    fn another_host_takes_the_place_of_this_one() {
        let far = route(5433, "db.internal:5432");
        let direct = |command: &str| without_proxies(command, &[&far]);
        assert_eq!(
            direct("DB=postgres://me@localhost:5433/shop serve").as_deref(),
            Some("DB=postgres://me@db.internal:5432/shop serve")
        );
        assert_eq!(direct("DBPORT=5433 serve"), None, "a port alone has no place for a host");
    }
}
