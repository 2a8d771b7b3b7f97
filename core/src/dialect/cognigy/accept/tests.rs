//! Tables of what clients accept and what they get.

use super::*;
use http::HeaderValue;
use proptest::prelude::*;

fn negotiate(lines: &[&str]) -> Option<Representation> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(ACCEPT, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    Representation::negotiate(&headers)
}

#[test]
fn the_heaviest_then_the_more_exact_then_the_first_wins() {
    use Representation::{Csv, Hal, Json, TextXml, Xml};
    for (accept, wanted) in [
        ("", Some(Json)),
        ("*/*", Some(Json)),
        ("application/*", Some(Json)),
        ("text/*", Some(TextXml)),
        ("application/json", Some(Json)),
        ("application/hal+json", Some(Hal)),
        ("application/xml", Some(Xml)),
        ("text/xml", Some(TextXml)),
        ("Text/CSV", Some(Csv)),
        // weights
        ("text/csv;q=0.5, application/xml;q=0.7", Some(Xml)),
        ("text/csv;q=0.701, application/xml;q=0.7", Some(Csv)),
        ("application/json;q=0.001, */*;q=0", Some(Json)),
        ("text/csv;q=1.000,application/json;q=0.999", Some(Csv)),
        ("application/json;q=0.1, */*", Some(Hal)),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Xml)),
        // weight 0 excludes, however heavy what is less specific
        ("application/json;q=0, */*", Some(Hal)),
        ("application/*;q=0, */*;q=0.1", Some(TextXml)),
        ("application/*;q=0, application/xml;q=0.2, text/*;q=0", Some(Xml)),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("*/*;q=0, text/csv", Some(Csv)),
        // of equal weight: named more exactly, then first here
        ("text/csv, */*", Some(Csv)),
        ("text/csv, application/json", Some(Json)),
        ("text/xml, application/xml", Some(Xml)),
        ("*/*, text/*", Some(TextXml)),
        ("text/csv;header=present, application/json", Some(Csv)),
        // parameters
        ("application/json; charset=UTF-8", Some(Json)),
        ("text/csv; charset=\"utf-8\"; header=present; q=0.3", Some(Csv)),
        ("application/json;charset=latin1", None),
        ("application/json;version=2, text/csv;q=0.1", Some(Csv)),
        ("text/csv;header=absent", None),
        ("application/json;q=0.2;charset=latin1", Some(Json)),
        ("application/json;a=\",text/csv\", text/xml", Some(TextXml)),
        ("application/json;a=\"\\\",text/csv\"", None),
        // what is none of them
        ("text/html", None),
        ("image/*", None),
        ("application/problem+json", None),
        // what is no media range
        ("nonsense", None),
        ("/json, text/csv", Some(Csv)),
        ("*/json", None),
        ("application/json;q=2, text/csv;q=0.1", Some(Csv)),
        ("application/json;q=-1", None),
        ("application/json;q=", None),
        ("application/json;q=0.a", None),
        (",, text/csv ,", Some(Csv)),
        // old Java
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", Some(Json)),
        ("text/csv;q=0.0001", Some(Csv)),
    ] {
        assert_eq!(negotiate(&[accept]), wanted, "{accept}");
    }
    assert_eq!(negotiate(&[]), Some(Json));
    assert_eq!(negotiate(&["text/html", "text/csv;q=0.2", "text/xml;q=0.3"]), Some(TextXml));
    assert_eq!(negotiate(&["a\u{e9}/b", "text/csv"]), Some(Csv));
}

proptest! {
    #[test]
    fn any_header_is_read(line in "[ -~]{0,40}|([a*]/[b*](;(q=)?[0-9.]{0,3}|;x=\"[ !#-~]{0,3}\"?)?,?){0,4}") {
        negotiate(&[&line]);
    }

    #[test]
    fn the_order_of_elements_does_not_matter(weights in prop::collection::vec(0..=1000u16, 5), by in 0..5usize) {
        let element = |(weight, representation): (&u16, Representation)| {
            format!("{};q={}.{:03}", representation.media_type(), weight / 1000, weight % 1000)
        };
        let mut elements: Vec<_> = weights.iter().zip(Representation::ALL).map(element).collect();
        let heaviest = *weights.iter().max().unwrap();
        let first = weights.iter().zip(Representation::ALL).find(|(weight, _)| **weight == heaviest).unwrap().1;
        elements.rotate_left(by);
        prop_assert_eq!(negotiate(&[&elements.join(", ")]), (heaviest > 0).then_some(first));
    }
}
