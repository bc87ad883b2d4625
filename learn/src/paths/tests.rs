//! What becomes of paths.

use proptest::prelude::*;

use super::*;

fn settled(requests: impl IntoIterator<Item = (&'static str, String)>) -> Settled {
    let mut endpoints = Endpoints::new(Vec::new());
    for (method, path) in requests {
        endpoints.path(method, &path, Some(200));
    }
    endpoints.settle()
}

fn names(settled: &Settled) -> Vec<(&str, u64)> {
    settled.endpoints.iter().map(|one| (one.name.as_str(), one.requests)).collect()
}

#[test]
fn numbers_and_uuids_vary_at_once_and_words_stay() {
    let settled = settled([
        ("GET", "/api/v1/items/1?page=2".to_owned()),
        ("GET", "http://127.0.0.1:8000/api/v1/items/5000".to_owned()),
        ("GET", "/api/v1/items/".to_owned()),
        ("DELETE", "/api/v1/items/7".to_owned()),
        ("GET", "/orders/6fa459ea-ee8a-3ca4-894e-db77e160355e/lines/3".to_owned()),
        ("GET", "/".to_owned()),
    ]);
    let expected = [
        ("GET /api/v1/items/{id}", 2),
        ("DELETE /api/v1/items/{id}", 1),
        ("GET /", 1),
        ("GET /api/v1/items", 1),
        ("GET /orders/{uuid}/lines/{id}", 1),
    ];
    assert_eq!(names(&settled), expected);
    let request = settled.endpoints[0].request.as_deref();
    assert_eq!(request, Some("/api/v1/items/{1..5000}?page=2"));
}

#[test]
fn many_slugs_at_one_place_are_a_placeholder_and_a_frequent_word_among_them_is_not() {
    let slugs = (0..200).map(|i| ("GET", format!("/articles/how-to-do-{i}/comments")));
    let feed = (0..100).map(|_| ("GET", "/articles/feed".to_owned()));
    let settled = settled(slugs.chain(feed));
    let expected = [("GET /articles/{slug}/comments", 200), ("GET /articles/feed", 100)];
    assert_eq!(names(&settled), expected);
}

#[test]
fn names_of_people_vary_when_there_are_many_and_resources_of_an_api_do_not() {
    let syllables = ["an", "bo", "ca", "di", "el", "fo", "gu", "hi", "in", "ja"];
    let people = (0..1000).flat_map(|i| {
        let name: String = [i / 100, i / 10 % 10, i % 10].iter().map(|at| syllables[*at]).collect();
        [("GET", format!("/users/{name}")), ("GET", "/users/me".to_owned())]
    });
    assert_eq!(names(&settled(people)), [("GET /users/me", 1000), ("GET /users/{slug}", 1000)]);
    let resources = (0..30).flat_map(|i| {
        let name = format!("{}{}", syllables[i / 10], syllables[i % 10]);
        (0..20).map(move |_| ("GET", format!("/api/{name}")))
    });
    assert_eq!(settled(resources).endpoints.len(), 30);
}

#[test]
fn known_routes_given_endpoints_and_names_are_kept() {
    let given = vec!["one=GET /items/{any}".parse().expect("a pattern")];
    let mut endpoints = Endpoints::new(given);
    let a = endpoints.path("GET", "/items/blue", None);
    let b = endpoints.path("GET", "/items/red", None);
    assert_eq!(a, b);
    endpoints.path("GET", "/users/{user_id}", None);
    endpoints.path("GET", "/users/<int:pk>/posts", None);
    endpoints.named("GET", "profile", "http://x/users/alice", None);
    let settled = endpoints.settle();
    let expected =
        [("one", 2), ("GET /users/{pk}/posts", 1), ("GET /users/{user_id}", 1), ("profile", 1)];
    assert_eq!(names(&settled), expected);
}

#[test]
fn what_was_never_found_and_what_is_rare_are_counted_together() {
    let mut endpoints = Endpoints::new(Vec::new());
    for word in ["wp-admin", "phpmyadmin", "cgi-bin"] {
        endpoints.path("GET", &format!("/{word}"), Some(404));
    }
    for (at, word) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        for _ in at..10 {
            endpoints.path("GET", &format!("/{word}"), Some(200));
        }
    }
    let settled = endpoints.settle().at_most(3);
    let expected = [("GET /a", 10), ("GET /b", 9), ("(others)", 21), ("(not found)", 3)];
    assert_eq!(names(&settled), expected);
}

#[test]
fn millions_of_paths_fit_into_a_bounded_tree() {
    let mut endpoints = Endpoints::new(Vec::new());
    for i in 0..300_000_u64 {
        let word = |n: u64| format!("w{}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40);
        endpoints.path(
            "GET",
            &format!("/{}/{}/{}/{}", i % 7, word(i), word(i + 1), word(i * 3)),
            None,
        );
    }
    let settled = endpoints.settle();
    assert!(settled.endpoints.len() < 1000, "{}", settled.endpoints.len());
    assert_eq!(settled.endpoints.iter().map(|one| one.requests).sum::<u64>(), 300_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// No request is lost or counted twice, and each leaf has a class.
    #[test]
    fn every_request_belongs_to_one_endpoint(
        paths in prop::collection::vec("(/([a-z]{1,3}|[0-9]{1,4}|[a-f0-9]{8}|\\{x\\}|.{0,5})){0,5}", 1..400),
        most in 0_usize..20,
    ) {
        let mut endpoints = Endpoints::new(Vec::new());
        let leaves: Vec<u32> =
            paths.iter().map(|path| endpoints.path("GET", path, Some(200))).collect();
        let settled = endpoints.settle().at_most(most);
        let sum: u64 = settled.endpoints.iter().map(|one| one.requests).sum();
        prop_assert_eq!(sum, paths.len() as u64);
        let mut counts = vec![0; settled.endpoints.len()];
        for leaf in leaves {
            counts[settled.class[leaf as usize] as usize] += 1;
        }
        let own: Vec<u64> = settled.endpoints.iter().map(|one| one.requests).collect();
        prop_assert_eq!(counts, own);
    }

    /// The order of requests changes no name, where no place is so full that it must be decided early.
    #[test]
    fn the_order_of_requests_changes_nothing(
        mut paths in prop::collection::vec("/[a-z]{1,2}(/[a-z0-9]{1,3}){0,2}", 1..200),
    ) {
        let names_of = |paths: &[String]| {
            let all = paths.iter().map(|path| ("GET", path.clone()));
            let mut endpoints = Endpoints::new(Vec::new());
            for (method, path) in all {
                endpoints.path(method, &path, None);
            }
            let settled = endpoints.settle();
            settled.endpoints.into_iter().map(|one| (one.name, one.requests)).collect::<Vec<_>>()
        };
        let forth = names_of(&paths);
        paths.reverse();
        prop_assert_eq!(forth, names_of(&paths));
    }
}
