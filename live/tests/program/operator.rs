//! A load for several instances of k6: the script, and the `TestRun` of k6's operator beside it.

use crate::support::Lab;

const SHOP: &str = r#"
    load = { users = 6, duration = "2s" }
    service.concurrency = "async"
    endpoint = [{ name = "hello", weight = 1 }]
"#;

fn export(lab: &Lab, options: &str) -> testkit::Ended {
    lab.end(&format!("export k6 shop.toml {options}"))
}

#[test]
fn a_test_run_is_written_beside_its_script() {
    let lab = Lab::new(SHOP);
    let url = "http://shop.default.svc:8080";
    export(&lab, &format!("-o shop.js --parallelism 3 --base-url {url}")).with_code(0);
    let alone = export(&lab, "").with_code(0).out;
    assert_eq!(std::fs::read_to_string(lab.path("shop.js")).expect("a script"), alone);
    let text = std::fs::read_to_string(lab.path("shop.yaml")).expect("a test run");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[..3], ["apiVersion: k6.io/v1alpha1", "kind: TestRun", "metadata:"]);
    for line in [
        "  name: shop",
        "  parallelism: 3",
        "      name: shop",
        "      file: \"shop.js\"",
        "        value: \"http://shop.default.svc:8080\"",
    ] {
        assert!(lines.contains(&line), "{line} in\n{text}");
    }
    assert!(text.contains("#   kubectl create configmap shop --from-file=shop.js\n"), "{text}");
}

#[test]
fn what_cannot_be_divided_is_refused_and_nothing_is_written() {
    let lab = Lab::new(SHOP);
    let many = "-o shop.js --parallelism 7 --base-url http://shop";
    export(&lab, many).refused(&["--parallelism 7", "the load has 6 users", "1 to 6"]);
    let same = "-o shop.yaml --parallelism 2 --base-url http://shop";
    export(&lab, same).refused(&["name the script .js"]);
    export(&lab, "-o shop.js --parallelism 2").refused(&["--base-url"]);
    export(&lab, "--parallelism 2 --base-url http://shop").refused(&["--out"]);
    export(&lab, "-o shop.js --base-url http://shop").refused(&["--parallelism"]);
    lab.write("shop.yaml", "by hand");
    let words = "-o shop.js --parallelism 2 --base-url http://shop";
    export(&lab, words).refused(&["shop.yaml", "is there already", "--force"]);
    assert!(!lab.path("shop.js").exists());
    export(&lab, &format!("{words} --force")).with_code(0);
}
